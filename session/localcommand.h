// One command on this computer, as one in a sandbox is run: "This computer" is a place like others. GUI thread.
#pragma once

#include "session/provider.h"

#include <QProcess>

#include <memory>

namespace Sandpiper {

class LocalCommand : public RemoteCommand
{
    Q_OBJECT
public:
    explicit LocalCommand(const CommandSpec &spec, QObject *parent = nullptr);
    ~LocalCommand() override; // what still runs is killed

    void start() override;
    void writeInput(QByteArrayView bytes) override;
    void closeInput() override;
    void sendSignal(int number) override;
    void consumed(qint64) override {} // it is read as it comes, and so is for commands that do not say much
    [[nodiscard]] qint64 pendingInput() const override;

private:
    void read(QProcess::ProcessChannel channel);
    void end(const ShellEnd &end);

    CommandSpec m_spec;
    std::unique_ptr<QProcess> m_process;
    bool m_isOver = false;
};

} // namespace Sandpiper
