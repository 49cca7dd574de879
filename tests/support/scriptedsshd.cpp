#include "tests/support/scriptedsshd.h"

#include "tests/support/testsshd.h"

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

#include <QFile>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

// Password and questions in one loop are only to be had by the older calls.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

// One client, from the key exchange to its end, in straight lines.
class ScriptedSshd::Connection
{
public:
    Connection(ScriptedSshd &server, int fd)
        : m_server(server)
        , m_script(server.m_script)
        , m_fd(fd)
    {
    }

    void run()
    {
        ssh_bind bind = ssh_bind_new();
        const bool no = false;
        ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no);
        ssh_bind_options_set(bind, SSH_BIND_OPTIONS_HOSTKEY, m_server.m_hostKeyFile.constData());
        m_session = ssh_new();
        if (ssh_bind_accept_fd(bind, m_session, m_fd) == SSH_OK && ssh_handle_key_exchange(m_session) == SSH_OK) {
            while (!m_server.m_server.isStopping() && !m_isDone) {
                ssh_message message = ssh_message_get(m_session);
                if (!message)
                    break;
                handle(message);
                ssh_message_free(message);
            }
        }
        ssh_disconnect(m_session);
        ssh_free(m_session);
        ssh_bind_free(bind);
    }

private:
    [[nodiscard]] int methods() const
    {
        if (m_passwordGiven)
            return SSH_AUTH_METHOD_INTERACTIVE;
        int all = m_script.takesKeys ? SSH_AUTH_METHOD_PUBLICKEY : 0;
        if (!m_script.password.isEmpty())
            all |= SSH_AUTH_METHOD_PASSWORD;
        if (!m_script.rounds.isEmpty() && !m_script.passwordIsNotEnough)
            all |= SSH_AUTH_METHOD_INTERACTIVE;
        return all;
    }

    void goodBye(const QByteArray &text)
    {
        const int linger = ::dup(m_fd);
        ssh_session_set_disconnect_message(m_session, text.constData());
        // Right after another packet the last one would be dropped: the socket must be seen as writable.
        ssh_event event = ssh_event_new();
        ssh_event_add_session(event, m_session);
        ssh_event_dopoll(event, 100);
        ssh_event_remove_session(event, m_session);
        ssh_event_free(event);
        ssh_disconnect(m_session);
        // Unread input at the close would turn into a reset, and the text would be lost.
        ::shutdown(linger, SHUT_WR);
        char rest[512];
        pollfd waiting = {linger, POLLIN, 0};
        while (::poll(&waiting, 1, 5000) > 0 && ::read(linger, rest, sizeof rest) > 0) { }
        ::close(linger);
        m_isDone = true;
    }

    void refuse(ssh_message message, const QByteArray &attempt)
    {
        m_server.note(attempt);
        ssh_message_auth_set_methods(message, methods());
        ssh_message_reply_default(message);
        if (attempt != "none" && ++m_refusals == m_script.refusalsUntilGoodBye)
            goodBye(m_script.goodBye);
    }

    void ask(ssh_message message)
    {
        const Round &round = m_script.rounds[m_round];
        std::vector<const char *> questions;
        for (const QByteArray &question : round.questions)
            questions.push_back(question.constData());
        std::vector<char> echo(questions.size() + 1, 0);
        ssh_message_auth_interactive_request(message, round.name.constData(), round.instruction.constData(),
                                             unsigned(questions.size()), questions.data(), echo.data());
    }

    void takeAnswers(ssh_message message)
    {
        QByteArrayList answers;
        for (int i = 0; i < ssh_userauth_kbdint_getnanswers(m_session); ++i)
            answers.append(ssh_userauth_kbdint_getanswer(m_session, unsigned(i)));
        const QByteArray attempt = "answers " + answers.join('|');
        if (answers != m_script.rounds[m_round].rightAnswers) {
            m_round = 0;
            refuse(message, attempt);
            return;
        }
        if (!m_script.roundsNeverEnd)
            ++m_round;
        if (m_round < m_script.rounds.size()) {
            m_server.note(attempt);
            ask(message);
        } else {
            m_server.note(attempt);
            ssh_message_auth_reply_success(message, 0);
        }
    }

    void authenticate(ssh_message message)
    {
        const auto until = std::chrono::steady_clock::now() + m_script.sleepsBeforeAnswer;
        while (!m_server.m_server.isStopping() && std::chrono::steady_clock::now() < until)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        if (!m_script.banner.isEmpty() && !m_saidBanner) {
            m_saidBanner = true;
            ssh_string banner = ssh_string_from_char(m_script.banner.constData());
            ssh_send_issue_banner(m_session, banner);
            ssh_string_free(banner);
        }
        switch (ssh_message_subtype(message)) {
        case SSH_AUTH_METHOD_PASSWORD: {
            const QByteArray given = ssh_message_auth_password(message);
            if (m_script.password.isEmpty() || given != m_script.password) {
                refuse(message, "password " + given);
            } else {
                m_server.note("password " + given);
                m_passwordGiven = m_script.passwordIsNotEnough;
                ssh_message_auth_set_methods(message, methods());
                ssh_message_auth_reply_success(message, m_script.passwordIsNotEnough ? 1 : 0);
            }
            break;
        }
        case SSH_AUTH_METHOD_INTERACTIVE:
            if (m_script.rounds.isEmpty()) {
                refuse(message, "answers");
            } else if (ssh_message_auth_kbdint_is_response(message) != 0) {
                takeAnswers(message);
            } else {
                m_round = 0;
                ask(message);
            }
            break;
        case SSH_AUTH_METHOD_PUBLICKEY: refuse(message, "publickey"); break;
        default: refuse(message, "none"); break;
        }
    }

    void handle(ssh_message message)
    {
        switch (ssh_message_type(message)) {
        case SSH_REQUEST_AUTH: authenticate(message); break;
        case SSH_REQUEST_SERVICE: ssh_message_service_reply_success(message); break;
        case SSH_REQUEST_CHANNEL_OPEN:
            if (!m_script.goodByeAfterLogin.isEmpty())
                goodBye(m_script.goodByeAfterLogin);
            else
                ssh_message_reply_default(message);
            break;
        default: ssh_message_reply_default(message); break;
        }
    }

    ScriptedSshd &m_server;
    const Script &m_script;
    int m_fd;
    ssh_session m_session = nullptr;
    bool m_saidBanner = false;
    bool m_passwordGiven = false;
    bool m_isDone = false;
    int m_refusals = 0;
    qsizetype m_round = 0;
};

ScriptedSshd::ScriptedSshd(const Script &script)
    : m_script(script)
{
    const QString file = m_dir.filePath(u"host"_s);
    QFile publicKey(file + u".pub"_s);
    if (!makeKey(file) || !publicKey.open(QIODevice::ReadOnly))
        return;
    m_hostKey = publicKey.readAll().trimmed();
    m_hostKeyFile = QFile::encodeName(file);
    m_server.start([this](int fd) { Connection(*this, fd).run(); });
}

ScriptedSshd::~ScriptedSshd()
{
    m_server.stop(); // its threads use the rest
}

void ScriptedSshd::note(const QByteArray &attempt)
{
    const std::lock_guard guard(m_mutex);
    m_attempts.append(attempt);
}

QByteArrayList ScriptedSshd::attempts() const
{
    const std::lock_guard guard(m_mutex);
    return m_attempts;
}

} // namespace Sandpiper
