// A tab with files, this computer beside a real SSH server, for tests.
#pragma once

#include "session/runafter.h"
#include "sftp/sftpfilesystem.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/testsshd.h"
#include "tests/support/waituntil.h"
#include "ui/filebrowser.h"
#include "ui/filetable.h"

#include <QApplication>
#include <QDir>
#include <QTest>

#include <filesystem>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

inline constexpr int kPatience = 60'000;

template <typename T>
[[nodiscard]] T *topLevel(const QString &name)
{
    for (QWidget *widget : QApplication::topLevelWidgets()) {
        if (widget->isVisible() && widget->objectName() == name)
            return qobject_cast<T *>(widget);
    }
    return nullptr;
}

struct FileStage
{
    explicit FileStage(const LinkOptions &given)
        : options(given)
    {
        sandbox.id = {u"fake"_s, u"work"_s, u"box"_s};
        sandbox.name = u"box-1"_s;
        sandbox.state = SandboxState::Running;
        (void)QDir(dir.path()).mkpath(u"here/sub"_s);
        (void)QDir(dir.path()).mkpath(u"there/sub"_s);
    }
    ~FileStage()
    {
        browser.reset();
        edits.reset();
        queue.reset();
        std::filesystem::remove_all(dir.path().toStdString());
    }
    void make(const QString &name, const QByteArray &content = "x") const
    {
        QFile file(dir.filePath(name));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(content);
    }
    [[nodiscard]] bool isThere(const QString &name) const { return QFileInfo(dir.filePath(name)).isSymLink() || QFile::exists(dir.filePath(name)); }
    void open()
    {
        FileServices services;
        services.standing = [this](const SandboxId &) {
            StandingFiles::Services made;
            made.plainHost = sandbox;
            made.open = [this](const Sandbox &box) -> Result<OpenedFiles> {
                ++opened;
                if (refusal)
                    return std::unexpected(*refusal);
                OpenedFiles files;
                files.link = std::make_unique<SshLink>(options, &prompts);
                files.files = std::make_unique<SftpFileSystem>(files.link.get(), box.displayName());
                link = files.link.get();
                return files;
            };
            made.after = runAfter;
            return made;
        };
        TransferQueue::Services moving;
        moving.makeLink = [this](const SandboxId &, QObject *context, auto then) {
            QMetaObject::invokeMethod(context, [this, then] { then(std::make_unique<SshLink>(options, &prompts)); }, Qt::QueuedConnection);
        };
        moving.openFiles = [this](const SandboxId &, QObject *context, auto then) {
            QMetaObject::invokeMethod(
                    context,
                    [this, then] {
                        OpenedFiles files;
                        files.link = std::make_unique<SshLink>(options, &prompts);
                        files.files = std::make_unique<SftpFileSystem>(files.link.get(), QStringLiteral("box"));
                        then(std::move(files));
                    },
                    Qt::QueuedConnection);
        };
        queue = std::make_unique<TransferQueue>(moving);
        services.transfers = queue.get();
        FileEdits::Services editing;
        editing.folder = dir.filePath(u"edits"_s);
        editing.standing = services.standing;
        editing.settle = std::chrono::milliseconds(20);
        edits = std::make_unique<FileEdits>(editing);
        services.edits = edits.get();
        services.choices = [this] { return choices; };
        services.launch = [this](const ToolLaunch &launch) {
            launches.append(launch);
            return launches.size() > failing;
        };
        KeptTab tab;
        tab.files = KeptFiles{};
        tab.files->sides[0].folder = dir.filePath(u"here"_s).toUtf8();
        tab.files->sides[1] = {sandbox.id, sandbox.name, dir.filePath(u"there"_s).toUtf8()};
        tab.shell.sandbox = sandbox.id;
        browser = std::make_unique<FileBrowser>(tab, services, &actions);
        browser->setAttended(true);
        browser->resize(1100, 640);
        browser->show();
        browser->activateWindow();
        browser->focusContent();
    }
    [[nodiscard]] FilePane *left() const { return browser->pane(0); }
    [[nodiscard]] FilePane *right() const { return browser->pane(1); }
    [[nodiscard]] static bool settles(const FilePane *pane)
    {
        return waitUntil([pane] { return pane->model()->state() == FileListModel::State::Ready && !pane->model()->isRefreshing(); }, kPatience);
    }
    [[nodiscard]] bool settles() const { return settles(left()) && settles(right()); }
    [[nodiscard]] static QByteArrayList names(const FilePane *pane)
    {
        QByteArrayList found;
        for (int row = 0; row < pane->model()->rowCount(); ++row)
            found.append(pane->model()->entry(row).name);
        return found;
    }
    [[nodiscard]] static bool shows(const FilePane *pane, const QByteArrayList &wanted)
    {
        return waitUntil([&] { return names(pane) == wanted; }, kPatience);
    }
    [[nodiscard]] bool becomesCurrent(const FilePane *pane, const QByteArray &name) const
    {
        return waitUntil([&] {
            const QModelIndex current = pane->table()->currentIndex();
            return current.isValid() && pane->model()->entry(current.row()).name == name;
        }, kPatience);
    }
    void key(Qt::Key which, Qt::KeyboardModifiers modifiers = Qt::NoModifier) const { QTest::keyClick(QApplication::focusWidget(), which, modifiers); }

    QTemporaryDir dir;
    LinkOptions options;
    Sandbox sandbox;
    RecordingPrompts prompts;
    Actions actions;
    std::optional<Error> refusal;
    int opened = 0;
    QPointer<SshLink> link;
    std::unique_ptr<TransferQueue> queue;
    std::unique_ptr<FileEdits> edits;
    FileChoices choices;
    QList<ToolLaunch> launches; // of editors; nothing is started
    qsizetype failing = 0; // as many of the first
    std::unique_ptr<FileBrowser> browser;
};

} // namespace Sandpiper
