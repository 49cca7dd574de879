#include "ui/logindialog.h"

#include "ui/dialogkit.h"
#include "ui/theme.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QFileInfo>
#include <QFormLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace Sandpiper {

LoginDialog::LoginDialog(const Sandbox &sandbox, LoginStore *logins, const AvailableKeys *keys, QWidget *parent)
    : QDialog(parent)
    , m_sandbox(sandbox.id)
    , m_logins(logins)
    , m_user(new QLineEdit(this))
    , m_term(new QLineEdit(this))
    , m_key(new QComboBox(this))
    , m_agent(new QCheckBox(tr("Forward the SSH &agent"), this))
    , m_sftp(new QCheckBox(tr("&Files over SFTP"), this))
    , m_problem(makeText({}, TextTone::Danger, this))
{
    const QString name = tamed(sandbox.displayName(), 60);
    setWindowTitle(tr("Log in to %1 as").arg(name));
    setWindowModality(Qt::WindowModal);
    setAttribute(Qt::WA_DeleteOnClose);
    setMinimumWidth(460);
    const LoginChoice choice = logins->of(sandbox.id);
    m_user->setText(choice.user);
    m_user->setPlaceholderText(sandbox.ssh && !sandbox.ssh->user.isEmpty() ? sandbox.ssh->user : tr("as the vendor says"));
    m_term->setText(choice.term);
    m_term->setPlaceholderText(ShellSpec().term);
    m_key->addItem(tr("The one that is registered there"), QString());
    for (const KeyFile &file : keys->files()) {
        if (file.form != KeyFile::Form::PublicOnly)
            m_key->addItem(QFileInfo(file.file).fileName(), file.file);
    }
    for (const AgentKey &key : keys->agentKeys()) {
        const QString comment = tamed(QString::fromUtf8(key.comment), 60);
        if (!key.isCertificate())
            m_key->addItem(tr("%1 (agent)").arg(comment), fingerprintOfBlob(key.blob));
    }
    if (const int at = m_key->findData(choice.key); at >= 0) {
        m_key->setCurrentIndex(at);
    } else {
        m_key->addItem(choice.key, choice.key); // not here just now, and still the choice
        m_key->setCurrentIndex(m_key->count() - 1);
    }
    auto *form = new QFormLayout;
    form->setHorizontalSpacing(4 * Metrics::unit);
    form->setVerticalSpacing(2 * Metrics::unit);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    form->addRow(tr("&User"), m_user);
    form->addRow(tr("&Key"), m_key);
    form->addRow(tr("&Terminal type"), m_term);
    m_agent->setChecked(choice.forwardsAgent);
    m_agent->setToolTip(tr("Programs there can sign in to other hosts with your keys, and so can whoever is root there, as long as you are connected."));
    form->addRow(QString(), m_agent);
    m_sftp->setChecked(!choice.withoutSftp);
    m_sftp->setToolTip(tr("Without it no file is asked for there, and none served to other programs."));
    form->addRow(QString(), m_sftp);
    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    buttons->addButton(tr("Save"), QDialogButtonBox::AcceptRole)->setDefault(true);
    connect(buttons, &QDialogButtonBox::accepted, this, &LoginDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &LoginDialog::reject);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(20, 20, 20, 16);
    column->setSpacing(3 * Metrics::unit);
    column->addWidget(makeHeading(tr("Log in to %1").arg(name), this));
    column->addWidget(makeText(tr("For new connections by SSH. What is left empty is as the vendor has it."), TextTone::Muted, this));
    column->addLayout(form);
    column->addWidget(m_problem);
    m_problem->hide();
    column->addStretch();
    column->addWidget(buttons);
}

void LoginDialog::accept()
{
    const Done kept = m_logins->set(m_sandbox, {m_user->text().trimmed(), m_term->text().trimmed(), m_key->currentData().toString(), m_agent->isChecked(),
                                                 !m_sftp->isChecked()});
    if (kept) {
        QDialog::accept();
        return;
    }
    m_problem->setText(problemText(kept.error()));
    m_problem->show();
    // A text of several lines needs the room that there was no reason to keep before.
    layout()->activate();
    resize(width(), layout()->hasHeightForWidth() ? layout()->totalHeightForWidth(width()) : sizeHint().height());
}

} // namespace Sandpiper
