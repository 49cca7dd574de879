// sandpiper-cli in scripts, with a home of its own and a real server that it may log in to.
#pragma once

#include "tests/support/outcome.h"
#include "tests/support/testsshd.h"

#include <QCoreApplication>
#include <QDir>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <memory>

namespace Sandpiper {

struct CliServer
{
    static constexpr int patience = 120'000; // milliseconds

    // prologue: functions of bash that every script has; "$CLI" is the program.
    explicit CliServer(const QByteArray &functions)
        : prologue(functions)
    {
    }
    // In initTestCase(), behind it SANDPIPER_NEED_SSHD(*server). The environment of this process is the scripts'.
    void prepare()
    {
        using namespace Qt::Literals::StringLiterals;
        server = std::make_unique<TestSshd>();
        qunsetenv("SSH_AUTH_SOCK");
        qputenv("SANDPIPER_KEYCHAIN", "memory");
        qputenv("HOME", QFile::encodeName(home.path()));
        for (const char *folder : {"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"})
            qputenv(folder, QFile::encodeName(home.filePath(QString::fromLatin1(folder))));
        if (!server->problem().isEmpty())
            return;
        QVERIFY(QDir().mkpath(home.filePath(u".ssh"_s)));
        QVERIFY(QFile::copy(server->identity(), home.filePath(u".ssh/id_ed25519"_s)));
        QFile hosts(home.filePath(u".ssh/known_hosts"_s));
        QVERIFY(hosts.open(QIODevice::Append) && hosts.write("[127.0.0.1]:" + QByteArray::number(server->port()) + ' ' + server->hostKey() + '\n') > 0);
    }
    // $CLI; $T is the target, $D an empty folder there, and the working folder one here.
    void start(QProcess &shell, const QByteArray &script)
    {
        ++runs;
        startAgain(shell, script);
    }
    // In the folders of the last one.
    void startAgain(QProcess &shell, const QByteArray &script)
    {
        using namespace Qt::Literals::StringLiterals;
        const QString here = home.filePath(u"here%1"_s.arg(runs));
        const QString there = server->folder() + u"/there%1"_s.arg(runs);
        QVERIFY(QDir().mkpath(here) && QDir().mkpath(there));
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(u"CLI"_s, QCoreApplication::applicationDirPath() + u"/../bin/sandpiper-cli"_s);
        environment.insert(u"T"_s, u"ssh://%1@127.0.0.1:%2"_s.arg(server->user()).arg(server->port()));
        environment.insert(u"D"_s, there);
        shell.setProcessEnvironment(environment);
        shell.setWorkingDirectory(here);
        shell.start(u"bash"_s, {u"-c"_s, QString::fromUtf8(prologue + script)});
    }
    Outcome run(const QByteArray &script)
    {
        ++runs;
        return runAgain(script);
    }
    Outcome runAgain(const QByteArray &script)
    {
        QProcess shell;
        startAgain(shell, script);
        return outcomeOf(shell, QByteArray(), patience);
    }

    QByteArray prologue;
    std::unique_ptr<TestSshd> server;
    QTemporaryDir home;
    int runs = 0;
};

} // namespace Sandpiper
