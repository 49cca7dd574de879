// Known_hosts files as they lie on the disk: what is in them, one line more, one line less. Writers of
// ours take turns (flock on the file itself); a reader never sees half a line. Any thread; blocks.
#pragma once

#include "session/error.h"
#include "session/knownhostslines.h"

#include <QList>
#include <QString>

#include <functional>

namespace Sandpiper {

constexpr qint64 kLargestKnownHosts = 16 << 20; // bytes

struct KnownHostEntry
{
    QString file;
    qsizetype line = 0;  // from 1
    QByteArray content;  // the whole line, without its end: how the entry is known again
    QByteArray hosts;    // as it stands there
    KnownHostMarker marker = KnownHostMarker::None;
    HostKey key;

    [[nodiscard]] QString where() const { return file + QLatin1Char(':') + QString::number(line); }
};

struct KnownHostList
{
    QList<KnownHostEntry> entries;
    qsizetype garbage = 0; // lines that are no entries; they are kept as they are
    bool isTruncated = false; // there are more than maxEntries
    static constexpr qsizetype maxEntries = 20000;
};

// NotFound where there is no file.
[[nodiscard]] Result<KnownHostList> listKnownHosts(const QString &path);

// line is made from what the file holds so far; an empty one is an error (Io). The folder and the file
// are made when missing (0700, 0600).
[[nodiscard]] Done appendKnownHost(const QString &path, const std::function<QByteArray(const QByteArray &before)> &line);
// A line as it was pasted: one entry, also one with a marker. InvalidInput where it is none, Conflict
// where exactly this line is there already.
[[nodiscard]] Done addKnownHostLine(const QString &path, const QByteArray &line);

enum class KnownHostBackup {
    None,
    Keep, // what was there before is left in "<file>.old", as ssh-keygen -R leaves it
};
// Takes out exactly these lines of one file and leaves all others, byte for byte. NotFound where one of
// them is not there any more; then nothing is changed. The mode of the file is kept.
[[nodiscard]] Done forgetKnownHosts(const QString &path, const QList<KnownHostEntry> &entries, KnownHostBackup backup);

} // namespace Sandpiper
