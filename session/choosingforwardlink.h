// Forwards by the first of two ways that lets us in: SSH, and where it takes no key of the user's, the vendor's tunnel.
// GUI thread.
#pragma once

#include "session/forwardlink.h"

#include <functional>
#include <map>
#include <memory>

namespace Sandpiper {

class ChoosingForwardLink : public ForwardLink
{
    Q_OBJECT
public:
    struct Second
    {
        std::function<std::unique_ptr<ForwardLink>()> make; // called at most once
        std::function<std::optional<Error>(const ForwardSpec &)> refusal; // of what it cannot carry
        QString notice; // for people, when it is taken
    };
    ChoosingForwardLink(std::unique_ptr<ForwardLink> first, Second second, QObject *parent = nullptr);
    ~ChoosingForwardLink() override;

    void connectToHost() override { m_link->connectToHost(); }
    void close() override { m_link->close(); }
    void probe() override { m_link->probe(); }
    [[nodiscard]] bool isReady() const override { return m_link->isReady(); }
    [[nodiscard]] int addForward(const ForwardSpec &spec) override;
    void stopForward(int id) override;
    void limitForward(int id, qint64 bytesPerSecond) override;
    void closeConnection(int id, quint64 connection) override;

private:
    struct Forward
    {
        ForwardSpec spec;
        int inside = 0; // its id at the link
        qint64 bytesPerSecond = 0;
    };
    void follow();
    void report(const ForwardReport &report);
    void closed(const Error &error);
    void goOn(const Error &why);
    void carry(int id, Forward &forward);

    std::unique_ptr<ForwardLink> m_link;
    Second m_second;
    std::optional<Error> m_why; // the first did not let us in
    std::map<int, Forward> m_forwards;
    int m_lastId = 0;
    bool m_wasReady = false;
};

} // namespace Sandpiper
