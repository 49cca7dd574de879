// One process without a terminal, as the process API shows it: its output in lines, kept in bounds,
// and who follows it. Main thread.
#pragma once

#include "gateway/agentclient.h"
#include "gateway/httpconnection.h"

#include <QDateTime>
#include <QJsonArray>
#include <QSocketNotifier>

#include <deque>
#include <vector>

namespace Sandpiper {

class SandboxCommand : public QObject
{
    Q_OBJECT
public:
    enum class Stream { Output, ErrorOutput };
    enum class Keep { Capture, Discard };
    struct Options
    {
        QString command;
        QStringList arguments;
        bool inputPipe = false;
        Keep output = Keep::Capture;
        Keep errorOutput = Keep::Capture;
        std::chrono::milliseconds timeout{0}; // 0: none; then SIGKILL
    };
    struct Line
    {
        Stream stream;
        qint64 time; // ms since the epoch
        QByteArray text;
    };

    SandboxCommand(int handle, const Options &options, SandboxProcess process, QObject *parent);
    ~SandboxCommand() override;

    [[nodiscard]] int pid() const { return m_process.pid(); }
    [[nodiscard]] QJsonObject toJson() const;
    [[nodiscard]] bool isRunning() const { return !m_end; }
    // Everything was read and said: nothing changes any more.
    [[nodiscard]] bool isComplete() const { return m_complete; }
    [[nodiscard]] const std::deque<Line> &lines() const { return m_lines; }
    bool sendSignal(int number);

    // For /processes/run: the exchange's stream is fed as fast as its client reads, and its client's
    // leaving ends the process.
    void streamTo(HttpExchange *exchange);
    // For …/follow: what is kept, then what comes; a client that does not keep up is dropped.
    void follow(HttpExchange *exchange, std::optional<Stream> only);
    // Answers 204 when the process has taken it, or why not.
    void writeInput(HttpExchange *exchange);
    void closeInput(HttpExchange *exchange);

signals:
    void completed();

private:
    struct Follower
    {
        QPointer<HttpExchange> exchange;
        std::optional<Stream> only;
    };
    struct Input
    {
        QPointer<HttpExchange> exchange;
        QByteArray bytes; // empty: close it
        qsizetype done = 0;
    };
    struct Source
    {
        Stream stream;
        Fd *fd;
        QSocketNotifier notifier;
        QByteArray partial; // a line without its end
        bool open = true;
    };

    void read(Source &source);
    void addLine(Stream stream, const QByteArray &text);
    void writeMore();
    void failInput(const HttpResponse &response);
    void takeEnd();
    void complete();
    void checkComplete();
    [[nodiscard]] QByteArray endEvent() const;

    int m_handle;
    Options m_options;
    SandboxProcess m_process;
    QDateTime m_startedAt;
    QDateTime m_endedAt;
    std::optional<ProcessEnd> m_end;
    bool m_complete = false;
    std::deque<Line> m_lines;
    qsizetype m_lineBytes = 0;
    QPointer<HttpExchange> m_run;
    std::vector<Follower> m_followers;
    std::deque<Input> m_inputs;
    qsizetype m_inputBytes = 0;
    Source m_output;
    Source m_errorOutput;
    QSocketNotifier m_ender;
    std::unique_ptr<QSocketNotifier> m_inputReady;
    QTimer m_settle;
    QTimer m_timeout;
};

} // namespace Sandpiper
