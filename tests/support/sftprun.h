// An SFTP client on a link of its own, and streams run to their end, for tests.
#pragma once

#include "sftp/sftpclient.h"

#include "session/sshlink.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/waited.h"
#include "tests/support/waituntil.h"

#include <QCoreApplication>
#include <QFile>
#include <QTemporaryDir>

#include <algorithm>
#include <memory>

namespace Sandpiper {

// Where sshd finds the program of awkwardsftp.cpp: its home is hidden from it, and the build may lie there.
class AwkwardSftp
{
public:
    AwkwardSftp() { (void)QFile::copy(QCoreApplication::applicationDirPath() + QStringLiteral("/awkward_sftp_server"), m_dir.filePath(QStringLiteral("sftp"))); }
    // A line of sshd_config.
    [[nodiscard]] QString subsystem(const QString &habits) const { return QStringLiteral("Subsystem sftp %1 %2").arg(m_dir.filePath(QStringLiteral("sftp")), habits); }

private:
    QTemporaryDir m_dir;
};

struct SftpRun
{
    explicit SftpRun(const LinkOptions &options, const SftpPatience &patience = {})
        : link(std::make_unique<SshLink>(options, &prompts))
        , client(std::make_unique<SftpClient>(link.get(), patience))
    {
        QObject::connect(client.get(), &SftpClient::ended, client.get(), [this](const Error &error) { ends.append(error); });
        link->connectToHost();
    }
    [[nodiscard]] bool becomesReady(int milliseconds = 60'000)
    {
        return waitUntil([this] { return client->isReady() || !ends.isEmpty(); }, milliseconds) && client->isReady();
    }
    [[nodiscard]] QByteArray why() const { return ends.isEmpty() ? QByteArray("open") : describe(ends.constFirst()).toUtf8(); }

    RecordingPrompts prompts;
    std::unique_ptr<SshLink> link;
    std::unique_ptr<SftpClient> client;
    QList<Error> ends;
};

inline FilePath remotePath(const QByteArray &bytes)
{
    return FilePath::fromBytes(bytes).value();
}

struct ListedFolder
{
    ListedFolder(SftpClient *client, const FilePath &path)
        : listing(client->list(path))
    {
        QObject::connect(listing.get(), &SftpListing::rowsReceived, listing.get(), [this](const QList<FileEntry> &some) {
            ++pieces;
            rows += some;
            listing->consumed(some.size());
        });
        QObject::connect(listing.get(), &SftpListing::finished, listing.get(), [this](const Result<ListEnd> &how) { ends.append(how); });
        (void)waitUntil([this] { return !ends.isEmpty(); }, 60'000);
    }
    [[nodiscard]] QByteArrayList names() const
    {
        QByteArrayList found;
        for (const FileEntry &row : rows)
            found.append(row.name);
        std::sort(found.begin(), found.end());
        return found;
    }
    std::unique_ptr<SftpListing> listing;
    QList<FileEntry> rows;
    int pieces = 0;
    QList<Result<ListEnd>> ends;
};

struct ReadFile
{
    ReadFile(SftpClient *client, const FileReadWish &wish)
        : reader(client->read(wish))
    {
        QObject::connect(reader.get(), &SftpReader::received, reader.get(), [this](const QByteArray &some) {
            bytes += some;
            reader->consumed(some.size());
        });
        QObject::connect(reader.get(), &SftpReader::finished, reader.get(), [this](const Result<ReadEnd> &how) { ends.append(how); });
        (void)waitUntil([this] { return !ends.isEmpty(); }, 60'000);
    }
    [[nodiscard]] bool isWhole() const { return ends.size() == 1 && ends.constFirst(); }
    [[nodiscard]] QByteArray why() const { return ends.isEmpty() ? QByteArray("no end") : ends.constFirst() ? QByteArray("read") : describe(ends.constFirst().error()).toUtf8(); }
    std::unique_ptr<SftpReader> reader;
    QByteArray bytes;
    QList<Result<ReadEnd>> ends;
};

inline Done writeFile(SftpClient *client, const FileWriteWish &wish, const QByteArray &bytes, SftpWriter::Sync sync = SftpWriter::Sync::No)
{
    const auto writer = client->write(wish);
    QList<Done> ends;
    QObject::connect(writer.get(), &SftpWriter::finished, writer.get(), [&](const Done &how) { ends.append(how); });
    writer->write(bytes);
    writer->close(sync);
    if (!waitUntil([&] { return !ends.isEmpty(); }, 60'000))
        return failure(ErrorKind::Unsupported, Layer::Sftp, QStringLiteral("no end"));
    return ends.constFirst();
}

} // namespace Sandpiper
