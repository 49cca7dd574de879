// Our file of Host blocks, and the user's own file: touched once, and with care.
#include "session/sshconfigstore.h"

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <sys/stat.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

SshHostBlock blockNamed(const QString &name, const QString &account = u"acc"_s)
{
    Sandbox sandbox;
    sandbox.id = {u"local"_s, account, name};
    sandbox.name = name;
    sandbox.ssh = SshEndpoint{u"127.0.0.1"_s, 22, name, "ssh-ed25519 AAAA"_ba + name.toUtf8(), {}, {}};
    SshHostBlock block = *hostBlockFor(sandbox, {u"/known"_s, 0, {}, {}});
    block.alias = name + u".sandpiper"_s;
    return block;
}

QByteArray contentOf(const QString &path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

int modeOf(const QString &path)
{
    struct stat info = {};
    return ::stat(QFile::encodeName(path).constData(), &info) == 0 ? int(info.st_mode & 07777) : -1;
}

bool put(const QString &path, const QByteArray &content, int mode = 0600)
{
    QFile file(path);
    return file.open(QIODevice::WriteOnly) && file.write(content) == content.size() && ::fchmod(file.handle(), mode_t(mode)) == 0;
}

} // namespace

class TestSshConfigStore : public QObject
{
    Q_OBJECT
    std::unique_ptr<QTemporaryDir> m_dir;
    SshConfigFiles m_files;

    QStringList aliases() const
    {
        QStringList names = sshAliasOwners(m_files)->keys();
        names.sort();
        return names;
    }

private slots:
    void init()
    {
        m_dir = std::make_unique<QTemporaryDir>();
        m_files = {m_dir->filePath(u"blocks"_s), m_dir->filePath(u"known"_s), m_dir->filePath(u"ssh/config"_s)};
        QVERIFY(QDir().mkdir(m_dir->filePath(u"ssh"_s)));
    }

    void blocksAreReplacedByOwnerAndOthersStay()
    {
        QVERIFY(writeSshBlocks(m_files, {{blockNamed(u"a"_s), blockNamed(u"b"_s, u"other"_s)}, {}}));
        QCOMPARE(modeOf(m_files.blocks), 0600);
        QCOMPARE(modeOf(m_files.knownHosts), 0600);
        SshHostBlock moved = blockNamed(u"a"_s);
        moved.port = 2200;
        moved.alias = u"renamed.sandpiper"_s;
        QVERIFY(writeSshBlocks(m_files, {{moved}, {}}));
        QCOMPARE(aliases(), (QStringList{u"b.sandpiper"_s, u"renamed.sandpiper"_s}));
        QVERIFY(contentOf(m_files.blocks).contains("Port 2200"));
        // A whole account anew: what it no longer has goes, the other account's stays.
        QVERIFY(writeSshBlocks(m_files, {{blockNamed(u"c"_s)}, [](const QString &owner) { return !owner.contains("/acc/"_L1); }}));
        QCOMPARE(aliases(), (QStringList{u"b.sandpiper"_s, u"c.sandpiper"_s}));
    }

    void aServerInsideOfASandboxHasABlockOfItsOwn()
    {
        SshHostBlock inside = blockNamed(u"a"_s);
        inside.user = u"8022-a"_s;
        inside.alias = u"8022-a.sandpiper"_s;
        QVERIFY(writeSshBlocks(m_files, {{blockNamed(u"a"_s)}, {}}));
        QVERIFY(writeSshBlocks(m_files, {{inside}, {}}));
        QCOMPARE(aliases(), (QStringList{u"8022-a.sandpiper"_s, u"a.sandpiper"_s}));
    }

    void nothingIsWrittenWhereNothingChanges()
    {
        QVERIFY(writeSshBlocks(m_files, {{blockNamed(u"a"_s)}, {}}));
        struct stat before = {};
        struct stat after = {};
        ::stat(QFile::encodeName(m_files.blocks).constData(), &before);
        QVERIFY(writeSshBlocks(m_files, {{blockNamed(u"a"_s)}, {}}));
        ::stat(QFile::encodeName(m_files.blocks).constData(), &after);
        QCOMPARE(after.st_ino, before.st_ino);
    }

    void aPinnedKeyIsKnownOnceAndReplaced()
    {
        SshHostBlock block = blockNamed(u"a"_s);
        QVERIFY(writeSshHostKeys(m_files, {block, block}));
        QCOMPARE(contentOf(m_files.knownHosts), "a.local.sandpiper ssh-ed25519 AAAAa\n"_ba);
        block.hostKey = "ssh-ed25519 BBBB";
        QVERIFY(writeSshHostKeys(m_files, {block, blockNamed(u"b"_s)}));
        QCOMPARE(contentOf(m_files.knownHosts), "a.local.sandpiper ssh-ed25519 BBBB\nb.local.sandpiper ssh-ed25519 AAAAb\n"_ba);
    }

    void whatIsNotOursInOurFileIsNoBlock()
    {
        QVERIFY(put(m_files.blocks, "garbage\0\xff\nHost *\n# sandbox \n# sandbox x\nHost"_ba + QByteArray(3, '\n')));
        QVERIFY(writeSshBlocks(m_files, {{blockNamed(u"a"_s)}, [](const QString &) { return false; }}));
        QCOMPARE(aliases(), QStringList{u"a.sandpiper"_s});
        QVERIFY(!contentOf(m_files.blocks).contains("garbage"));
        QVERIFY(put(m_files.blocks, QByteArray((4 << 20) + 1, '#')));
        QCOMPARE(writeSshBlocks(m_files, {{blockNamed(u"a"_s)}, {}}).error().kind, ErrorKind::TooLarge);
    }

    void theLineComesToTheTopOnceAndTheFileIsCopied_data()
    {
        QTest::addColumn<QByteArray>("before");
        QTest::addColumn<QByteArray>("newline");
        QTest::newRow("usual") << "Host x\n    User y\n"_ba << "\n"_ba;
        QTest::newRow("empty") << ""_ba << "\n"_ba;
        QTest::newRow("no last line's end") << "Host x"_ba << "\n"_ba;
        QTest::newRow("of another system") << "Host x\r\n  User y\r\n"_ba << "\r\n"_ba;
        QTest::newRow("bytes that are no text") << "# \xff\xfe\n"_ba << "\n"_ba;
    }
    void theLineComesToTheTopOnceAndTheFileIsCopied()
    {
        QFETCH(QByteArray, before);
        QFETCH(QByteArray, newline);
        QVERIFY(put(m_files.userConfig, before, 0640));
        QVERIFY(!*hasSshInclude(m_files));
        const Result<QString> copy = addSshInclude(m_files);
        QVERIFY(copy);
        QCOMPARE(contentOf(*copy), before);
        QCOMPARE(modeOf(*copy), 0640);
        QCOMPARE(contentOf(m_files.userConfig), sshIncludeLine(m_files).toUtf8() + newline + before);
        QCOMPARE(modeOf(m_files.userConfig), 0640);
        QVERIFY(*hasSshInclude(m_files));
        QCOMPARE(*addSshInclude(m_files), QString());
        QCOMPARE(QDir(m_dir->filePath(u"ssh"_s)).entryList(QDir::Files).size(), 2);
    }

    void aLineInsideOfAHostDoesNotCount()
    {
        const QByteArray line = sshIncludeLine(m_files).toUtf8();
        QVERIFY(put(m_files.userConfig, "Host x\n" + line + '\n'));
        QVERIFY(!*hasSshInclude(m_files));
        QVERIFY(put(m_files.userConfig, "# mine\nUser me\n   " + line + " \nHost x\n"));
        QVERIFY(*hasSshInclude(m_files));
    }

    void aFileThatIsNotThereIsMadePrivate()
    {
        m_files.userConfig = m_dir->filePath(u"fresh/config"_s);
        QCOMPARE(*addSshInclude(m_files), QString());
        QCOMPARE(modeOf(m_files.userConfig), 0600);
        QCOMPARE(modeOf(m_dir->filePath(u"fresh"_s)), 0700);
    }

    void symbolicLinksOfDotfilesStay()
    {
        const QString real = m_dir->filePath(u"dotfiles-config"_s);
        QVERIFY(put(real, "Host x\n"));
        QVERIFY(QFile::link(u"../middle"_s, m_files.userConfig));
        QVERIFY(QFile::link(real, m_dir->filePath(u"middle"_s)));
        QVERIFY(addSshInclude(m_files));
        QVERIFY(QFileInfo(m_files.userConfig).isSymLink());
        QVERIFY(contentOf(real).startsWith("Include "));
        QVERIFY(QFile::remove(real));
        QVERIFY(addSshInclude(m_files)); // a link to nothing yet
        QVERIFY(contentOf(real).startsWith("Include "));
    }

    void linksThatLeadInACircleAreAFailure()
    {
        QVERIFY(QFile::link(m_dir->filePath(u"loop"_s), m_files.userConfig));
        QVERIFY(QFile::link(m_files.userConfig, m_dir->filePath(u"loop"_s)));
        QCOMPARE(addSshInclude(m_files).error().kind, ErrorKind::Io);
    }

    void sshFindsTheBlockThroughTheInclude()
    {
        QVERIFY(put(m_files.userConfig, "Host *\n    User somebody\n"));
        SshHostBlock block = blockNamed(u"a"_s);
        block.port = 4711;
        QVERIFY(writeSshBlocks(m_files, {{block}, {}}));
        QVERIFY(addSshInclude(m_files));
        QProcess ssh;
        ssh.start(u"ssh"_s, {u"-G"_s, u"-F"_s, m_files.userConfig, u"a.sandpiper"_s});
        QVERIFY(ssh.waitForFinished(60'000));
        const QByteArray said = ssh.readAllStandardOutput();
        QVERIFY2(said.contains("\nport 4711\n") && said.contains("user a\n"), said + ssh.readAllStandardError());
    }
};

QTEST_GUILESS_MAIN(TestSshConfigStore)
#include "tst_sshconfigstore.moc"
