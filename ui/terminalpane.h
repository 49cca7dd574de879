// One terminal of the workspace: the screen, the banner above it, and what lies over it. It belongs
// to a tab, and like the tab it is a wish: its shell may be lost, asleep or not begun. GUI thread.
#pragma once

#include "session/localurl.h"
#include "session/standingshell.h"
#include "terminal/terminalview.h"
#include "ui/carriedfiles.h"
#include "ui/workspacepage.h"

#include <QDeadlineTimer>
#include <QTimer>
#include <QWidget>

#include <memory>

namespace Sandpiper {

class FindBar;
class PaneBanner;
class PasteBar;
class PillButton;
class TerminalSession;

class TerminalPane : public WorkspacePage
{
    Q_OBJECT
public:
    TerminalPane(const KeptTab &tab, const TerminalOptions &options, QWidget *parent = nullptr);
    ~TerminalPane() override;

    // Begins or brings back the shell as soon as the terminal has its size. Once; until then the pane
    // says that it waits for its account.
    void connectShell(StandingShell::Services services, const QString &accountName);
    [[nodiscard]] bool isConnected() const override { return m_shell != nullptr; }
    // Lets go of the shell before the pane is deleted: what lives on there lives on.
    void retire() override;

    [[nodiscard]] SandboxId sandbox() const override { return m_tab.shell.sandbox; }
    [[nodiscard]] KeptTab kept() const override { return m_tab; }
    [[nodiscard]] StandingShell::Status status() const;
    [[nodiscard]] TabFace face() const override;
    [[nodiscard]] QString statusText() const override;
    [[nodiscard]] ClosingShell closing() const override;
    // A shell is there or is wanted back: Opening, Open, Waiting, Suspended, Stopped.
    [[nodiscard]] bool wantsShell() const override;

    void setSandbox(const Sandbox &sandbox) override; // as the vendor says it is now
    void setCustomTitle(const QString &title) override; // empty: none
    void setOptions(const TerminalOptions &options) { m_view->setOptions(options); }
    // Looked at: marks of new output and bells go, and do not come back until it is left.
    void setAttended(bool attended) override;
    void setReadOnly(bool readOnly);
    [[nodiscard]] bool isReadOnly() const { return m_readOnly; }
    [[nodiscard]] TerminalView *view() const { return m_view; }
    [[nodiscard]] PaneBanner *banner() const { return m_banner; }
    [[nodiscard]] PaneBanner *notice() const { return m_notice; }

    void focusContent() override { focusTerminal(); }
    void focusTerminal();
    void focusBanner() override; // the first button there; does nothing where there is none
    void find();
    void retryNow() override;
    void endShell();

signals:
    void menuWanted(const QPoint &globalPos);
    void used(); // a key, or what was pasted
    void localUrlPrinted(const QUrl &url); // by a program there, just now; see isLocalUrl()
    // From elsewhere onto this terminal. directory: where its shell is, as it says itself; empty: it is not known.
    void filesDropped(const Sandpiper::CarriedFiles &files, const Sandpiper::FilePath &directory);

protected:
    bool eventFilter(QObject *watched, QEvent *event) override;

private:
    void watchView();
    bool handleDrag(QDropEvent *event);
    void onStatus(const StandingShell::Status &status);
    void onRecord(const ShellRecord &record);
    void onBanner(BannerAction action);
    void updateBanner();
    void markSeen(bool bell);
    void placeOverlays();
    [[nodiscard]] BannerSubject subject() const;

    KeptTab m_tab;
    QString m_accountName;
    QString m_programTitle;
    QString m_directory;
    FilePath m_folder; // the same, whole; empty: not known
    std::optional<CarriedFiles> m_dragged; // over it
    LocalUrlScanner m_printed;
    QString m_whyNoResume;
    bool m_attended = false;
    bool m_activity = false;
    bool m_bell = false;
    bool m_wasOpen = false;
    bool m_readOnly = false;
    StandingShell::State m_lastState = StandingShell::State::Idle;
    QDeadlineTimer m_replayEnds; // what comes right after opening was seen before
    QTimer m_patience; // a banner for what is over in a moment would only flicker
    QTimer m_slow;
    QWidget *m_area;
    TerminalView *m_view;
    PaneBanner *m_banner;
    PaneBanner *m_notice;
    FindBar *m_find;
    PasteBar *m_paste;
    PillButton *m_readOnlyMark;
    QPointer<SandboxProvider> m_provider;
    std::unique_ptr<StandingShell> m_shell;
    std::unique_ptr<TerminalSession> m_session;
};

} // namespace Sandpiper
