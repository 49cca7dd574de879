#include "ui/conflictdialog.h"

#include "sftp/transferqueue.h"
#include "ui/dialogkit.h"
#include "ui/filewords.h"

#include <QCheckBox>
#include <QCoreApplication>
#include <QDateTime>
#include <QGridLayout>
#include <QLocale>
#include <QPointer>
#include <QPushButton>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

class Words
{
    Q_DECLARE_TR_FUNCTIONS(Sandpiper::Transfers)
};

} // namespace

QWidget *askAboutConflict(QWidget *parent, TransferQueue *queue, qint64 id)
{
    const std::optional<TransferQuestion> question = queue->question(id);
    if (!question)
        return nullptr;
    auto *dialog = new QDialog(parent);
    dialog->setObjectName(u"conflictDialog"_s);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(Words::tr("Something is there already"));
    dialog->setMinimumWidth(560);
    auto *layout = new QVBoxLayout(dialog);
    layout->setContentsMargins(24, 20, 24, 20);
    layout->setSpacing(12);
    layout->addWidget(makeTitle(Words::tr("“%1” is there already").arg(shownBytes(question->target.name()).left(160)), dialog));
    auto *grid = new QGridLayout;
    grid->setHorizontalSpacing(16);
    const auto line = [&](int row, const QString &label, const FilePath &path, const FileAttributes &attributes) {
        grid->addWidget(makeText(label, TextTone::Muted, dialog), row, 0, Qt::AlignTop);
        grid->addWidget(makeText(path.shown(), TextTone::Plain, dialog), row, 1);
        const QString when = attributes.times ? QLocale().toString(QDateTime::fromSecsSinceEpoch(attributes.times->modified), QLocale::ShortFormat) : QString();
        QLabel *size = makeText(attributes.size ? sizeText(*attributes.size) : QString(), TextTone::Plain, dialog);
        QLabel *time = makeText(when, TextTone::Plain, dialog);
        size->setAlignment(Qt::AlignRight | Qt::AlignTop);
        for (QLabel *cell : {size, time})
            cell->setWordWrap(false);
        grid->addWidget(size, row, 2, Qt::AlignTop);
        grid->addWidget(time, row, 3, Qt::AlignTop);
    };
    line(0, Words::tr("Comes"), question->source, question->sourceAttributes);
    line(1, Words::tr("Is there"), question->target, question->targetAttributes);
    grid->setColumnStretch(1, 1);
    layout->addLayout(grid);
    auto *all = new QCheckBox(Words::tr("For all others of this transfer too"), dialog);
    layout->addWidget(all);
    auto *buttons = new QHBoxLayout;
    buttons->addStretch();
    const std::pair<OnConflict, QString> answers[] = {{OnConflict::Skip, Words::tr("Skip")},
                                                      {OnConflict::Rename, Words::tr("Keep both")},
                                                      {OnConflict::Newer, Words::tr("Overwrite if newer")},
                                                      {OnConflict::Overwrite, Words::tr("Overwrite")}};
    for (const auto &[what, word] : answers) {
        auto *button = new QPushButton(word, dialog);
        button->setObjectName(u"conflict%1"_s.arg(int(what)));
        button->setAutoDefault(what == OnConflict::Skip);
        if (what == OnConflict::Skip)
            button->setFocus(); // the keys begin with what loses nothing
        buttons->addWidget(button);
        QObject::connect(button, &QPushButton::clicked, dialog, [dialog, all, id, what, held = QPointer<TransferQueue>(queue)] {
            if (held)
                held->answer(id, what, all->isChecked());
            dialog->accept();
        });
    }
    layout->addLayout(buttons);
    // Answered elsewhere, or over.
    QObject::connect(queue, &TransferQueue::changed, dialog, [dialog, queue, id](qint64 which) {
        if (which == id && queue->progress(id).state != TransferState::Asking)
            dialog->close();
    });
    dialog->open();
    return dialog;
}

} // namespace Sandpiper
