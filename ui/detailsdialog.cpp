#include "ui/detailsdialog.h"

#include "session/providers/sshhosts.h"
#include "ui/dialogkit.h"
#include "ui/sandboxdelegate.h"
#include "ui/sandboxtext.h"
#include "ui/theme.h"

#include <QCoreApplication>
#include <QDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLocale>
#include <QPainter>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

class StateMark : public QWidget
{
public:
    StateMark(SandboxState state, QWidget *parent)
        : QWidget(parent)
        , m_state(state)
    {
        setFixedSize(14, 14);
    }

protected:
    void paintEvent(QPaintEvent *) override
    {
        QPainter painter(this);
        paintStateMark(&painter, QRect(2, 2, 10, 10), m_state);
    }

private:
    SandboxState m_state;
};

QString localTime(const QDateTime &utc)
{
    return QLocale().toString(utc.toLocalTime(), QLocale::ShortFormat);
}

class DetailsDialog : public QDialog
{
    Q_DECLARE_TR_FUNCTIONS(DetailsDialog)
public:
    DetailsDialog(const Sandbox &sandbox, const Account &account, const Annotation &annotation, QWidget *parent)
        : QDialog(parent)
    {
        setObjectName(u"detailsDialog"_s);
        setAttribute(Qt::WA_DeleteOnClose);
        setWindowTitle(tr("Details of %1").arg(sandbox.displayName()));

        auto *head = new QHBoxLayout;
        head->setSpacing(8);
        head->addWidget(new StateMark(sandbox.state, this));
        head->addWidget(makeTitle(sandbox.displayName(), this), 1);

        auto *facts = new QFormLayout;
        facts->setHorizontalSpacing(16);
        facts->setVerticalSpacing(6);
        const auto fact = [&](const QString &name, const QString &value) {
            if (value.isEmpty())
                return;
            QLabel *text = makeText(value, TextTone::Plain, this);
            text->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
            facts->addRow(makeText(name, TextTone::Muted, this), text);
        };
        fact(tr("State"), sandbox.note.isEmpty() ? stateWord(sandbox) : stateWord(sandbox) + u" · "_s + sandbox.note);
        fact(tr("Account"), account.name);
        if (sandbox.id.vendor != sshVendorId())
            fact(tr("Id"), sandbox.id.id);
        fact(tr("Favourite"), annotation.isFavourite ? tr("Yes") : QString());
        fact(tr("Group"), annotation.group);
        fact(tr("Labels"), annotation.labels.join(u", "_s));
        fact(tr("Your note"), annotation.note);
        fact(tr("Image"), sandbox.image);
        fact(tr("Size"), resources(sandbox));
        if (sandbox.createdAt.isValid())
            fact(tr("Created"), localTime(sandbox.createdAt));
        const bool isHost = sandbox.id.vendor == sshVendorId();
        if (!isHost)
            fact(tr("Ends"), sandbox.expiresAt ? localTime(*sandbox.expiresAt) : tr("Not by itself"));
        fact(tr("Written in"), sshConfigPlace(sandbox));
        if (sandbox.ssh && !sandbox.ssh->identityFiles.isEmpty() && isHost)
            fact(tr("Key file"), sandbox.ssh->identityFiles.join(u", "_s));
        if (sandbox.ssh && !isHost)
            fact(tr("SSH"), u"%1@%2:%3"_s.arg(sandbox.ssh->user, sandbox.ssh->host).arg(sandbox.ssh->port));

        auto *list = new QVBoxLayout;
        list->setSpacing(6);
        for (int i = 0; i <= int(Capability::Isolation); ++i) {
            const auto capability = Capability(i);
            const bool can = sandbox.capabilities.has(capability);
            const QString reason = sandbox.capabilities.reasonAgainst(capability);
            if (!can && reason.isEmpty())
                continue; // nothing is known of it
            auto *row = new QHBoxLayout;
            row->setSpacing(8);
            auto *mark = new QLabel(this);
            mark->setPixmap(icon(can ? IconName::Check : IconName::Close, can ? IconTone::Running : IconTone::Muted)
                                    .pixmap(QSize(16, 16), devicePixelRatioF()));
            mark->setAccessibleName(can ? tr("Yes") : tr("No"));
            row->addWidget(mark, 0, Qt::AlignTop);
            auto *words = new QVBoxLayout;
            words->setSpacing(0);
            words->addWidget(makeText(capabilityName(capability), can ? TextTone::Plain : TextTone::Muted, this));
            if (!can)
                words->addWidget(makeText(reason, TextTone::Muted, this));
            row->addLayout(words, 1);
            list->addLayout(row);
        }

        auto *inside = new QWidget(this);
        auto *column = new QVBoxLayout(inside);
        column->setContentsMargins(24, 20, 24, 12);
        column->setSpacing(12);
        column->addLayout(head);
        column->addLayout(facts);
        column->addSpacing(4);
        column->addWidget(makeTitle(tr("What it can do"), this));
        column->addLayout(list);
        column->addStretch();
        auto *scroll = new QScrollArea(this);
        scroll->setWidgetResizable(true);
        scroll->setFrameShape(QFrame::NoFrame);
        scroll->setWidget(inside);

        auto *buttons = new QHBoxLayout;
        buttons->setContentsMargins(24, 0, 24, 16);
        buttons->addStretch();
        auto *close = new QPushButton(tr("Close"), this);
        close->setDefault(true);
        buttons->addWidget(close);
        connect(close, &QPushButton::clicked, this, &QDialog::accept);

        auto *layout = new QVBoxLayout(this);
        layout->setContentsMargins(0, 0, 0, 0);
        layout->addWidget(scroll, 1);
        layout->addLayout(buttons);
        resize(460, 560);
    }
};

} // namespace

void showDetails(const Sandbox &sandbox, const Account &account, const Annotation &annotation, QWidget *parent)
{
    auto *dialog = new DetailsDialog(sandbox, account, annotation, parent);
    dialog->show();
}

} // namespace Sandpiper
