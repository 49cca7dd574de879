// What a tab of the workspace shows: a terminal, or files. GUI thread.
#pragma once

#include "ui/bannerface.h"
#include "ui/closepolicy.h"
#include "ui/tabface.h"
#include "ui/tabstore.h"

#include <QWidget>

namespace Sandpiper {

class WorkspacePage : public QWidget
{
    Q_OBJECT
public:
    using QWidget::QWidget;

    // Whose page it is; empty: this computer's alone.
    [[nodiscard]] virtual SandboxId sandbox() const = 0;
    [[nodiscard]] virtual KeptTab kept() const = 0;
    [[nodiscard]] virtual TabFace face() const = 0;
    [[nodiscard]] virtual QString statusText() const = 0; // for the status bar
    [[nodiscard]] virtual ClosingShell closing() const = 0;
    // A shell is there or is wanted back.
    [[nodiscard]] virtual bool wantsShell() const { return false; }
    [[nodiscard]] virtual bool isConnected() const { return true; }
    virtual void setSandbox(const Sandbox &sandbox) = 0; // as the vendor says it is now
    virtual void setCustomTitle(const QString &title) = 0; // empty: none
    // Looked at, or not.
    virtual void setAttended(bool attended) = 0;
    virtual void focusContent() = 0;
    virtual void focusBanner() {}
    virtual void retryNow() {}
    // Lets go before it is deleted: what lives on elsewhere lives on.
    virtual void retire() {}

signals:
    void faceChanged();
    void keptChanged(); // what is written down of the tab
    void shellsChanged();
    void closeWanted();
    void noteworthy(const QString &title, const QString &text);
    void resumeWanted(const Sandpiper::SandboxId &sandbox);
    // A step against an error that is taken elsewhere: RegisterKey, ChooseKey, ReviewHostKey,
    // CreateSandbox, RefreshList, SignInAgain.
    void stepWanted(Sandpiper::BannerAction step, const Sandpiper::SandboxId &sandbox);
};

} // namespace Sandpiper
