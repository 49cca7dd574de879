#include "session/forwarddoor.h"

#include <QSocketNotifier>
#include <QTimer>

#include <algorithm>

using namespace std::chrono_literals;

namespace Sandpiper {
namespace {

constexpr auto kRest = 250ms;

} // namespace

struct ForwardDoor::Greeted
{
    Greeted(ForwardListener::Accepted accepted, std::chrono::milliseconds patience)
        : client(std::move(accepted), std::chrono::steady_clock::now() + patience)
        , bell(std::make_unique<QSocketNotifier>(client.descriptor(), QSocketNotifier::Read))
    {
        deadline.setSingleShot(true);
        deadline.start(patience);
    }
    ~Greeted()
    {
        bell->setEnabled(false);
        bell.release()->deleteLater(); // it may be the caller
    }
    SocksClient client;
    std::unique_ptr<QSocketNotifier> bell;
    QTimer deadline;
};

ForwardDoor::ForwardDoor(ForwardListener listener, Speaks speaks, std::chrono::milliseconds greetingPatience, std::function<bool()> hasRoom,
                         std::function<void(Visitor)> comes, QObject *parent)
    : QObject(parent)
    , m_listener(std::move(listener))
    , m_speaks(speaks)
    , m_patience(greetingPatience)
    , m_hasRoom(std::move(hasRoom))
    , m_comes(std::move(comes))
{
    for (const FileDescriptor &socket : m_listener.sockets()) {
        m_bells.push_back(std::make_unique<QSocketNotifier>(socket.get(), QSocketNotifier::Read));
        connect(m_bells.back().get(), &QSocketNotifier::activated, this, &ForwardDoor::accept);
    }
}

ForwardDoor::~ForwardDoor()
{
    for (std::unique_ptr<QSocketNotifier> &bell : m_bells) {
        bell->setEnabled(false);
        bell.release()->deleteLater(); // it may be the caller
    }
}

void ForwardDoor::look()
{
    listen(m_hasRoom() && !m_isResting);
}

void ForwardDoor::listen(bool isOpen)
{
    for (const std::unique_ptr<QSocketNotifier> &bell : m_bells)
        bell->setEnabled(isOpen);
}

void ForwardDoor::accept()
{
    while (m_hasRoom() && !m_isResting) {
        ForwardListener::Shortage shortage = ForwardListener::Shortage::None;
        std::optional<ForwardListener::Accepted> accepted = m_listener.accept(shortage);
        if (shortage == ForwardListener::Shortage::Descriptors) {
            m_isResting = true;
            QTimer::singleShot(kRest, this, [this] {
                m_isResting = false;
                look();
            });
        }
        if (!accepted)
            break;
        if (m_speaks == Speaks::Nothing) {
            const QString from = accepted->originText();
            m_comes({std::move(accepted->stream), {}, {}, {}, from});
            continue;
        }
        m_greeted.push_back(std::make_unique<Greeted>(*std::move(accepted), m_patience));
        Greeted *greeted = m_greeted.back().get();
        connect(greeted->bell.get(), &QSocketNotifier::activated, this, [this, greeted] { read(greeted); });
        connect(&greeted->deadline, &QTimer::timeout, this, [this, greeted] { read(greeted); });
    }
    look();
}

void ForwardDoor::read(Greeted *greeted)
{
    const SocksServer::State state = greeted->client.read();
    if (state == SocksServer::State::Reading && greeted->deadline.isActive())
        return;
    Visitor visitor;
    if (state == SocksServer::State::Asked) {
        const SocksServer &socks = greeted->client.socks();
        visitor.target = ForwardSpec::End{socks.host(), socks.port(), {}};
        visitor.early = socks.early();
        visitor.greeting = [socks](const Error *why) { return why ? socks.refused(why->kind) : socks.granted(); };
        visitor.from = greeted->client.accepted().originText();
        visitor.stream = greeted->client.takeStream();
    }
    std::erase_if(m_greeted, [greeted](const auto &each) { return each.get() == greeted; });
    if (visitor.stream.isValid())
        m_comes(std::move(visitor));
    look();
}

} // namespace Sandpiper
