// Tells when a folder is not what it was: by inotify on this computer, elsewhere by looking at its time now and
// then. GUI thread.
#pragma once

#include "session/filedescriptor.h"
#include "sftp/filesystem.h"

#include <QPointer>
#include <QSocketNotifier>
#include <QTimer>

namespace Sandpiper {

class FolderWatch : public QObject
{
    Q_OBJECT
public:
    explicit FolderWatch(QObject *parent = nullptr);
    ~FolderWatch() override;

    // files is borrowed and may go. Null: nothing is watched.
    void watch(FileSystem *files, const FilePath &folder);
    // Nobody looks: nothing is asked and nothing told until somebody does; then what was missed is told.
    void setActive(bool active);
    void setPace(std::chrono::milliseconds remote); // between two looks elsewhere

signals:
    void changed(); // at most twice a second

private:
    void watchHere();
    void readEvents();
    void look();
    void tellSoon();

    QPointer<FileSystem> m_files;
    FilePath m_folder;
    FileDescriptor m_inotify;
    std::unique_ptr<QSocketNotifier> m_bell;
    QTimer m_looks;
    QTimer m_tells;
    std::optional<quint32> m_modified;
    quint64 m_turn = 0;
    bool m_isActive = true;
    bool m_missed = false;
};

} // namespace Sandpiper
