// The tab with files: this computer beside a real SSH server.
#include "session/runafter.h"
#include "sftp/sftpfilesystem.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/testsshd.h"
#include "tests/support/waituntil.h"
#include "ui/comparedialog.h"
#include "ui/filebrowser.h"
#include "tests/support/filestage.h"
#include "ui/filetable.h"
#include "ui/fileundo.h"
#include "ui/filework.h"
#include "ui/finddialog.h"
#include "ui/panebanner.h"
#include "ui/pathbar.h"
#include "ui/style.h"
#include "ui/transfermodel.h"

#include <QApplication>
#include <QCheckBox>
#include <QClipboard>
#include <QDateTimeEdit>
#include <QDialog>
#include <QDragEnterEvent>
#include <QLineEdit>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>
#include <QUrl>

#include <fcntl.h>
#include <sys/stat.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

class TestFileBrowser : public QObject
{
    Q_OBJECT

    using Stage = FileStage;
    std::unique_ptr<TestSshd> m_sshd;

    // Whether it is taken there.
    static bool dragOver(FilePane *pane, QMimeData *what, const QByteArray &name)
    {
        QWidget *view = pane->table()->viewport();
        const QPoint at = pane->table()->visualRect(pane->model()->index(pane->model()->rowOf(name), 0)).center();
        QDragEnterEvent enter(at, Qt::CopyAction | Qt::MoveAction, what, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(view, &enter);
        QDragMoveEvent move(at, Qt::CopyAction | Qt::MoveAction, what, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(view, &move);
        return move.isAccepted();
    }
    static bool drop(FilePane *pane, QMimeData *what, const QByteArray &name)
    {
        const QPoint at = pane->table()->visualRect(pane->model()->index(pane->model()->rowOf(name), 0)).center();
        const bool isTaken = dragOver(pane, what, name);
        QDropEvent event(QPointF(at), Qt::CopyAction | Qt::MoveAction, what, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(pane->table()->viewport(), &event);
        return isTaken;
    }
    static CarriedFiles filesOf(const FilePane *pane, const QByteArray &name)
    {
        CarriedFiles files;
        files.place = pane->sandbox();
        files.isOurs = true;
        files.paths = {pane->model()->path(pane->model()->rowOf(name))};
        return files;
    }

private slots:
    void initTestCase()
    {
        QApplication::setStyle(new Style);
        QFont font = QApplication::font();
        font.setPixelSize(13); // ThemeController's part
        QApplication::setFont(font);
        m_sshd = std::make_unique<TestSshd>();
        SANDPIPER_NEED_SSHD(*m_sshd);
    }

    void bothSidesShowTheirFolders()
    {
        Stage stage(m_sshd->options());
        stage.make(u"here/mine.txt"_s);
        stage.make(u"there/theirs.txt"_s);
        stage.open();
        QVERIFY(stage.settles());
        QCOMPARE(Stage::names(stage.left()), QByteArrayList({"sub", "mine.txt"}));
        QCOMPARE(Stage::names(stage.right()), QByteArrayList({"sub", "theirs.txt"}));
        QCOMPARE(stage.browser->face().name, u"Files: box-1"_s);
        QCOMPARE(stage.browser->closing().state, StandingShell::State::Idle);
        QVERIFY(stage.right()->footerText().contains(u"2 items"_s));
    }

    void keysAloneWalkTheFolders()
    {
        Stage stage(m_sshd->options());
        stage.make(u"there/sub/inner"_s);
        stage.open();
        QVERIFY(stage.settles());
        stage.right()->focusFiles();
        QTRY_VERIFY(stage.right()->table()->hasFocus());
        stage.key(Qt::Key_Home);
        stage.key(Qt::Key_Return);
        QVERIFY(Stage::shows(stage.right(), {"inner"}));
        stage.key(Qt::Key_Up, Qt::AltModifier);
        QVERIFY(Stage::shows(stage.right(), {"sub"}));
        QVERIFY(stage.becomesCurrent(stage.right(), "sub")); // where we came from
        stage.key(Qt::Key_Left, Qt::AltModifier);
        QVERIFY(Stage::shows(stage.right(), {"inner"}));
        stage.key(Qt::Key_Left, Qt::AltModifier);
        QVERIFY(Stage::shows(stage.right(), {"sub"}));
        stage.key(Qt::Key_Right, Qt::AltModifier);
        QVERIFY(Stage::shows(stage.right(), {"inner"}));
        stage.key(Qt::Key_Backspace);
        QVERIFY(Stage::shows(stage.right(), {"sub"}));
        stage.key(Qt::Key_Tab);
        QTRY_VERIFY(stage.left()->table()->hasFocus());
        QCOMPARE(stage.browser->activePane(), stage.left());
    }

    void aTypedPathIsGoneTo()
    {
        Stage stage(m_sshd->options());
        stage.make(u"there/sub/inner"_s);
        stage.open();
        QVERIFY(stage.settles());
        stage.right()->focusFiles();
        QTRY_VERIFY(stage.right()->table()->hasFocus());
        stage.key(Qt::Key_L, Qt::ControlModifier);
        QVERIFY(stage.right()->pathBar()->isEditing());
        auto *edit = stage.right()->pathBar()->findChild<QLineEdit *>(u"pathEdit"_s);
        QTRY_VERIFY(edit->hasFocus());
        edit->setText(u"./sub/../sub"_s);
        QTest::keyClick(edit, Qt::Key_Return);
        QVERIFY(Stage::shows(stage.right(), {"inner"}));
        QCOMPARE(stage.right()->folder().name(), QByteArray("sub"));
        QVERIFY(!stage.right()->pathBar()->isEditing());
        QTRY_VERIFY(stage.right()->table()->hasFocus());
    }

    void lettersFilter()
    {
        Stage stage(m_sshd->options());
        stage.make(u"here/apple"_s);
        stage.make(u"here/pear"_s);
        stage.open();
        QVERIFY(stage.settles());
        stage.left()->focusFiles();
        QTRY_VERIFY(stage.left()->table()->hasFocus());
        stage.key(Qt::Key_P);
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_E);
        QVERIFY(Stage::shows(stage.left(), {"pear"}));
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_X);
        QVERIFY(Stage::shows(stage.left(), {}));
        QCOMPARE(stage.left()->messageText(), u"Nothing matches “pex”"_s);
        QTest::keyClick(stage.left()->findChild<QLineEdit *>(u"fileFilter"_s), Qt::Key_Escape);
        QVERIFY(Stage::shows(stage.left(), {"sub", "apple", "pear"}));
    }

    void aFolderIsMadeAndIsCurrent_data()
    {
        QTest::addColumn<int>("side");
        QTest::newRow("here") << 0;
        QTest::newRow("there") << 1;
    }
    void aFolderIsMadeAndIsCurrent()
    {
        QFETCH(int, side);
        Stage stage(m_sshd->options());
        stage.open();
        QVERIFY(stage.settles());
        stage.browser->pane(side)->focusFiles();
        QTRY_VERIFY(stage.browser->pane(side)->table()->hasFocus());
        stage.key(Qt::Key_F7);
        QTRY_VERIFY(topLevel<QDialog>(u"fileDialog"_s));
        auto *text = topLevel<QDialog>(u"fileDialog"_s)->findChild<QLineEdit *>(u"fileDialogText"_s);
        text->setText(u"new one"_s);
        QTest::keyClick(text, Qt::Key_Return);
        QVERIFY(Stage::shows(stage.browser->pane(side), {"new one", "sub"}));
        QVERIFY(stage.becomesCurrent(stage.browser->pane(side), "new one"));
        QVERIFY(stage.isThere(side == 0 ? u"here/new one"_s : u"there/new one"_s));
    }

    void aNameThatLeadsElsewhereIsRefused()
    {
        Stage stage(m_sshd->options());
        stage.open();
        QVERIFY(stage.settles());
        stage.left()->focusFiles();
        QTRY_VERIFY(stage.left()->table()->hasFocus());
        stage.key(Qt::Key_F7);
        QTRY_VERIFY(topLevel<QDialog>(u"fileDialog"_s));
        auto *text = topLevel<QDialog>(u"fileDialog"_s)->findChild<QLineEdit *>(u"fileDialogText"_s);
        text->setText(u"../outside"_s);
        QTest::keyClick(text, Qt::Key_Return);
        QTRY_VERIFY(stage.left()->notices()->text().contains(u"cannot be the name"_s));
        QVERIFY(!stage.isThere(u"outside"_s));
    }

    void aNameIsChangedAndChangedBack()
    {
        Stage stage(m_sshd->options());
        stage.make(u"there/old.txt"_s, "content");
        stage.open();
        QVERIFY(stage.settles());
        stage.right()->table()->select("old.txt");
        stage.right()->focusFiles();
        QTRY_VERIFY(stage.right()->table()->hasFocus());
        stage.key(Qt::Key_F2);
        QTRY_VERIFY(stage.right()->table()->findChild<QLineEdit *>(u"renameEdit"_s));
        auto *edit = stage.right()->table()->findChild<QLineEdit *>(u"renameEdit"_s);
        QTRY_COMPARE(edit->selectedText(), u"old"_s);
        edit->setText(u"new\\xff.txt"_s);
        QTest::keyClick(edit, Qt::Key_Return);
        QVERIFY(Stage::shows(stage.right(), {"sub", "new\xff.txt"}));
        QTRY_VERIFY(stage.right()->notices()->isVisible());
        for (QPushButton *button : stage.right()->notices()->findChildren<QPushButton *>()) {
            if (button->text() == u"Undo"_s)
                button->click();
        }
        QVERIFY(Stage::shows(stage.right(), {"sub", "old.txt"}));
    }

    void aTakenNameIsAnErrorAndNothingIsLost()
    {
        Stage stage(m_sshd->options());
        stage.make(u"there/one"_s, "1");
        stage.make(u"there/two"_s, "2");
        stage.open();
        QVERIFY(stage.settles());
        stage.browser->work(1)->rename(stage.right()->model()->rowOf("one"), u"two"_s);
        QTRY_VERIFY(stage.right()->notices()->isVisible());
        QVERIFY(stage.right()->notices()->text().contains(u"there already"_s));
        QFile two(stage.dir.filePath(u"there/two"_s));
        QVERIFY(two.open(QIODevice::ReadOnly));
        QCOMPARE(two.readAll(), QByteArray("2"));
    }

    void deletingAsksAndTakesWholeFolders_data()
    {
        QTest::addColumn<int>("side");
        QTest::newRow("here") << 0;
        QTest::newRow("there") << 1;
    }
    void deletingAsksAndTakesWholeFolders()
    {
        QFETCH(int, side);
        Stage stage(m_sshd->options());
        const QString folder = side == 0 ? u"here"_s : u"there"_s;
        (void)QDir(stage.dir.path()).mkpath(folder + u"/tree/deep"_s);
        for (int i = 0; i < 30; ++i)
            stage.make(folder + u"/tree/deep/%1"_s.arg(i));
        stage.make(folder + u"/kept"_s);
        stage.open();
        QVERIFY(stage.settles());
        FilePane *pane = stage.browser->pane(side);
        pane->table()->select("tree");
        pane->focusFiles();
        QTRY_VERIFY(pane->table()->hasFocus());
        stage.key(Qt::Key_Delete, Qt::ShiftModifier);
        QTRY_VERIFY(topLevel<QDialog>(u"confirmDialog"_s));
        QVERIFY(stage.isThere(folder + u"/tree"_s)); // nothing yet
        topLevel<QDialog>(u"confirmDialog"_s)->findChild<QPushButton *>(u"confirmVerb"_s)->click();
        QVERIFY(Stage::shows(pane, {"sub", "kept"}));
        QVERIFY(!stage.isThere(folder + u"/tree"_s));
        QVERIFY(stage.becomesCurrent(pane, "kept")); // the neighbour
    }

    void whatIsDeletedComesBackFromTheTrash()
    {
        Stage stage(m_sshd->options());
        qputenv("XDG_DATA_HOME", stage.dir.filePath(u"data"_s).toUtf8());
        const auto unset = qScopeGuard([] { qunsetenv("XDG_DATA_HOME"); });
        QVERIFY(QDir(stage.dir.path()).mkpath(u"data"_s));
        stage.make(u"here/letter.txt"_s, "content");
        stage.open();
        QVERIFY(stage.settles());
        stage.left()->table()->select("letter.txt");
        stage.left()->focusFiles();
        QTRY_VERIFY(stage.left()->table()->hasFocus());
        stage.key(Qt::Key_Delete);
        QTRY_VERIFY(topLevel<QDialog>(u"confirmDialog"_s));
        topLevel<QDialog>(u"confirmDialog"_s)->findChild<QPushButton *>(u"confirmVerb"_s)->click();
        QVERIFY(Stage::shows(stage.left(), {"sub"}));
        QVERIFY(stage.isThere(u"data/Trash/files/letter.txt"_s));
        QVERIFY(stage.isThere(u"data/Trash/info/letter.txt.trashinfo"_s));
        QTRY_VERIFY(stage.actions[ActionId::FilesUndo]->isEnabled());
        stage.actions[ActionId::FilesUndo]->trigger();
        QVERIFY(Stage::shows(stage.left(), {"sub", "letter.txt"}));
        QTRY_VERIFY_WITH_TIMEOUT(!stage.isThere(u"data/Trash/info/letter.txt.trashinfo"_s), kPatience);
    }

    void byTheSettingDeleteIsForGood()
    {
        Stage stage(m_sshd->options());
        stage.make(u"here/letter.txt"_s);
        stage.choices.deletesForGood = true;
        stage.open();
        QVERIFY(stage.settles());
        stage.left()->table()->select("letter.txt");
        stage.browser->work(0)->askRemove();
        QTRY_VERIFY(topLevel<QDialog>(u"confirmDialog"_s));
        auto *verb = topLevel<QDialog>(u"confirmDialog"_s)->findChild<QPushButton *>(u"confirmVerb"_s);
        QCOMPARE(verb->text(), u"Delete"_s);
        verb->click();
        QVERIFY(Stage::shows(stage.left(), {"sub"}));
        QVERIFY(!stage.browser->undo()->latest()); // there is no way back
    }

    void anUndoThatWouldOverwriteIsRefused()
    {
        Stage stage(m_sshd->options());
        stage.make(u"there/old"_s, "1");
        stage.open();
        QVERIFY(stage.settles());
        stage.browser->work(1)->rename(stage.right()->model()->rowOf("old"), u"new"_s);
        QVERIFY(Stage::shows(stage.right(), {"sub", "new"}));
        stage.make(u"there/old"_s, "2");
        stage.right()->focusFiles();
        QTRY_VERIFY(stage.actions[ActionId::FilesUndo]->isEnabled());
        stage.actions[ActionId::FilesUndo]->trigger();
        QTRY_VERIFY_WITH_TIMEOUT(stage.right()->notices()->text().contains(u"there already"_s), kPatience);
        QFile old(stage.dir.filePath(u"there/old"_s));
        QVERIFY(old.open(QIODevice::ReadOnly));
        QCOMPARE(old.readAll(), QByteArray("2"));
        // Once it is out of the way it goes.
        QVERIFY(QFile::remove(stage.dir.filePath(u"there/old"_s)));
        QTRY_VERIFY(stage.actions[ActionId::FilesUndo]->isEnabled());
        stage.actions[ActionId::FilesUndo]->trigger();
        QVERIFY(Stage::shows(stage.right(), {"sub", "old"}));
        QVERIFY(!stage.isThere(u"there/new"_s));
    }

    void aMoveIsTakenBackByTheKeyOnEitherSide()
    {
        Stage stage(m_sshd->options());
        stage.make(u"there/file"_s);
        stage.open();
        QVERIFY(stage.settles());
        const Result<FilePath> folder = FilePath::fromBytes(stage.dir.filePath(u"there/sub"_s).toUtf8());
        stage.browser->work(1)->moveHere({stage.right()->model()->path(stage.right()->model()->rowOf("file"))}, *folder);
        QVERIFY(Stage::shows(stage.right(), {"sub"}));
        QVERIFY(stage.isThere(u"there/sub/file"_s));
        stage.left()->focusFiles();
        QTRY_VERIFY(stage.left()->table()->hasFocus());
        QTRY_VERIFY(stage.actions[ActionId::FilesUndo]->isEnabled());
        stage.key(Qt::Key_Z, Qt::ControlModifier);
        QVERIFY(Stage::shows(stage.right(), {"sub", "file"}));
    }

    void aRefreshKeepsTheSelection()
    {
        Stage stage(m_sshd->options());
        for (const QString &name : {u"a"_s, u"c"_s, u"e"_s})
            stage.make(u"here/"_s + name);
        stage.open();
        QVERIFY(stage.settles());
        FileTable *table = stage.left()->table();
        table->select("c");
        table->selectionModel()->select(stage.left()->model()->index(3, 0), QItemSelectionModel::Select | QItemSelectionModel::Rows);
        QCOMPARE(table->chosenRows(), QList<int>({2, 3}));
        stage.make(u"here/b"_s); // seen by itself
        QVERIFY(Stage::shows(stage.left(), {"sub", "a", "b", "c", "e"}));
        QCOMPARE(table->chosenRows(), QList<int>({3, 4}));
        QCOMPARE(table->currentIndex().row(), 3);
    }

    void whatComesFromBehindAFilterIsNotSelected()
    {
        Stage stage(m_sshd->options());
        for (const QString &name : {u"a.tmp"_s, u"b.tmp"_s, u"precious"_s})
            stage.make(u"here/"_s + name);
        stage.open();
        QVERIFY(stage.settles());
        FileTable *table = stage.left()->table();
        stage.left()->startFilter(u"tmp"_s);
        QVERIFY(Stage::shows(stage.left(), {"a.tmp", "b.tmp"}));
        table->selectAllRows();
        QTest::keyClick(stage.left()->findChild<QLineEdit *>(u"fileFilter"_s), Qt::Key_Escape);
        QVERIFY(Stage::shows(stage.left(), {"sub", "a.tmp", "b.tmp", "precious"}));
        QCOMPARE(table->chosenRows(), QList<int>({1, 2}));
        table->selectAllRows();
        stage.make(u"here/latecomer"_s);
        QVERIFY(Stage::shows(stage.left(), {"sub", "a.tmp", "b.tmp", "latecomer", "precious"}));
        QCOMPARE(table->chosenRows(), QList<int>({0, 1, 2, 4}));
    }

    void aFolderThatIsNotThereOffersAnotherTry()
    {
        Stage stage(m_sshd->options());
        stage.open();
        QVERIFY(stage.settles());
        stage.right()->goTo(FilePath::fromBytes(stage.dir.filePath(u"there/later"_s).toUtf8()).value());
        QTRY_COMPARE_WITH_TIMEOUT(stage.right()->messageText(), u"This folder cannot be shown"_s, kPatience);
        QVERIFY(QDir(stage.dir.path()).mkpath(u"there/later/x"_s));
        stage.right()->findChild<QPushButton *>(u"fileMessageButton"_s)->click();
        QVERIFY(Stage::shows(stage.right(), {"x"}));
        QCOMPARE(stage.right()->messageText(), QString());
    }

    void anEmptyFolderSaysSo()
    {
        Stage stage(m_sshd->options());
        stage.make(u"here/sub/.hidden"_s);
        stage.open();
        QVERIFY(stage.settles());
        stage.left()->goTo(FilePath::fromBytes(stage.dir.filePath(u"here/sub"_s).toUtf8()).value());
        QTRY_COMPARE_WITH_TIMEOUT(stage.left()->messageText(), u"This folder is empty"_s, kPatience);
        stage.left()->findChild<QPushButton *>(u"fileMessageButton"_s)->click(); // show hidden files
        QVERIFY(Stage::shows(stage.left(), {".hidden"}));
    }

    void aSleepingSandboxIsNotWoken()
    {
        Stage stage(m_sshd->options());
        stage.sandbox.state = SandboxState::Suspended;
        stage.open();
        QTRY_COMPARE_WITH_TIMEOUT(stage.right()->messageText(), u"“box-1” is asleep"_s, kPatience);
        QCOMPARE(stage.opened, 0);
        QVERIFY(!stage.actions[ActionId::FilesNewFolder]->isEnabled());
        QVERIFY(stage.actions[ActionId::FilesNewFolder]->toolTip().contains(u"not connected"_s));
    }

    void whatIsRefusedIsToldAndNotTriedAgain()
    {
        Stage stage(m_sshd->options());
        stage.refusal = Error{ErrorKind::Unsupported, Layer::Sftp, u"SFTP is switched off for it in “Log in as…”"_s, u"box-1"_s};
        stage.open();
        QTRY_COMPARE_WITH_TIMEOUT(stage.right()->status().state, StandingShell::State::Failed, kPatience);
        QVERIFY(stage.right()->banner()->isVisible());
        QCOMPARE(stage.opened, 1);
    }

    void aLostLinkComesBackToTheSameFolder()
    {
        Stage stage(m_sshd->options());
        stage.make(u"there/sub/inner"_s);
        stage.open();
        QVERIFY(stage.settles());
        stage.right()->openRow(0);
        QVERIFY(Stage::shows(stage.right(), {"inner"}));
        stage.right()->table()->select("inner");
        QVERIFY(stage.link);
        // As from the other side: the connection is what goes.
        const QPointer<SshLink> first = stage.link;
        emit stage.right()->files()->ended({ErrorKind::ConnectionLost, Layer::Ssh, u"cut"_s, {}});
        QTRY_COMPARE_WITH_TIMEOUT(stage.right()->status().state, StandingShell::State::Open, kPatience);
        QCOMPARE(stage.opened, 2);
        QVERIFY(Stage::settles(stage.right()));
        QCOMPARE(Stage::names(stage.right()), QByteArrayList({"inner"}));
        QCOMPARE(stage.right()->folder().name(), QByteArray("sub"));
        QVERIFY(stage.becomesCurrent(stage.right(), "inner"));
    }

    void aLookInsideShowsTextAndBytes_data()
    {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<QString>("shown");
        QTest::newRow("text") << QByteArray("hello\nthere") << u"hello\nthere"_s;
        QTest::newRow("bytes") << QByteArray("\0\1A", 3) << u"00000000  00 01 41                                         ..A\n"_s;
        QTest::newRow("empty") << QByteArray() << QString();
    }
    void aLookInsideShowsTextAndBytes()
    {
        QFETCH(QByteArray, content);
        QFETCH(QString, shown);
        Stage stage(m_sshd->options());
        stage.make(u"there/file"_s, content);
        stage.open();
        QVERIFY(stage.settles());
        stage.right()->table()->select("file");
        stage.right()->focusFiles();
        QTRY_VERIFY(stage.right()->table()->hasFocus());
        stage.key(Qt::Key_Space);
        QTRY_VERIFY(topLevel<QDialog>(u"filePreview"_s));
        QDialog *preview = topLevel<QDialog>(u"filePreview"_s);
        auto *text = preview->findChild<QPlainTextEdit *>(u"previewText"_s);
        QTRY_VERIFY_WITH_TIMEOUT(!preview->findChildren<QLabel *>().last()->text().startsWith(u"Reading"_s), kPatience);
        QTRY_COMPARE(text->toPlainText(), shown);
        QTest::keyClick(text, Qt::Key_Space);
        QTRY_VERIFY(!topLevel<QDialog>(u"filePreview"_s));
    }

    void permissionsAreSetByNumber()
    {
        Stage stage(m_sshd->options());
        stage.make(u"there/file"_s);
        stage.open();
        QVERIFY(stage.settles());
        stage.right()->table()->select("file");
        stage.browser->work(1)->properties();
        QTRY_VERIFY(topLevel<QDialog>(u"fileProperties"_s));
        QDialog *dialog = topLevel<QDialog>(u"fileProperties"_s);
        auto *octal = dialog->findChild<QLineEdit *>(u"propertiesOctal"_s);
        QTRY_VERIFY_WITH_TIMEOUT(!octal->text().isEmpty(), kPatience);
        octal->selectAll();
        QTest::keyClicks(octal, u"640"_s);
        dialog->findChild<QPushButton *>(u"propertiesApply"_s)->click();
        QTRY_VERIFY_WITH_TIMEOUT(!topLevel<QDialog>(u"fileProperties"_s), kPatience);
        struct stat found = {};
        QCOMPARE(::stat(stage.dir.filePath(u"there/file"_s).toUtf8().constData(), &found), 0);
        QCOMPARE(found.st_mode & 07777, 0640u);
    }

    void aTreeGetsItsPermissions()
    {
        Stage stage(m_sshd->options());
        (void)QDir(stage.dir.path()).mkpath(u"there/sub/inner"_s);
        stage.make(u"there/sub/inner/file"_s);
        stage.make(u"there/sub/inner/tool"_s);
        const auto path = [&](const QString &name) { return stage.dir.filePath(name).toUtf8(); };
        const auto mode = [&](const QString &name) {
            struct stat found = {};
            return ::stat(path(name).constData(), &found) == 0 ? found.st_mode & 07777 : 0;
        };
        QVERIFY(::chmod(path(u"there/sub"_s).constData(), 0755) == 0 && ::chmod(path(u"there/sub/inner"_s).constData(), 0700) == 0);
        QVERIFY(::chmod(path(u"there/sub/inner/file"_s).constData(), 0600) == 0 && ::chmod(path(u"there/sub/inner/tool"_s).constData(), 0700) == 0);
        stage.open();
        QVERIFY(stage.settles());
        stage.right()->table()->select("sub");
        stage.browser->work(1)->properties();
        QTRY_VERIFY(topLevel<QDialog>(u"fileProperties"_s));
        QDialog *dialog = topLevel<QDialog>(u"fileProperties"_s);
        auto *inside = dialog->findChild<QCheckBox *>(u"propertiesInside"_s);
        QTRY_VERIFY_WITH_TIMEOUT(inside->isVisible(), kPatience);
        QVERIFY(!dialog->findChild<QPushButton *>(u"propertiesApply"_s)->isEnabled());
        // One bit is touched, and one bit is what changes: nothing that was secret is opened further.
        dialog->findChild<QCheckBox *>(u"bit0010"_s)->click();
        dialog->findChild<QCheckBox *>(u"bit0020"_s)->click();
        inside->click();
        dialog->findChild<QPushButton *>(u"propertiesApply"_s)->click();
        QTRY_VERIFY_WITH_TIMEOUT(!topLevel<QDialog>(u"fileProperties"_s), kPatience);
        QCOMPARE(mode(u"there/sub"_s), 0765u);
        QCOMPARE(mode(u"there/sub/inner"_s), 0720u);
        QCOMPARE(mode(u"there/sub/inner/file"_s), 0620u);
        QCOMPARE(mode(u"there/sub/inner/tool"_s), 0720u);
    }

    void ofSeveralOnlyWhatIsTouchedChanges()
    {
        Stage stage(m_sshd->options());
        stage.make(u"there/a"_s);
        stage.make(u"there/b"_s);
        const auto path = [&](const QString &name) { return stage.dir.filePath(name).toUtf8(); };
        QVERIFY(::chmod(path(u"there/a"_s).constData(), 0644) == 0 && ::chmod(path(u"there/b"_s).constData(), 0700) == 0);
        QVERIFY(QDir(stage.dir.path()).rmdir(u"there/sub"_s));
        stage.open();
        QVERIFY(stage.settles());
        stage.right()->table()->selectAllRows();
        stage.browser->work(1)->properties();
        QTRY_VERIFY(topLevel<QDialog>(u"fileProperties"_s));
        QDialog *dialog = topLevel<QDialog>(u"fileProperties"_s);
        auto *groupReads = dialog->findChild<QCheckBox *>(u"bit0040"_s);
        QTRY_COMPARE_WITH_TIMEOUT(groupReads->checkState(), Qt::PartiallyChecked, kPatience);
        QCOMPARE(dialog->findChild<QLineEdit *>(u"propertiesOctal"_s)->text(), QString());
        QCOMPARE(dialog->findChild<QCheckBox *>(u"bit0400"_s)->checkState(), Qt::Checked);
        QCOMPARE(dialog->findChild<QCheckBox *>(u"bit0020"_s)->checkState(), Qt::Unchecked);
        dialog->findChild<QCheckBox *>(u"bit0020"_s)->click();
        dialog->findChild<QCheckBox *>(u"propertiesSetsTime"_s)->click();
        dialog->findChild<QDateTimeEdit *>(u"propertiesTime"_s)->setDateTime(QDateTime::fromSecsSinceEpoch(981'173'106));
        dialog->findChild<QPushButton *>(u"propertiesApply"_s)->click();
        QTRY_VERIFY_WITH_TIMEOUT(!topLevel<QDialog>(u"fileProperties"_s), kPatience);
        for (const auto &[name, mode] : {std::pair(u"there/a"_s, 0664u), std::pair(u"there/b"_s, 0720u)}) {
            struct stat found = {};
            QCOMPARE(::stat(path(name).constData(), &found), 0);
            QCOMPARE(found.st_mode & 07777, mode);
            QCOMPARE(found.st_mtime, time_t(981'173'106));
        }
    }

    void whatIsMovedWithinOnePlaceIsThere()
    {
        Stage stage(m_sshd->options());
        stage.make(u"there/file"_s);
        stage.open();
        QVERIFY(stage.settles());
        KeptSide left = stage.right()->kept();
        left.folder += "/sub";
        stage.left()->open(left);
        QVERIFY(Stage::settles(stage.left()));
        stage.right()->table()->select("file");
        stage.right()->focusFiles();
        QTRY_VERIFY(stage.right()->table()->hasFocus());
        QVERIFY(stage.actions[ActionId::FilesMove]->isEnabled());
        stage.key(Qt::Key_F6);
        QVERIFY(Stage::shows(stage.left(), {"file"}));
        QVERIFY(Stage::shows(stage.right(), {"sub"}));
    }

    void aFolderIsCopiedToTheOtherSide_data()
    {
        QTest::addColumn<int>("from");
        QTest::newRow("here to there") << 0;
        QTest::newRow("there to here") << 1;
    }
    void aFolderIsCopiedToTheOtherSide()
    {
        QFETCH(int, from);
        Stage stage(m_sshd->options());
        const QString source = from == 0 ? u"here"_s : u"there"_s;
        const QString target = from == 0 ? u"there"_s : u"here"_s;
        QVERIFY(QDir(stage.dir.path()).mkpath(source + u"/tree/deep"_s));
        stage.make(source + u"/tree/deep/file"_s, "content");
        stage.open();
        QVERIFY(stage.settles());
        FilePane *pane = stage.browser->pane(from);
        pane->table()->select("tree");
        pane->focusFiles();
        QTRY_VERIFY(pane->table()->hasFocus());
        QVERIFY2(stage.actions[ActionId::FilesCopy]->isEnabled(), qPrintable(stage.actions[ActionId::FilesCopy]->toolTip()));
        stage.key(Qt::Key_F5);
        QVERIFY(Stage::shows(stage.browser->pane(1 - from), {"sub", "tree"}));
        QTRY_VERIFY_WITH_TIMEOUT(isOver(stage.queue->progress(stage.queue->transfers().constFirst()).state), kPatience);
        QFile file(stage.dir.filePath(target + u"/tree/deep/file"_s));
        QVERIFY(file.open(QIODevice::ReadOnly));
        QCOMPARE(file.readAll(), QByteArray("content"));
        QVERIFY(stage.isThere(source + u"/tree/deep/file"_s));
    }

    void whatLiesElsewhereIsCopiedToo_data()
    {
        QTest::addColumn<bool>("isHere"); // both sides are this computer
        QTest::addColumn<bool>("isOne");  // both sides are one place
        QTest::addColumn<QString>("where");
        QTest::newRow("within this computer") << true << true << u"within this computer"_s;
        QTest::newRow("within a sandbox") << false << true << u"within box-1"_s;
        QTest::newRow("from one sandbox to another") << false << false << u"box-2 → box-1"_s;
    }
    void whatLiesElsewhereIsCopiedToo()
    {
        QFETCH(bool, isHere);
        QFETCH(bool, isOne);
        QFETCH(QString, where);
        Stage stage(m_sshd->options());
        QVERIFY(QDir(stage.dir.path()).mkpath(u"here/tree/deep"_s));
        stage.make(u"here/tree/deep/file"_s, "content");
        stage.open();
        QVERIFY(stage.settles());
        KeptSide left{isHere ? SandboxId() : stage.sandbox.id, isHere ? QString() : u"box-1"_s, stage.dir.filePath(u"here"_s).toUtf8()};
        if (!isOne)
            left.sandbox.id = left.name = u"box-2"_s;
        stage.left()->open(left);
        KeptSide right{isHere ? SandboxId() : stage.sandbox.id, isHere ? QString() : u"box-1"_s, stage.dir.filePath(u"there"_s).toUtf8()};
        stage.right()->open(right);
        QVERIFY(stage.settles());
        stage.left()->table()->select("tree");
        stage.left()->focusFiles();
        QTRY_VERIFY(stage.left()->table()->hasFocus());
        QVERIFY2(stage.actions[ActionId::FilesCopy]->isEnabled(), qPrintable(stage.actions[ActionId::FilesCopy]->toolTip()));
        stage.key(Qt::Key_F5);
        QVERIFY(Stage::shows(stage.right(), {"sub", "tree"}));
        const qint64 id = stage.queue->transfers().constFirst();
        QTRY_VERIFY_WITH_TIMEOUT(isOver(stage.queue->progress(id).state), kPatience);
        QCOMPARE(stage.queue->progress(id).filesFailed, quint64(0));
        QCOMPARE(placesText(stage.queue->wish(id)), where);
        QFile file(stage.dir.filePath(u"there/tree/deep/file"_s));
        QVERIFY(file.open(QIODevice::ReadOnly));
        QCOMPARE(file.readAll(), QByteArray("content"));
        QVERIFY(stage.isThere(u"here/tree/deep/file"_s));
    }

    void whatIsThereIsAskedAboutBeforeAMoveWithinOnePlace()
    {
        Stage stage(m_sshd->options());
        stage.make(u"there/file"_s, "new");
        stage.make(u"there/sub/file"_s, "old one");
        stage.open();
        QVERIFY(stage.settles());
        KeptSide left = stage.right()->kept();
        left.folder += "/sub";
        stage.left()->open(left);
        QVERIFY(Stage::settles(stage.left()));
        stage.right()->table()->select("file");
        stage.right()->focusFiles();
        QTRY_VERIFY(stage.right()->table()->hasFocus());
        stage.key(Qt::Key_F6);
        QTRY_VERIFY_WITH_TIMEOUT(topLevel<QDialog>(u"conflictDialog"_s), kPatience);
        QVERIFY(stage.isThere(u"there/file"_s));
        topLevel<QDialog>(u"conflictDialog"_s)->findChild<QPushButton *>(u"conflict%1"_s.arg(int(OnConflict::Overwrite)))->click();
        QVERIFY(Stage::shows(stage.right(), {"sub"}));
        QFile file(stage.dir.filePath(u"there/sub/file"_s));
        QVERIFY(file.open(QIODevice::ReadOnly));
        QCOMPARE(file.readAll(), QByteArray("new"));
    }

    void filesOfTheDesktopAreDroppedOnAnySide_data()
    {
        QTest::addColumn<int>("side");
        QTest::newRow("here") << 0;
        QTest::newRow("there") << 1;
    }
    void filesOfTheDesktopAreDroppedOnAnySide()
    {
        QFETCH(int, side);
        Stage stage(m_sshd->options());
        stage.make(u"dropped file"_s, "content");
        stage.open();
        QVERIFY(stage.settles());
        QMimeData what;
        what.setUrls({QUrl::fromLocalFile(stage.dir.filePath(u"dropped file"_s))});
        FilePane *pane = stage.browser->pane(side);
        QVERIFY(drop(pane, &what, "sub")); // onto a folder
        const QString landed = side == 0 ? u"here/sub/dropped file"_s : u"there/sub/dropped file"_s;
        QTRY_VERIFY_WITH_TIMEOUT(stage.isThere(landed), kPatience);
        QVERIFY(stage.isThere(u"dropped file"_s));
    }

    void aFileIsDraggedIntoAFolderOfItsOwnSide()
    {
        Stage stage(m_sshd->options());
        stage.make(u"there/file"_s);
        stage.open();
        QVERIFY(stage.settles());
        CarriedFiles files = filesOf(stage.right(), "file");
        emit stage.right()->table()->dropped(files, actionFor(files, stage.right()->sandbox(), Qt::NoModifier), stage.right()->model()->rowOf("sub"));
        QTRY_VERIFY_WITH_TIMEOUT(stage.isThere(u"there/sub/file"_s), kPatience);
        QVERIFY(!stage.isThere(u"there/file"_s));
    }

    void aFolderSpringsOpenUnderADrag()
    {
        Stage stage(m_sshd->options());
        stage.make(u"there/sub/inner"_s);
        stage.make(u"dropped"_s);
        stage.open();
        QVERIFY(stage.settles());
        stage.right()->table()->spring()->setDelay(std::chrono::milliseconds(0));
        QMimeData what;
        what.setUrls({QUrl::fromLocalFile(stage.dir.filePath(u"dropped"_s))});
        QVERIFY(dragOver(stage.right(), &what, "sub"));
        QVERIFY(Stage::shows(stage.right(), {"inner"}));
    }

    void aRefusedDropMovesNothing()
    {
        Stage stage(m_sshd->options());
        stage.open();
        QVERIFY(stage.settles());
        QMimeData what;
        what.setUrls({QUrl(u"https://example.org/file"_s)});
        QVERIFY(!drop(stage.left(), &what, "sub"));
        // A folder into itself.
        const QString sub = stage.dir.filePath(u"here/sub"_s);
        what.setUrls({QUrl::fromLocalFile(sub)});
        QVERIFY(!drop(stage.left(), &what, "sub"));
        QVERIFY(stage.queue->transfers().isEmpty());
    }

    void theClipboardCarriesFilesBetweenSides_data()
    {
        QTest::addColumn<bool>("cuts");
        QTest::newRow("copy") << false;
        QTest::newRow("cut") << true;
    }
    void theClipboardCarriesFilesBetweenSides()
    {
        QFETCH(bool, cuts);
        Stage stage(m_sshd->options());
        stage.make(u"here/file"_s, "content");
        stage.open();
        QVERIFY(stage.settles());
        stage.left()->table()->select("file");
        stage.left()->focusFiles();
        QTRY_VERIFY(stage.left()->table()->hasFocus());
        stage.key(cuts ? Qt::Key_X : Qt::Key_C, Qt::ControlModifier);
        QVERIFY(QGuiApplication::clipboard()->mimeData()->hasUrls()); // as the desktop takes them
        stage.right()->focusFiles();
        QTRY_VERIFY(stage.right()->table()->hasFocus());
        stage.key(Qt::Key_V, Qt::ControlModifier);
        QTRY_VERIFY_WITH_TIMEOUT(stage.isThere(u"there/file"_s), kPatience);
        QTRY_COMPARE_WITH_TIMEOUT(stage.isThere(u"here/file"_s), !cuts, kPatience);
    }

    void aCopyPastedBesideItselfHasAnotherName()
    {
        Stage stage(m_sshd->options());
        stage.make(u"there/file.txt"_s);
        stage.open();
        QVERIFY(stage.settles());
        stage.right()->table()->select("file.txt");
        stage.right()->focusFiles();
        QTRY_VERIFY(stage.right()->table()->hasFocus());
        stage.key(Qt::Key_C, Qt::ControlModifier);
        stage.key(Qt::Key_V, Qt::ControlModifier);
        QTRY_VERIFY_WITH_TIMEOUT(stage.isThere(u"there/file (2).txt"_s), kPatience);
        QVERIFY(stage.isThere(u"there/file.txt"_s));
    }

    void whatWasCopiedOnTheDesktopIsPasted()
    {
        Stage stage(m_sshd->options());
        stage.make(u"outside.txt"_s);
        stage.open();
        QVERIFY(stage.settles());
        auto *what = new QMimeData;
        what->setUrls({QUrl::fromLocalFile(stage.dir.filePath(u"outside.txt"_s))});
        QGuiApplication::clipboard()->setMimeData(what);
        stage.right()->focusFiles();
        QTRY_VERIFY(stage.right()->table()->hasFocus());
        stage.key(Qt::Key_V, Qt::ControlModifier);
        QTRY_VERIFY_WITH_TIMEOUT(stage.isThere(u"there/outside.txt"_s), kPatience);
        QVERIFY(stage.isThere(u"outside.txt"_s));
    }

    void whatIsFoundIsGoneTo()
    {
        Stage stage(m_sshd->options());
        stage.make(u"there/sub/needle.txt"_s);
        stage.open();
        QVERIFY(stage.settles());
        stage.right()->focusFiles();
        QTRY_VERIFY(stage.actions[ActionId::FilesFind]->isEnabled());
        stage.actions[ActionId::FilesFind]->trigger();
        auto *dialog = topLevel<FindDialog>(u"findDialog"_s);
        QVERIFY(dialog);
        dialog->findChild<QLineEdit *>(u"findName"_s)->setText(u"needle"_s);
        dialog->findChild<QPushButton *>(u"findStart"_s)->click();
        QTRY_COMPARE_WITH_TIMEOUT(dialog->model()->rowCount(), 1, kPatience);
        QTRY_VERIFY_WITH_TIMEOUT(!dialog->isRunning(), kPatience);
        QCOMPARE(dialog->statusText(), u"1 found"_s);
        dialog->findChild<QPushButton *>(u"findGoTo"_s)->click();
        QVERIFY(Stage::shows(stage.right(), {"needle.txt"}));
        QVERIFY(stage.becomesCurrent(stage.right(), "needle.txt"));
        dialog->close();
    }

    void nothingIsOverwrittenUnasked()
    {
        Stage stage(m_sshd->options());
        stage.make(u"here/file"_s, "new");
        stage.make(u"there/file"_s, "old one");
        stage.open();
        QVERIFY(stage.settles());
        stage.left()->table()->select("file");
        stage.left()->focusFiles();
        QTRY_VERIFY(stage.left()->table()->hasFocus());
        stage.key(Qt::Key_F5);
        QTRY_VERIFY_WITH_TIMEOUT(topLevel<QDialog>(u"conflictDialog"_s), kPatience);
        const QString there = stage.dir.filePath(u"there/file"_s);
        QFile file(there);
        QVERIFY(file.open(QIODevice::ReadOnly));
        QCOMPARE(file.readAll(), QByteArray("old one"));
        topLevel<QDialog>(u"conflictDialog"_s)->findChild<QPushButton *>(u"conflict%1"_s.arg(int(OnConflict::Rename)))->click();
        QVERIFY(Stage::shows(stage.right(), {"sub", "file", "file (2)"}));
    }

    void aBrowserMayGoAtAnyMoment()
    {
        for (int turn = 0; turn < 6; ++turn) {
            Stage stage(m_sshd->options());
            stage.open();
            (void)waitUntil([turn, n = 0]() mutable { return n++ >= turn * 4; }, kPatience);
        }
    }

    void whatIsKeptOpensTheSameFolders()
    {
        Stage stage(m_sshd->options());
        stage.open();
        QVERIFY(stage.settles());
        QSignalSpy kept(stage.browser.get(), &WorkspacePage::keptChanged);
        stage.right()->openRow(0);
        QTRY_VERIFY_WITH_TIMEOUT(!kept.isEmpty(), kPatience);
        const KeptTab tab = stage.browser->kept();
        QVERIFY(tab.files->sides[1].folder.endsWith("/there/sub"));
        QCOMPARE(tab.files->sides[1].sandbox, stage.sandbox.id);
        QVERIFY(tab.files->sides[0].sandbox.isEmpty());
    }

    void everyControlHasAName()
    {
        Stage stage(m_sshd->options());
        stage.open();
        QVERIFY(stage.settles());
        for (const QAbstractButton *button : stage.browser->findChildren<QAbstractButton *>()) {
            if (button->isVisible())
                QVERIFY2(!button->accessibleName().isEmpty() || !button->text().isEmpty(), button->metaObject()->className());
        }
        QVERIFY(!stage.left()->table()->accessibleName().isEmpty());
    }

    void comparedFoldersBecomeAlike()
    {
        Stage stage(m_sshd->options());
        stage.make(u"here/new.txt"_s, "new");
        stage.make(u"here/sub/deep.txt"_s, "deep");
        stage.make(u"there/old.txt"_s);
        stage.open();
        QVERIFY(stage.settles());
        stage.key(Qt::Key_F3);
        CompareDialog *dialog = nullptr;
        QVERIFY(waitUntil([&] { return (dialog = topLevel<CompareDialog>(u"compareDialog"_s)) != nullptr; }, kPatience));
        const auto button = [&](const char *name) { return dialog->findChild<QPushButton *>(QString::fromLatin1(name)); };
        QVERIFY(waitUntil([&] { return button("compareToRight")->isEnabled(); }, kPatience));
        button("compareToRight")->click();
        dialog->findChild<QCheckBox *>(u"planRemoves"_s)->setChecked(true);
        QVERIFY(waitUntil([&] { return button("planGo")->isEnabled() && dialog->planModel()->plan().removals == 1; }, kPatience));
        QVERIFY(!stage.isThere(u"there/new.txt"_s)); // nothing has moved yet
        button("planGo")->click();
        QVERIFY(waitUntil([&] { return !stage.isThere(u"there/old.txt"_s); }, kPatience));
        QVERIFY(stage.isThere(u"there/new.txt"_s) && stage.isThere(u"there/sub/deep.txt"_s));
        QCOMPARE(stage.queue->transfers().size(), 1);
        QVERIFY(waitUntil([&] { return stage.left()->notices()->text().contains(u"2"_s) || stage.right()->notices()->text().contains(u"2"_s); }, kPatience));
        QVERIFY(Stage::shows(stage.right(), {"sub", "new.txt"}));
    }
};

QTEST_MAIN(TestFileBrowser)
#include "tst_filebrowser.moc"
