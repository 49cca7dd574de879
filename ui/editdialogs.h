// The questions of files that are being edited. Each asks without stopping the program and is gone with its parent. GUI thread.
#pragma once

#include "sftp/fileedits.h"

class QWidget;

namespace Sandpiper {

// What differs between the copy here and the file there; of a conflict with the three ways out of it. edits is borrowed
// and may go.
void showEditDifference(QWidget *parent, FileEdits *edits, const QString &id);

} // namespace Sandpiper
