// The contract of session/shell.h in executable form: one set of tests, run against every kind of
// Shell. A test program derives from ShellParity and makes the shells; the far side must have bash,
// stty, cksum and head.
#pragma once

#include "session/shell.h"
#include "tests/support/cuttableproxy.h"

#include <QObject>

#include <memory>
#include <optional>

namespace Sandpiper {

// One far side with the way to it. Made anew for each test.
class ShellPeer
{
public:
    virtual ~ShellPeer() = default;
    // Not opened. Its connections go through proxy().
    [[nodiscard]] virtual std::unique_ptr<Shell> makeShell(const ShellSpec &spec) = 0;
    [[nodiscard]] virtual CuttableProxy &proxy() = 0;
    // Whether a session lives on without its connection.
    [[nodiscard]] virtual bool keepsSessions() const = 0;
    // The vendor's other way to set the size, where there is one; false where there is none.
    [[nodiscard]] virtual bool resizeElsewhere(Shell &, TerminalSize) { return false; }
    // How long silence must last until the shell takes its connection for lost; nothing: it is not tested.
    [[nodiscard]] virtual std::optional<std::chrono::milliseconds> noticesSilence() const { return {}; }
};

// Keeps what a shell says. Takes output in at once unless told to hold.
class ShellRecorder : public QObject
{
    Q_OBJECT
public:
    explicit ShellRecorder(Shell *shell);

    void hold(); // consumes nothing more
    void release(); // consumes what was held, and all that comes
    [[nodiscard]] const QByteArray &output() const { return m_output; } // capped at keepAtMost, from the front
    [[nodiscard]] qint64 received() const { return m_received; }
    [[nodiscard]] QByteArray takeOutput() { return std::exchange(m_output, {}); }
    [[nodiscard]] bool saw(QByteArrayView text) const { return m_output.contains(text); }

    QList<ShellEnd> ends;
    QList<ShellState> states;
    QStringList notices;
    int replayStarts = 0;
    int replayEnds = 0;
    int drained = 0;
    static constexpr qsizetype keepAtMost = 32 << 20;

private:
    void take(const QByteArray &bytes);

    Shell *m_shell;
    QByteArray m_output;
    qint64 m_received = 0;
    qint64 m_held = 0;
    bool m_holds = false;
};

class ShellParity : public QObject
{
    Q_OBJECT
protected:
    // Null: skipped, with the reason that was given to QSKIP or set by the test program before.
    [[nodiscard]] virtual std::unique_ptr<ShellPeer> makePeer() = 0;

private slots:
    void init();
    void cleanup();

    void itOpensAndEndsWithItsExitCode();
    void inputReachesTheShellAndOutputComesBack();
    void everyByteValuePassesBothWays();
    void splitCharactersArriveWhole();
    void theShellKnowsItsSizeFromTheStart();
    void aNewSizeReachesTheShell();
    void theVendorsOtherWayToResizeGivesTheSame();
    void aShellThatASignalEndsDoesNotEndWithACode();
    void killEndsTheSessionThere();
    void detachIsQuietAndTheSessionLivesOn();
    void attachOnTheSameObjectFindsTheSameShell();
    void aCutConnectionIsLostOnce();
    void afterALossTheSameShellIsFoundAgain();
    void silenceIsNoticed();
    void aProbeNoticesSilence();
    void aLongPasteArrivesByteExact();
    void outputThatNobodyReadsWaitsInTheNetwork();
    void noSignalComesFromInsideACall();
    void writingToAnEndedShellDoesNothing();

private:
    std::unique_ptr<ShellPeer> m_peer;
    std::unique_ptr<Shell> m_shell;
    std::unique_ptr<ShellRecorder> m_recorder;

    // Opens a shell whose echo and line editing are off, so that output is only what was asked for.
    void openQuietShell(TerminalSize size = {80, 24});
    [[nodiscard]] bool says(QByteArrayView text);
    [[nodiscard]] bool sizeBecomes(QByteArrayView answer); // of stty size
    void run(const QByteArray &line) { m_shell->write(line + '\n'); }
};

} // namespace Sandpiper
