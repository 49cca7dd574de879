// SFTP in the thread of a link: takes commands of its face, keeps its jobs, and feeds the protocol.
#pragma once

#include "session/sshsubsystem.h"
#include "sftp/sftpjob.h"

#include <unordered_map>
#include <vector>

namespace Sandpiper {

class SftpEngine : public SshSubsystem, private SftpJobHost
{
public:
    // window: shared with other engines of the same link, that is, of the same thread; none: one of its own.
    SftpEngine(std::shared_ptr<SftpMail> mail, const SftpPatience &patience, std::shared_ptr<BulkWindow> window = {});
    ~SftpEngine() override;

    void opened(const QByteArray &banner) override;
    void received(QByteArrayView bytes) override;
    void pump() override;
    [[nodiscard]] QByteArrayView output() const override { return m_protocol.output(); }
    void sent(qint64 bytes) override;
    [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> nextDeadline() const override;

private:
    SftpProtocol &protocol() override { return m_protocol; }
    SftpProtocol::Time now() const override { return m_now; }
    void post(SftpEvent event) override { m_mail->events.put(std::move(event)); }
    BulkWindow &bulk() override { return *m_bulk; }
    void wakeAt(SftpProtocol::Time time) override { m_wake = m_wake ? std::min(*m_wake, time) : time; }

    void look(); // at the clock
    void takeCommands();
    void pumpJobs();
    void add(std::unique_ptr<SftpJob> job);

    std::shared_ptr<SftpMail> m_mail; // owned together with the face
    SftpProtocol m_protocol;
    std::shared_ptr<BulkWindow> m_bulk; // owned together with the other engines of the link
    SftpProtocol::Time m_now;
    std::optional<SftpProtocol::Time> m_wake; // of the jobs
    std::unordered_map<int, std::unique_ptr<SftpJob>> m_jobs;
    bool m_isBroken = false;
};

} // namespace Sandpiper
