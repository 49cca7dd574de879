#include "sftp/folderwatch.h"

#include "session/background.h"
#include "sftp/localdisk.h"

#include <sys/inotify.h>

namespace Sandpiper {
namespace {

using namespace std::chrono_literals;

constexpr auto kBetweenLooks = 5s; // elsewhere each is a question to a server
constexpr auto kBetweenTells = 500ms;

} // namespace

FolderWatch::FolderWatch(QObject *parent)
    : QObject(parent)
{
    m_looks.setInterval(kBetweenLooks);
    connect(&m_looks, &QTimer::timeout, this, &FolderWatch::look);
    m_tells.setSingleShot(true);
    m_tells.setInterval(kBetweenTells);
    connect(&m_tells, &QTimer::timeout, this, &FolderWatch::changed);
}

FolderWatch::~FolderWatch() = default;

void FolderWatch::setPace(std::chrono::milliseconds remote)
{
    m_looks.setInterval(remote);
}

void FolderWatch::watch(FileSystem *files, const FilePath &folder)
{
    ++m_turn;
    m_bell.reset();
    m_inotify.reset();
    m_looks.stop();
    m_tells.stop();
    m_modified.reset();
    m_missed = false;
    m_files = files;
    m_folder = folder;
    if (!files)
        return;
    if (files->isLocal()) {
        watchHere();
    } else if (m_isActive) {
        m_looks.start();
        look();
    }
}

void FolderWatch::setActive(bool active)
{
    if (std::exchange(m_isActive, active) == active || !m_files)
        return;
    if (m_files->isLocal()) {
        if (active && std::exchange(m_missed, false))
            tellSoon();
        return;
    }
    if (active) {
        m_looks.start();
        look();
    } else {
        m_looks.stop();
    }
}

void FolderWatch::watchHere()
{
    // Finding the folder may wait for a network, so not here.
    const auto work = [folder = m_folder] {
        auto fd = std::make_shared<FileDescriptor>(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)); // carried over, then taken
        constexpr quint32 mask = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF
                | IN_ONLYDIR;
        if (fd->isValid() && ::inotify_add_watch(fd->get(), folder.onTheWire().constData(), mask) < 0)
            fd->reset();
        return fd;
    };
    inBackground(diskPool(), this, work, [this, turn = m_turn](const std::shared_ptr<FileDescriptor> &fd) {
        if (turn != m_turn || !fd->isValid())
            return;
        m_inotify = std::move(*fd);
        m_bell = std::make_unique<QSocketNotifier>(m_inotify.get(), QSocketNotifier::Read);
        connect(m_bell.get(), &QSocketNotifier::activated, this, &FolderWatch::readEvents);
    });
}

void FolderWatch::readEvents()
{
    char events[16 << 10];
    while (::read(m_inotify.get(), events, sizeof(events)) > 0) {
        // What happened is seen by listing again.
    }
    if (m_isActive)
        tellSoon();
    else
        m_missed = true;
}

void FolderWatch::look()
{
    if (!m_files || !m_files->isReady())
        return;
    m_files->stat(m_folder).then(this, [this, turn = m_turn](const Result<FileAttributes> &found) {
        if (turn != m_turn || !found || !found->times)
            return;
        const bool differs = m_modified && *m_modified != found->times->modified;
        m_modified = found->times->modified;
        if (differs)
            tellSoon();
    });
}

void FolderWatch::tellSoon()
{
    if (!m_tells.isActive())
        m_tells.start();
}

} // namespace Sandpiper
