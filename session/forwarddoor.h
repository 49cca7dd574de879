// Who comes to a forward's listener on this computer, and where they want to be led. In the I/O thread.
#pragma once

#include "session/socksclient.h"

#include <QObject>

#include <functional>
#include <memory>
#include <vector>

class QSocketNotifier;

namespace Sandpiper {

class ForwardDoor : public QObject
{
public:
    struct Visitor
    {
        FileDescriptor stream;
        std::optional<ForwardSpec::End> target; // of a SOCKS client
        QByteArray early; // what it has already sent for the other end
        std::function<QByteArray(const Error *)> greeting; // see StreamJoint::End
        QString from; // "127.0.0.1:51234"; empty at a UNIX socket
    };
    enum class Speaks { Nothing, Socks };
    // hasRoom: for one more, asked before each. comes: never from inside a call.
    ForwardDoor(ForwardListener listener, Speaks speaks, std::chrono::milliseconds greetingPatience, std::function<bool()> hasRoom,
                std::function<void(Visitor)> comes, QObject *parent = nullptr);
    ~ForwardDoor() override;

    [[nodiscard]] const ForwardSpec::End &at() const { return m_listener.at(); }
    [[nodiscard]] size_t greeted() const { return m_greeted.size(); } // SOCKS clients that have not said it yet
    // There may be room again.
    void look();

private:
    struct Greeted;
    void accept();
    void listen(bool isOpen);
    void read(Greeted *greeted);

    ForwardListener m_listener;
    Speaks m_speaks;
    std::chrono::milliseconds m_patience;
    std::function<bool()> m_hasRoom;
    std::function<void(Visitor)> m_comes;
    std::vector<std::unique_ptr<QSocketNotifier>> m_bells; // one for each socket, gone before it
    std::vector<std::unique_ptr<Greeted>> m_greeted;
    bool m_isResting = false; // short of descriptors
};

} // namespace Sandpiper
