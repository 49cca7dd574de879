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

QString featureName(ServerFeature feature)
{
    const auto word = [](const char *text) { return QCoreApplication::translate("DetailsDialog", text); };
    switch (feature) {
    case ServerFeature::Terminal:
        return word(QT_TRANSLATE_NOOP("DetailsDialog", "Give a terminal"));
    case ServerFeature::Exec:
        return word(QT_TRANSLATE_NOOP("DetailsDialog", "Run single commands"));
    case ServerFeature::Sftp:
        return word(QT_TRANSLATE_NOOP("DetailsDialog", "Transfer files by SFTP"));
    case ServerFeature::LocalForward:
        return word(QT_TRANSLATE_NOOP("DetailsDialog", "Forward ports to it"));
    case ServerFeature::UnixForward:
        return word(QT_TRANSLATE_NOOP("DetailsDialog", "Forward UNIX sockets to it"));
    case ServerFeature::RemoteForward:
        return word(QT_TRANSLATE_NOOP("DetailsDialog", "Forward ports from it"));
    case ServerFeature::AgentForward:
        return word(QT_TRANSLATE_NOOP("DetailsDialog", "Forward the SSH agent"));
    }
    Q_UNREACHABLE_RETURN({});
}

class DetailsDialog : public QDialog
{
    Q_DECLARE_TR_FUNCTIONS(DetailsDialog)
    using Kind = FeatureAnswer::Kind;

public:
    DetailsDialog(const Sandbox &sandbox, const Account &account, const Annotation &annotation,
                  const std::optional<ServerFeatures> &features, QWidget *parent)
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
        fact(tr("Warning"), publicPortsText(sandbox));

        auto *list = new QVBoxLayout;
        list->setSpacing(6);
        for (int i = 0; i <= int(Capability::Isolation); ++i) {
            const auto capability = Capability(i);
            const bool can = sandbox.capabilities.has(capability);
            const QString reason = sandbox.capabilities.reasonAgainst(capability);
            if (can || !reason.isEmpty()) // else nothing is known of it
                list->addLayout(makeAbility(can ? Kind::Yes : Kind::No, capabilityName(capability), reason));
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
        if (features)
            addFeatures(*features, column);
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

private:
    void addFeatures(const ServerFeatures &features, QVBoxLayout *column)
    {
        auto *list = new QVBoxLayout;
        list->setSpacing(6);
        for (int i = 0; i < kServerFeatures; ++i) {
            const auto feature = ServerFeature(i);
            const FeatureAnswer &answer = features.of(feature);
            QString words = answer.words;
            if (feature == ServerFeature::Sftp && answer.kind == Kind::Yes)
                words = tr("Version %1, %n extension(s)", nullptr, int(features.sftpExtensions.size())).arg(features.sftpVersion);
            QHBoxLayout *row = makeAbility(answer.kind, featureName(feature), words);
            if (feature == ServerFeature::Sftp && !features.sftpExtensions.isEmpty())
                row->itemAt(1)->layout()->itemAt(1)->widget()->setToolTip(features.sftpExtensions.join(u'\n'));
            list->addLayout(row);
        }
        column->addSpacing(4);
        column->addWidget(makeTitle(tr("What this server can do"), this));
        // Of "SSH-2.0-OpenSSH_10.0" the front is every server's.
        const QString software = features.serverVersion.section(u'-', 2);
        column->addWidget(makeText(tr("%1, asked on %2").arg(software.isEmpty() ? features.serverVersion : software, localTime(features.askedAt)),
                                   TextTone::Muted, this));
        column->addLayout(list);
    }

    // A mark, and beside it a name with what there is to say below.
    QHBoxLayout *makeAbility(Kind kind, const QString &name, const QString &words)
    {
        const bool can = kind == Kind::Yes;
        auto *row = new QHBoxLayout;
        row->setSpacing(8);
        auto *mark = new QLabel(this);
        const IconName face = can ? IconName::Check : kind == Kind::No ? IconName::Close : IconName::Info;
        mark->setPixmap(icon(face, can ? IconTone::Running : IconTone::Muted).pixmap(QSize(16, 16), devicePixelRatioF()));
        mark->setAccessibleName(can ? tr("Yes") : kind == Kind::No ? tr("No") : tr("Not known"));
        row->addWidget(mark, 0, Qt::AlignTop);
        auto *text = new QVBoxLayout;
        text->setSpacing(0);
        text->addWidget(makeText(name, can ? TextTone::Plain : TextTone::Muted, this));
        if (!words.isEmpty())
            text->addWidget(makeText(words, TextTone::Muted, this));
        row->addLayout(text, 1);
        return row;
    }
};

} // namespace

void showDetails(const Sandbox &sandbox, const Account &account, const Annotation &annotation,
                 const std::optional<ServerFeatures> &features, QWidget *parent)
{
    auto *dialog = new DetailsDialog(sandbox, account, annotation, features, parent);
    dialog->show();
}

} // namespace Sandpiper
