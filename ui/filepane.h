// One side of a file browser: whose files, where, and what is there. GUI thread.
#pragma once

#include "sftp/filelistmodel.h"
#include "sftp/folderwatch.h"
#include "sftp/treefind.h"
#include "ui/bannerface.h"
#include "ui/dialogkit.h"
#include "ui/fileservices.h"
#include "ui/tabstore.h"

class QLineEdit;
class QPushButton;
class QStackedWidget;
class QToolButton;

namespace Sandpiper {

class FilePlaces;
class FileTable;
class PaneBanner;
class PathBar;

class FilePane : public QWidget
{
    Q_OBJECT
public:
    // places: borrowed, outlives it.
    FilePane(const FileServices &services, FilePlaces *places, QWidget *parent = nullptr);
    ~FilePane() override;

    // Whose files, and where; connects, unless it sleeps.
    void open(const KeptSide &side);
    [[nodiscard]] KeptSide kept() const;
    [[nodiscard]] bool isLocal() const { return m_side.sandbox.isEmpty(); }
    [[nodiscard]] SandboxId sandbox() const { return m_side.sandbox; }
    [[nodiscard]] QString displayName() const; // whose files these are
    [[nodiscard]] FileSystem *files() const;   // null: they are not to be had now
    // Why nothing of the kind can be done here now; empty: it can.
    [[nodiscard]] QString reasonAgainst(FileAction action) const;
    [[nodiscard]] FilePath folder() const { return m_model->folder().isEmpty() ? m_wanted : m_model->folder(); }
    [[nodiscard]] FileListModel *model() const { return m_model; }
    [[nodiscard]] FileTable *table() const { return m_table; }
    [[nodiscard]] PathBar *pathBar() const { return m_path; }
    [[nodiscard]] PaneBanner *banner() const { return m_banner; }
    [[nodiscard]] NoticeBar *notices() const { return m_notices; }
    [[nodiscard]] StandingFiles::Status status() const;
    [[nodiscard]] QString messageText() const; // in place of the rows; empty: rows are shown
    [[nodiscard]] QString footerText() const;

    void goTo(const FilePath &folder, const QByteArray &select = {});
    void goHome();
    void goUp();
    void goBack();
    void goForward();
    [[nodiscard]] bool canGoBack() const { return !m_back.isEmpty(); }
    [[nodiscard]] bool canGoForward() const { return !m_forward.isEmpty(); }
    void refresh();
    void editPath();
    void startFilter(const QString &text = {});
    void setShowsHidden(bool shows);
    void toggleBookmark();
    void retryNow();
    void openRow(int row);
    void setSandbox(const Sandbox &sandbox);
    void setShown(bool shown); // nothing is polled while it is not
    void setActive(bool active); // keys go to it
    void focusFiles();
    // Runs commands beside these files; empty, with the reason below, where none can be run.
    [[nodiscard]] FileCommandMaker commands() const;
    [[nodiscard]] QString reasonAgainstCommands() const;
    // Of the user, now.
    [[nodiscard]] FileChoices choices() const { return m_services.choices ? m_services.choices() : FileChoices(); }
    // A mistake or a refusal, told above the files.
    void tell(const Error &error);

signals:
    void sideChanged(); // whose, or where
    void stateChanged(); // what can be done
    void activated();
    void fileOpened(int row); // by Return or a double click; not a folder
    void resumeWanted(const Sandpiper::SandboxId &sandbox);
    void stepWanted(Sandpiper::BannerAction step, const Sandpiper::SandboxId &sandbox);

private:
    void build();
    void connectParts();
    void fillPlaceMenu();
    void fillMarksMenu();
    void fillColumnsMenu();
    void connectSide();
    void onStatus(const StandingFiles::Status &status);
    void onBanner(BannerAction action);
    void enter(const FilePath &folder, const QByteArray &select);
    void list(const FilePath &folder);
    void complete(const FilePath &parent);
    void sortBy(int column);
    void setFilter(const QString &text);
    void updateBanner();
    void updateMessage();
    void updateFooter();
    void updateHead();
    void askSpace();
    void runMessageAction();
    [[nodiscard]] BannerSubject subject() const;

    FileServices m_services;
    FilePlaces *m_places;
    KeptSide m_side;
    std::unique_ptr<FileSystem> m_local;
    std::unique_ptr<StandingFiles> m_standing;
    FileListModel *m_model;
    FolderWatch *m_watch;
    QList<FilePath> m_back;
    QList<FilePath> m_forward;
    FilePath m_wanted; // while nothing can be listed
    QString m_space;
    QString m_whyNoResume;
    bool m_wasOpen = false;
    std::unique_ptr<FileListing> m_completing;
    std::function<void()> m_messageAction;

    QPushButton *m_place;
    QToolButton *m_backButton;
    QToolButton *m_forwardButton;
    QToolButton *m_upButton;
    QToolButton *m_refreshButton;
    QToolButton *m_marks;
    QWidget *m_activeLine;
    QWidget *m_head;
    PathBar *m_path;
    PaneBanner *m_banner;
    NoticeBar *m_notices;
    QStackedWidget *m_stack;
    FileTable *m_table;
    QWidget *m_message;
    QLabel *m_messageIcon;
    QLabel *m_messageTitle;
    QLabel *m_messageDetail;
    QPushButton *m_messageButton;
    QLineEdit *m_filter;
    QWidget *m_filterBar;
    QLabel *m_count;
    QLabel *m_free;
    QTimer m_slow;
};

} // namespace Sandpiper
