#include "session/sshauth.h"

#include "session/sshkeyfile.h"
#include "session/sshpublickey.h"

#include <QFile>
#include <QLoggingCategory>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

static Q_LOGGING_CATEGORY(lcAuth, "sandpiper.session.sshauth", QtInfoMsg)

namespace {

constexpr int kMostAttempts = 3;  // of typing the same thing again
constexpr int kMostRounds = 32;   // of keyboard-interactive in one attempt; a server could go on for ever
constexpr int kMostFields = 32;   // of one round
constexpr int kManyKeys = 5;      // offered in vain: from here on it is worth choosing one
constexpr int kMostSteps = 8;     // of a server that wants several methods one after the other
// The server's disconnect text comes right after its refusal; without this wait it is lost (measured).
constexpr std::chrono::milliseconds kLingerAfterRefusal{100};

QString textFrom(const char *text)
{
    return text ? tamed(QString::fromUtf8(text)) : QString();
}

int noteThatAPassphraseIsWanted(const char *, char *, size_t, int, int, void *wanted)
{
    *static_cast<bool *>(wanted) = true;
    return -1;
}

Error cancelledByUser()
{
    return {ErrorKind::Cancelled, Layer::Auth, {}, {}};
}

} // namespace

Error refusalFrom(const QString &text)
{
    // The three messages of the gateway's SSH front; the sentences for them are made by errorText().
    if (text.contains("is not registered with"_L1))
        return {ErrorKind::KeyNotRegistered, Layer::Ssh, text, {}};
    if (text.contains("is not present in any of your projects"_L1))
        return {ErrorKind::SandboxNotYours, Layer::SandboxState, text, {}};
    if (text.startsWith("sandbox "_L1) && text.contains(" is currently "_L1))
        return {ErrorKind::SandboxNotRunning, Layer::SandboxState, text, {}};
    return {ErrorKind::AuthRejected, Layer::Ssh, text, {}};
}

SshAuth::SshAuth(const LinkOptions &options)
    : m_options(options)
    , m_target(options.displayName)
{
    if (m_target.isEmpty()) {
        m_target = u"%1@%2:%3"_s.arg(options.endpoint.user, options.endpoint.host).arg(options.endpoint.port);
    }
}

SshAuth::~SshAuth() = default;

bool SshAuth::hasUntriedKeys() const
{
    return m_nextKey < m_keys.size();
}

Done SshAuth::authenticate(ssh_session session, AuthContext &context)
{
    // Asks what is possible; a server may also let everybody in.
    const Result<int> none = context.repeat([=] { return ssh_userauth_none(session, nullptr); }, SSH_AUTH_AGAIN);
    if (!none)
        return std::unexpected(none.error());
    const SshTextHandle banner(ssh_get_issue_banner(session));
    if (banner)
        context.tell(tamed(QString::fromUtf8(banner.get()), 2000));
    if (*none == SSH_AUTH_SUCCESS)
        return {};
    if (*none == SSH_AUTH_ERROR)
        return std::unexpected(context.lossOfConnection());
    if (!m_collected) {
        if (const Done collected = collectKeys(context); !collected)
            return collected;
    }
    const Done done = climbToTheEnd(session, context);
    return done ? done : std::unexpected(withAdvice(done.error()));
}

Done SshAuth::climbToTheEnd(ssh_session session, AuthContext &context)
{
    for (int step = 0; step < kMostSteps; ++step) {
        const Result<Outcome> outcome = climb(session, context);
        if (!outcome)
            return std::unexpected(outcome.error());
        if (*outcome == Outcome::Accepted)
            return {};
        if (*outcome == Outcome::Denied)
            return std::unexpected(refusal(session));
        qCInfo(lcAuth) << "the server wants one more proof";
    }
    return failure(ErrorKind::Protocol, Layer::Ssh, u"the server asks for one proof after the other"_s);
}

Error SshAuth::refusal(ssh_session session) const
{
    const int methods = ssh_userauth_list(session, nullptr);
    QStringList accepted;
    for (const auto &[flag, name] : {std::pair(SSH_AUTH_METHOD_PUBLICKEY, u"publickey"_s),
                                     std::pair(SSH_AUTH_METHOD_INTERACTIVE, u"keyboard-interactive"_s),
                                     std::pair(SSH_AUTH_METHOD_PASSWORD, u"password"_s)}) {
        if ((unsigned(methods) & flag) != 0)
            accepted.append(name);
    }
    QString detail = u"the server takes %1; %2 keys and %3 answers were tried"_s
                             .arg(accepted.isEmpty() ? u"nothing we know"_s : accepted.join(u", "_s))
                             .arg(m_keysTried)
                             .arg(m_answersTried);
    return {ErrorKind::AuthRejected, Layer::Ssh, detail, {}};
}

// What the user can do about a refusal, which the server's words do not say.
Error SshAuth::withAdvice(Error error) const
{
    if (error.kind != ErrorKind::AuthRejected)
        return error;
    if (m_keysTried >= kManyKeys)
        error.detail += u"; %1 keys were offered"_s.arg(m_keysTried);
    for (const QString &note : m_notes)
        error.detail += u"; note: "_s + note;
    error.detail = tamed(error.detail, 1000);
    return error;
}

bool SshAuth::allows(const QString &method) const
{
    if (method == "publickey"_L1)
        return m_options.allowsPublicKey;
    // A vendor that names its key files has no passwords to ask for.
    if (!m_options.endpoint.identityFiles.isEmpty())
        return false;
    return method == "password"_L1 ? m_options.allowsPassword : m_options.allowsInteractive;
}

Result<SshAuth::Outcome> SshAuth::outcomeOf(Result<int> code, ssh_session session, AuthContext &context)
{
    if (!code)
        return std::unexpected(code.error());
    switch (*code) {
    case SSH_AUTH_SUCCESS:
        return Outcome::Accepted;
    case SSH_AUTH_PARTIAL:
        return Outcome::Partial;
    case SSH_AUTH_DENIED:
        if (!context.linger(kLingerAfterRefusal))
            return std::unexpected(context.lossOfConnection());
        return Outcome::Denied;
    default:
        if (!ssh_is_connected(session))
            return std::unexpected(context.lossOfConnection());
        return failure(ErrorKind::Protocol, Layer::Auth, textFrom(ssh_get_error(session)));
    }
}

// One way after the other, until one is accepted, or accepted as one of several.
Result<SshAuth::Outcome> SshAuth::climb(ssh_session session, AuthContext &context)
{
    using Way = Result<Outcome> (SshAuth::*)(ssh_session, AuthContext &);
    struct Method
    {
        QString name;
        unsigned flag;
        Way way;
    };
    const QList<Method> known{{u"publickey"_s, SSH_AUTH_METHOD_PUBLICKEY, &SshAuth::tryKeys},
                              {u"keyboard-interactive"_s, SSH_AUTH_METHOD_INTERACTIVE, &SshAuth::tryInteractive},
                              {u"password"_s, SSH_AUTH_METHOD_PASSWORD, &SshAuth::tryPassword}};
    QStringList order = m_options.preferredAuthentications;
    if (order.isEmpty())
        order = {known[0].name, known[1].name, known[2].name};
    const auto offered = unsigned(ssh_userauth_list(session, nullptr));
    for (const QString &name : std::as_const(order)) {
        const auto method = std::find_if(known.cbegin(), known.cend(), [&](const Method &one) { return one.name == name; });
        if (method == known.cend() || (offered & method->flag) == 0 || !allows(name))
            continue;
        const Result<Outcome> outcome = (this->*method->way)(session, context);
        if (outcome != Outcome::Denied)
            return outcome;
    }
    return Outcome::Denied;
}

Result<SshAuth::Outcome> SshAuth::tryKeys(ssh_session session, AuthContext &context)
{
    while (m_nextKey < m_keys.size()) {
        const Candidate key = m_keys[m_nextKey++];
        Result<Outcome> outcome = Outcome::Denied;
        if (key.isInAgent)
            outcome = tryAgentKey(key, session, context);
        else
            outcome = tryKeyFile(key, session, context);
        if (outcome != Outcome::Denied)
            return outcome;
    }
    return Outcome::Denied;
}

Result<SshAuth::Outcome> SshAuth::tryAgentKey(const Candidate &key, ssh_session session, AuthContext &context)
{
    const QByteArray socket = QFile::encodeName(m_options.agentSocket);
    const QString comment = textFrom(key.agentKey.comment.constData());
    std::function<void(bool)> notice;
    if (key.agentKey.needsTouch()) {
        Prompt prompt;
        prompt.kind = Prompt::Kind::Touch;
        prompt.target = m_target;
        prompt.keyFile = comment;
        notice = context.touchNotice(prompt);
    }
    AgentBridge bridge(socket, notice);
    const int fd = bridge.takeDescriptor();
    if (fd < 0)
        return failure(ErrorKind::Io, Layer::Auth, u"no file descriptors are left"_s);
    bridge.offerOnly({key.blob, key.agentKey.comment}, key.agentKey.blob);
    if (ssh_set_agent_socket(session, fd) != SSH_OK) {
        ::close(fd);
        return failure(ErrorKind::Protocol, Layer::Auth, textFrom(ssh_get_error(session)));
    }
    context.bridgeChanged(&bridge);
    const Result<int> code = context.repeat([=] { return ssh_userauth_agent(session, nullptr); }, SSH_AUTH_AGAIN);
    context.bridgeChanged(nullptr);
    ++m_keysTried;
    // The library keeps the number of the descriptor, and would use it for the next key.
    ::close(fd);
    ssh_set_agent_socket(session, SSH_INVALID_SOCKET);
    if (code && *code == SSH_AUTH_ERROR && ssh_is_connected(session)) {
        if (context.isCancelled() || bridge.wasAborted())
            return std::unexpected(cancelledByUser());
        m_notes.append(u"the ssh-agent did not sign with its key %1"_s.arg(comment));
        return key.file.isEmpty() ? Result<Outcome>(Outcome::Denied) : tryKeyFile(key, session, context);
    }
    return outcomeOf(code, session, context);
}

Result<SshAuth::Outcome> SshAuth::offerKey(const Candidate &key, ssh_session session, AuthContext &context)
{
    const QByteArray type = typeFromBlob(key.blob);
    const QByteArray encoded = key.blob.toBase64();
    const auto kind = ssh_key_type_from_name(type.constData());
    ssh_key raw = nullptr;
    const int code = key.certificateFile.isEmpty() ? ssh_pki_import_pubkey_base64(encoded.constData(), kind, &raw)
                                                   : ssh_pki_import_cert_base64(encoded.constData(), kind, &raw);
    const SshKeyHandle publicKey(raw);
    if (code != SSH_OK || !publicKey) {
        m_notes.append(u"the key file %1 is of a kind that cannot be used"_s.arg(key.file));
        return Outcome::Denied;
    }
    if (type.startsWith("sk-")) {
        m_notes.append(u"%1 is on a security key, which only an ssh-agent can use: add it there (ssh-add %1)"_s.arg(key.file));
        return Outcome::Denied;
    }
    ++m_keysTried;
    return outcomeOf(context.repeat([&] { return ssh_userauth_try_publickey(session, nullptr, publicKey.get()); }, SSH_AUTH_AGAIN),
                     session, context);
}

Result<SshAuth::Outcome> SshAuth::tryKeyFile(const Candidate &key, ssh_session session, AuthContext &context)
{
    if (!key.blob.isEmpty()) {
        // Nobody is asked for a passphrase for a key that the server does not want.
        const Result<Outcome> wanted = offerKey(key, session, context);
        if (wanted != Outcome::Accepted)
            return wanted;
    }
    const Result<SshKeyHandle> privateKey = loadKey(key, context);
    if (!privateKey)
        return std::unexpected(privateKey.error());
    if (!*privateKey)
        return Outcome::Denied;
    if (!key.certificateFile.isEmpty()) {
        ssh_key raw = nullptr;
        const int read = ssh_pki_import_cert_file(QFile::encodeName(key.certificateFile).constData(), &raw);
        const SshKeyHandle certificate(raw);
        if (read != SSH_OK || ssh_pki_copy_cert_to_privkey(certificate.get(), privateKey->get()) != SSH_OK) {
            m_notes.append(u"the certificate %1 cannot be used"_s.arg(key.certificateFile));
            return Outcome::Denied;
        }
    }
    if (key.blob.isEmpty())
        ++m_keysTried;
    return outcomeOf(context.repeat([&] { return ssh_userauth_publickey(session, nullptr, privateKey->get()); }, SSH_AUTH_AGAIN),
                     session, context);
}

Result<std::shared_ptr<PromptAnswer>> SshAuth::askPassphrase(const Candidate &key, int attempt, AuthContext &context)
{
    Prompt prompt;
    prompt.kind = Prompt::Kind::Passphrase;
    prompt.target = m_target;
    prompt.keyFile = key.file;
    prompt.fields = {{u"Passphrase"_s, false}};
    prompt.attempt = attempt;
    if (!key.plain.isEmpty())
        prompt.keyFingerprint = fingerprintOfBlob(key.plain);
    const Result<std::shared_ptr<PromptAnswer>> answer = context.ask(prompt);
    if (!answer)
        return answer;
    if ((*answer)->kind == PromptAnswer::Kind::Cancelled)
        return std::unexpected(cancelledByUser());
    const bool isGiven = (*answer)->kind != PromptAnswer::Kind::Refused && !(*answer)->values.empty();
    return isGiven ? *answer : nullptr;
}

Result<SshKeyHandle> SshAuth::loadKey(const Candidate &key, AuthContext &context)
{
    if (const std::optional<QString> why = whyKeyFileIsRefused(key.file)) {
        m_notes.append(*why);
        return SshKeyHandle();
    }
    const QByteArray path = QFile::encodeName(key.file);
    bool wantsPassphrase = false;
    ssh_key raw = nullptr;
    if (ssh_pki_import_privkey_file(path.constData(), nullptr, noteThatAPassphraseIsWanted, &wantsPassphrase, &raw) == SSH_OK)
        return SshKeyHandle(raw);
    if (!wantsPassphrase) {
        m_notes.append(u"the key file %1 is damaged, or no private key"_s.arg(key.file));
        return SshKeyHandle();
    }
    for (int attempt = 1; attempt <= kMostAttempts; ++attempt) {
        const Result<std::shared_ptr<PromptAnswer>> answer = askPassphrase(key, attempt, context);
        if (!answer)
            return std::unexpected(answer.error());
        if (!*answer) {
            m_notes.append(u"nobody was there to give the passphrase of %1"_s.arg(key.file));
            return SshKeyHandle();
        }
        const SecretText passphrase((*answer)->values.front());
        if (ssh_pki_import_privkey_file(path.constData(), passphrase.text(), nullptr, nullptr, &raw) == SSH_OK)
            return SshKeyHandle(raw);
    }
    m_notes.append(u"the passphrase of %1 was wrong %2 times"_s.arg(key.file).arg(kMostAttempts));
    return SshKeyHandle();
}

Result<SshAuth::Outcome> SshAuth::tryInteractive(ssh_session session, AuthContext &context)
{
    bool asked = false;
    bool unanswered = false;
    for (int attempt = 1; attempt <= kMostAttempts; ++attempt) {
        const Result<Outcome> outcome = answerRound(session, context, attempt, asked, unanswered);
        if (outcome != Outcome::Denied || unanswered || !asked)
            return outcome;
    }
    return Outcome::Denied;
}

// One attempt: the server may ask several times before it decides.
Result<SshAuth::Outcome> SshAuth::answerRound(ssh_session session, AuthContext &context, int attempt, bool &asked, bool &unanswered)
{
    for (int round = 0; round < kMostRounds; ++round) {
        const Result<int> code = context.repeat([=] { return ssh_userauth_kbdint(session, nullptr, nullptr); }, SSH_AUTH_AGAIN);
        if (!code || *code != SSH_AUTH_INFO)
            return outcomeOf(code, session, context);
        const int count = ssh_userauth_kbdint_getnprompts(session);
        if (count < 0 || count > kMostFields)
            return failure(ErrorKind::Protocol, Layer::Ssh, u"the server asks %1 questions at once"_s.arg(count));
        Prompt prompt;
        prompt.kind = Prompt::Kind::Interactive;
        prompt.target = m_target;
        prompt.title = textFrom(ssh_userauth_kbdint_getname(session));
        prompt.text = textFrom(ssh_userauth_kbdint_getinstruction(session));
        prompt.attempt = attempt;
        for (int i = 0; i < count; ++i) {
            char echo = 0;
            const char *label = ssh_userauth_kbdint_getprompt(session, unsigned(i), &echo);
            prompt.fields.append({textFrom(label), echo != 0});
        }
        // PAM ends with a round without questions, which wants its answer all the same.
        if (count == 0) {
            if (!prompt.text.isEmpty())
                context.tell(prompt.text);
            continue;
        }
        asked = true;
        const Result<std::shared_ptr<PromptAnswer>> answer = context.ask(prompt);
        if (!answer)
            return std::unexpected(answer.error());
        if ((*answer)->kind == PromptAnswer::Kind::Cancelled)
            return std::unexpected(cancelledByUser());
        if ((*answer)->kind == PromptAnswer::Kind::Refused) {
            m_notes.append(u"nobody was there to answer the server's questions"_s);
            unanswered = true;
            return Outcome::Denied;
        }
        ++m_answersTried;
        (*answer)->values.resize(size_t(count));
        for (int i = 0; i < count; ++i) {
            const SecretText value((*answer)->values[size_t(i)]);
            if (ssh_userauth_kbdint_setanswer(session, unsigned(i), value.text()) != 0)
                return failure(ErrorKind::Protocol, Layer::Auth, textFrom(ssh_get_error(session)));
        }
    }
    return failure(ErrorKind::Protocol, Layer::Ssh, u"the server does not stop asking"_s);
}

Result<SshAuth::Outcome> SshAuth::tryPassword(ssh_session session, AuthContext &context)
{
    for (int attempt = 1; attempt <= kMostAttempts; ++attempt) {
        Prompt prompt;
        prompt.kind = Prompt::Kind::Password;
        prompt.target = m_target;
        prompt.fields = {{u"Password"_s, false}};
        prompt.attempt = attempt;
        const Result<std::shared_ptr<PromptAnswer>> answer = context.ask(prompt);
        if (!answer)
            return std::unexpected(answer.error());
        if ((*answer)->kind == PromptAnswer::Kind::Cancelled)
            return std::unexpected(cancelledByUser());
        if ((*answer)->kind == PromptAnswer::Kind::Refused || (*answer)->values.empty()) {
            m_notes.append(u"nobody was there to give the password"_s);
            return Outcome::Denied;
        }
        ++m_answersTried;
        const SecretText password((*answer)->values.front());
        const Result<Outcome> outcome = outcomeOf(
                context.repeat([&] { return ssh_userauth_password(session, nullptr, password.text()); }, SSH_AUTH_AGAIN),
                session, context);
        if (outcome != Outcome::Denied)
            return outcome;
    }
    return Outcome::Denied;
}

} // namespace Sandpiper
