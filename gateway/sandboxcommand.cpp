#include "gateway/sandboxcommand.h"

#include <QJsonDocument>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype lineLimit = 64 * 1024; // a longer line is cut into several
constexpr qsizetype keptBytes = 1 << 20;
constexpr qsizetype keptLines = 16 * 1024;
constexpr qsizetype readSlice = 64 * 1024;
constexpr qint64 runHighWater = 256 * 1024;
constexpr qint64 followLimit = 4 << 20;
constexpr qsizetype inputLimit = 32 << 20;
// After the process has ended its children may hold the pipes open for ever: so long is waited for
// what they still write.
constexpr std::chrono::milliseconds settleTime(200);

QString nameOfStream(SandboxCommand::Stream stream)
{
    return stream == SandboxCommand::Stream::Output ? u"stdout"_s : u"stderr"_s;
}

QByteArray sseEvent(const QJsonObject &object, const QByteArray &type = {})
{
    return (type.isEmpty() ? QByteArray() : "event: " + type + "\n") + "data: "
            + QJsonDocument(object).toJson(QJsonDocument::Compact) + "\n\n";
}

QJsonObject lineObject(const SandboxCommand::Line &line)
{
    return {{u"line"_s, QString::fromUtf8(line.text)}, {u"timestamp"_s, line.time}, {u"stream"_s, nameOfStream(line.stream)}};
}

} // namespace

SandboxCommand::SandboxCommand(int handle, const Options &options, SandboxProcess process, QObject *parent)
    : QObject(parent)
    , m_handle(handle)
    , m_options(options)
    , m_process(std::move(process))
    , m_startedAt(QDateTime::currentDateTimeUtc())
    , m_output{Stream::Output, &m_process.output, QSocketNotifier(m_process.output.get(), QSocketNotifier::Read), {}, true}
    , m_errorOutput{Stream::ErrorOutput, &m_process.errorOutput, QSocketNotifier(m_process.errorOutput.get(), QSocketNotifier::Read), {}, true}
    , m_ender(m_process.controlFd(), QSocketNotifier::Read)
{
    connect(&m_output.notifier, &QSocketNotifier::activated, this, [this] { read(m_output); });
    connect(&m_errorOutput.notifier, &QSocketNotifier::activated, this, [this] { read(m_errorOutput); });
    connect(&m_ender, &QSocketNotifier::activated, this, &SandboxCommand::takeEnd);
    m_settle.setSingleShot(true);
    connect(&m_settle, &QTimer::timeout, this, &SandboxCommand::complete);
    m_timeout.setSingleShot(true);
    connect(&m_timeout, &QTimer::timeout, this, [this] { sendSignal(SIGKILL); });
    if (m_options.timeout.count() > 0)
        m_timeout.start(m_options.timeout);
    if (m_options.inputPipe) {
        m_inputReady = std::make_unique<QSocketNotifier>(m_process.input.get(), QSocketNotifier::Write);
        m_inputReady->setEnabled(false);
        connect(m_inputReady.get(), &QSocketNotifier::activated, this, &SandboxCommand::writeMore);
    } else {
        m_process.input.reset();
    }
}

SandboxCommand::~SandboxCommand()
{
    if (!m_complete)
        complete();
}

QJsonObject SandboxCommand::toJson() const
{
    const QString status = !m_end            ? u"running"_s
            : m_end->outOfMemory ? u"oom_killed"_s
            : m_end->signal != 0 ? u"signaled"_s
                                 : u"exited"_s;
    QJsonObject object{
        {u"handle"_s, m_handle},
        {u"pid"_s, pid()},
        {u"status"_s, status},
        {u"exit_code"_s, m_end && m_end->signal == 0 ? QJsonValue(m_end->exitCode) : QJsonValue::Null},
        {u"signal"_s, m_end && m_end->signal != 0 ? QJsonValue(m_end->signal) : QJsonValue::Null},
        {u"stdin_writable"_s, m_process.input.isValid()},
        {u"command"_s, m_options.command},
        {u"args"_s, QJsonArray::fromStringList(m_options.arguments)},
        {u"started_at"_s, m_startedAt.toMSecsSinceEpoch()},
        {u"ended_at"_s, m_end ? QJsonValue(m_endedAt.toMSecsSinceEpoch()) : QJsonValue::Null},
    };
    if (m_end && m_end->outOfMemory)
        object[u"oom_killed"_s] = true;
    return object;
}

bool SandboxCommand::sendSignal(int number)
{
    return !m_end && m_process.sendSignal(number);
}

void SandboxCommand::streamTo(HttpExchange *exchange)
{
    m_run = exchange;
    exchange->beginStream("text/event-stream");
    exchange->writeStream(sseEvent({{u"handle"_s, m_handle}, {u"pid"_s, pid()}, {u"started_at"_s, m_startedAt.toMSecsSinceEpoch()}}));
    connect(exchange, &HttpExchange::drained, this, [this] {
        if (m_complete)
            return;
        m_output.notifier.setEnabled(m_output.open);
        m_errorOutput.notifier.setEnabled(m_errorOutput.open);
        if (m_end && !m_complete && !m_settle.isActive())
            m_settle.start(settleTime);
    });
    connect(exchange, &HttpExchange::gone, this, [this] { sendSignal(SIGKILL); });
}

void SandboxCommand::follow(HttpExchange *exchange, std::optional<Stream> only)
{
    exchange->beginStream("text/event-stream");
    for (const Line &line : m_lines) {
        if (!only || *only == line.stream)
            exchange->writeStream(sseEvent(lineObject(line), "output"));
    }
    if (m_complete) {
        exchange->writeStream(sseEvent({}, "eof"));
        exchange->endStream();
    } else {
        m_followers.push_back({exchange, only});
    }
}

void SandboxCommand::read(Source &source)
{
    QByteArray buffer(readSlice, Qt::Uninitialized);
    const ssize_t count = ::read(source.fd->get(), buffer.data(), size_t(buffer.size()));
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count <= 0) {
        source.open = false;
        source.notifier.setEnabled(false);
        if (!source.partial.isEmpty())
            addLine(source.stream, std::exchange(source.partial, {}));
        checkComplete();
        return;
    }
    source.partial.append(buffer.constData(), count);
    qsizetype from = 0;
    while (true) {
        qsizetype end = source.partial.indexOf('\n', from);
        const bool whole = end >= 0;
        if (!whole && source.partial.size() - from < lineLimit)
            break;
        if (!whole)
            end = from + lineLimit;
        QByteArray line = source.partial.mid(from, end - from);
        if (whole && line.endsWith('\r'))
            line.chop(1);
        addLine(source.stream, line);
        from = whole ? end + 1 : end;
    }
    source.partial.remove(0, from);
    if (m_settle.isActive())
        m_settle.start(settleTime);
    if (m_run && m_run->queuedBytes() > runHighWater) {
        m_output.notifier.setEnabled(false);
        m_errorOutput.notifier.setEnabled(false);
        m_settle.stop();
    } else if (m_end && !m_settle.isActive()) {
        m_settle.start(settleTime);
    }
}

void SandboxCommand::addLine(Stream stream, const QByteArray &text)
{
    if ((stream == Stream::Output ? m_options.output : m_options.errorOutput) == Keep::Discard)
        return;
    const Line line{stream, QDateTime::currentMSecsSinceEpoch(), text};
    m_lines.push_back(line);
    m_lineBytes += text.size();
    while (m_lineBytes > keptBytes || qsizetype(m_lines.size()) > keptLines) {
        m_lineBytes -= m_lines.front().text.size();
        m_lines.pop_front();
    }
    if (m_run)
        m_run->writeStream(sseEvent(lineObject(line)));
    std::erase_if(m_followers, [](const Follower &follower) { return !follower.exchange; });
    for (const Follower &follower : m_followers) {
        if (follower.only && *follower.only != stream)
            continue;
        follower.exchange->writeStream(sseEvent(lineObject(line), "output"));
        if (follower.exchange->queuedBytes() > followLimit)
            follower.exchange->abandon();
    }
}

void SandboxCommand::writeInput(HttpExchange *exchange)
{
    const QByteArray &bytes = exchange->request().body;
    if (!m_process.input.isValid()) {
        exchange->respond(HttpResponse::proxyError(400, u"STDIN_NOT_WRITABLE"_s, u"The process takes no input."_s));
        return;
    }
    if (m_inputBytes + bytes.size() > inputLimit) {
        exchange->respond(HttpResponse::proxyError(429, u"STDIN_BUSY"_s, u"The process has not taken its earlier input yet."_s));
        return;
    }
    if (bytes.isEmpty()) {
        exchange->respond(HttpResponse::empty(204));
        return;
    }
    m_inputBytes += bytes.size();
    m_inputs.push_back({exchange, bytes, 0});
    writeMore();
}

void SandboxCommand::closeInput(HttpExchange *exchange)
{
    if (!m_process.input.isValid()) {
        exchange->respond(HttpResponse::proxyError(400, u"STDIN_NOT_WRITABLE"_s, u"The process takes no input."_s));
        return;
    }
    m_inputs.push_back({exchange, {}, 0});
    writeMore();
}

void SandboxCommand::writeMore()
{
    while (!m_inputs.empty()) {
        Input &input = m_inputs.front();
        if (input.done < input.bytes.size()) {
            const QByteArrayView rest = QByteArrayView(input.bytes).sliced(input.done);
            const ssize_t count = ::write(m_process.input.get(), rest.data(), size_t(rest.size()));
            if (count < 0 && errno == EINTR)
                continue;
            if (count < 0 && errno == EAGAIN)
                break;
            if (count < 0) {
                failInput(HttpResponse::proxyError(400, u"STDIN_NOT_WRITABLE"_s, u"The process has closed its input."_s));
                return;
            }
            input.done += count;
            m_inputBytes -= count;
            continue;
        }
        const bool close = input.bytes.isEmpty();
        if (input.exchange)
            input.exchange->respond(HttpResponse::empty(204));
        m_inputs.pop_front();
        if (close) {
            failInput(HttpResponse::proxyError(400, u"STDIN_NOT_WRITABLE"_s, u"The process takes no input."_s));
            return;
        }
    }
    m_inputReady->setEnabled(!m_inputs.empty());
}

void SandboxCommand::failInput(const HttpResponse &response)
{
    m_inputReady.reset();
    m_process.input.reset();
    m_inputBytes = 0;
    for (const Input &input : std::exchange(m_inputs, {})) {
        if (input.exchange)
            input.exchange->respond(response);
    }
}

void SandboxCommand::takeEnd()
{
    if (m_end)
        return;
    m_end = m_process.takeEnd();
    if (!m_end)
        return;
    m_ender.setEnabled(false);
    m_timeout.stop();
    m_endedAt = QDateTime::currentDateTimeUtc();
    if (m_process.input.isValid())
        failInput(HttpResponse::proxyError(400, u"STDIN_NOT_WRITABLE"_s, u"The process has ended."_s));
    // Where the run's client is slow, the rest waits for it; drained() goes on reading.
    if (!m_run || m_run->queuedBytes() <= runHighWater)
        m_settle.start(settleTime);
    checkComplete();
}

void SandboxCommand::checkComplete()
{
    if (m_end && !m_output.open && !m_errorOutput.open)
        complete();
}

QByteArray SandboxCommand::endEvent() const
{
    const ProcessEnd end = m_end.value_or(ProcessEnd{-1, SIGKILL, false});
    if (end.signal == 0)
        return sseEvent({{u"exit_code"_s, end.exitCode}});
    QJsonObject object{{u"signal"_s, end.signal}};
    if (end.outOfMemory)
        object[u"oom_killed"_s] = true;
    return sseEvent(object);
}

void SandboxCommand::complete()
{
    if (std::exchange(m_complete, true))
        return;
    m_settle.stop();
    for (Source *source : {&m_output, &m_errorOutput}) {
        source->notifier.setEnabled(false);
        if (!source->partial.isEmpty())
            addLine(source->stream, std::exchange(source->partial, {}));
    }
    if (m_run) {
        m_run->writeStream(endEvent());
        m_run->endStream();
    }
    for (const Follower &follower : std::exchange(m_followers, {})) {
        if (!follower.exchange)
            continue;
        follower.exchange->writeStream(sseEvent({}, "eof"));
        follower.exchange->endStream();
    }
    failInput(HttpResponse::proxyError(400, u"STDIN_NOT_WRITABLE"_s, u"The process has ended."_s));
    emit completed();
}

} // namespace Sandpiper
