#include "session/networkstore.h"

#include "session/paths.h"

#include <QFileInfo>
#include <QJsonObject>
#include <QLoggingCategory>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

static Q_LOGGING_CATEGORY(lcNetwork, "sandpiper.session.network", QtInfoMsg)

namespace {

// InvalidInput. A certificate that has expired since is no reason to forget the rest.
Done check(const NetworkSetting &setting)
{
    if (!setting.address.isEmpty()) {
        if (const Result<ProxySetting> proxy = proxyAt(setting.address); !proxy)
            return std::unexpected(proxy.error());
    }
    if (const Done user = checkProxyUser(setting.user); !user)
        return user;
    if (setting.authority.contains("PRIVATE KEY") || (!setting.authority.isEmpty() && nameOfAuthority(setting.authority).isEmpty()))
        return failure(ErrorKind::InvalidInput, Layer::LocalDisk, u"This is no certificate."_s);
    return checkProxyExceptions(setting.exceptions);
}

QJsonArray toJson(const NetworkSetting &setting)
{
    return {QJsonObject{{u"proxy"_s, QString(wordOf(setting.proxy))},
                        {u"address"_s, setting.address},
                        {u"user"_s, setting.user},
                        {u"exceptions"_s, setting.exceptions},
                        {u"authority"_s, QString::fromLatin1(setting.authority)}}};
}

std::optional<NetworkSetting> fromJson(const QJsonArray &list)
{
    const QJsonObject json = list.size() == 1 ? list.first().toObject() : QJsonObject();
    const std::optional<NetworkSetting::Proxy> proxy = proxyFromWord(json.value("proxy"_L1).toString());
    if (!proxy)
        return std::nullopt;
    NetworkSetting setting;
    setting.proxy = *proxy;
    setting.address = json.value("address"_L1).toString();
    setting.user = json.value("user"_L1).toString();
    setting.exceptions = json.value("exceptions"_L1).toString();
    setting.authority = json.value("authority"_L1).toString().toLatin1();
    return check(setting) ? std::optional(setting) : std::nullopt;
}

} // namespace

NetworkStore::NetworkStore(const QString &file, Keychain *keychain, QObject *parent)
    : QObject(parent)
    , m_path(file)
    , m_file(file, u"network"_s)
    , m_keychain(keychain)
{
    m_ready.start();
    reload();
    if (passwordKey().isEmpty() || !keychain)
        m_ready.finish();
    connect(&m_watcher, &QFileSystemWatcher::fileChanged, this, &NetworkStore::reload);
    connect(&m_watcher, &QFileSystemWatcher::directoryChanged, this, &NetworkStore::reload);
}

NetworkStore::~NetworkStore() = default;

// A file that is replaced is not watched any more, and one that is not there cannot be: so the folder too.
void NetworkStore::watch()
{
    for (const QString &path : {m_path, QFileInfo(m_path).absolutePath()}) {
        if (QFileInfo::exists(path) && !m_watcher.files().contains(path) && !m_watcher.directories().contains(path))
            m_watcher.addPath(path);
    }
}

void NetworkStore::reload()
{
    watch();
    const bool isFirst = m_turn == 0;
    // Most changes of the folder are none of this file; and one that is damaged is kept aside once.
    const QByteArray content = readFile(m_path).value_or(QByteArray());
    if (!isFirst && content == m_content)
        return;
    m_content = content;
    NetworkSetting next;
    if (QFileInfo::exists(m_path)) {
        const std::optional<NetworkSetting> read = fromJson(m_file.load([](const QJsonArray &list) { return fromJson(list).has_value(); }));
        if (m_file.error())
            qCWarning(lcNetwork).noquote() << "the network setting cannot be read, so nothing is reached:" << describe(*m_file.error());
        next = read.value_or(NetworkSetting{.proxy = NetworkSetting::Proxy::Manual, .address = {}, .user = {}, .exceptions = {}, .authority = {}});
    }
    if (!isFirst && next == m_setting)
        return;
    const QString before = passwordKey();
    m_setting = next;
    if (isFirst || passwordKey() != before)
        readPassword();
    putInForce(m_setting, m_password);
    if (!isFirst)
        emit changed();
}

QString NetworkStore::passwordKey() const
{
    if (m_setting.proxy != NetworkSetting::Proxy::Manual || m_setting.user.isEmpty() || m_setting.address.isEmpty())
        return {};
    return u"proxy/"_s + m_setting.user + u'@' + m_setting.address;
}

void NetworkStore::readPassword()
{
    m_password.reset();
    const int turn = ++m_turn;
    if (passwordKey().isEmpty() || !m_keychain)
        return;
    m_keychain->read(passwordKey()).then(this, [this, turn](const Result<std::shared_ptr<Secret>> &secret) {
        if (turn == m_turn && secret) {
            m_password = *secret;
            putInForce(m_setting, m_password);
            emit changed();
        } else if (!secret && secret.error().kind != ErrorKind::NotFound) {
            qCWarning(lcNetwork).noquote() << "the proxy's password was not read:" << describe(secret.error());
        }
        if (!m_ready.future().isFinished())
            m_ready.finish();
    });
}

Done NetworkStore::set(const NetworkSetting &next)
{
    if (const Done fine = check(next); !fine)
        return fine;
    if (next == m_setting && !loadError())
        return {};
    const Done saved = m_file.change([&next](const std::optional<QJsonArray> &) -> Result<QJsonArray> { return toJson(next); });
    if (!saved)
        return saved;
    const bool isAnother = next.address != m_setting.address || next.user != m_setting.user;
    if (const QString old = passwordKey(); isAnother && !old.isEmpty() && m_keychain)
        (void)m_keychain->remove(old);
    const QString before = passwordKey();
    m_setting = next;
    if (isAnother) {
        m_password.reset();
        ++m_turn;
    } else if (passwordKey() != before) {
        readPassword(); // to a manual proxy and back
    }
    putInForce(m_setting, m_password);
    watch();
    emit changed();
    return {};
}

void NetworkStore::setPassword(Secret password)
{
    ++m_turn;
    const QString key = passwordKey();
    m_password = password.isEmpty() || key.isEmpty() ? nullptr : std::make_shared<Secret>(std::move(password));
    putInForce(m_setting, m_password);
    emit changed();
    if (!m_keychain || key.isEmpty())
        return;
    const QFuture<Done> done = m_password ? m_keychain->write(key, *m_password) : m_keychain->remove(key);
    QFuture<Done>(done).then(this, [this](const Done &kept) {
        if (!kept && kept.error().kind != ErrorKind::NotFound)
            emit passwordNotKept(kept.error());
    });
}

} // namespace Sandpiper
