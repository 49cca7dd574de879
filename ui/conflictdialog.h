// Asks about a file that is there already. GUI thread.
#pragma once

#include <QtTypes>

class QWidget;

namespace Sandpiper {

class TransferQueue;

// The question of a transfer, beside both files' sizes and times. Null: it has none. Gone with parent. queue is borrowed and may go.
QWidget *askAboutConflict(QWidget *parent, TransferQueue *queue, qint64 id);

} // namespace Sandpiper
