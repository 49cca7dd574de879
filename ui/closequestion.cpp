#include "ui/closequestion.h"

#include <QCheckBox>
#include <QPushButton>

namespace Sandpiper {

CloseQuestionBox::CloseQuestionBox(const CloseQuestion &question, QWidget *parent)
    : QMessageBox(parent)
{
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowModality(Qt::WindowModal);
    setIcon(QMessageBox::NoIcon);
    setWindowTitle(question.agree);
    setTextFormat(Qt::PlainText);
    setText(question.sentence);
    setAccessibleName(question.sentence);
    QPushButton *yes = addButton(question.agree, QMessageBox::AcceptRole);
    setEscapeButton(addButton(tr("Cancel"), QMessageBox::RejectRole));
    setDefaultButton(yes);
    if (question.remembered)
        setCheckBox(new QCheckBox(tr("Do not ask again"), this));
    connect(this, &QMessageBox::buttonClicked, this, [this, yes](const QAbstractButton *clicked) {
        if (clicked == yes)
            emit agreed(checkBox() && checkBox()->isChecked());
    });
}

} // namespace Sandpiper
