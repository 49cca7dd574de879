// What becomes of the wish for a sandbox's files where its link cannot be made, or is lost.
#include "session/sshlink.h"
#include "sftp/localfilesystem.h"
#include "sftp/standingfiles.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using State = StandingFiles::State;

namespace {

// Not there before it says so.
class SlowFiles : public LocalFileSystem
{
public:
    SlowFiles()
        : LocalFileSystem(u"box"_s)
    {
    }
    [[nodiscard]] bool isReady() const override { return m_isReady; }
    void come()
    {
        m_isReady = true;
        emit ready();
    }
    void end(ErrorKind kind) { emit ended({kind, Layer::Ssh, u"words"_s, {}}); }

private:
    bool m_isReady = false;
};

struct Stage
{
    Stage()
    {
        StandingFiles::Services services;
        services.plainHost = Sandbox();
        services.open = [this](const Sandbox &) {
            auto made = std::make_unique<SlowFiles>();
            files = made.get();
            ++opened;
            return Result<OpenedFiles>(OpenedFiles{nullptr, std::move(made)});
        };
        services.random = [] { return 0.5; };
        services.after = [this](std::chrono::milliseconds, QObject *, std::function<void()> fn) {
            timer = std::move(fn);
            return [] {};
        };
        standing = std::make_unique<StandingFiles>(SandboxId{u"ssh"_s, u"ssh"_s, u"box"_s}, services);
        standing->open();
    }
    [[nodiscard]] State state() const { return standing->status().state; }

    QPointer<SlowFiles> files;
    int opened = 0;
    std::function<void()> timer;
    std::unique_ptr<StandingFiles> standing;
};

} // namespace

class TestStandingFiles : public QObject
{
    Q_OBJECT
private slots:
    void whatMayComeRightByItselfIsTriedAgain_data()
    {
        QTest::addColumn<ErrorKind>("kind");
        QTest::addColumn<State>("state");
        QTest::newRow("nobody answers") << ErrorKind::ConnectionRefused << State::Waiting;
        // A further try starts nothing there, as a shell would.
        QTest::newRow("the server has a bad moment") << ErrorKind::ServerError << State::Waiting;
        QTest::newRow("something else is under way") << ErrorKind::Conflict << State::Waiting;
        QTest::newRow("the key is refused") << ErrorKind::AuthRejected << State::Failed;
        QTest::newRow("the user says no") << ErrorKind::Cancelled << State::Stopped;
    }
    void whatMayComeRightByItselfIsTriedAgain()
    {
        QFETCH(ErrorKind, kind);
        QFETCH(State, state);
        Stage stage;
        QCOMPARE(stage.state(), State::Opening);
        stage.files->end(kind);
        QCOMPARE(stage.state(), state);
        QVERIFY(!stage.standing->files());
        if (state != State::Waiting)
            return;
        stage.timer();
        QCOMPARE(stage.opened, 2);
        stage.files->come();
        QCOMPARE(stage.state(), State::Open);
        QVERIFY(stage.standing->files());
    }

    void aLossIsFollowedByOneTryAtOnceAndThenByAWait()
    {
        Stage stage;
        stage.files->come();
        stage.files->end(ErrorKind::ConnectionLost);
        QCOMPARE(stage.state(), State::Opening);
        stage.files->come();
        stage.files->end(ErrorKind::ConnectionLost);
        QCOMPARE(stage.state(), State::Waiting);
        QCOMPARE(stage.opened, 2);
    }
};

QTEST_GUILESS_MAIN(TestStandingFiles)
#include "tst_standingfiles.moc"
