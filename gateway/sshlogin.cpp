#include "gateway/sshlogin.h"

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// A name has at most 63 characters and an id 21; a port with its dash six more.
constexpr qsizetype maxUserLength = 69;

bool isNameCharacter(QChar c)
{
    return (c >= u'a' && c <= u'z') || (c >= u'0' && c <= u'9') || c == u'-';
}

} // namespace

std::optional<SshUser> parseSshUser(const QString &user)
{
    if (user.isEmpty() || user.size() > maxUserLength
        || !std::all_of(user.cbegin(), user.cend(), isNameCharacter))
        return std::nullopt;
    // Ids have no dash and names begin with a letter, so digits before a dash can only be a port.
    const qsizetype dash = user.indexOf(u'-');
    const auto isDigit = [](QChar c) { return c >= u'0' && c <= u'9'; };
    if (dash <= 0 || !std::all_of(user.cbegin(), user.cbegin() + dash, isDigit))
        return SshUser{user, 0};
    bool ok = false;
    const uint port = user.first(dash).toUInt(&ok);
    const QString target = user.sliced(dash + 1);
    if (!ok || port == 0 || port > 65535 || target.isEmpty())
        return std::nullopt;
    return SshUser{target, quint16(port)};
}

QString keyNotRegisteredText()
{
    return u"your SSH public key is not registered with Tensorlake"_s;
}

QString sandboxNotPresentText(const QString &target)
{
    return u"sandbox %1 is not present in any of your projects"_s.arg(target);
}

QString sandboxNotRunningText(const QString &target, LocalState state)
{
    return u"sandbox %1 is currently %2"_s.arg(target, statusWord(state));
}

QString statusWord(LocalState state)
{
    switch (state) {
    case LocalState::Pending: return u"pending"_s;
    case LocalState::Running: return u"running"_s;
    case LocalState::Suspending: return u"suspending"_s;
    case LocalState::Suspended: return u"suspended"_s;
    case LocalState::Terminated: return u"terminated"_s;
    }
    Q_UNREACHABLE_RETURN({});
}

SshVerdict admit(const QString &user, const std::function<std::optional<LocalSandbox>(const QString &)> &lookup)
{
    const std::optional<SshUser> parsed = parseSshUser(user);
    if (!parsed)
        return {std::nullopt, 0, sandboxNotPresentText(tamed(user, 80))};
    std::optional<LocalSandbox> sandbox = lookup(parsed->target);
    if (!sandbox)
        return {std::nullopt, 0, sandboxNotPresentText(parsed->target)};
    if (sandbox->state != LocalState::Running)
        return {std::nullopt, 0, sandboxNotRunningText(parsed->target, sandbox->state)};
    return {std::move(sandbox), parsed->port, {}};
}

} // namespace Sandpiper
