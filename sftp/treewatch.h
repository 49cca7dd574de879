// Tells when something in a tree of this computer is not what it was, by inotify. GUI thread.
#pragma once

#include "session/filedescriptor.h"
#include "sftp/filepath.h"

#include <QObject>
#include <QSocketNotifier>
#include <QTimer>

#include <memory>

namespace Sandpiper {

class TreeWatch : public QObject
{
    Q_OBJECT
public:
    static constexpr qsizetype mostFolders = 4096; // the others are not watched: see isWhole()
    explicit TreeWatch(QObject *parent = nullptr);
    ~TreeWatch() override;
    // These and no others: each by itself, without what is in it.
    void watch(const QList<FilePath> &folders);
    // Else changes in some of them are not told: there are too many, or the kernel had no more watches for us.
    [[nodiscard]] bool isWhole() const { return m_isWhole; }
    void setPatience(std::chrono::milliseconds patience) { m_soon.setInterval(patience); } // between a change and its telling

signals:
    void changed(); // after it has been quiet for a moment

private:
    void read();
    FileDescriptor m_inotify;
    std::unique_ptr<QSocketNotifier> m_bell;
    QTimer m_soon;
    bool m_isWhole = true;
};

} // namespace Sandpiper
