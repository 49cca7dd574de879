// "Copy command", "Open in" and "Run command…": what they write, start and show.
#include "tests/support/windowfixture.h"
#include "ui/runcommandmodel.h"
#include "ui/runcommandview.h"
#include "ui/runcommandwindow.h"
#include "ui/sandboxtools.h"

#include <QClipboard>
#include <QDialog>
#include <QFile>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>
#include <QTextBlock>
#include <QTreeView>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 60'000;

Sandbox named(const QString &name)
{
    Sandbox sandbox;
    sandbox.id = {u"fake"_s, u"work"_s, u"id-"_s + name};
    sandbox.name = name;
    sandbox.state = SandboxState::Running;
    sandbox.ssh = SshEndpoint{u"127.0.0.1"_s, 2222, name, "ssh-ed25519 AAAA", {u"/keys/one"_s}, {}};
    sandbox.capabilities.allow(Capability::SshShell);
    return sandbox;
}

// Says two lines and ends with a status of its own; nothing by itself.
class ToldCommand : public RemoteCommand
{
public:
    void start() override
    {
        QMetaObject::invokeMethod(this, [this] { emit started(); }, Qt::QueuedConnection);
    }
    void writeInput(QByteArrayView) override {}
    void closeInput() override {}
    void sendSignal(int) override {}
    void consumed(qint64) override {}
    [[nodiscard]] qint64 pendingInput() const override { return 0; }
    void end(const QByteArray &output, const QByteArray &errors, int code)
    {
        if (!output.isEmpty())
            emit outputReceived(output);
        if (!errors.isEmpty())
            emit errorOutputReceived(errors);
        ShellEnd how;
        how.kind = ShellEnd::Kind::Exited;
        how.exitCode = code;
        emit ended(how);
    }
};

} // namespace

class TestSandboxTools : public QObject
{
    Q_OBJECT

    struct Stage
    {
        WindowFixture fixture{{u"work"_s}};
        Actions actions;
        QWidget window;
        QList<ToolLaunch> started;
        std::unique_ptr<SandboxTools> tools;

        Stage()
        {
            fixture.hub().start(AccountHub::LocalStart::OnlyIfRunning);
            ToolSurroundings around;
            around.find = [](const QString &program) { return program == "code"_L1 || program == "x-terminal-emulator"_L1 ? u"/bin/"_s + program : QString(); };
            around.cli = u"/bin/sandpiper-cli"_s;
            const SshConfigFiles files{fixture.path(u"blocks"_s), fixture.path(u"known"_s), fixture.path(u"config"_s)};
            tools = std::make_unique<SandboxTools>(SandboxTools::Parts{&fixture.hub(), &actions, &window, files, around, {}, [this](const ToolLaunch &launch) {
                                                                           started << launch;
                                                                           return true;
                                                                       }});
        }
        QByteArray content(const QString &name) const
        {
            QFile file(fixture.path(name));
            return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
        }
        QDialog *question() const { return window.findChild<QDialog *>(u"confirmDialog"_s); }
    };

private slots:
    void aCopiedCommandNamesItsOwnFilesAndTheyAreThere()
    {
        Stage stage;
        QSignalSpy told(stage.tools.get(), &SandboxTools::told);
        stage.tools->copy(CopyTool::Ssh, named(u"box"_s));
        QTRY_COMPARE_WITH_TIMEOUT(told.size(), 1, kPatience);
        const QString text = QGuiApplication::clipboard()->text();
        QVERIFY2(text.startsWith("ssh -p 2222 -i /keys/one"_L1) && text.endsWith(" box@127.0.0.1"_L1), qPrintable(text));
        QCOMPARE(stage.content(u"known"_s), "id-box.fake.sandpiper ssh-ed25519 AAAA\n"_ba);
        QVERIFY(stage.content(u"config"_s).isEmpty());
    }

    void aHostOfTheUsersOwnIsCalledByItsName()
    {
        Stage stage;
        Sandbox host = named(u"devbox"_s);
        host.ssh->alias = u"devbox"_s;
        stage.tools->copy(CopyTool::Sftp, host);
        QCOMPARE(QGuiApplication::clipboard()->text(), u"sftp devbox"_s);
        stage.tools->open(OpenTool::VsCode, host);
        QCOMPARE(stage.started.value(0).arguments, (QStringList{u"--remote"_s, u"ssh-remote+devbox"_s}));
        QVERIFY(!stage.question());
    }

    void theUsersFileIsTouchedOnceAndOnlyAfterAYes()
    {
        Stage stage;
        stage.tools->open(OpenTool::VsCode, named(u"box"_s));
        QTRY_VERIFY_WITH_TIMEOUT(stage.question(), kPatience);
        QVERIFY(stage.started.isEmpty() && stage.content(u"config"_s).isEmpty() && stage.content(u"blocks"_s).isEmpty());
        stage.question()->findChild<QPushButton *>(u"confirmVerb"_s)->click();
        QTRY_COMPARE_WITH_TIMEOUT(stage.started.size(), 1, kPatience);
        QCOMPARE(stage.started.first().program, u"/bin/code"_s);
        QCOMPARE(stage.started.first().arguments, (QStringList{u"--remote"_s, u"ssh-remote+box.sandpiper"_s}));
        QVERIFY(stage.content(u"config"_s).startsWith("Include "));
        QVERIFY(stage.content(u"blocks"_s).contains("Host box.sandpiper\n"));
        stage.tools->open(OpenTool::VsCode, named(u"other"_s));
        QTRY_COMPARE_WITH_TIMEOUT(stage.started.size(), 2, kPatience);
        QCOMPARE(stage.content(u"config"_s).count('\n'), 1);
    }

    void theSystemTerminalNeedsNoFileOfSsh()
    {
        Stage stage;
        stage.tools->open(OpenTool::Terminal, named(u"box"_s));
        QCOMPARE(stage.started.value(0).program, u"/bin/x-terminal-emulator"_s);
        QCOMPARE(stage.started.value(0).arguments, (QStringList{u"-e"_s, u"/bin/sandpiper-cli"_s, u"shell"_s, u"work/id-box"_s}));
        QVERIFY(stage.content(u"config"_s).isEmpty());
    }

    void whatIsNotThereIsGreyAndSaysWhy()
    {
        Stage stage;
        stage.tools->updateActions(named(u"box"_s));
        QVERIFY(stage.actions[ActionId::OpenInVsCode]->isEnabled());
        QVERIFY(stage.actions[ActionId::CopyRsync]->isEnabled());
        QVERIFY(!stage.actions[ActionId::OpenInCursor]->isEnabled());
        QVERIFY(stage.actions[ActionId::OpenInCursor]->toolTip().contains(u"cursor"_s));
        QMenu menu;
        stage.tools->addMenus(&menu);
        QCOMPARE(menu.actions().size(), 2);
        QCOMPARE(menu.actions().first()->menu()->actions().at(1)->toolTip(), stage.actions[ActionId::OpenInCursor]->toolTip());
        Sandbox asleep = named(u"box"_s);
        asleep.state = SandboxState::Suspended;
        stage.tools->updateActions(asleep);
        QVERIFY(!stage.actions[ActionId::OpenInVsCode]->isEnabled());
        QVERIFY(stage.actions[ActionId::OpenInVsCode]->toolTip().contains(u"suspended"_s));
        QVERIFY(stage.actions[ActionId::CopySsh]->isEnabled());
        Sandbox bare = named(u"bare"_s);
        bare.ssh.reset();
        bare.capabilities.refuse(Capability::SshShell, u"No SSH here."_s);
        stage.tools->updateActions(bare);
        QCOMPARE(stage.actions[ActionId::CopySsh]->toolTip(), u"No SSH here."_s);
        QVERIFY(!stage.actions[ActionId::CopySsh]->isEnabled());
        QVERIFY(stage.actions[ActionId::OpenInTerminal]->isEnabled());
        stage.tools->updateActions(std::nullopt);
        QVERIFY(!stage.actions[ActionId::OpenInTerminal]->isEnabled());
    }

    void severalSandboxesRunSideBySide()
    {
        QList<QPointer<ToldCommand>> made;
        CommandSpec asked;
        auto *window = new RunCommandWindow({named(u"one"_s), named(u"two"_s), named(u"three"_s)},
                                            [&](const Sandbox &, const CommandSpec &spec) -> Result<std::unique_ptr<RemoteCommand>> {
                                                asked = spec;
                                                auto command = std::make_unique<ToldCommand>();
                                                made << command.get();
                                                return command;
                                            },
                                            nullptr);
        window->show();
        auto *line = window->findChild<QLineEdit *>(u"runLine"_s);
        auto *go = window->findChild<QPushButton *>(u"runButton"_s);
        auto *table = window->findChild<QTreeView *>(u"runTable"_s);
        auto *view = window->findChild<RunCommandView *>(u"runOutput"_s);
        QVERIFY(!go->isEnabled());
        line->setText(u"uname -a | head"_s);
        go->click();
        QCOMPARE(asked.argv, (QStringList{u"sh"_s, u"-c"_s, u"uname -a | head"_s}));
        QCOMPARE(made.size(), 3);
        QCOMPARE(go->text(), u"Stop"_s);
        made[0]->end("same\n", {}, 0);
        made[1]->end("same\n", {}, 0);
        made[2]->end("\x1b[32mother\x1b[0m\n", "trouble\n", 3);
        QTRY_VERIFY_WITH_TIMEOUT(window->runs()->isOver(), kPatience);
        const QAbstractItemModel *model = table->model();
        const auto cell = [&](int row, int column) { return model->index(row, column).data().toString(); };
        QCOMPARE(cell(0, RunCommandModel::AlikeColumn), u"A"_s);
        QCOMPARE(cell(1, RunCommandModel::AlikeColumn), u"A"_s);
        QCOMPARE(cell(2, RunCommandModel::AlikeColumn), u"B"_s);
        QCOMPARE(cell(2, RunCommandModel::ResultColumn), u"Exit 3"_s);
        QCOMPARE(cell(2, RunCommandModel::LastLineColumn), u"trouble"_s);
        QCOMPARE(view->toPlainText(), u"same\n"_s);
        window->select(2);
        QCOMPARE(view->toPlainText(), u"other\ntrouble\n"_s);
        // Told apart by a mark, not by colour alone.
        QVERIFY(view->document()->findBlockByNumber(0).userState() != view->document()->findBlockByNumber(1).userState());
        QCOMPARE(go->text(), u"Run"_s);
        window->close();
    }

    void aWindowThatClosesWhileItRunsLeavesNothingBehind()
    {
        QPointer<ToldCommand> made;
        auto *window = new RunCommandWindow({named(u"one"_s)},
                                            [&](const Sandbox &, const CommandSpec &) -> Result<std::unique_ptr<RemoteCommand>> {
                                                auto command = std::make_unique<ToldCommand>();
                                                made = command.get();
                                                return command;
                                            },
                                            nullptr);
        window->show();
        window->run(u"sleep 1000"_s);
        QVERIFY(made);
        window->close(); // asks
        QVERIFY(window->isVisible());
        auto *question = window->findChild<QDialog *>(u"confirmDialog"_s);
        QVERIFY(question);
        const QPointer<RunCommandWindow> guard(window);
        question->findChild<QPushButton *>(u"confirmVerb"_s)->click();
        QTRY_VERIFY_WITH_TIMEOUT(!guard, kPatience);
        QTRY_VERIFY_WITH_TIMEOUT(!made, kPatience);
    }
};

QTEST_MAIN(TestSandboxTools)
#include "tst_sandboxtools.moc"
