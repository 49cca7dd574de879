// The about box and the list of shortcuts. GUI thread.
#pragma once

class QWidget;

namespace Sandpiper {

class Actions;

void showAbout(QWidget *parent);
void showShortcuts(const Actions &actions, QWidget *parent);

} // namespace Sandpiper
