// A store in a folder of its own, and short ways to run things in its sandboxes.
#pragma once

#include "gateway/sandboxstore.h"

#include <QByteArray>
#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>
#include <memory>
#include <poll.h>
#include <unistd.h>

namespace Sandpiper::TestSupport {

using namespace Qt::StringLiterals;

inline constexpr int patience = 30'000;

class StoreFolder
{
public:
    StoreFolder() : m_folder(u"/tmp/sbx-XXXXXX"_s) {}
    [[nodiscard]] SandboxStore::Options options() const
    {
        SandboxStore::Options options;
        options.folder = m_folder.filePath(u"data"_s);
        options.runFolder = m_folder.filePath(u"run"_s);
        options.initProgram = qEnvironmentVariable("SANDPIPER_BIN") + u"/sandpiper-sandbox-init"_s;
        return options;
    }
    [[nodiscard]] std::unique_ptr<SandboxStore> store() const
    {
        return std::make_unique<SandboxStore>(options());
    }
    [[nodiscard]] QString path(const QString &name) const { return m_folder.filePath(name); }

private:
    QTemporaryDir m_folder;
};

inline LocalState stateOf(const SandboxStore &store, const QString &id)
{
    const auto sandbox = store.lookup(id);
    return sandbox ? sandbox->state : LocalState::Terminated;
}

// The agent of a new running sandbox; invalid where that failed.
inline QString newSandbox(SandboxStore &store, const QString &name = {})
{
    LocalCreate wish;
    wish.name = name;
    const auto created = store.create(wish);
    if (!created) {
        qWarning() << describe(created.error());
        return {};
    }
    if (!QTest::qWaitFor([&] { return stateOf(store, created->id) != LocalState::Pending; }, patience)
        || stateOf(store, created->id) != LocalState::Running) {
        qWarning() << "did not start:" << store.lookup(created->id)->terminationReason;
        return {};
    }
    return created->id;
}

inline bool canRead(int fd, int milliseconds)
{
    pollfd waiting = {fd, POLLIN, 0};
    return ::poll(&waiting, 1, milliseconds) == 1;
}

// Reads until the text appears, the other end is gone, or patience ends.
inline QByteArray readUntil(int fd, const QByteArray &text, int milliseconds = patience)
{
    QByteArray all;
    QElapsedTimer since;
    since.start();
    while (!all.contains(text) && since.elapsed() < milliseconds) {
        if (!canRead(fd, 100))
            continue;
        char buffer[16384];
        const ssize_t size = ::read(fd, buffer, sizeof buffer);
        if (size <= 0 && errno != EAGAIN)
            break;
        if (size > 0)
            all.append(buffer, size);
    }
    return all;
}

inline QByteArray readAll(int fd, int milliseconds = patience)
{
    QByteArray all;
    QElapsedTimer since;
    since.start();
    while (since.elapsed() < milliseconds) {
        if (!canRead(fd, 100))
            continue;
        char buffer[65536];
        const ssize_t size = ::read(fd, buffer, sizeof buffer);
        if (size == 0 || (size < 0 && errno != EAGAIN))
            break;
        if (size > 0)
            all.append(buffer, size);
    }
    return all;
}

inline bool type(const SandboxProcess &process, const QByteArray &text)
{
    return ::write(process.terminal.get(), text.constData(), size_t(text.size())) == text.size();
}

inline std::optional<ProcessEnd> waitForEnd(SandboxProcess &process, int milliseconds = patience)
{
    QElapsedTimer since;
    since.start();
    while (since.elapsed() < milliseconds) {
        if (const auto end = process.takeEnd())
            return end;
        canRead(process.controlFd(), 100);
    }
    return std::nullopt;
}

// A command of the shell by pipes, to its end: what it wrote, both streams.
inline QByteArray run(const AgentClient &agent, const QByteArray &command, int *exitCode = nullptr)
{
    SpawnSpec spec;
    spec.loginShell = true;
    spec.shellCommand = "exec 2>&1; " + command;
    auto process = agent.spawn(spec);
    if (!process) {
        qWarning() << describe(process.error());
        return {};
    }
    process->input.reset();
    const QByteArray output = readAll(process->output.get());
    const auto end = waitForEnd(*process);
    if (exitCode)
        *exitCode = end ? end->exitCode : -2;
    return output;
}

inline Result<SandboxProcess> shell(const AgentClient &agent, TerminalSize size = {})
{
    SpawnSpec spec;
    spec.io = SpawnSpec::Io::Terminal;
    spec.loginShell = true;
    spec.size = size;
    return agent.spawn(spec);
}

} // namespace Sandpiper::TestSupport
