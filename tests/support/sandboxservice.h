// A python3 program that runs in a sandbox of a gateway. It says lines of a word and a value; "port N" first.
#pragma once

#include "tests/support/gatewayclient.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QTest>

#include <utility>

namespace Sandpiper {

class SandboxService
{
public:
    // client: of that sandbox's plane.
    SandboxService(GatewayClient client, const QByteArray &program)
        : m_client(std::move(client))
    {
        const QJsonObject wish{{QStringLiteral("command"), QStringLiteral("python3")},
                               {QStringLiteral("args"), QJsonArray{QStringLiteral("-c"), QString::fromLatin1(program)}}};
        m_path = "/api/v1/processes/" + QByteArray::number(m_client.ask("POST", "/api/v1/processes", wish).json().value(QLatin1StringView("pid")).toInt());
    }
    ~SandboxService() { (void)m_client.ask("DELETE", m_path); }
    SandboxService(const SandboxService &) = delete;
    SandboxService &operator=(const SandboxService &) = delete;

    // What it has said behind that word last; empty: nothing yet.
    [[nodiscard]] QByteArray said(const QByteArray &word) const
    {
        const QJsonArray lines = m_client.ask("GET", m_path + "/stdout").json().value(QLatin1StringView("lines")).toArray();
        for (qsizetype i = lines.size() - 1; i >= 0; --i) {
            const QByteArray line = lines.at(i).toString().toUtf8();
            if (line.startsWith(word + ' '))
                return line.sliced(word.size() + 1);
        }
        return {};
    }
    // Waits for it; 0: it did not come.
    [[nodiscard]] quint16 port() const
    {
        QByteArray port;
        (void)QTest::qWaitFor([&] { return !(port = said("port")).isEmpty(); }, 60'000);
        return port.toUShort();
    }

    // Gives back what comes, and "bye" after its end. {} becomes the listener.
    [[nodiscard]] static QByteArray echo(const QByteArray &listener = "socket.create_server((\"127.0.0.1\",0))")
    {
        return QByteArray(R"(
import socket,threading
def serve(c):
    while True:
        d=c.recv(65536)
        if not d: break
        c.sendall(d)
    c.sendall(b"bye")
    c.close()
s={}
print("port",s.getsockname()[1],flush=True)
while True:
    c,_=s.accept()
    threading.Thread(target=serve,args=(c,),daemon=True).start()
)").replace("{}", listener);
    }

private:
    GatewayClient m_client;
    QByteArray m_path;
};

} // namespace Sandpiper
