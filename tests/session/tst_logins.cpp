#include "session/logins.h"
#include "session/providers/sshhosts.h"
#include "session/rememberedpassphrases.h"

#include "tests/support/recordingprompts.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using AnswerKind = PromptAnswer::Kind;

namespace {

Prompt passphrasePrompt(int attempt = 1)
{
    Prompt prompt;
    prompt.kind = Prompt::Kind::Passphrase;
    prompt.keyFile = u"/home/me/.ssh/id"_s;
    prompt.keyFingerprint = u"SHA256:abc"_s;
    prompt.attempt = attempt;
    return prompt;
}

// Whoever asks gets its answer in a later turn.
QByteArray given(const QFuture<std::shared_ptr<PromptAnswer>> &future)
{
    if (!QTest::qWaitFor([&] { return future.isFinished(); }, 30000) || future.resultCount() == 0)
        return "none";
    const auto answer = future.result();
    return answer->values.empty() ? QByteArray() : answer->values.front().reveal().toByteArray();
}

} // namespace

class TestLogins : public QObject
{
    Q_OBJECT
private slots:
    void choicesAreKept()
    {
        QTemporaryDir dir;
        const QString file = dir.filePath(u"logins.json"_s);
        const SandboxId one{u"local"_s, u"a/b"_s, u"x"_s};
        {
            LoginStore store(file);
            QVERIFY(store.set(one, {u"root"_s, u"xterm"_s, u"SHA256:x"_s, true, true}));
            QVERIFY(store.set({u"local"_s, u"a"_s, u"y"_s}, {u"me"_s, {}, {}}));
            QVERIFY(store.set({u"local"_s, u"a"_s, u"y"_s}, {}));
            QVERIFY(store.setAgentSocket(u"/run/agent"_s));
        }
        const LoginStore store(file);
        QCOMPARE(store.of(one), (LoginChoice{u"root"_s, u"xterm"_s, u"SHA256:x"_s, true, true}));
        QVERIFY(store.of({u"local"_s, u"a"_s, u"y"_s}).isEmpty());
        QCOMPARE(store.agentSocket(), u"/run/agent"_s);
    }

    // The window and the command line both have the file open.
    void whatAnotherProgramHasChosenIsKept()
    {
        QTemporaryDir dir;
        const QString file = dir.filePath(u"logins.json"_s);
        const SandboxId one{u"local"_s, u"a"_s, u"x"_s};
        const SandboxId two{u"local"_s, u"a"_s, u"y"_s};
        LoginStore window(file);
        LoginStore commands(file);
        QVERIFY(window.set(one, {u"root"_s, {}, {}}));
        QVERIFY(window.setAgentSocket(u"/run/agent"_s));
        QVERIFY(commands.set(two, {u"me"_s, {}, {}}));
        QCOMPARE(commands.of(one).user, u"root"_s);
        QCOMPARE(commands.agentSocket(), u"/run/agent"_s);
        QVERIFY(window.setAgentSocket({}));
        const LoginStore later(file);
        QCOMPARE(later.of(one).user, u"root"_s);
        QCOMPARE(later.of(two).user, u"me"_s);
        QVERIFY(later.agentSocket().isEmpty());
    }

    void aFileOfANewerVersionStaysAsItIs()
    {
        QTemporaryDir dir;
        const QString file = dir.filePath(u"logins.json"_s);
        const QByteArray newer = R"({"version":2,"sandboxes":{}})";
        QFile out(file);
        QVERIFY(out.open(QIODevice::WriteOnly) && out.write(newer) == newer.size());
        out.close();
        LoginStore store(file);
        QVERIFY(!store.set({u"local"_s, u"a"_s, u"x"_s}, {u"root"_s, {}, {}}));
        QVERIFY(store.of({u"local"_s, u"a"_s, u"x"_s}).isEmpty());
        QVERIFY(out.open(QIODevice::ReadOnly));
        QCOMPARE(out.readAll(), newer);
    }

    void aFileThatMakesNoSenseIsKeptAside_data()
    {
        QTest::addColumn<QByteArray>("content");
        QTest::newRow("garbage") << QByteArray(100, '\xfe');
        QTest::newRow("no list") << R"({"version":1})"_ba;
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("an entry that nobody can have chosen") << R"({"version":1,"sandboxes":[{"sandbox":"local/a/x","user":"-oProxyCommand=x"}]})"_ba;
    }
    void aFileThatMakesNoSenseIsKeptAside()
    {
        QFETCH(QByteArray, content);
        QTemporaryDir dir;
        const QString file = dir.filePath(u"logins.json"_s);
        QFile out(file);
        QVERIFY(out.open(QIODevice::WriteOnly) && out.write(content) == content.size());
        out.close();
        LoginStore store(file);
        QVERIFY(store.loadError() && store.agentSocket().isEmpty());
        QVERIFY(store.set({u"local"_s, u"a"_s, u"y"_s}, {u"root"_s, {}, {}}));
        const QStringList aside = QDir(dir.path()).entryList({u"logins.json.damaged-*"_s});
        QCOMPARE(aside.size(), 1);
        QFile copy(dir.filePath(aside.constFirst()));
        QVERIFY(copy.open(QIODevice::ReadOnly));
        QCOMPARE(copy.readAll(), content);
    }

    void badChoicesAreRefused_data()
    {
        QTest::addColumn<LoginChoice>("choice");
        QTest::newRow("dash") << LoginChoice{u"-oProxyCommand=x"_s, {}, {}};
        QTest::newRow("newline") << LoginChoice{u"a\nb"_s, {}, {}};
        QTest::newRow("term") << LoginChoice{{}, u"x; rm"_s, {}};
        QTest::newRow("key") << LoginChoice{{}, {}, u"a\0b"_s};
    }
    void badChoicesAreRefused()
    {
        QFETCH(LoginChoice, choice);
        QTemporaryDir dir;
        LoginStore store(dir.filePath(u"logins.json"_s));
        QVERIFY(!store.set({u"local"_s, u"a"_s, u"x"_s}, choice));
        QVERIFY(store.of({u"local"_s, u"a"_s, u"x"_s}).isEmpty());
    }

    void theKeyThatIsRegisteredAndHereIsOffered()
    {
        SshKey elsewhere;
        elsewhere.fingerprint = u"SHA256:gone"_s;
        SshKey here;
        here.fingerprint = u"SHA256:here"_s;
        QCOMPARE(matchingKey({elsewhere, here}, {{u"SHA256:here"_s, u"/k"_s}, {u"SHA256:other"_s, {}}}), u"/k"_s);
        QCOMPARE(matchingKey({here}, {{u"SHA256:here"_s, {}}}), u"SHA256:here"_s);
        QCOMPARE(matchingKey({elsewhere}, {{u"SHA256:here"_s, {}}}), QString());
        Sandbox sandbox;
        sandbox.ssh = SshEndpoint{};
        LinkOptions options = linkOptionsFor(sandbox, {{}, u"/k"_s, u"/agent"_s});
        QCOMPARE(options.preferredKey, u"/k"_s);
        QVERIFY(!options.identitiesOnly);
        QCOMPARE(options.agentSocket, u"/agent"_s);
        options = linkOptionsFor(sandbox, {{u"root"_s, {}, u"SHA256:mine"_s}, u"/k"_s, {}});
        QCOMPARE(options.endpoint.user, u"root"_s);
        QCOMPARE(options.preferredKey, u"SHA256:mine"_s);
        QVERIFY(options.identitiesOnly);
        QCOMPARE(options.agentForward, SshAgentForward::No);
        QCOMPARE(linkOptionsFor(sandbox, {{{}, {}, {}, true}, {}, {}}).agentForward, SshAgentForward::Yes);
        // A vendor's own key files are the ones it takes.
        sandbox.ssh->identityFiles = {u"/vendor"_s};
        QCOMPARE(linkOptionsFor(sandbox, {{}, u"/k"_s, {}}).preferredKey, QString());
        QCOMPARE(linkOptionsFor(sandbox, {}).endpoint.identityFiles, QStringList{u"/vendor"_s});
        // An SSH host may have a password beside the key that its user named.
        OwnHost host;
        host.host = u"web.example"_s;
        host.keyFile = u"/mine"_s;
        options = linkOptionsFor(sandboxOf(host), {});
        QCOMPARE(options.preferredKey, u"/mine"_s);
        QVERIFY(options.identitiesOnly && options.endpoint.identityFiles.isEmpty());
    }

    void aPassphraseIsRememberedUntilItIsWrong()
    {
        const auto keychain = makeMemoryKeychain();
        RecordingPrompts user;
        RememberedPassphrases remembered(&user, keychain.get());
        user.leavesOpen = true;
        // Not kept unless asked for.
        auto first = remembered.ask(passphrasePrompt());
        QTRY_COMPARE(user.asked.size(), 1);
        QCOMPARE(user.asked.front().keeping, Prompt::Keeping::ThisRunOnly);
        user.answer({AnswerKind::Accepted, {"one"}, false});
        QCOMPARE(given(first), "one"_ba);
        auto second = remembered.ask(passphrasePrompt());
        QTRY_COMPARE(user.asked.size(), 2);
        user.answer({AnswerKind::Accepted, {"two"}, true});
        QCOMPARE(given(second), "two"_ba);
        QCOMPARE(given(remembered.ask(passphrasePrompt())), "two"_ba);
        QCOMPARE(user.asked.size(), 2);
        // The key does not open with it: the user is asked as if for the first time, and it is forgotten.
        auto fourth = remembered.ask(passphrasePrompt(2));
        QTRY_COMPARE(user.asked.size(), 3);
        QCOMPARE(user.asked.back().attempt, 1);
        user.answer({AnswerKind::Accepted, {"three"}, false});
        QCOMPARE(given(fourth), "three"_ba);
        auto fifth = remembered.ask(passphrasePrompt());
        QTRY_COMPARE(user.asked.size(), 4);
        fifth.cancel();
        QTRY_VERIFY(user.questions.back().isCanceled());
    }

    void whatIsNoPassphraseOfAKnownKeyGoesThrough()
    {
        const auto keychain = makeMemoryKeychain();
        RecordingPrompts user;
        RememberedPassphrases remembered(&user, keychain.get());
        user.replies = {{AnswerKind::Accepted, {"p"}, true}, {AnswerKind::Accepted, {"q"}, true}};
        Prompt password;
        QCOMPARE(given(remembered.ask(password)), "p"_ba);
        Prompt unknown = passphrasePrompt();
        unknown.keyFingerprint.clear();
        QCOMPARE(given(remembered.ask(unknown)), "q"_ba);
        QCOMPARE(user.asked.back().keeping, Prompt::Keeping::Nowhere);
    }
};

QTEST_GUILESS_MAIN(TestLogins)
#include "tst_logins.moc"
