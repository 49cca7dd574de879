// One command by Tensorlake's process API: started with a pipe for its input, its output followed as
// server-sent events. The API hands output on by lines of text: bytes that are no UTF-8 are replaced,
// and a last line without an end gets one. One thread.
#pragma once

#include "session/httpclient.h"
#include "session/provider.h"
#include "session/providers/sseparser.h"
#include "session/providers/tensorlakejson.h"

#include <QQueue>
#include <QTimer>

#include <functional>
#include <memory>

namespace Sandpiper {

class TensorlakeCommand : public RemoteCommand
{
    Q_OBJECT
public:
    struct Timing
    {
        std::chrono::milliseconds silence{60'000}; // then we ask whether the process still runs
        std::chrono::milliseconds poll{150};       // between questions for the status after the output's end
    };
    TensorlakeCommand(std::shared_ptr<const TensorlakeContext> context, const HttpClient::Options &http, const Sandbox &sandbox,
                      const CommandSpec &spec, const Timing &timing);
    TensorlakeCommand(std::shared_ptr<const TensorlakeContext> context, const HttpClient::Options &http, const Sandbox &sandbox,
                      const CommandSpec &spec);
    ~TensorlakeCommand() override; // as a hang-up: a process that still runs is ended

    void start() override;
    void writeInput(QByteArrayView bytes) override;
    void closeInput() override;
    void sendSignal(int number) override;
    void consumed(qint64 bytes) override;
    [[nodiscard]] qint64 pendingInput() const override;

private:
    enum class State { Idle, Starting, Running, OutputEnded, Ended };
    using Handler = std::function<void(const Result<HttpReply> &)>;
    [[nodiscard]] Result<HttpRequest> request(HttpRequest::Verb verb, const QString &tail) const;
    // The handler gets an error for every answer that is no success.
    void send(Result<HttpRequest> request, const Handler &handler);
    void onStarted(const HttpReply &reply);
    void followOutput();
    void onPiece(const QByteArray &piece);
    void onEvent(const SseEvent &event);
    void flushOutput();
    void pumpInput();
    void askStatus();
    void onStatus(const Result<HttpReply> &reply);
    void finish(const ShellEnd &end);
    void fail(ShellEnd::Kind kind, const Error &error);

    std::shared_ptr<const TensorlakeContext> m_context; // shared with the provider
    std::unique_ptr<HttpClient> m_http;
    Sandbox m_sandbox;
    CommandSpec m_spec;
    Timing m_timing;
    State m_state = State::Idle;
    qint64 m_pid = 0;
    HttpCall *m_follow = nullptr; // owned by m_http
    SseParser m_parser;
    QTimer m_statusTimer;
    int m_statusQuestions = 0; // since the last sign of life
    bool m_askingStatus = false;
    QByteArray m_input;
    qint64 m_inputUnderWay = 0;
    bool m_closeWanted = false;
    bool m_inputClosed = false;
    QQueue<int> m_signals;
    QByteArray m_output; // consecutive lines of one stream, not yet told
    bool m_outputIsError = false;
    qint64 m_unconsumed = 0;
    qint64 m_owed = 0; // taken from the stream and not yet granted again
};

} // namespace Sandpiper
