// What came of a program that a test has run.
#pragma once

#include <QByteArray>
#include <QProcess>
#include <QTest>

namespace Sandpiper {

struct Outcome
{
    int status = -1; // -1: it did not end by itself
    QByteArray output;
    QByteArray errors;
};

// Waits for its end with the event loop running. milliseconds: after them it is killed.
[[nodiscard]] inline Outcome outcomeOf(QProcess &process, int milliseconds)
{
    if (!QTest::qWaitFor([&] { return process.state() == QProcess::NotRunning; }, milliseconds)) {
        process.kill();
        (void)process.waitForFinished();
    }
    return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1, process.readAllStandardOutput(), process.readAllStandardError()};
}

// The same of one that has been started: it gets this on its standard input, and then its end.
[[nodiscard]] inline Outcome outcomeOf(QProcess &process, const QByteArray &input, int milliseconds)
{
    process.write(input);
    process.closeWriteChannel();
    return outcomeOf(process, milliseconds);
}

} // namespace Sandpiper
