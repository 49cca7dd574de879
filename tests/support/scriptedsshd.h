// An SSH server for tests that asks, refuses and disconnects as it is told, and writes down what it
// was given. Each connection has a thread of its own.
#pragma once

#include "tests/support/loopbackserver.h"

#include <QByteArray>
#include <QByteArrayList>
#include <QList>
#include <QTemporaryDir>

#include <chrono>
#include <mutex>

namespace Sandpiper {

class ScriptedSshd
{
public:
    struct Round // of keyboard-interactive
    {
        QByteArray name;
        QByteArray instruction;
        QByteArrayList questions;
        QByteArrayList rightAnswers;
    };
    struct Script
    {
        QByteArray banner;
        std::chrono::milliseconds sleepsBeforeAnswer{0}; // each time that it is asked to let somebody in
        QByteArray password;       // empty: this method is not offered
        QList<Round> rounds;       // empty: keyboard-interactive is not offered
        bool roundsNeverEnd = false;
        bool passwordIsNotEnough = false; // keyboard-interactive is wanted after it
        bool takesKeys = false;           // offers publickey; takes none
        int refusalsUntilGoodBye = 0;     // 0: never
        QByteArray goodBye;               // text of the disconnect
        QByteArray goodByeAfterLogin;     // said as soon as a channel is asked for
    };
    explicit ScriptedSshd(const Script &script);
    ~ScriptedSshd();
    ScriptedSshd(const ScriptedSshd &) = delete;
    ScriptedSshd &operator=(const ScriptedSshd &) = delete;

    [[nodiscard]] bool isRunning() const { return port() != 0; }
    [[nodiscard]] quint16 port() const { return m_server.port(); }
    [[nodiscard]] QByteArray hostKey() const { return m_hostKey; }
    // One line for each attempt: "none", "password secret", "publickey", "answers a|b".
    [[nodiscard]] QByteArrayList attempts() const;
    [[nodiscard]] int connections() const { return m_server.connections(); }

private:
    class Connection;
    void note(const QByteArray &attempt);

    const Script m_script;
    QTemporaryDir m_dir;
    QByteArray m_hostKeyFile;
    QByteArray m_hostKey;
    mutable std::mutex m_mutex; // guards the attempts
    QByteArrayList m_attempts;
    LoopbackServer m_server;
};

} // namespace Sandpiper
