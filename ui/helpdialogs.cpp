#include "ui/helpdialogs.h"

#include "ui/actions.h"
#include "ui/dialogkit.h"

#include <QCoreApplication>
#include <QDialog>
#include <QFile>
#include <QFontDatabase>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

struct Help
{
    Q_DECLARE_TR_FUNCTIONS(Help)
};

QHBoxLayout *closeRow(QDialog *dialog, QPushButton *extra = nullptr)
{
    auto *buttons = new QHBoxLayout;
    if (extra)
        buttons->addWidget(extra);
    buttons->addStretch();
    auto *close = new QPushButton(Help::tr("Close"), dialog);
    close->setDefault(true);
    QObject::connect(close, &QPushButton::clicked, dialog, &QDialog::accept);
    buttons->addWidget(close);
    return buttons;
}

void showLicence(QWidget *parent)
{
    auto *dialog = new QDialog(parent);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(Help::tr("GNU General Public License"));
    auto *text = new QPlainTextEdit(dialog);
    text->setReadOnly(true);
    text->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    QFile file(u":/app/COPYING"_s);
    if (file.open(QIODevice::ReadOnly))
        text->setPlainText(QString::fromUtf8(file.readAll()));
    auto *layout = new QVBoxLayout(dialog);
    layout->addWidget(text);
    layout->addLayout(closeRow(dialog));
    dialog->resize(680, 560);
    dialog->open();
}

} // namespace

void showAbout(QWidget *parent)
{
    auto *dialog = new QDialog(parent);
    dialog->setObjectName(u"aboutDialog"_s);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(Help::tr("About Sandpiper"));
    auto *picture = new QLabel(dialog);
    picture->setPixmap(applicationIcon().pixmap(QSize(64, 64), dialog->devicePixelRatioF()));
    auto *words = new QVBoxLayout;
    words->setSpacing(4);
    words->addWidget(makeHeading(u"Sandpiper"_s, dialog));
    words->addWidget(makeText(Help::tr("Version %1 · Qt %2").arg(QStringLiteral(SANDPIPER_VERSION), QString::fromLatin1(qVersion())), TextTone::Muted, dialog));
    words->addSpacing(8);
    words->addWidget(makeText(Help::tr("Terminal and file manager for cloud sandboxes."), TextTone::Plain, dialog));
    words->addWidget(makeText(Help::tr("Free software: you may use, study, share and change it under the GNU General Public License, version 3 or any later one. It comes without any warranty."),
                              TextTone::Muted, dialog));
    words->addWidget(makeText(Help::tr("Built with Qt, QTermWidget, libssh, OpenSSL and QtKeychain."), TextTone::Muted, dialog));
    auto *top = new QHBoxLayout;
    top->setSpacing(20);
    top->addWidget(picture, 0, Qt::AlignTop);
    top->addLayout(words, 1);
    auto *licence = new QPushButton(Help::tr("Show the licence"), dialog);
    licence->setAutoDefault(false);
    QObject::connect(licence, &QPushButton::clicked, dialog, [dialog] { showLicence(dialog); });
    auto *layout = new QVBoxLayout(dialog);
    layout->setContentsMargins(24, 24, 24, 20);
    layout->setSpacing(16);
    layout->addLayout(top);
    layout->addLayout(closeRow(dialog, licence));
    dialog->setFixedWidth(480);
    dialog->open();
}

void showShortcuts(const Actions &actions, QWidget *parent)
{
    auto *dialog = new QDialog(parent);
    dialog->setObjectName(u"shortcutsDialog"_s);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(Help::tr("Keyboard shortcuts"));
    auto *inside = new QWidget(dialog);
    auto *grid = new QGridLayout(inside);
    grid->setContentsMargins(24, 4, 24, 12);
    grid->setHorizontalSpacing(24);
    grid->setVerticalSpacing(6);
    grid->setColumnStretch(0, 1);
    int line = 0;
    const std::pair<ActionContext, QString> parts[] = {
        {ActionContext::Anywhere, Help::tr("Anywhere, in a terminal too")},
        {ActionContext::Sidebar, Help::tr("In the sidebar")},
        {ActionContext::Files, Help::tr("In files; Space previews, Tab goes to the other side")},
    };
    for (const auto &[context, title] : parts) {
        if (line > 0)
            grid->setRowMinimumHeight(line++, 8);
        grid->addWidget(makeTitle(title, inside), line++, 0, 1, 2);
        for (const ActionRow &row : actionRows()) {
            const QAction *action = actions.action(row.id);
            if (row.context != context || action->shortcut().isEmpty())
                continue;
            grid->addWidget(makeText(Actions::plainText(action), TextTone::Plain, inside), line, 0);
            QLabel *keys = makeText(action->shortcut().toString(QKeySequence::NativeText), TextTone::Muted, inside);
            keys->setWordWrap(false);
            grid->addWidget(keys, line++, 1);
        }
    }
    grid->setRowStretch(line, 1);
    auto *scroll = new QScrollArea(dialog);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidget(inside);
    auto *layout = new QVBoxLayout(dialog);
    layout->setContentsMargins(0, 20, 0, 16);
    layout->addWidget(scroll, 1);
    auto *row = closeRow(dialog);
    row->setContentsMargins(24, 0, 24, 0);
    layout->addLayout(row);
    dialog->resize(500, 600);
    dialog->show();
}

} // namespace Sandpiper
