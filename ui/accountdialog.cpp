#include "ui/accountdialog.h"

#include "session/errortext.h"
#include "ui/dialogkit.h"
#include "ui/style.h"

#include <QComboBox>
#include <QDesktopServices>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

AccountDialog::AccountDialog(AccountHub *hub, const QList<VendorInfo> &known, const QString &existing, QWidget *parent)
    : QDialog(parent)
    , m_hub(hub)
    , m_known(known)
    , m_existing(existing)
    , m_vendor(new QComboBox(this))
    , m_name(new QLineEdit(this))
    , m_secret(new QLineEdit(this))
    , m_secretLabel(new QLabel(this))
    , m_help(makeText({}, TextTone::Muted, this))
    , m_form(new QFormLayout)
    , m_extra(new QFormLayout)
    , m_extraBox(new QWidget(this))
    , m_more(new QPushButton(tr("More settings"), this))
    , m_status(makeText({}, TextTone::Muted, this))
    , m_anyway(new QPushButton(tr("Add anyway"), this))
    , m_submit(new QPushButton(this))
{
    setObjectName(u"accountDialog"_s);
    setAttribute(Qt::WA_DeleteOnClose);
    const AccountHub::Entry *entry = existing.isEmpty() ? nullptr : hub->entry(existing);
    if (entry)
        m_account = entry->account;
    setWindowTitle(entry ? tr("A new key for %1").arg(entry->account.name) : tr("Add an account"));

    for (const VendorInfo &one : known)
        m_vendor->addItem(one.displayName, one.id);
    m_vendor->setAccessibleName(tr("Vendor"));
    m_name->setObjectName(u"accountName"_s);
    m_name->setMaxLength(60);
    m_secret->setObjectName(u"accountSecret"_s);
    m_secret->setEchoMode(QLineEdit::Password);
    m_secret->setInputMethodHints(Qt::ImhSensitiveData | Qt::ImhNoPredictiveText | Qt::ImhNoAutoUppercase | Qt::ImhHiddenText);
    m_secret->setMaxLength(16 * 1024);
    m_secretLabel->setBuddy(m_secret);

    m_form->setHorizontalSpacing(16);
    m_form->setVerticalSpacing(8);
    m_form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    m_form->addRow(tr("Vendor"), m_vendor);
    m_form->addRow(tr("Name"), m_name);
    m_form->addRow(m_secretLabel, m_secret);
    m_form->addRow(QString(), m_help);
    m_extra->setHorizontalSpacing(16);
    m_extra->setVerticalSpacing(8);
    m_extra->setContentsMargins(0, 0, 0, 0);
    m_extra->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    m_extraBox->setLayout(m_extra);
    m_extraBox->hide();
    setQuiet(m_more);
    m_more->setIcon(icon(IconName::ChevronRight));
    m_more->setCheckable(false);
    m_more->setAutoDefault(false);

    m_submit->setObjectName(u"accountSubmit"_s);
    m_submit->setDefault(true);
    m_anyway->setObjectName(u"accountAnyway"_s);
    m_anyway->setAutoDefault(false);
    m_status->setObjectName(u"accountStatus"_s);
    auto *cancel = new QPushButton(tr("Cancel"), this);
    cancel->setAutoDefault(false);
    auto *buttons = new QHBoxLayout;
    buttons->addStretch();
    buttons->addWidget(cancel);
    buttons->addWidget(m_anyway);
    buttons->addWidget(m_submit);

    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(24, 20, 24, 20);
    layout->setSpacing(8);
    layout->addWidget(makeTitle(windowTitle(), this));
    layout->addSpacing(4);
    layout->addLayout(m_form);
    layout->addWidget(m_more, 0, Qt::AlignLeft);
    layout->addWidget(m_extraBox);
    layout->addWidget(m_status);
    layout->addSpacing(8);
    layout->addLayout(buttons);
    setMinimumWidth(500);

    connect(m_vendor, &QComboBox::currentIndexChanged, this, &AccountDialog::vendorChosen);
    connect(m_more, &QPushButton::clicked, this, [this] {
        const bool show = m_extraBox->isHidden();
        m_extraBox->setVisible(show);
        m_more->setIcon(icon(show ? IconName::ChevronDown : IconName::ChevronRight));
        adjustSize();
    });
    connect(m_secret, &QLineEdit::textChanged, this, [this] { setPhase(Phase::Editing); });
    connect(m_submit, &QPushButton::clicked, this, &AccountDialog::submit);
    connect(m_anyway, &QPushButton::clicked, this, &AccountDialog::keep);
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);

    if (entry) {
        m_vendor->setCurrentIndex(qMax(0, m_vendor->findData(m_account.vendor)));
        m_form->setRowVisible(m_vendor, false);
        m_form->setRowVisible(m_name, false);
        m_more->hide();
    }
    vendorChosen();
    setPhase(Phase::Editing);
    if (entry || known.size() == 1)
        m_secret->setFocus();
    else
        m_vendor->setFocus();
}

AccountDialog::~AccountDialog()
{
    m_test.cancel();
    // The field's own buffer is Qt's; a blank over it is the most that can be done.
    const QSignalBlocker quiet(m_secret);
    m_secret->setText(QString(m_secret->text().size(), u'\0'));
    m_secret->clear();
}

const VendorInfo *AccountDialog::vendor() const
{
    const int at = m_vendor->currentIndex();
    return at >= 0 && at < m_known.size() ? &m_known.at(at) : nullptr;
}

void AccountDialog::vendorChosen()
{
    const VendorInfo *chosen = vendor();
    if (!chosen)
        return;
    while (m_extra->rowCount() > 0)
        m_extra->removeRow(0);
    m_fields.clear();
    m_ca = nullptr;
    m_secretLabel->setText(tr("Key"));
    m_secret->setPlaceholderText(chosen->secretLabel);
    m_secret->setToolTip(chosen->secretLabel);
    m_secret->setAccessibleName(chosen->secretLabel);
    m_name->setPlaceholderText(chosen->displayName);
    m_help->setText(chosen->helpUrl.isEmpty() ? QString() : tr("To be had at %1").arg(chosen->helpUrl.toDisplayString()));
    m_help->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_help->setVisible(!chosen->helpUrl.isEmpty());
    const auto label = [](AccountField field) {
        switch (field) {
        case AccountField::ApiUrl:
            return tr("API address");
        case AccountField::ProxyUrl:
            return tr("Sandbox address");
        case AccountField::Organization:
            return tr("Organization");
        case AccountField::Project:
            return tr("Project");
        case AccountField::PinnedCa:
            return tr("Trusted authority");
        }
        Q_UNREACHABLE_RETURN(QString());
    };
    bool mustFill = false;
    for (const AccountField field : chosen->required) {
        addField(field, label(field), true);
        // What has a default need not be looked at.
        mustFill = mustFill || field != AccountField::ApiUrl || chosen->defaultApiUrl.isEmpty();
    }
    for (const AccountField field : chosen->optional)
        addField(field, label(field), false);
    if (QLineEdit *api = m_fields.value(AccountField::ApiUrl))
        api->setPlaceholderText(chosen->defaultApiUrl.toDisplayString());
    m_more->setVisible(m_existing.isEmpty() && m_extra->rowCount() > 0 && !mustFill);
    m_extraBox->setVisible(mustFill && m_existing.isEmpty());
    m_more->setIcon(icon(IconName::ChevronRight));
    // Both forms stand in the same columns.
    for (QFormLayout *form : {m_form, m_extra}) {
        for (int row = 0; row < form->rowCount(); ++row) {
            const QLayoutItem *item = form->itemAt(row, QFormLayout::LabelRole);
            if (item && item->widget())
                item->widget()->setMinimumWidth(112);
        }
    }
}

void AccountDialog::addField(AccountField field, const QString &label, bool required)
{
    if (field == AccountField::PinnedCa) {
        m_ca = new QPlainTextEdit(m_extraBox);
        m_ca->setPlaceholderText(u"-----BEGIN CERTIFICATE-----"_s);
        m_ca->setTabChangesFocus(true);
        m_ca->setFixedHeight(72);
        m_ca->setAccessibleName(label);
        m_ca->setToolTip(tr("The only authority trusted for this account, in PEM. For a private installation."));
        m_extra->addRow(label, m_ca);
        return;
    }
    auto *edit = new QLineEdit(m_extraBox);
    edit->setMaxLength(2048);
    edit->setAccessibleName(label);
    if (!required)
        edit->setPlaceholderText(tr("Optional"));
    m_extra->addRow(label, edit);
    m_fields.insert(field, edit);
}

std::optional<Account> AccountDialog::accountFromFields(QString &problem) const
{
    if (!m_existing.isEmpty())
        return m_account;
    const VendorInfo *chosen = vendor();
    if (!chosen)
        return std::nullopt;
    Account account;
    account.id = newAccountId();
    account.vendor = chosen->id;
    account.name = m_name->text().trimmed();
    if (account.name.isEmpty())
        account.name = chosen->displayName;
    const auto field = [this](AccountField which) {
        const QLineEdit *edit = m_fields.value(which);
        return edit ? edit->text().trimmed() : QString();
    };
    const auto address = [&](AccountField which, const QUrl &standard) -> std::optional<QUrl> {
        const QString text = field(which);
        if (text.isEmpty())
            return standard;
        const QUrl url(text, QUrl::StrictMode);
        if (!url.isValid() || url.host().isEmpty())
            return std::nullopt;
        return url;
    };
    const std::optional<QUrl> api = address(AccountField::ApiUrl, chosen->defaultApiUrl);
    const std::optional<QUrl> proxy = address(AccountField::ProxyUrl, {});
    if (!api || !proxy) {
        problem = tr("An address must look like %1.").arg(chosen->defaultApiUrl.toDisplayString());
        return std::nullopt;
    }
    if (api->isEmpty()) {
        problem = tr("The address of the API is still empty.");
        return std::nullopt;
    }
    account.apiUrl = *api;
    account.proxyUrl = *proxy;
    account.organization = field(AccountField::Organization);
    account.project = field(AccountField::Project);
    for (const AccountField required : chosen->required) {
        if (required != AccountField::ApiUrl && m_fields.contains(required) && field(required).isEmpty()) {
            problem = tr("Something is still empty above.");
            return std::nullopt;
        }
    }
    if (m_ca)
        account.pinnedCa = m_ca->toPlainText().trimmed().toUtf8();
    return account;
}

std::shared_ptr<Secret> AccountDialog::takeSecret() const
{
    QByteArray bytes = m_secret->text().trimmed().toUtf8();
    // shared_ptr: the keychain, the provider and this dialog each hold it for a while.
    return std::make_shared<Secret>(Secret::taking(bytes));
}

void AccountDialog::submit()
{
    QString problem;
    const std::optional<Account> account = accountFromFields(problem);
    const std::shared_ptr<Secret> secret = takeSecret();
    if (!account) {
        setPhase(Phase::Editing, problem);
        return;
    }
    if (secret->isEmpty()) {
        setPhase(Phase::Editing, tr("Enter the key first."));
        m_secret->setFocus();
        return;
    }
    m_account = *account;
    m_testedSecret = secret;
    setPhase(Phase::Testing, tr("Asking %1 whether the key is good…").arg(account->apiUrl.host()));
    m_test = m_hub->test(*account, secret);
    m_test.then(this, [this](const Done &tested) {
        if (tested)
            keep();
        else if (tested.error().kind != ErrorKind::Cancelled)
            setPhase(Phase::Refused, errorText(tested.error()).sentence);
    });
}

void AccountDialog::keep()
{
    if (!m_testedSecret)
        return;
    if (!m_existing.isEmpty()) {
        m_hub->replaceSecret(m_existing, m_testedSecret);
        accept();
        return;
    }
    if (const Done kept = m_hub->add(m_account, m_testedSecret); !kept) {
        setPhase(Phase::Refused, errorText(kept.error()).sentence);
        return;
    }
    emit added(m_account.id);
    accept();
}

void AccountDialog::setPhase(Phase phase, const QString &text)
{
    m_status->setText(text);
    m_status->setVisible(!text.isEmpty());
    m_status->setForegroundRole(phase == Phase::Refused ? QPalette::BrightText : QPalette::PlaceholderText);
    m_submit->setEnabled(phase != Phase::Testing);
    m_submit->setText(phase == Phase::Refused ? tr("Try again") : m_existing.isEmpty() ? tr("Add account") : tr("Use this key"));
    m_anyway->setVisible(phase == Phase::Refused && m_existing.isEmpty());
    if (isVisible())
        adjustSize();
}

} // namespace Sandpiper
