// Files that go from the browser to an editor and back.
#include "tests/support/filestage.h"
#include "ui/editpanel.h"
#include "ui/style.h"

#include <QDialog>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QTableView>
#include <QToolButton>

using namespace Sandpiper;

class TestFileEditing : public QObject
{
    Q_OBJECT

    struct Stage : FileStage
    {
        using FileStage::FileStage;
        [[nodiscard]] QByteArray content(const QString &name) const
        {
            QFile file(dir.filePath(name));
            return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray("(nothing there)");
        }
        [[nodiscard]] bool begin(int side, const QByteArray &name)
        {
            open();
            if (!settles())
                return false;
            browser->pane(side)->focusFiles();
            browser->pane(side)->table()->select(name);
            return becomesCurrent(browser->pane(side), name) && waitUntil([&] { return browser->activePane() == browser->pane(side); }, kPatience);
        }
        [[nodiscard]] bool launched(qsizetype count) { return waitUntil([&] { return launches.size() == count; }, kPatience); }
        [[nodiscard]] EditSession *session() const { return edits->session(edits->edits().value(0)); }
        [[nodiscard]] bool reaches(EditState state) const
        {
            return waitUntil([&] { return session() && session()->status().state == state; }, kPatience);
        }
        [[nodiscard]] EditPanel *panel() const { return browser->findChild<EditPanel *>(); }
        [[nodiscard]] QString stateShown() const { return panel()->model()->index(0, EditModel::State).data().toString(); }
        [[nodiscard]] bool conflicts()
        {
            make(u"there/a.txt"_s, "as it was\n");
            if (!begin(1, "a.txt"))
                return false;
            actions[ActionId::FilesEdit]->trigger();
            if (!launched(1))
                return false;
            make(u"there/a.txt"_s, "theirs\n");
            QFile mine(session()->localFile());
            return mine.open(QIODevice::WriteOnly) && mine.write("mine\n") == 5 && mine.flush() && reaches(EditState::Conflict);
        }
    };
    std::unique_ptr<TestSshd> m_sshd;

private slots:
    void initTestCase()
    {
        QApplication::setStyle(new Style);
        m_sshd = std::make_unique<TestSshd>();
        SANDPIPER_NEED_SSHD(*m_sshd);
    }

    void aFileOfASandboxIsEditedInACopy()
    {
        Stage stage(m_sshd->options());
        stage.make(u"there/notes.txt"_s, "old\n");
        QVERIFY(stage.begin(1, "notes.txt"));
        QVERIFY(!stage.panel()->isVisible());
        stage.key(Qt::Key_E, Qt::ControlModifier);
        QVERIFY(stage.launched(1));
        const QString copy = stage.session()->localFile();
        QCOMPARE(stage.launches.constFirst(), (ToolLaunch{{}, {}, QUrl::fromLocalFile(copy)}));
        QCOMPARE(stage.stateShown(), u"The same there"_s);
        QVERIFY(stage.panel()->isVisible());
        QFile file(copy);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("new\n");
        file.close();
        QVERIFY(waitUntil([&] { return stage.content(u"there/notes.txt"_s) == "new\n"; }, kPatience));
        // Once more is the same copy.
        stage.key(Qt::Key_E, Qt::ControlModifier);
        QVERIFY(stage.launched(2));
        QCOMPARE(stage.edits->edits().size(), 1);
    }

    void aFileOfThisComputerIsEditedItself()
    {
        Stage stage(m_sshd->options());
        stage.make(u"here/-notes.txt"_s, "old\n");
        stage.choices.editor = u"/bin/sh -c"_s;
        QVERIFY(stage.begin(0, "-notes.txt"));
        stage.key(Qt::Key_E, Qt::ControlModifier);
        QCOMPARE(stage.launches, QList<ToolLaunch>({{u"/bin/sh"_s, {u"-c"_s, stage.dir.filePath(u"here/-notes.txt"_s)}, {}}}));
        QVERIFY(stage.edits->edits().isEmpty());
    }

    void returnDoesWhatTheSettingSays_data()
    {
        QTest::addColumn<int>("opening");
        QTest::addColumn<bool>("previews");
        QTest::addColumn<QString>("program");
        QTest::newRow("preview") << int(FileOpening::Preview) << true << QString();
        QTest::newRow("edit") << int(FileOpening::Edit) << false << u"/bin/sh"_s;
        QTest::newRow("open") << int(FileOpening::Open) << false << QString();
    }
    void returnDoesWhatTheSettingSays()
    {
        QFETCH(int, opening);
        QFETCH(bool, previews);
        Stage stage(m_sshd->options());
        stage.make(u"there/a.txt"_s);
        stage.choices = {u"/bin/sh"_s, FileOpening(opening)};
        QVERIFY(stage.begin(1, "a.txt"));
        stage.key(Qt::Key_Return);
        if (previews) {
            QVERIFY(waitUntil([] { return topLevel<QDialog>(u"filePreview"_s) != nullptr; }, kPatience));
            QVERIFY(stage.edits->edits().isEmpty());
            topLevel<QDialog>(u"filePreview"_s)->close();
            return;
        }
        QVERIFY(stage.launched(1));
        QTEST(stage.launches.constFirst().program, "program");
        QVERIFY(!topLevel<QDialog>(u"filePreview"_s));
    }

    void foldersAreNotEdited()
    {
        Stage stage(m_sshd->options());
        QVERIFY(stage.begin(1, "sub"));
        QTRY_VERIFY(!stage.actions[ActionId::FilesEdit]->isEnabled());
        QCOMPARE(stage.actions[ActionId::FilesEdit]->toolTip(), u"Folders are not edited."_s);
    }

    void anEditorThatIsNotThereIsNamed_data()
    {
        QTest::addColumn<QString>("editor");
        QTest::addColumn<QString>("told");
        QTest::newRow("missing") << u"no-such-editor -w"_s << u"no-such-editor"_s;
        QTest::newRow("does not start") << u"/bin/sh"_s << u"/bin/sh"_s;
        QTest::newRow("desktop has none") << QString() << u"a.txt"_s;
    }
    void anEditorThatIsNotThereIsNamed()
    {
        QFETCH(QString, editor);
        QFETCH(QString, told);
        Stage stage(m_sshd->options());
        stage.make(u"there/a.txt"_s);
        stage.choices.editor = editor;
        stage.failing = 1;
        QVERIFY(stage.begin(1, "a.txt"));
        stage.actions[ActionId::FilesEdit]->trigger();
        QVERIFY(waitUntil([&] { return stage.right()->notices()->text().contains(told); }, kPatience));
    }

    void whatCannotBeFetchedLeavesNoRow()
    {
        Stage stage(m_sshd->options());
        stage.make(u"there/gone.txt"_s);
        QVERIFY(stage.begin(1, "gone.txt"));
        QVERIFY(QFile::remove(stage.dir.filePath(u"there/gone.txt"_s)));
        stage.actions[ActionId::FilesEdit]->trigger();
        QVERIFY(waitUntil([&] { return stage.right()->notices()->text().contains(u"gone.txt"_s); }, kPatience));
        QTRY_VERIFY(stage.edits->edits().isEmpty());
        QVERIFY(stage.launches.isEmpty());
    }

    void aConflictIsDecidedBesideItsDifference_data()
    {
        QTest::addColumn<QString>("button");
        QTest::addColumn<QByteArray>("there");
        QTest::addColumn<QByteArray>("beside");
        QTest::addColumn<QByteArray>("here");
        const QByteArray none = "(nothing there)";
        QTest::newRow("overwrite") << u"editOverwrite"_s << QByteArray("mine\n") << none << QByteArray("mine\n");
        QTest::newRow("keep both") << u"editBoth"_s << QByteArray("theirs\n") << QByteArray("mine\n") << QByteArray("mine\n");
        QTest::newRow("take theirs") << u"editTake"_s << QByteArray("theirs\n") << none << QByteArray("theirs\n");
    }
    void aConflictIsDecidedBesideItsDifference()
    {
        QFETCH(QString, button);
        Stage stage(m_sshd->options());
        QVERIFY(stage.conflicts());
        QCOMPARE(stage.stateShown(), u"Changed on “box-1” as well"_s);
        emit stage.panel()->table()->activated(stage.panel()->model()->index(0, 0));
        QVERIFY(waitUntil([] { return topLevel<QDialog>(u"editDifference"_s) != nullptr; }, kPatience));
        auto *dialog = topLevel<QDialog>(u"editDifference"_s);
        const auto *text = dialog->findChild<QPlainTextEdit *>(u"differenceText"_s);
        QVERIFY(waitUntil([&] { return text->toPlainText() == u"@@ -1,1 +1,1 @@\n− theirs\n+ mine"_s; }, kPatience));
        dialog->findChild<QPushButton *>(button)->click();
        QVERIFY(stage.reaches(EditState::Same));
        QTEST(stage.content(u"there/a.txt"_s), "there");
        QTEST(stage.content(u"there/a (2).txt"_s), "beside");
        QFile copy(stage.session()->localFile());
        QVERIFY(copy.open(QIODevice::ReadOnly));
        QTEST(copy.readAll(), "here");
    }

    void stoppingAsksWhereSomethingIsNotThere()
    {
        Stage stage(m_sshd->options());
        QVERIFY(stage.conflicts());
        const QString copy = stage.session()->localFile();
        stage.panel()->findChild<QToolButton *>(u"editStop"_s)->click();
        auto *question = topLevel<QDialog>(u"confirmDialog"_s);
        QVERIFY(question);
        QCOMPARE(stage.edits->edits().size(), 1);
        question->findChild<QPushButton *>(u"confirmVerb"_s)->click();
        QVERIFY(stage.edits->edits().isEmpty());
        QVERIFY(!stage.panel()->isVisible());
        QVERIFY(QFile::exists(copy));
    }

    void stoppingTakesWhatIsTheSame()
    {
        Stage stage(m_sshd->options());
        stage.make(u"there/a.txt"_s);
        QVERIFY(stage.begin(1, "a.txt"));
        stage.actions[ActionId::FilesEdit]->trigger();
        QVERIFY(stage.launched(1));
        const QString copy = stage.session()->localFile();
        stage.panel()->findChild<QToolButton *>(u"editStop"_s)->click();
        QVERIFY(stage.edits->edits().isEmpty());
        QTRY_VERIFY(!QFile::exists(copy));
    }

    void aCommandBecomesWordsWithoutAShell_data()
    {
        QTest::addColumn<QString>("command");
        QTest::addColumn<QStringList>("words"); // empty: refused
        const QString file = u"/x/a b.txt"_s;
        QTest::newRow("a name") << u"gedit"_s << QStringList{u"/bin/gedit"_s, file};
        QTest::newRow("with words") << u"code --wait %f"_s << QStringList{u"/bin/code"_s, u"--wait"_s, file};
        QTest::newRow("in the middle") << u"emacs --file=%f -nw"_s << QStringList{u"/bin/emacs"_s, u"--file="_s + file, u"-nw"_s};
        QTest::newRow("quoted") << u"\"my editor\" \"two words\""_s << QStringList{u"/bin/my editor"_s, u"two words"_s, file};
        QTest::newRow("no shell") << u"vi ; reboot $(id)"_s << QStringList{u"/bin/vi"_s, u";"_s, u"reboot"_s, u"$(id)"_s, file};
        QTest::newRow("no program") << u"missing"_s << QStringList();
        QTest::newRow("the file itself") << u"%f"_s << QStringList();
        QTest::newRow("empty words") << u"\"\""_s << QStringList();
    }
    void aCommandBecomesWordsWithoutAShell()
    {
        QFETCH(QString, command);
        QFETCH(QStringList, words);
        const Result<ToolLaunch> launch = editorLaunch(command, u"/x/a b.txt"_s, [](const QString &name) { return name == "missing"_L1 ? QString() : u"/bin/"_s + name; });
        QCOMPARE(launch ? QStringList{launch->program} + launch->arguments : QStringList(), words);
        if (!launch)
            QVERIFY(launch.error().detail.endsWith(u'.'));
    }
};

QTEST_MAIN(TestFileEditing)
#include "tst_fileediting.moc"
