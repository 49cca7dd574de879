#include "sftp/treewatch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>

namespace Sandpiper {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 500ms; // editors write a file in several steps
constexpr uint32_t kChanges = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK;

} // namespace

TreeWatch::TreeWatch(QObject *parent)
    : QObject(parent)
{
    m_soon.setSingleShot(true);
    m_soon.setInterval(kPatience);
    connect(&m_soon, &QTimer::timeout, this, &TreeWatch::changed);
}

TreeWatch::~TreeWatch() = default;

void TreeWatch::watch(const QList<FilePath> &folders)
{
    // A fresh one each time: what was watched before goes with the old one.
    m_bell.reset();
    m_inotify = FileDescriptor(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    m_isWhole = m_inotify.isValid() && folders.size() <= mostFolders;
    if (!m_inotify.isValid())
        return;
    for (const FilePath &folder : folders.first(std::min(mostFolders, folders.size()))) {
        // One that has gone meanwhile is told of by the folder above it.
        if (::inotify_add_watch(m_inotify.get(), folder.bytes().constData(), kChanges) < 0 && errno == ENOSPC)
            m_isWhole = false;
    }
    m_bell = std::make_unique<QSocketNotifier>(m_inotify.get(), QSocketNotifier::Read);
    connect(m_bell.get(), &QSocketNotifier::activated, this, &TreeWatch::read);
}

void TreeWatch::read()
{
    alignas(inotify_event) std::array<char, 16 << 10> buffer;
    while (::read(m_inotify.get(), buffer.data(), buffer.size()) > 0) { }
    m_soon.start();
}

} // namespace Sandpiper
