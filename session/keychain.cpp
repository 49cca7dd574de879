#include "session/keychain.h"

#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QDBusVariant>
#include <QHash>
#include <QLoggingCategory>
#include <QPointer>
#include <QPromise>
#include <QTimer>
#include <qt6keychain/keychain.h>

#include <chrono>
#include <functional>
#include <unordered_map>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

static Q_LOGGING_CATEGORY(lcKeychain, "sandpiper.session.keychain", QtInfoMsg)

namespace Sandpiper {
namespace {

using Found = Result<std::shared_ptr<Secret>>;
constexpr QLatin1StringView serviceName("sandpiper");
// A store that says nothing is taken for absent; one that waits for its user's passphrase is not.
constexpr auto answerTime = 10s;
constexpr auto unlockTime = 120s;

template <typename T>
QFuture<T> ready(T value)
{
    QPromise<T> promise;
    promise.start();
    promise.addResult(std::move(value));
    promise.finish();
    return promise.future();
}

class MemoryKeychain : public Keychain
{
public:
    using Keychain::Keychain;
    Persistence persistence() const override { return Persistence::ThisRunOnly; }
    QFuture<Found> read(const QString &key) override { return ready(find(key)); }
    QFuture<Done> write(const QString &key, const Secret &value) override
    {
        keep(key, value.clone());
        return ready(Done());
    }
    QFuture<Done> remove(const QString &key) override
    {
        m_secrets.erase(key);
        return ready(Done());
    }

    Found find(const QString &key) const
    {
        const auto it = m_secrets.find(key);
        if (it == m_secrets.cend())
            return failure(ErrorKind::NotFound, Layer::LocalDisk, {}, key);
        return std::make_shared<Secret>(it->second.clone());
    }
    void keep(const QString &key, Secret value) { m_secrets.insert_or_assign(key, std::move(value)); }

private:
    std::unordered_map<QString, Secret> m_secrets;
};

// What one job of the desktop's store came to.
struct Outcome
{
    QKeychain::Error error = QKeychain::NoError;
    QString text;
    bool timedOut = false;
};

Error errorFrom(const Outcome &outcome, const QString &key)
{
    const auto made = [&](ErrorKind kind) { return Error{kind, Layer::LocalDisk, tamed(outcome.text), key}; };
    switch (outcome.error) {
    case QKeychain::EntryNotFound: return made(ErrorKind::NotFound);
    case QKeychain::AccessDeniedByUser: return made(ErrorKind::Cancelled);
    case QKeychain::AccessDenied: return made(ErrorKind::PermissionDenied);
    case QKeychain::NoBackendAvailable:
    case QKeychain::NotImplemented: return made(ErrorKind::NoKeychain);
    case QKeychain::NoError:
    case QKeychain::CouldNotDeleteEntry:
    case QKeychain::OtherError: return made(ErrorKind::Io);
    }
    return made(ErrorKind::Io);
}

class SystemKeychain : public Keychain
{
public:
    using Keychain::Keychain;
    Persistence persistence() const override { return m_persistence; }
    QFuture<Found> read(const QString &key) override;
    QFuture<Done> write(const QString &key, const Secret &value) override;
    QFuture<Done> remove(const QString &key) override;

private:
    using Handler = std::function<void(const Outcome &)>;
    void run(QKeychain::Job *job, const QString &key, Handler handler);
    // True where the store is not there at all; then memory takes over.
    bool isAbsent(const Outcome &outcome) const;
    void settle(Persistence persistence);

    MemoryKeychain m_memory;
    Persistence m_persistence = Persistence::Unknown;
};

// Asks whether the default collection waits to be unlocked. Answers false where nobody answers.
void askWhetherLocked(QObject *context, const std::function<void(bool)> &answer)
{
    auto question = QDBusMessage::createMethodCall(
            u"org.freedesktop.secrets"_s, u"/org/freedesktop/secrets/aliases/default"_s,
            u"org.freedesktop.DBus.Properties"_s, u"Get"_s);
    question << u"org.freedesktop.Secret.Collection"_s << u"Locked"_s;
    question.setAutoStartService(false);
    const QDBusPendingCall call = QDBusConnection::sessionBus().asyncCall(question, 2000);
    auto *watcher = new QDBusPendingCallWatcher(call, context);
    QObject::connect(watcher, &QDBusPendingCallWatcher::finished, context, [watcher, answer] {
        const QDBusPendingReply<QDBusVariant> reply = *watcher;
        watcher->deleteLater();
        answer(reply.isValid() && reply.value().variant().toBool());
    });
}

// One job with its deadline. Deleted when it has told its outcome, exactly once.
class Run : public QObject
{
public:
    Run(QKeychain::Job *job, std::function<void(const Outcome &)> handler, QObject *parent)
        : QObject(parent)
        , m_handler(std::move(handler))
    {
        m_deadline.setSingleShot(true);
        connect(&m_deadline, &QTimer::timeout, this, [this] { late(); });
        connect(job, &QKeychain::Job::finished, this, [this](QKeychain::Job *done) {
            tell({done->error(), done->errorString(), false});
        });
        m_deadline.start(answerTime);
    }

private:
    void late()
    {
        if (m_extended)
            return tell({QKeychain::NoBackendAvailable, u"no answer in time"_s, true});
        m_extended = true;
        askWhetherLocked(this, [this](bool locked) {
            if (!locked)
                return tell({QKeychain::NoBackendAvailable, u"no answer in time"_s, true});
            m_deadline.start(unlockTime - answerTime);
        });
    }
    void tell(const Outcome &outcome)
    {
        if (auto handler = std::exchange(m_handler, nullptr)) {
            m_deadline.stop();
            handler(outcome);
            deleteLater();
        }
    }

    std::function<void(const Outcome &)> m_handler;
    QTimer m_deadline;
    bool m_extended = false;
};

void SystemKeychain::run(QKeychain::Job *job, const QString &key, Handler handler)
{
    // The job has no parent and is never deleted by us: libsecret calls it back, however late.
    job->setKey(key);
    job->setInsecureFallback(false);
    job->setAutoDelete(true);
    new Run(job, std::move(handler), this);
    job->start();
}

bool SystemKeychain::isAbsent(const Outcome &outcome) const
{
    switch (outcome.error) {
    case QKeychain::NoBackendAvailable:
    case QKeychain::NotImplemented: return true;
    // libsecret without a session bus or a service has no better word. Once it has worked, it is
    // a failure like any other.
    case QKeychain::OtherError: return m_persistence != Persistence::Lasting;
    case QKeychain::NoError:
    case QKeychain::EntryNotFound:
    case QKeychain::CouldNotDeleteEntry:
    case QKeychain::AccessDeniedByUser:
    case QKeychain::AccessDenied: return false;
    }
    return false;
}

void SystemKeychain::settle(Persistence persistence)
{
    if (m_persistence == persistence)
        return;
    m_persistence = persistence;
    qCInfo(lcKeychain) << (persistence == Persistence::Lasting ? "secrets are kept in the keychain"
                                                               : "no keychain: secrets last for this run");
    emit persistenceChanged(persistence);
}

QFuture<Found> SystemKeychain::read(const QString &key)
{
    if (m_persistence == Persistence::ThisRunOnly)
        return m_memory.read(key);
    auto promise = std::make_shared<QPromise<Found>>();
    promise->start();
    auto *job = new QKeychain::ReadPasswordJob(serviceName);
    run(job, key, [this, promise, key, guard = QPointer(job)](const Outcome &outcome) {
        const auto answer = [&]() -> Found {
            if (isAbsent(outcome)) {
                settle(Persistence::ThisRunOnly);
                return m_memory.find(key);
            }
            if (outcome.error == QKeychain::NoError || outcome.error == QKeychain::EntryNotFound)
                settle(Persistence::Lasting);
            if (outcome.error != QKeychain::NoError)
                return std::unexpected(errorFrom(outcome, key));
            QByteArray data = guard ? guard->binaryData() : QByteArray();
            return std::make_shared<Secret>(Secret::taking(data));
        };
        promise->addResult(answer());
        promise->finish();
    });
    return promise->future();
}

QFuture<Done> SystemKeychain::write(const QString &key, const Secret &value)
{
    if (m_persistence == Persistence::ThisRunOnly)
        return m_memory.write(key, value);
    auto promise = std::make_shared<QPromise<Done>>();
    promise->start();
    auto *job = new QKeychain::WritePasswordJob(serviceName);
    job->setBinaryData(value.reveal().toByteArray());
    // Kept until the store has answered, for the case that there is none.
    auto spare = std::make_shared<Secret>(value.clone());
    run(job, key, [this, promise, key, spare](const Outcome &outcome) {
        Done answer;
        if (isAbsent(outcome)) {
            settle(Persistence::ThisRunOnly);
            m_memory.keep(key, std::move(*spare));
        } else if (outcome.error == QKeychain::NoError) {
            settle(Persistence::Lasting);
        } else {
            answer = std::unexpected(errorFrom(outcome, key));
        }
        promise->addResult(answer);
        promise->finish();
    });
    return promise->future();
}

QFuture<Done> SystemKeychain::remove(const QString &key)
{
    if (m_persistence == Persistence::ThisRunOnly)
        return m_memory.remove(key);
    auto promise = std::make_shared<QPromise<Done>>();
    promise->start();
    run(new QKeychain::DeletePasswordJob(serviceName), key, [this, promise, key](const Outcome &outcome) {
        Done answer;
        if (isAbsent(outcome))
            settle(Persistence::ThisRunOnly);
        else if (outcome.error == QKeychain::NoError || outcome.error == QKeychain::EntryNotFound)
            settle(Persistence::Lasting);
        else
            answer = std::unexpected(errorFrom(outcome, key));
        promise->addResult(answer);
        promise->finish();
    });
    return promise->future();
}

} // namespace

std::unique_ptr<Keychain> makeSystemKeychain()
{
    if (qEnvironmentVariable("SANDPIPER_KEYCHAIN") == "memory"_L1)
        return makeMemoryKeychain();
    return std::make_unique<SystemKeychain>();
}

std::unique_ptr<Keychain> makeMemoryKeychain()
{
    return std::make_unique<MemoryKeychain>();
}

} // namespace Sandpiper
