// The face on the GUI thread of StreamForwards, which live in the I/O thread.
#pragma once

#include "session/forwardlink.h"
#include "session/iothread.h"
#include "session/streamforwards.h"

namespace Sandpiper {

class StreamForwardLink : public ForwardLink
{
    Q_OBJECT
public:
    ~StreamForwardLink() override; // its connections end without a word

    void connectToHost() override;
    void close() override;
    [[nodiscard]] bool isReady() const override { return m_isReady; }
    [[nodiscard]] int addForward(const ForwardSpec &spec) override;
    void stopForward(int id) override;
    void limitForward(int id, qint64 bytesPerSecond) override;
    void closeConnection(int id, quint64 connection) override;

protected:
    // Said in the I/O thread and done here, in order, as long as we live.
    using News = Mailbox<std::function<void()>>;
    StreamForwardLink(ForwardWay way, const ForwardOwner &owner, const ForwardRules &rules, QObject *parent);

    // How the far side says in the I/O thread that it is there, and that it is not any more; never from inside a
    // call of it.
    struct SideWords
    {
        std::function<void()> ready;
        std::function<void(const Error &)> lost;
    };
    // Makes the far side, in the I/O thread.
    using SideMaker = std::function<std::unique_ptr<FarSide>(const SideWords &)>;
    [[nodiscard]] virtual SideMaker sideMaker() = 0; // once; null: end() comes
    [[nodiscard]] const std::shared_ptr<News> &news() const { return m_news; }
    // Work for the I/O thread, dropped where the forwards are not there any more.
    void post(std::function<void(StreamForwards &)> job);
    // Each forward is Lost, then closed() comes.
    void end(const Error &error);

private:
    struct Inside
    {
        std::unique_ptr<StreamForwards> forwards;
    };
    void takeNews();

    ForwardWay m_way;
    ForwardOwner m_owner;
    ForwardRules m_rules;
    std::shared_ptr<IoThread> m_thread;
    std::shared_ptr<Inside> m_inside = std::make_shared<Inside>(); // for the I/O thread alone
    std::shared_ptr<News> m_news = std::make_shared<News>();
    std::unique_ptr<QSocketNotifier> m_bell;
    int m_lastId = 0;
    bool m_isReady = false;
    bool m_isEnding = false;
};

} // namespace Sandpiper
