// Why a server did not open a channel: the numbers of RFC 4254 section 5.1. In the thread of the link,
// right after the call that failed: the library's next error takes the place of this one.
#pragma once

#include "session/error.h"

#include <libssh/libssh.h>

namespace Sandpiper {

struct OpeningRefusal
{
    enum Reason { Other = 0, Prohibited = 1, ConnectFailed = 2, UnknownType = 3, Shortage = 4 };
    Reason reason = Other;
    QString words; // the server's own where it has said any; tamed
};

// "Channel opening failure: channel 43 error (2) Connection refused"; some servers say the number alone.
[[nodiscard]] inline OpeningRefusal openingRefusal(ssh_session session)
{
    OpeningRefusal refusal;
    refusal.words = tamed(QString::fromUtf8(ssh_get_error(session)));
    static constexpr QLatin1StringView mark("error (");
    const qsizetype at = refusal.words.indexOf(mark) + mark.size();
    const qsizetype end = refusal.words.indexOf(QLatin1Char(')'), at);
    if (at < mark.size() || end < 0)
        return refusal;
    const int reason = QStringView(refusal.words).sliced(at, end - at).toInt();
    if (reason >= OpeningRefusal::Prohibited && reason <= OpeningRefusal::Shortage)
        refusal.reason = OpeningRefusal::Reason(reason);
    refusal.words = refusal.words.sliced(end + 1).trimmed();
    return refusal;
}

} // namespace Sandpiper
