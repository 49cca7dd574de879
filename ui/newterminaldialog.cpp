#include "ui/newterminaldialog.h"

#include "ui/theme.h"

#include <QDialogButtonBox>
#include <QFontDatabase>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QRadioButton>
#include <QVBoxLayout>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

namespace {

QLabel *hint(const QString &text, QWidget *parent)
{
    auto *label = new QLabel(text, parent);
    label->setForegroundRole(QPalette::PlaceholderText);
    label->setWordWrap(true);
    return label;
}

} // namespace

NewTerminalDialog::NewTerminalDialog(const Sandbox &sandbox, const Launch &last, QWidget *parent)
    : QDialog(parent)
    , m_pty(new QRadioButton(tr("PTY: comes back after a break"), this))
    , m_ssh(new QRadioButton(tr("SSH"), this))
    , m_command(new QLineEdit(this))
    , m_arguments(new QLineEdit(this))
    , m_environment(new QPlainTextEdit(this))
    , m_directory(new QLineEdit(this))
    , m_term(new QLineEdit(this))
    , m_problem(new QLabel(this))
{
    setWindowTitle(tr("New terminal in %1").arg(tamed(sandbox.displayName(), 60)));
    setWindowModality(Qt::WindowModal);
    setAttribute(Qt::WA_DeleteOnClose);

    auto *form = new QFormLayout;
    form->setHorizontalSpacing(4 * Metrics::unit);
    form->setVerticalSpacing(2 * Metrics::unit);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    form->addRow(tr("&Command"), m_command);
    form->addRow(tr("&Arguments"), m_arguments);
    form->addRow(tr("&Folder"), m_directory);
    form->addRow(tr("&Environment"), m_environment);
    form->addRow(tr("&Terminal type"), m_term);

    auto *routes = new QWidget(this);
    auto *column = new QVBoxLayout(routes);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(Metrics::unit);
    const auto offer = [&](QRadioButton *button, Capability capability) {
        column->addWidget(button);
        button->setEnabled(sandbox.capabilities.has(capability));
        const QString why = sandbox.capabilities.reasonAgainst(capability);
        if (button->isEnabled())
            return;
        button->setToolTip(why);
        QLabel *reason = hint(why.isEmpty() ? tr("This sandbox does not offer it.") : why, routes);
        reason->setIndent(6 * Metrics::unit);
        column->addWidget(reason);
    };
    offer(m_pty, Capability::PtyShell);
    offer(m_ssh, Capability::SshShell);
    form->addRow(tr("By"), routes);

    const QFont fixed = QFontDatabase::systemFont(QFontDatabase::FixedFont);
    for (QLineEdit *edit : {m_command, m_arguments, m_directory, m_term})
        edit->setFont(fixed);
    m_environment->setFont(fixed);
    m_command->setPlaceholderText(tr("the login shell"));
    m_directory->setPlaceholderText(tr("/workspace where it exists, else home"));
    m_environment->setPlaceholderText(tr("NAME=value, one a line"));
    m_environment->setTabChangesFocus(true);
    m_environment->setLineWrapMode(QPlainTextEdit::NoWrap);
    m_environment->setFixedHeight(4 * m_environment->fontMetrics().lineSpacing() + 4 * Metrics::unit);
    m_problem->setWordWrap(true);
    m_problem->setForegroundRole(QPalette::WindowText);
    // Its line is kept free, so that the dialog does not jump when there is something to say.
    m_problem->setMinimumHeight(m_problem->fontMetrics().lineSpacing());

    auto *buttons = new QDialogButtonBox(this);
    m_open = buttons->addButton(tr("Open terminal"), QDialogButtonBox::AcceptRole);
    m_open->setDefault(true);
    buttons->addButton(tr("Cancel"), QDialogButtonBox::RejectRole);
    QPushButton *defaults = buttons->addButton(tr("Defaults"), QDialogButtonBox::ResetRole);
    connect(buttons, &QDialogButtonBox::accepted, this, &NewTerminalDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &NewTerminalDialog::reject);
    connect(defaults, &QPushButton::clicked, this,
            [this] { setForm(formFor(defaultLaunch(this->form().route))); });

    auto *all = new QVBoxLayout(this);
    all->setContentsMargins(20, 20, 20, 16);
    all->setSpacing(3 * Metrics::unit);
    all->addLayout(form);
    all->addWidget(m_problem);
    all->addWidget(buttons);
    setMinimumWidth(520);

    for (QLineEdit *edit : {m_command, m_arguments, m_directory, m_term})
        connect(edit, &QLineEdit::textChanged, this, &NewTerminalDialog::check);
    connect(m_environment, &QPlainTextEdit::textChanged, this, &NewTerminalDialog::check);
    connect(m_pty, &QRadioButton::toggled, this, &NewTerminalDialog::check);
    connect(m_ssh, &QRadioButton::toggled, this, &NewTerminalDialog::check);
    setForm(formFor(last));
    m_command->setFocus();
    m_command->selectAll();
}

LaunchForm NewTerminalDialog::form() const
{
    return {.route = m_ssh->isChecked() ? ShellRoute::Ssh : ShellRoute::Pty,
            .command = m_command->text(),
            .arguments = m_arguments->text(),
            .environment = m_environment->toPlainText(),
            .directory = m_directory->text(),
            .term = m_term->text()};
}

void NewTerminalDialog::setForm(const LaunchForm &form)
{
    // The remembered route may have gone since.
    const bool ssh = m_ssh->isEnabled() && (form.route == ShellRoute::Ssh || !m_pty->isEnabled());
    m_ssh->setChecked(ssh);
    m_pty->setChecked(!ssh && m_pty->isEnabled());
    m_command->setText(form.command);
    m_arguments->setText(form.arguments);
    m_environment->setPlainText(form.environment);
    m_directory->setText(form.directory);
    m_term->setText(form.term);
    check();
}

void NewTerminalDialog::check()
{
    const auto launch = launchFrom(form());
    const bool hasRoute = m_pty->isChecked() || m_ssh->isChecked();
    m_open->setEnabled(launch && hasRoute);
    const auto name = [this](LaunchField field) {
        switch (field) {
        case LaunchField::Command: return tr("Command");
        case LaunchField::Arguments: return tr("Arguments");
        case LaunchField::Environment: return tr("Environment");
        case LaunchField::Directory: return tr("Folder");
        case LaunchField::Term: return tr("Terminal type");
        case LaunchField::None: return QString();
        }
        Q_UNREACHABLE_RETURN(QString());
    };
    m_problem->setText(launch ? QString()
                              : tr("%1: %2").arg(name(launch.error().field), launch.error().sentence));
    QPalette palette = m_problem->palette();
    palette.setColor(QPalette::WindowText, themeColors().danger);
    m_problem->setPalette(palette);
}

void NewTerminalDialog::accept()
{
    const auto launch = launchFrom(form());
    if (!launch || !m_open->isEnabled())
        return;
    emit agreed(*launch);
    QDialog::accept();
}

} // namespace Sandpiper
