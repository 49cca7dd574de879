// The names in a folder, with many READDIRs in flight: a server answers each with a hundred of them or so.
#include "sftp/sftpjob.h"

#include <algorithm>

namespace Sandpiper {
namespace {

// Most folders end with the second answer; where they do not, more is asked for at once.
constexpr int kFirstInFlight = 2;
constexpr int kMostInFlight = 32;
// Rows that their receiver has not reported as consumed.
constexpr qint64 kMostRows = 20'000;
// The draft has no answer without names. Servers that filter send some; one that sends nothing else is at the end.
constexpr int kMostEmpty = 64;

class ListJob : public SftpJob
{
public:
    ListJob(SftpJobHost &host, int id, const FilePath &path)
        : SftpJob(host, id, path.shown())
        , m_path(path)
    {
    }

    void start() override
    {
        ask(std::move(SftpRequest(SftpType::Opendir).string(m_path.onTheWire())), [this](const Result<SftpReply> &reply) {
            if (opened(reply))
                pump();
        });
    }

    void pump() override
    {
        while (isOpen() && !m_isAtEnd && m_inFlight < m_wanted && m_unconsumed < kMostRows) {
            ++m_inFlight;
            ask(std::move(SftpRequest(SftpType::Readdir).string(handle())), [this](const Result<SftpReply> &reply) { take(reply); });
        }
    }

    void consumed(qint64 rows) override
    {
        m_unconsumed = std::max<qint64>(0, m_unconsumed - rows);
    }

private:
    void take(const Result<SftpReply> &reply)
    {
        --m_inFlight;
        const auto *names = reply ? std::get_if<QList<FileEntry>>(&reply->body) : nullptr;
        const auto *status = reply ? std::get_if<SftpStatus>(&reply->body) : nullptr;
        if (names) {
            tell(*names);
            m_empty = names->isEmpty() ? m_empty + 1 : 0;
            m_wanted = names->isEmpty() ? m_wanted : std::min(m_wanted * 2, kMostInFlight);
            m_isAtEnd = m_isAtEnd || m_empty >= kMostEmpty;
        } else if (status && status->is(SftpStatusCode::Eof)) {
            m_isAtEnd = true;
        } else if (!m_isAtEnd) {
            // Behind the end some servers know no better than to fail.
            return fail(expect<QList<FileEntry>>(reply).error());
        }
        if (!m_isAtEnd)
            return pump();
        if (m_inFlight == 0)
            end(SftpValue(m_end));
    }

    void tell(const QList<FileEntry> &names)
    {
        QList<FileEntry> rows;
        rows.reserve(names.size());
        for (const FileEntry &entry : names) {
            if (entry.name == "." || entry.name == "..")
                continue;
            if (isPlainName(entry.name))
                rows.append(entry);
            else
                ++m_end.refused;
        }
        if (rows.isEmpty())
            return;
        m_end.names += quint64(rows.size());
        m_unconsumed += rows.size();
        host().post(FromSftp::Rows{id(), rows});
    }

    FilePath m_path;
    bool m_isAtEnd = false;
    int m_inFlight = 0;
    int m_wanted = kFirstInFlight;
    int m_empty = 0; // answers in a row
    qint64 m_unconsumed = 0;
    ListEnd m_end;
};

} // namespace

std::unique_ptr<SftpJob> makeListJob(SftpJobHost &host, int id, const FilePath &path)
{
    return std::make_unique<ListJob>(host, id, path);
}

} // namespace Sandpiper
