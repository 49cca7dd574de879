// Addresses that mean the machine which says them: "http://localhost:3000", as servers print them when they start.
// Pure; any one thread.
#pragma once

#include <QByteArray>
#include <QByteArrayView>
#include <QList>
#include <QUrl>

namespace Sandpiper {

// http or https to localhost, 127.0.0.1, [::1] or, as servers name all of their own addresses, 0.0.0.0 and [::].
[[nodiscard]] bool isLocalUrl(const QUrl &url);
// With what the scheme stands for where none is said.
[[nodiscard]] quint16 portOfLocalUrl(const QUrl &url);
// The same page where its port is reachable here as that one: path, query and what else it says stay.
[[nodiscard]] QUrl localUrlAt(const QUrl &url, quint16 port);

// Finds them, where they name a port, in the output of a program: on any split of the stream, and with colours in
// between. Keeps at most 4 KiB.
class LocalUrlScanner
{
public:
    [[nodiscard]] QList<QUrl> feed(QByteArrayView bytes);
    void reset() { m_held.clear(); }

private:
    QByteArray m_held; // the start of what may become one
};

} // namespace Sandpiper
