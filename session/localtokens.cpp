#include "session/localtokens.h"

#include "session/paths.h"
#include "session/providers/factory.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QLockFile>

#include <functional>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// Sessions end by themselves and their tokens are removed; what a kill left behind must not pile up.
constexpr qsizetype maxTokens = 500;
constexpr int lockMilliseconds = 500;

class LocalTokens : public Keychain
{
    using Found = Result<std::shared_ptr<Secret>>;

public:
    LocalTokens(std::unique_ptr<Keychain> inner, const QString &file)
        : m_inner(std::move(inner))
        , m_file(file)
        , m_prefix(u"pty/%1/"_s.arg(localVendorId()))
    {
        connect(m_inner.get(), &Keychain::persistenceChanged, this, &Keychain::persistenceChanged);
    }

    Persistence persistence() const override { return m_inner->persistence(); }
    Persistence persistenceOf(const QString &key) const override
    {
        return isOurs(key) ? Persistence::Lasting : m_inner->persistenceOf(key);
    }

    QFuture<Found> read(const QString &key) override
    {
        if (!isOurs(key))
            return m_inner->read(key);
        QByteArray token = tokens().value(key).toString().toLatin1();
        if (token.isEmpty())
            return QtFuture::makeReadyValueFuture(Found(failure(ErrorKind::NotFound, Layer::LocalDisk)));
        return QtFuture::makeReadyValueFuture(Found(std::make_shared<Secret>(Secret::taking(token))));
    }
    QFuture<Done> write(const QString &key, const Secret &value) override
    {
        if (!isOurs(key))
            return m_inner->write(key, value);
        return change([&](QJsonObject &all) {
            while (all.size() >= maxTokens)
                all.erase(all.begin());
            all.insert(key, QString::fromLatin1(value.reveal()));
        });
    }
    QFuture<Done> remove(const QString &key) override
    {
        if (!isOurs(key))
            return m_inner->remove(key);
        return change([&](QJsonObject &all) { all.remove(key); });
    }

private:
    bool isOurs(const QString &key) const { return key.startsWith(m_prefix); }

    QString file() const { return m_file.isEmpty() ? stateFolder() + u"/gateway/pty_tokens.json"_s : m_file; }

    QJsonObject tokens() const
    {
        const Result<QByteArray> content = readFile(file());
        return content ? QJsonDocument::fromJson(*content).object() : QJsonObject();
    }

    // Under a lock, because the window and the command line may write at the same time.
    QFuture<Done> change(const std::function<void(QJsonObject &)> &edit)
    {
        const auto changed = [&]() -> Done {
            if (const Done made = makePrivateFolder(file().left(file().lastIndexOf(u'/'))); !made)
                return made;
            QLockFile lock(file() + u".lock"_s);
            if (!lock.tryLock(lockMilliseconds))
                return failure(ErrorKind::Io, Layer::LocalDisk, u"another program holds its lock"_s, file());
            QJsonObject all = tokens();
            edit(all);
            return writePrivateFile(file(), QJsonDocument(all).toJson(QJsonDocument::Compact));
        };
        return QtFuture::makeReadyValueFuture(changed());
    }

    std::unique_ptr<Keychain> m_inner;
    QString m_file;
    QString m_prefix;
};

} // namespace

std::unique_ptr<Keychain> withLocalTokens(std::unique_ptr<Keychain> inner, const QString &file)
{
    return std::make_unique<LocalTokens>(std::move(inner), file);
}

} // namespace Sandpiper
