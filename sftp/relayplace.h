// One end of a relay: the files of this computer or of a sandbox, opened again after a loss. GUI thread.
#pragma once

#include "sftp/transferqueue.h"

#include <QDateTime>
#include <QTimer>

namespace Sandpiper {

class RelayPlace : public QObject
{
    Q_OBJECT
public:
    // sandbox empty: this computer.
    RelayPlace(const SandboxId &sandbox, TransferFilesMaker maker, std::function<double()> random, QObject *parent = nullptr);
    ~RelayPlace() override;

    void open();
    void close();
    void retryNow();
    [[nodiscard]] FileSystem *files() const { return m_isOpen ? m_opened.files.get() : nullptr; } // null: not now
    [[nodiscard]] bool isLocal() const { return m_sandbox.isEmpty(); }
    [[nodiscard]] Layer layer() const { return isLocal() ? Layer::LocalDisk : Layer::Sftp; }
    // of: whoever said so; another one than files() has been given up already. Some file systems do not end by themselves.
    void complain(const FileSystem *of, const Error &error);
    // Something was done there, so a next loss is a new one.
    void works() { m_attempt = 0; }

signals:
    void opened();
    // It is out of reach, and the next try is at that time. From then on opened(), or this again.
    void waiting(const Sandpiper::Error &error, const QDateTime &retryAt);
    // Nor will it come back by itself. retryNow() tries again.
    void failed(const Sandpiper::Error &error);

private:
    void ask();
    void take(Result<OpenedFiles> opened);
    void isReady();
    void lose(const Error &error);
    void drop();

    SandboxId m_sandbox;
    TransferFilesMaker m_maker;
    std::function<double()> m_random;
    OpenedFiles m_opened;
    QTimer m_retry;
    quint64 m_turn = 0; // what was asked for in an earlier one is not wanted any more
    int m_attempt = 0;
    bool m_isOpen = false;
};

} // namespace Sandpiper
