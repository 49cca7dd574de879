// The settings of Preferences that window and command line share: kept by NetworkStore.
#include "ui/preferences.h"

#include "session/networkstore.h"
#include "ui/dialogkit.h"

namespace Sandpiper {

QVariant Preferences::networkValue(Setting setting) const
{
    if (!m_network)
        return settingRow(setting).defaultValue;
    const NetworkSetting &now = m_network->setting();
    switch (setting) {
    case Setting::Proxy:
        return QString(wordOf(now.proxy));
    case Setting::ProxyAddress: return now.address;
    case Setting::ProxyUser: return now.user;
    case Setting::ProxyPassword: return m_network->hasPassword();
    case Setting::ProxyExceptions: return now.exceptions;
    case Setting::ExtraAuthority: return now.authority;
    default: Q_UNREACHABLE_RETURN({});
    }
}

QString Preferences::changeNetwork(Setting setting, const QVariant &value)
{
    if (!m_network)
        return {};
    NetworkSetting next = m_network->setting();
    const QString text = value.toString().trimmed();
    Done fits;
    switch (setting) {
    case Setting::Proxy:
        next.proxy = proxyFromWord(text).value_or(next.proxy); // the table has no other words
        break;
    case Setting::ProxyAddress:
        // None is no mistake yet; problemWith() says what it means.
        if (const Result<ProxySetting> proxy = proxyAt(text); !text.isEmpty() && !proxy)
            fits = std::unexpected(proxy.error());
        next.address = text;
        break;
    case Setting::ProxyUser:
        fits = checkProxyUser(text);
        next.user = text;
        break;
    case Setting::ProxyPassword: {
        QByteArray bytes = value.toString().toUtf8();
        if (bytes.size() > 255)
            return tr("This password is too long for a proxy.");
        m_network->setPassword(Secret::taking(bytes));
        return {};
    }
    case Setting::ProxyExceptions:
        fits = checkProxyExceptions(text);
        next.exceptions = text;
        break;
    case Setting::ExtraAuthority:
        next.authority = value.toByteArray();
        if (!next.authority.isEmpty())
            fits = checkAuthority(next.authority, QDateTime::currentDateTimeUtc());
        break;
    default: Q_UNREACHABLE_RETURN({});
    }
    if (!fits)
        return problemText(fits.error());
    const Done kept = m_network->set(next);
    return kept ? QString() : problemText(kept.error());
}

QString Preferences::problemWith(Setting setting) const
{
    if (!m_network || settingRow(setting).scope != SettingScope::Network || !isOfUse(setting))
        return {};
    const NetworkSetting &now = m_network->setting();
    Done fits;
    if (setting == Setting::ProxyAddress) {
        if (const Result<ProxySetting> proxy = proxyAt(now.address); !proxy)
            fits = std::unexpected(proxy.error());
    } else if (setting == Setting::ExtraAuthority && !now.authority.isEmpty()) {
        fits = checkAuthority(now.authority, QDateTime::currentDateTimeUtc()); // it may have expired since
    } else if (setting == Setting::ProxyPassword && m_network->hasPassword() && now.user.isEmpty()) {
        return tr("A password without a user name is not sent.");
    }
    return fits ? QString() : fits.error().detail;
}

void Preferences::networkChanged()
{
    QList<Setting> differing;
    for (const SettingRow &row : settingRows()) {
        if (row.scope != SettingScope::Network || m_networkSeen.value(row.setting) == networkValue(row.setting))
            continue;
        m_networkSeen.insert(row.setting, networkValue(row.setting));
        differing.append(row.setting);
    }
    for (const Setting setting : differing)
        emit changed(setting);
}

} // namespace Sandpiper
