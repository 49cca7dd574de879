// A forward in plain words. Pure; GUI thread (translations).
#pragma once

#include "session/forwardmanager.h"

namespace Sandpiper {

// "localhost:8888 on this computer → port 8000 in my-env".
[[nodiscard]] QString forwardWords(const ForwardSpec &spec, const QString &sandboxName);
// "Listens at localhost:8888", "Off", why it waits or has failed: one line.
[[nodiscard]] QString forwardStateText(const ForwardManager::Status &status, const ForwardSpec &spec);
// "Over SSH", "Through the vendor's tunnel", "Automatic": what carries it there.
[[nodiscard]] QString forwardWayText(ForwardWay way);
// Why it cannot go a way, as a sentence: what wayRefusal() says.
[[nodiscard]] QString wayReason(const Error &refusal);
// A warning for who binds to more than the loopback; empty: nobody else can reach it.
[[nodiscard]] QString exposureText(const ForwardSpec &spec, const QString &sandboxName);
// What a browser can be given: "http://localhost:8888/". Empty: it listens at no TCP port of this computer, or is
// a proxy.
[[nodiscard]] QString forwardUrl(const ForwardSpec &spec, const ForwardSpec::End &at);

// Bytes from this computer and to it: "↑ 1.2 MB ↓ 340 KB".
[[nodiscard]] QString trafficText(qint64 sent, qint64 received);

// Ports that have a use of their own.
struct ForwardTemplate
{
    QString name;
    QString target; // "localhost:5432", "/var/run/docker.sock"
    quint16 port = 0; // here; 0: a socket, or any
};
[[nodiscard]] QList<ForwardTemplate> forwardTemplates();

} // namespace Sandpiper
