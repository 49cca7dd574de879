#include "sftp/sftpfilesystem.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

class Listing : public FileListing
{
public:
    explicit Listing(std::unique_ptr<SftpListing> listing)
        : m_listing(std::move(listing))
    {
        connect(m_listing.get(), &SftpListing::rowsReceived, this, &FileListing::rowsReceived);
        connect(m_listing.get(), &SftpListing::finished, this, &FileListing::finished);
    }
    void consumed(qint64 rows) override { m_listing->consumed(rows); }

private:
    std::unique_ptr<SftpListing> m_listing;
};

class Reader : public FileReader
{
public:
    explicit Reader(std::unique_ptr<SftpReader> reader)
        : m_reader(std::move(reader))
    {
        connect(m_reader.get(), &SftpReader::received, this, &FileReader::received);
        connect(m_reader.get(), &SftpReader::finished, this, &FileReader::finished);
    }
    void consumed(qint64 bytes) override { m_reader->consumed(bytes); }

private:
    std::unique_ptr<SftpReader> m_reader;
};

class Writer : public FileWriter
{
public:
    explicit Writer(std::unique_ptr<SftpWriter> writer)
        : m_writer(std::move(writer))
    {
        connect(m_writer.get(), &SftpWriter::taken, this, &FileWriter::taken);
        connect(m_writer.get(), &SftpWriter::finished, this, &FileWriter::finished);
    }
    void write(const QByteArray &bytes) override { m_writer->write(bytes); }
    void close(Sync sync) override { m_writer->close(sync == Sync::Yes ? SftpWriter::Sync::Yes : SftpWriter::Sync::No); }
    [[nodiscard]] qint64 pending() const override { return m_writer->pending(); }

private:
    std::unique_ptr<SftpWriter> m_writer;
};

} // namespace

SftpFileSystem::SftpFileSystem(SshLink *link, const QString &displayName, QObject *parent)
    : FileSystem(parent)
    , m_displayName(displayName)
    , m_own(std::make_unique<SftpClient>(link))
    , m_client(m_own.get())
{
    connect(m_client, &SftpClient::ready, this, &FileSystem::ready);
    connect(m_client, &SftpClient::ended, this, &FileSystem::ended);
}

SftpFileSystem::SftpFileSystem(SftpClient *client, const QString &displayName, QObject *parent)
    : FileSystem(parent)
    , m_displayName(displayName)
    , m_client(client)
{
    connect(m_client, &SftpClient::ready, this, &FileSystem::ready);
    connect(m_client, &SftpClient::ended, this, &FileSystem::ended);
}

SftpFileSystem::~SftpFileSystem() = default;

QString SftpFileSystem::reasonAgainst(FileAction action) const
{
    if (!m_client->isReady())
        return {};
    const auto needs = [this](SftpExtension extension) {
        return m_client->server().has(extension) ? QString() : u"The SFTP server of “%1” does not offer %2."_s.arg(m_displayName, QString::fromLatin1(nameOf(extension)));
    };
    switch (action) {
    case FileAction::MakeHardlink: return needs(SftpExtension::Hardlink);
    case FileAction::Space: return needs(SftpExtension::Statvfs);
    case FileAction::CopyThere: return needs(SftpExtension::CopyData);
    default: return {};
    }
}

QFuture<Result<FilePath>> SftpFileSystem::homeFolder()
{
    // Where a login lands, which is what every server can say.
    return m_client->realPath({});
}

std::unique_ptr<FileListing> SftpFileSystem::list(const FilePath &path)
{
    return std::make_unique<Listing>(m_client->list(path));
}

std::unique_ptr<FileReader> SftpFileSystem::read(const FileReadWish &wish)
{
    return std::make_unique<Reader>(m_client->read(wish));
}

std::unique_ptr<FileWriter> SftpFileSystem::write(const FileWriteWish &wish)
{
    return std::make_unique<Writer>(m_client->write(wish));
}

} // namespace Sandpiper
