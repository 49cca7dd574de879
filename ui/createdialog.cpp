#include "ui/createdialog.h"

#include "session/providers/sshhosts.h"
#include "ui/dialogkit.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QRegularExpressionValidator>
#include <QSpinBox>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

CreateDialog::CreateDialog(AccountHub *hub, SandboxCommands *commands, const QString &accountId, QWidget *parent)
    : QDialog(parent)
    , m_hub(hub)
    , m_commands(commands)
    , m_account(new QComboBox(this))
    , m_name(new QLineEdit(this))
    , m_image(new QLineEdit(this))
    , m_cpus(new QDoubleSpinBox(this))
    , m_memory(new QSpinBox(this))
    , m_disk(new QSpinBox(this))
    , m_timeout(new QSpinBox(this))
    , m_open(new QCheckBox(tr("Open a terminal in it"), this))
    , m_reason(makeText({}, TextTone::Danger, this))
    , m_create(new QPushButton(tr("Create"), this))
{
    setObjectName(u"createDialog"_s);
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("New sandbox"));
    for (const AccountHub::Entry &entry : hub->entries()) {
        if (entry.account.vendor != sshVendorId())
            m_account->addItem(entry.account.name, entry.account.id);
    }
    m_account->setCurrentIndex(qMax(0, m_account->findData(accountId)));
    m_name->setObjectName(u"createName"_s);
    m_name->setMaxLength(63);
    m_name->setClearButtonEnabled(true);
    m_image->setPlaceholderText(tr("The vendor's default"));
    const auto number = [this](QAbstractSpinBox *box) {
        box->setSpecialValueText(tr("Default"));
        box->setButtonSymbols(QAbstractSpinBox::UpDownArrows);
    };
    number(m_cpus);
    m_cpus->setRange(0, 128);
    m_cpus->setSingleStep(0.5);
    m_cpus->setDecimals(2);
    number(m_memory);
    m_memory->setRange(0, 1 << 20);
    m_memory->setSingleStep(512);
    m_memory->setSuffix(tr(" MiB"));
    number(m_disk);
    m_disk->setRange(0, 1 << 24);
    m_disk->setSingleStep(1024);
    m_disk->setSuffix(tr(" MiB"));
    number(m_timeout);
    m_timeout->setRange(0, 60 * 24 * 30);
    m_timeout->setSingleStep(10);
    m_timeout->setSuffix(tr(" min"));
    m_open->setChecked(true);

    auto *form = new QFormLayout;
    form->setHorizontalSpacing(16);
    form->setVerticalSpacing(8);
    form->setLabelAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    form->addRow(tr("Where"), m_account);
    form->addRow(tr("Name"), m_name);
    form->addRow(tr("Image"), m_image);
    auto *size = new QHBoxLayout;
    size->setSpacing(8);
    size->addWidget(m_cpus, 1);
    size->addWidget(m_memory, 1);
    size->addWidget(m_disk, 1);
    m_cpus->setAccessibleName(tr("Processors"));
    m_cpus->setSuffix(tr(" CPU"));
    m_memory->setAccessibleName(tr("Memory in MiB"));
    m_disk->setAccessibleName(tr("Disk in MiB"));
    form->addRow(tr("CPU, memory, disk"), size);
    form->addRow(tr("Ends after"), m_timeout);
    form->addRow(QString(), m_open);

    auto *buttons = new QHBoxLayout;
    buttons->addStretch();
    auto *cancel = new QPushButton(tr("Cancel"), this);
    cancel->setAutoDefault(false);
    m_create->setObjectName(u"createButton"_s);
    m_create->setDefault(true);
    buttons->addWidget(cancel);
    buttons->addWidget(m_create);

    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(24, 20, 24, 20);
    layout->setSpacing(8);
    layout->addWidget(makeTitle(windowTitle(), this));
    layout->addSpacing(4);
    layout->addLayout(form);
    layout->addWidget(m_reason);
    layout->addSpacing(8);
    layout->addLayout(buttons);
    setMinimumWidth(480);

    connect(m_account, &QComboBox::currentIndexChanged, this, &CreateDialog::accountChosen);
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_create, &QPushButton::clicked, this, &CreateDialog::create);
    accountChosen();
    m_name->setFocus();
    m_name->selectAll();
}

QString CreateDialog::accountId() const
{
    return m_account->currentData().toString();
}

void CreateDialog::accountChosen()
{
    const QString next = m_commands->freeName(accountId());
    if (m_name->text() == m_suggested)
        m_name->setText(next);
    m_suggested = next;
    const AccountHub::Entry *entry = m_hub->entry(accountId());
    const bool local = accountId() == m_hub->localId();
    QString reason;
    const SandboxProvider *provider = m_hub->provider(accountId());
    if (provider && !provider->capabilities().has(Capability::Create))
        reason = provider->capabilities().reasonAgainst(Capability::Create);
    else if (!provider && !local)
        reason = tr("%1 is not connected.").arg(entry ? entry->account.name : QString());
    m_reason->setText(reason);
    m_reason->setVisible(!reason.isEmpty());
    m_create->setEnabled(reason.isEmpty());
    m_timeout->setSpecialValueText(local ? tr("Never") : tr("Default"));
}

CreateRequest CreateDialog::request() const
{
    CreateRequest request;
    request.name = m_name->text().trimmed();
    request.image = m_image->text().trimmed();
    if (m_cpus->value() > 0)
        request.cpus = m_cpus->value();
    if (m_memory->value() > 0)
        request.memoryMiB = m_memory->value();
    if (m_disk->value() > 0)
        request.diskMiB = m_disk->value();
    if (m_timeout->value() > 0)
        request.timeoutSeconds = qint64(m_timeout->value()) * 60;
    return request;
}

void CreateDialog::create()
{
    m_commands->create(accountId(), request(),
                       m_open->isChecked() ? SandboxCommands::Then::OpenTerminal : SandboxCommands::Then::Nothing);
    accept();
}

} // namespace Sandpiper
