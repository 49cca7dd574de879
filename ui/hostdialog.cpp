#include "ui/hostdialog.h"

#include "session/errortext.h"
#include "session/sshdestination.h"
#include "ui/dialogkit.h"

#include <QDir>
#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

HostDialog::HostDialog(OwnHosts *own, const OwnHost &host, QWidget *parent)
    : QDialog(parent)
    , m_own(own)
    , m_host(host)
    , m_name(new QLineEdit(host.name, this))
    , m_address(new QLineEdit(host.host, this))
    , m_port(new QSpinBox(this))
    , m_user(new QLineEdit(host.user, this))
    , m_keyFile(new QLineEdit(host.keyFile, this))
    , m_note(new QPlainTextEdit(host.note, this))
    , m_problem(makeText({}, TextTone::Danger, this))
{
    setObjectName(u"hostDialog"_s);
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(host.id.isEmpty() ? tr("New SSH host") : tr("Change %1").arg(host.name));
    m_name->setObjectName(u"hostName"_s);
    m_name->setMaxLength(100);
    m_name->setPlaceholderText(tr("As the host"));
    m_address->setObjectName(u"hostAddress"_s);
    m_address->setMaxLength(512);
    m_address->setPlaceholderText(tr("host.example or 192.0.2.7"));
    m_port->setObjectName(u"hostPort"_s);
    m_port->setRange(1, 65535);
    m_port->setValue(host.port == 0 ? 22 : host.port);
    m_user->setObjectName(u"hostUser"_s);
    m_user->setMaxLength(128);
    m_user->setPlaceholderText(tr("Your name on this computer"));
    m_keyFile->setObjectName(u"hostKeyFile"_s);
    m_keyFile->setMaxLength(4096);
    m_keyFile->setPlaceholderText(tr("The usual keys"));
    m_note->setObjectName(u"hostNote"_s);
    m_note->setTabChangesFocus(true);
    m_note->setFixedHeight(64);
    QToolButton *choose = makeToolButton(IconName::More, tr("Choose a key file"), this);
    auto *keyRow = new QHBoxLayout;
    keyRow->setSpacing(4);
    keyRow->addWidget(m_keyFile, 1);
    keyRow->addWidget(choose);

    auto *form = new QFormLayout;
    form->setHorizontalSpacing(16);
    form->setVerticalSpacing(8);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    form->addRow(tr("Host"), m_address);
    form->addRow(tr("User"), m_user);
    form->addRow(tr("Port"), m_port);
    form->addRow(tr("Key file"), keyRow);
    form->addRow(tr("Name"), m_name);
    form->addRow(tr("Note"), m_note);
    for (int row = 0; row < form->rowCount(); ++row) {
        if (const auto *label = qobject_cast<QLabel *>(form->itemAt(row, QFormLayout::LabelRole)->widget())) {
            if (QWidget *field = form->itemAt(row, QFormLayout::FieldRole)->widget())
                field->setAccessibleName(label->text());
        }
    }
    m_keyFile->setAccessibleName(tr("Key file"));
    m_problem->setObjectName(u"hostProblem"_s);
    m_problem->hide();

    auto *cancel = new QPushButton(tr("Cancel"), this);
    cancel->setAutoDefault(false);
    auto *keep = new QPushButton(host.id.isEmpty() ? tr("Add host") : tr("Save"), this);
    keep->setObjectName(u"hostSubmit"_s);
    keep->setDefault(true);
    auto *buttons = new QHBoxLayout;
    buttons->addStretch();
    buttons->addWidget(cancel);
    buttons->addWidget(keep);

    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(24, 20, 24, 20);
    layout->setSpacing(8);
    layout->addWidget(makeTitle(windowTitle(), this));
    layout->addSpacing(4);
    layout->addLayout(form);
    layout->addWidget(m_problem);
    layout->addSpacing(8);
    layout->addLayout(buttons);
    setMinimumWidth(480);
    connect(choose, &QToolButton::clicked, this, &HostDialog::chooseKeyFile);
    connect(m_address, &QLineEdit::editingFinished, this, &HostDialog::takeDestination);
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(keep, &QPushButton::clicked, this, &HostDialog::submit);
    m_address->setFocus();
}

void HostDialog::takeDestination()
{
    const std::optional<SshJumpHop> hop = sshDestination(m_address->text().trimmed());
    if (!hop)
        return;
    m_address->setText(hop->host);
    if (!hop->user.isEmpty())
        m_user->setText(hop->user);
    if (hop->port != 0)
        m_port->setValue(hop->port);
}

void HostDialog::chooseKeyFile()
{
    auto *dialog = new QFileDialog(this, tr("Choose a key file"), QDir::homePath() + u"/.ssh"_s);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    connect(dialog, &QFileDialog::fileSelected, m_keyFile, &QLineEdit::setText);
    dialog->open();
}

void HostDialog::tell(const QString &problem)
{
    m_problem->setText(problem);
    m_problem->show();
    adjustSize();
}

void HostDialog::submit()
{
    takeDestination();
    m_host.host = m_address->text().trimmed();
    m_host.user = m_user->text().trimmed();
    m_host.port = quint16(m_port->value());
    m_host.keyFile = m_keyFile->text().trimmed();
    if (m_host.keyFile.startsWith("~/"_L1))
        m_host.keyFile = QDir::homePath() + m_host.keyFile.sliced(1);
    m_host.name = m_name->text().trimmed();
    if (m_host.name.isEmpty())
        m_host.name = m_host.host.left(100);
    m_host.note = m_note->toPlainText().trimmed();
    // The sentence about the host says more than the one about the name made from it.
    if (m_host.host.isEmpty())
        return tell(tr("Enter the host first."));
    if (const Done good = checkOwnHost(m_host); !good)
        return tell(good.error().detail);
    const Done kept = m_host.id.isEmpty() ? m_own->add({m_host}) : m_own->update(m_host);
    if (!kept)
        return tell(errorText(kept.error()).sentence);
    accept();
}

} // namespace Sandpiper
