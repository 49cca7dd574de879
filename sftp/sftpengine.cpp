#include "sftp/sftpengine.h"

#include "session/bulkpacer.h"
#include "session/sshmessages.h"

#include <unordered_set>

namespace Sandpiper {

SftpEngine::SftpEngine(std::shared_ptr<SftpMail> mail, const SftpPatience &patience, std::shared_ptr<BulkWindow> window)
    : m_mail(std::move(mail))
    , m_protocol(patience,
                 {[this] { post(FromSftp::Known{m_protocol.server()}); },
                  [this](const Error &error) {
                      m_isBroken = true;
                      post(FromSftp::Broken{error});
                  }})
    , m_bulk(window ? std::move(window) : std::make_shared<BulkWindow>())
{
    look();
}

SftpEngine::~SftpEngine() = default;

void SftpEngine::look()
{
    m_now = std::chrono::steady_clock::now();
    m_bulk->look(m_now, Typing::here().goesOn(m_now));
}

void SftpEngine::opened(const QByteArray &banner)
{
    look();
    m_protocol.open(banner, m_now);
}

void SftpEngine::received(QByteArrayView bytes)
{
    look();
    m_protocol.receive(bytes, m_now);
    // Other jobs than those that were answered may have room now.
    if (m_bulk->isYielding())
        pumpJobs();
}

void SftpEngine::sent(qint64 bytes)
{
    look();
    m_protocol.sent(bytes, m_now);
}

void SftpEngine::pump()
{
    look();
    m_protocol.expire(m_now);
    // What comes before the server has said its version waits in the mailbox.
    if (m_protocol.isReady())
        takeCommands();
    m_wake.reset();
    pumpJobs();
    std::erase_if(m_jobs, [](const auto &entry) { return entry.second->isOver(); });
}

void SftpEngine::pumpJobs()
{
    for (const auto &[id, job] : m_jobs) {
        if (!job->isOver() && !m_isBroken)
            job->pump();
    }
}

std::optional<std::chrono::steady_clock::time_point> SftpEngine::nextDeadline() const
{
    const std::optional<SftpProtocol::Time> answers = m_protocol.nextDeadline();
    return m_wake && (!answers || *m_wake < *answers) ? m_wake : answers;
}

void SftpEngine::add(std::unique_ptr<SftpJob> job)
{
    SftpJob *added = job.get();
    m_jobs[added->id()] = std::move(job);
    added->start();
}

void SftpEngine::takeCommands()
{
    const auto job = [this](int id) -> SftpJob * {
        const auto it = m_jobs.find(id);
        return it == m_jobs.end() || it->second->isOver() ? nullptr : it->second.get();
    };
    auto commands = m_mail->commands.takeAll();
    // What was cancelled before it could begin is not begun.
    std::unordered_set<int> dropped;
    for (const SftpCommand &command : commands) {
        if (const auto *cancel = std::get_if<ToSftp::Cancel>(&command))
            dropped.insert(cancel->id);
    }
    const auto begin = [this, &dropped](int id, const auto &make) {
        if (!dropped.contains(id))
            add(make());
    };
    for (SftpCommand &command : commands) {
        // The face ends what is lost with the connection.
        if (m_isBroken)
            return;
        std::visit(Overloaded{
                           [&](const ToSftp::Run &wish) {
                               if (wish.isUnwanted && wish.isUnwanted())
                                   return post(FromSftp::Ended{wish.id, failure(ErrorKind::Cancelled, Layer::Sftp)});
                               begin(wish.id, [&] { return makeOperationJob(*this, wish.id, wish.operation); });
                           },
                           [&](const ToSftp::List &wish) { begin(wish.id, [&] { return makeListJob(*this, wish.id, wish.path); }); },
                           [&](const ToSftp::Read &wish) { begin(wish.id, [&] { return makeReadJob(*this, wish.id, wish.wish); }); },
                           [&](const ToSftp::Write &wish) { begin(wish.id, [&] { return makeWriteJob(*this, wish.id, wish.wish); }); },
                           [&](const ToSftp::Transfer &wish) {
                               begin(wish.id, [&] {
                                   return wish.wish.way == TransferWay::Fetch ? makeFetchJob(*this, wish.id, wish.wish) : makeSendJob(*this, wish.id, wish.wish);
                               });
                           },
                           [&](const ToSftp::Bytes &input) {
                               if (SftpJob *to = job(input.id))
                                   to->write(input.bytes);
                           },
                           [&](const ToSftp::Finish &wish) {
                               if (SftpJob *to = job(wish.id))
                                   to->finishWriting(wish.sync);
                           },
                           [&](const ToSftp::Consumed &report) {
                               if (SftpJob *to = job(report.id))
                                   to->consumed(report.amount);
                           },
                           [&](const ToSftp::Cancel &wish) {
                               if (SftpJob *to = job(wish.id)) {
                                   to->cancel();
                                   m_protocol.abandon(wish.id, m_now);
                               }
                           },
                   },
                   command);
    }
}

} // namespace Sandpiper
