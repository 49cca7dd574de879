#include "sftp/relayplace.h"

#include "session/backoff.h"
#include "session/comeback.h"
#include "session/sshlink.h"
#include "sftp/localfilesystem.h"

namespace Sandpiper {

RelayPlace::RelayPlace(const SandboxId &sandbox, TransferFilesMaker maker, std::function<double()> random, QObject *parent)
    : QObject(parent)
    , m_sandbox(sandbox)
    , m_maker(std::move(maker))
    , m_random(std::move(random))
{
    m_retry.setSingleShot(true);
    connect(&m_retry, &QTimer::timeout, this, &RelayPlace::ask);
}

RelayPlace::~RelayPlace() = default;

void RelayPlace::open()
{
    ask();
}

void RelayPlace::close()
{
    ++m_turn;
    m_retry.stop();
    drop();
}

void RelayPlace::retryNow()
{
    if (m_isOpen || m_opened.files)
        return;
    m_attempt = 0;
    m_retry.stop();
    ask();
}

void RelayPlace::ask()
{
    ++m_turn;
    if (isLocal()) {
        OpenedFiles here;
        here.files = std::make_unique<LocalFileSystem>(QString());
        return take(std::move(here));
    }
    if (!m_maker)
        return take(failure(ErrorKind::Unsupported, Layer::Sftp));
    m_maker(m_sandbox, this, [this, of = m_turn](Result<OpenedFiles> opened) {
        if (of == m_turn)
            take(std::move(opened));
    });
}

void RelayPlace::take(Result<OpenedFiles> opened)
{
    if (!opened)
        return lose(opened.error());
    m_opened = std::move(*opened);
    FileSystem *files = m_opened.files.get();
    connect(files, &FileSystem::ready, this, &RelayPlace::isReady);
    connect(files, &FileSystem::ended, this, &RelayPlace::lose);
    if (m_opened.link)
        m_opened.link->connectToHost();
    // Later: whoever opens it listens first.
    if (files->isReady())
        QMetaObject::invokeMethod(files, [this] { isReady(); }, Qt::QueuedConnection);
}

void RelayPlace::isReady()
{
    if (!std::exchange(m_isOpen, true))
        emit opened();
}

void RelayPlace::complain(const FileSystem *of, const Error &error)
{
    if (m_isOpen && of == m_opened.files.get())
        lose(error);
}

void RelayPlace::lose(const Error &error)
{
    drop();
    const Decision decision = afterFailing(Attempt::LinkOnly, error);
    // Cancelled: whoever was asked has gone, which is no will of the user's.
    if (decision.move != NextMove::Wait && error.kind != ErrorKind::Cancelled) {
        emit failed(error);
        return;
    }
    const std::chrono::milliseconds delay = backoffDelay(++m_attempt, m_random ? m_random() : 0.5);
    m_retry.start(delay);
    emit waiting(error, QDateTime::currentDateTime().addMSecs(delay.count()));
}

void RelayPlace::drop()
{
    m_isOpen = false;
    // Not from here: one of them may be about to tell of its end. The files go before the link.
    if (m_opened.files) {
        m_opened.files->disconnect(this);
        m_opened.files.release()->deleteLater();
    }
    if (m_opened.link)
        m_opened.link.release()->deleteLater();
}

} // namespace Sandpiper
