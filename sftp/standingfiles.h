// The files of one sandbox as a standing wish: over a link of their own, made again after a loss. Waking a sandbox
// that sleeps is never done unasked. GUI thread.
#pragma once

#include "session/comeback.h"
#include "session/standingshell.h"
#include "sftp/openedfiles.h"

namespace Sandpiper {

class StandingFiles : public QObject
{
    Q_OBJECT
public:
    // The states of a shell that stands: Idle, Opening, Open, Waiting, Suspended, Stopped, Gone, Failed.
    using State = StandingShell::State;
    using Status = StandingShell::Status;
    struct Services
    {
        QPointer<SandboxProvider> provider;
        std::optional<Sandbox> plainHost; // a machine of no vendor
        QPointer<NetworkWatch> network;   // may be null
        // For the sandbox as it is now. An error is final: Unsupported with the sentence why its files are not to be had.
        std::function<Result<OpenedFiles>(const Sandbox &)> open;
        std::function<double()> random;
        std::function<std::function<void()>(std::chrono::milliseconds delay, QObject *context, std::function<void()> fn)> after;
    };
    StandingFiles(const SandboxId &sandbox, Services services, QObject *parent = nullptr);
    ~StandingFiles() override;

    [[nodiscard]] const Status &status() const { return m_status; }
    [[nodiscard]] FileSystem *files() const; // Open only, else null
    [[nodiscard]] const Sandbox &sandbox() const { return m_sandbox; } // as it was last found
    void open();
    void retryNow();
    void stop();
    void resumeSandbox(); // Suspended, Failed: it may cost

signals:
    // Open: files() is there. Before any other state it has been told that files() goes.
    void statusChanged(const Sandpiper::StandingFiles::Status &status);

private:
    void begin();
    void look(void (StandingFiles::*then)(const Result<Sandbox> &));
    void found(const Result<Sandbox> &result);
    void foundWaking(const Result<Sandbox> &result);
    void watchResume();
    void follow(const Decision &decision);
    void connectFiles();
    void filesEnded(const Error &error);
    void wait(const Error &error);
    void setStatus(State state, const Error &error = {});
    void interrupt();
    void drop();
    void later(std::chrono::milliseconds delay, void (StandingFiles::*step)());
    void settled() { m_status.attempt = 0; }

    SandboxId m_id;
    Services m_services;
    Sandbox m_sandbox;
    Status m_status;
    OpenedFiles m_opened;
    int m_resumeLooks = 0;
    quint64 m_turn = 0; // what was begun in an earlier one is not heard any more
    std::function<void()> m_cancelTimer;
};

} // namespace Sandpiper
