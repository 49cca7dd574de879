// The one sentence before a tab closes or the program quits, with "do not ask again".
#pragma once

#include "ui/closepolicy.h"

#include <QMessageBox>

namespace Sandpiper {

class CloseQuestionBox : public QMessageBox
{
    Q_OBJECT
public:
    CloseQuestionBox(const CloseQuestion &question, QWidget *parent);

signals:
    // Only where the user said yes; nothing is heard otherwise.
    void agreed(bool doNotAskAgain);
};

} // namespace Sandpiper
