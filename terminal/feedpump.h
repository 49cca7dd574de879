// One pump for all terminals, so that a hundred busy ones take no more of the GUI thread than one:
// slices by turns, at most 4 ms, then back to the event loop. GUI thread.
#pragma once

#include <QObject>
#include <QTimer>

#include <chrono>
#include <vector>

namespace Sandpiper {

class FeedPump : public QObject
{
    Q_OBJECT
public:
    class Client
    {
    public:
        [[nodiscard]] virtual bool hasWork() const = 0;
        [[nodiscard]] virtual bool isInFront() const = 0; // seen: larger slices
        // Takes at most maxBytes from its queue. May end clients, itself included.
        virtual void takeSlice(qint64 maxBytes) = 0;

    protected:
        ~Client() = default;
    };

    // The pump of this program; it ends with QCoreApplication.
    [[nodiscard]] static FeedPump &shared();
    explicit FeedPump(QObject *parent = nullptr);

    void add(Client *client);    // not owned
    void remove(Client *client); // at any time, also from within takeSlice()
    void wake();                 // a client has got work

    static constexpr qint64 frontSlice = 16 << 10;
    static constexpr qint64 backSlice = 4 << 10;
    static constexpr std::chrono::milliseconds turnTime{4};

private:
    void turn();

    std::vector<Client *> m_clients; // null: removed during a turn
    std::size_t m_next = 0;
    bool m_turning = false;
    bool m_scheduled = false;
    QTimer m_again;
};

} // namespace Sandpiper
