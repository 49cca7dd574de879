// One drag of files, from its beginning to its end. Files of this computer go to the desktop as they are; those of a sandbox are first
// brought here, while the button is held down, and only then can the desktop have them. GUI thread.
#pragma once

#include "ui/staging.h"

#include <QTimer>

namespace Sandpiper {

class DragOut : public QObject
{
    Q_OBJECT
public:
    // source: where the drag begins; may go. queue is borrowed and may go. stagingFolder: empty: sandboxes' files stay in this program.
    DragOut(QWidget *source, const CarriedFiles &files, TransferQueue *queue, const QString &stagingFolder);
    // Returns when it is over, and deletes this. The event loop runs meanwhile.
    void run(Qt::DropActions actions);

private:
    void look();
    Qt::DropAction drag(const CarriedFiles &files, Qt::DropActions actions);
    QPointer<QWidget> m_source;
    CarriedFiles m_files;
    QPointer<TransferQueue> m_queue;
    QString m_stagingFolder;
    std::unique_ptr<Staging> m_staging;
    QTimer m_timer;
    int m_outside = 0; // how often it was seen outside of our windows
    bool m_beginsAnew = false;
    QString m_trouble;
};

} // namespace Sandpiper
