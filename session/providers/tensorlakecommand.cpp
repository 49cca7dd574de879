#include "session/providers/tensorlakecommand.h"

#include "session/json.h"

#include <QCoreApplication>
#include <QJsonArray>
#include <QJsonDocument>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {
namespace {

using Verb = HttpRequest::Verb;
constexpr qint64 outputWindow = 256 << 10; // what may wait for consumed()
constexpr qsizetype inputPiece = 64 << 10;
constexpr int maxQuestions = 40; // for the status, after the output has ended

} // namespace

TensorlakeCommand::TensorlakeCommand(std::shared_ptr<const TensorlakeContext> context, const HttpClient::Options &http,
                                     const Sandbox &sandbox, const CommandSpec &spec)
    : TensorlakeCommand(std::move(context), http, sandbox, spec, Timing())
{
}

TensorlakeCommand::TensorlakeCommand(std::shared_ptr<const TensorlakeContext> context, const HttpClient::Options &http,
                                     const Sandbox &sandbox, const CommandSpec &spec, const Timing &timing)
    : m_context(std::move(context))
    , m_http(std::make_unique<HttpClient>(http))
    , m_sandbox(sandbox)
    , m_spec(spec)
    , m_timing(timing)
{
    m_statusTimer.setSingleShot(true);
    connect(&m_statusTimer, &QTimer::timeout, this, [this] { askStatus(); });
}

TensorlakeCommand::~TensorlakeCommand()
{
    if (m_pid == 0 || m_state == State::Ended || !QCoreApplication::instance())
        return;
    // The request goes on without us, and takes its client with it.
    Result<HttpRequest> farewell = request(Verb::Delete, u"/%1"_s.arg(m_pid));
    if (!farewell)
        return;
    farewell->totalTime = 10s;
    m_http->disconnect(this);
    HttpClient *http = m_http.release();
    http->setParent(QCoreApplication::instance());
    if (m_follow) {
        m_follow->disconnect(this);
        m_follow->cancel();
    }
    connect(http->send(*farewell), &HttpCall::finished, http, &QObject::deleteLater);
}

Result<HttpRequest> TensorlakeCommand::request(HttpRequest::Verb verb, const QString &tail) const
{
    if (Done usable = m_context->routes.usable(); !usable)
        return std::unexpected(usable.error());
    return m_context->routes.inside(m_sandbox, verb, u"/api/v1/processes"_s + tail);
}

void TensorlakeCommand::send(Result<HttpRequest> wanted, const Handler &handler)
{
    if (!wanted) {
        // Later, because no signal may come from inside of a call.
        QMetaObject::invokeMethod(this, [handler, error = wanted.error()] { handler(std::unexpected(error)); }, Qt::QueuedConnection);
        return;
    }
    HttpCall *call = m_http->send(*wanted);
    connect(call, &HttpCall::finished, this, [this, handler](const Result<HttpReply> &reply) {
        if (m_state == State::Ended)
            return;
        if (reply && !reply->isSuccess())
            return handler(std::unexpected(tensorlakeError(*reply, TensorlakePlane::Proxy, m_sandbox.displayName())));
        handler(reply);
    });
}

void TensorlakeCommand::start()
{
    if (m_state != State::Idle)
        return;
    m_state = State::Starting;
    QJsonObject wish{{u"command"_s, m_spec.argv.value(0)},
                     {u"args"_s, QJsonArray::fromStringList(m_spec.argv.mid(1))},
                     {u"stdin_mode"_s, u"pipe"_s},
                     {u"stdout_mode"_s, u"capture"_s},
                     {u"stderr_mode"_s, u"capture"_s}};
    QJsonObject environment;
    for (auto it = m_spec.environment.cbegin(); it != m_spec.environment.cend(); ++it)
        environment.insert(it.key(), it.value());
    if (!environment.isEmpty())
        wish.insert("env"_L1, environment);
    if (!m_spec.workingDirectory.isEmpty())
        wish.insert("working_dir"_L1, m_spec.workingDirectory);
    Result<HttpRequest> start = request(Verb::Post, {});
    if (start && m_spec.argv.value(0).isEmpty())
        start = failure(ErrorKind::InvalidInput, Layer::Provider, u"there is no command to run"_s, m_sandbox.displayName());
    if (start) {
        start->contentType = "application/json"_ba;
        start->body = QJsonDocument(wish).toJson(QJsonDocument::Compact);
        start->connection = HttpRequest::Connection::Fresh;
    }
    send(start, [this](const Result<HttpReply> &reply) {
        if (reply)
            onStarted(*reply);
        else
            fail(ShellEnd::Kind::Failed, reply.error());
    });
}

void TensorlakeCommand::onStarted(const HttpReply &reply)
{
    const Result<TensorlakeProcess> process = tensorlakeProcess(reply.body);
    if (!process)
        return fail(ShellEnd::Kind::Failed, process.error());
    m_pid = process->pid;
    m_state = State::Running;
    emit started();
    if (m_state != State::Running)
        return;
    followOutput();
    pumpInput();
    while (!m_signals.isEmpty())
        sendSignal(m_signals.dequeue());
}

void TensorlakeCommand::followOutput()
{
    Result<HttpRequest> follow = request(Verb::Get, u"/%1/output/follow"_s.arg(m_pid));
    if (!follow)
        return fail(ShellEnd::Kind::Lost, follow.error());
    follow->delivery = HttpRequest::Delivery::Streamed;
    follow->idleTime = 0ms; // a quiet command is no dead one: see askStatus()
    for (auto &[name, value] : follow->headers) {
        if (name == "Accept")
            value = "text/event-stream"_ba;
    }
    m_follow = m_http->send(*follow);
    m_follow->grant(outputWindow);
    connect(m_follow, &HttpCall::received, this, [this](const QByteArray &piece) { onPiece(piece); });
    connect(m_follow, &HttpCall::finished, this, [this](const Result<HttpReply> &reply) {
        m_follow = nullptr;
        if (m_state != State::Running)
            return;
        if (!reply)
            return fail(ShellEnd::Kind::Lost, reply.error());
        if (!reply->isSuccess())
            return fail(ShellEnd::Kind::Lost, tensorlakeError(*reply, TensorlakePlane::Proxy, m_sandbox.displayName()));
        fail(ShellEnd::Kind::Lost, {ErrorKind::ConnectionLost, Layer::Http, u"the output broke off"_s, {}});
    });
    m_statusTimer.start(m_timing.silence);
}

void TensorlakeCommand::onPiece(const QByteArray &piece)
{
    m_owed += piece.size();
    m_statusQuestions = 0;
    m_statusTimer.start(m_timing.silence);
    const QList<SseEvent> events = m_parser.take(piece);
    for (const SseEvent &event : events) {
        if (m_state == State::Running)
            onEvent(event);
    }
    flushOutput();
    if (m_parser.isBroken() && m_state == State::Running)
        return fail(ShellEnd::Kind::Lost, {ErrorKind::TooLarge, Layer::Http, u"a line of output is too long"_s, {}});
    if (m_state == State::OutputEnded)
        return askStatus();
    consumed(0);
}

void TensorlakeCommand::onEvent(const SseEvent &event)
{
    if (event.name == "eof") {
        m_state = State::OutputEnded;
        return;
    }
    const Result<QJsonObject> object = parseJsonObject(event.data);
    if (!object || !object->value("line"_L1).isString())
        return; // the vendor's own clients skip what they do not know
    const bool isError = object->value("stream"_L1).toString() == "stderr"_L1;
    if (isError != m_outputIsError)
        flushOutput();
    m_outputIsError = isError;
    m_output += object->value("line"_L1).toString().toUtf8() + '\n';
}

void TensorlakeCommand::flushOutput()
{
    const QByteArray bytes = std::exchange(m_output, {});
    if (bytes.isEmpty())
        return;
    m_unconsumed += bytes.size();
    if (m_outputIsError)
        emit errorOutputReceived(bytes);
    else
        emit outputReceived(bytes);
}

void TensorlakeCommand::consumed(qint64 bytes)
{
    m_unconsumed = qMax(qint64(0), m_unconsumed - bytes);
    // A stream that nobody reads is silent by our own doing.
    if (m_unconsumed >= outputWindow)
        return m_statusTimer.stop();
    if (m_follow && m_owed > 0) {
        if (!m_statusTimer.isActive() && m_state == State::Running)
            m_statusTimer.start(m_timing.silence);
        // Not from inside of this call, which must not lead to a signal.
        QMetaObject::invokeMethod(m_follow, [call = m_follow, owed = std::exchange(m_owed, 0)] { call->grant(owed); }, Qt::QueuedConnection);
    }
}

void TensorlakeCommand::writeInput(QByteArrayView bytes)
{
    if (m_state == State::Ended || m_closeWanted)
        return;
    m_input.append(bytes);
    pumpInput();
}

void TensorlakeCommand::closeInput()
{
    m_closeWanted = true;
    pumpInput();
}

qint64 TensorlakeCommand::pendingInput() const
{
    return m_input.size() + m_inputUnderWay;
}

void TensorlakeCommand::pumpInput()
{
    if (m_pid == 0 || m_inputUnderWay > 0 || m_inputClosed || m_state == State::Ended)
        return;
    const bool closing = m_input.isEmpty();
    if (closing && !m_closeWanted)
        return;
    Result<HttpRequest> post = request(Verb::Post, u"/%1/stdin%2"_s.arg(m_pid).arg(closing ? u"/close"_s : QString()));
    if (post && !closing) {
        post->contentType = "application/octet-stream"_ba;
        post->body = m_input.first(qMin(m_input.size(), inputPiece));
        m_input.remove(0, post->body.size());
        m_inputUnderWay = post->body.size();
    }
    m_inputClosed = closing;
    send(post, [this, closing](const Result<HttpReply> &reply) {
        m_inputUnderWay = 0;
        if (closing)
            return; // a process that is gone has no input to close
        if (!reply) {
            // The command takes no more, or has ended: what is left has no reader, as with a pipe.
            const bool unread = reply.error().kind == ErrorKind::InvalidInput || reply.error().kind == ErrorKind::NotFound;
            if (!unread)
                return fail(ShellEnd::Kind::Lost, reply.error());
            m_input.clear();
            m_inputClosed = true;
        }
        if (m_input.isEmpty())
            emit inputDrained();
        pumpInput();
    });
}

void TensorlakeCommand::sendSignal(int number)
{
    if (m_state == State::Ended)
        return;
    if (m_pid == 0)
        return m_signals.enqueue(number);
    Result<HttpRequest> post = request(Verb::Post, u"/%1/signal"_s.arg(m_pid));
    if (post) {
        post->contentType = "application/json"_ba;
        post->body = QJsonDocument(QJsonObject{{u"signal"_s, number}}).toJson(QJsonDocument::Compact);
    }
    // A process that has ended meanwhile needs no signal; its end is on its way.
    send(post, [](const Result<HttpReply> &) {});
}

void TensorlakeCommand::askStatus()
{
    if (m_askingStatus || m_state == State::Ended)
        return;
    m_askingStatus = true;
    ++m_statusQuestions;
    Result<HttpRequest> get = request(Verb::Get, u"/%1"_s.arg(m_pid));
    if (get)
        get->totalTime = 30s;
    send(get, [this](const Result<HttpReply> &reply) {
        m_askingStatus = false;
        onStatus(reply);
    });
}

void TensorlakeCommand::onStatus(const Result<HttpReply> &reply)
{
    if (!reply)
        return fail(ShellEnd::Kind::Lost, reply.error());
    const Result<TensorlakeProcess> process = tensorlakeProcess(reply->body);
    if (!process)
        return fail(ShellEnd::Kind::Lost, process.error());
    if (m_state == State::OutputEnded) {
        if (!process->isRunning)
            return finish(process->end);
        if (m_statusQuestions > maxQuestions)
            return fail(ShellEnd::Kind::Lost, {ErrorKind::Protocol, Layer::Provider, u"its output ended and it did not"_s, {}});
        m_statusTimer.start(m_timing.poll);
        return;
    }
    // Silent: fine while it runs. Where it has ended, the end of its output is given a last chance.
    if (!process->isRunning && m_statusQuestions > 1)
        return finish(process->end);
    if (process->isRunning)
        m_statusQuestions = 0;
    m_statusTimer.start(m_timing.silence);
}

void TensorlakeCommand::fail(ShellEnd::Kind kind, const Error &error)
{
    ShellEnd end;
    end.kind = kind;
    end.error = error;
    if (end.error.subject.isEmpty())
        end.error.subject = m_sandbox.displayName();
    finish(end);
}

void TensorlakeCommand::finish(const ShellEnd &end)
{
    if (m_state == State::Ended)
        return;
    m_state = State::Ended;
    m_statusTimer.stop();
    m_input.clear();
    if (HttpCall *follow = std::exchange(m_follow, nullptr)) {
        follow->disconnect(this);
        follow->cancel();
    }
    emit ended(end);
}

} // namespace Sandpiper
