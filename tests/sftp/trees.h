// Trees for transfers: made, compared, and looked through for what was left.
#pragma once

#include "sftp/transfer.h"

#include <QProcess>

namespace Sandpiper {

// What it wrote, and complained of.
inline QByteArray shell(const QByteArray &script)
{
    QProcess process;
    process.start(QStringLiteral("bash"), {QStringLiteral("-c"), QString::fromLocal8Bit("set -e; " + script)});
    (void)process.waitForFinished(60'000);
    return process.readAllStandardOutput() + process.readAllStandardError();
}

// Names, kinds and contents of all that is in it; with modes and times, where attributes are wanted.
inline QByteArray fingerprint(const QString &folder, bool attributes = true)
{
    const QByteArray format = attributes ? R"(%P\t%y\t%m\t%Ts\t%l\n)" : R"(%P\t%y\t%l\n)";
    // A link has times of its own, which nobody keeps.
    return shell("cd '" + folder.toLocal8Bit() + "'; { find . -mindepth 1 ! -type l -printf '" + format + "'; find . -type l -printf '%P\\t%l\\n'; } | LC_ALL=C sort;"
                 " find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum");
}

inline QByteArray hiddenIn(const QString &folder)
{
    return shell("find '" + folder.toLocal8Bit() + "' -name '.sandpiper-*'");
}

// Names, kinds, modes and times of all sorts: 14 files and links. Empty: it went well.
inline QByteArray makeTransferTree(const QByteArray &folder)
{
    return shell("mkdir -p '" + folder + R"('; cd ')" + folder + R"('
            mkdir -p 'a b/c/d/e' empty shut; : >nothing; echo small >'a b/small'; head -c 300000 /dev/urandom >'a b/c/middle'
            head -c 40000003 /dev/urandom >large; echo x >$'new\nline'; echo y >$'b\xff\xfe'; echo z >./-dash; echo s >'*'
            printf '#!/bin/sh\n' >tool; chmod 750 tool; echo secret >'a b/c/d/e/key'; chmod 600 'a b/c/d/e/key'
            ln -s 'a b/small' link; ln -s /no/such dangling; ln -s ../.. 'a b/up'; echo in >shut/file
            touch -d '2001-02-03 04:05:06' 'a b/small' 'a b/c'; chmod 555 shut)");
}

// For messages of tests.
inline QByteArray said(const TransferProgress &progress)
{
    QByteArray text = "state " + QByteArray::number(int(progress.state)) + ", moved " + QByteArray::number(progress.filesMoved) + " of " + QByteArray::number(progress.files);
    if (progress.error)
        text += ", " + describe(*progress.error).toUtf8();
    for (const TransferFailure &failure : progress.failures)
        text += "\n" + failure.path.shown().toUtf8() + ": " + describe(failure.error).toUtf8();
    return text;
}

} // namespace Sandpiper
