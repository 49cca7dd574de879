#include "ui/keydialogs.h"

#include "ui/dialogkit.h"
#include "ui/theme.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFileInfo>
#include <QFormLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QSysInfo>
#include <QVBoxLayout>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr int kLongestPassphrase = 1024; // characters

QLineEdit *secretField(QWidget *parent)
{
    auto *edit = new QLineEdit(parent);
    edit->setEchoMode(QLineEdit::Password);
    edit->setMaxLength(kLongestPassphrase);
    return edit;
}

// The editor's own copies die with it; this one is wiped.
std::shared_ptr<Secret> taken(QLineEdit *edit)
{
    QByteArray bytes = edit ? edit->text().toUtf8() : QByteArray();
    if (edit)
        edit->clear();
    return std::make_shared<Secret>(Secret::taking(bytes));
}

QFormLayout *makeForm()
{
    auto *form = new QFormLayout;
    form->setHorizontalSpacing(4 * Metrics::unit);
    form->setVerticalSpacing(2 * Metrics::unit);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    return form;
}

// Heading, form, problem and buttons, one under the other; the button that goes ahead is returned.
QPushButton *layOut(QDialog *dialog, const QString &heading, const QString &text, QFormLayout *form, QLabel *problem, const QString &verb)
{
    dialog->setWindowModality(Qt::WindowModal);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setMinimumWidth(460);
    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, dialog);
    QPushButton *go = buttons->addButton(verb, QDialogButtonBox::AcceptRole);
    go->setDefault(true);
    QObject::connect(buttons, &QDialogButtonBox::accepted, dialog, &QDialog::accept);
    QObject::connect(buttons, &QDialogButtonBox::rejected, dialog, &QDialog::reject);
    auto *column = new QVBoxLayout(dialog);
    column->setContentsMargins(20, 20, 20, 16);
    column->setSpacing(3 * Metrics::unit);
    column->addWidget(makeHeading(heading, dialog));
    if (!text.isEmpty())
        column->addWidget(makeText(text, TextTone::Muted, dialog));
    column->addLayout(form);
    column->addWidget(problem);
    column->addStretch();
    column->addWidget(buttons);
    dialog->setAccessibleName(heading);
    return go;
}

} // namespace

GenerateKeyDialog::GenerateKeyDialog(const QString &folder, QWidget *parent)
    : QDialog(parent)
    , m_folder(folder)
    , m_type(new QComboBox(this))
    , m_name(new QLineEdit(this))
    , m_comment(new QLineEdit(this))
    , m_passphrase(secretField(this))
    , m_again(secretField(this))
    , m_problem(makeText({}, TextTone::Danger, this))
{
    setWindowTitle(tr("New SSH key"));
    m_type->addItem(tr("Ed25519: small and quick"));
    m_type->addItem(tr("RSA 4096: for old servers"));
    QString name = u"id_ed25519"_s;
    for (int i = 2; QFileInfo::exists(folder + u'/' + name); ++i)
        name = u"id_ed25519_%1"_s.arg(i);
    m_name->setText(name);
    m_name->setMaxLength(100);
    m_comment->setText(qEnvironmentVariable("USER", u"me"_s) + u'@' + QSysInfo::machineHostName());
    m_comment->setMaxLength(200);
    m_passphrase->setPlaceholderText(tr("none"));
    m_problem->setWordWrap(true);
    QFormLayout *form = makeForm();
    form->addRow(tr("&Kind"), m_type);
    form->addRow(tr("&File name"), m_name);
    form->addRow(tr("&Comment"), m_comment);
    form->addRow(tr("&Passphrase"), m_passphrase);
    form->addRow(tr("&Again"), m_again);
    m_make = layOut(this, tr("New SSH key"), tr("The private half stays in %1. A passphrase protects it should the file be copied.").arg(folder), form,
                    m_problem, tr("Generate"));
    for (const QLineEdit *edit : {m_name, m_passphrase, m_again})
        connect(edit, &QLineEdit::textChanged, this, &GenerateKeyDialog::check);
    check();
    m_name->setFocus();
}

void GenerateKeyDialog::check()
{
    const QString name = m_name->text().trimmed();
    const QString file = m_folder + u'/' + name;
    QString problem;
    if (!name.isEmpty() && !isKeyFileName(name))
        problem = tr("This cannot be the name of a key file.");
    else if (!name.isEmpty() && (QFileInfo::exists(file) || QFileInfo::exists(file + u".pub"_s)))
        problem = tr("%1 is there already.").arg(name);
    else if (m_passphrase->text() != m_again->text() && !m_again->text().isEmpty())
        problem = tr("The two passphrases differ.");
    m_problem->setText(problem);
    m_make->setEnabled(problem.isEmpty() && !name.isEmpty() && m_passphrase->text() == m_again->text());
}

void GenerateKeyDialog::accept()
{
    if (!m_make->isEnabled())
        return;
    const NewKeyType type = m_type->currentIndex() == 0 ? NewKeyType::Ed25519 : NewKeyType::Rsa4096;
    m_again->clear();
    const std::shared_ptr<Secret> passphrase = taken(m_passphrase);
    emit agreed(type, m_folder + u'/' + m_name->text().trimmed(), m_comment->text(), passphrase);
    QDialog::accept();
}

KeyPassphraseDialog::KeyPassphraseDialog(const KeyFile &key, Purpose purpose, const QString &verb, QWidget *parent)
    : QDialog(parent)
    , m_problem(makeText({}, TextTone::Danger, this))
{
    const QString name = QFileInfo(key.file).fileName();
    const bool changes = purpose == Purpose::Change;
    setWindowTitle(changes ? tr("Change passphrase") : tr("Unlock %1").arg(name));
    QFormLayout *form = makeForm();
    if (key.isEncrypted) {
        m_before = secretField(this);
        form->addRow(changes ? tr("&Passphrase now") : tr("&Passphrase"), m_before);
    }
    if (changes) {
        m_after = secretField(this);
        m_after->setPlaceholderText(tr("none"));
        m_again = secretField(this);
        form->addRow(tr("&New passphrase"), m_after);
        form->addRow(tr("&Again"), m_again);
    }
    m_go = layOut(this, changes ? tr("Change the passphrase of %1").arg(name) : tr("Unlock %1").arg(name), {}, form, m_problem, verb);
    for (const QLineEdit *edit : {m_before, m_after, m_again}) {
        if (edit)
            connect(edit, &QLineEdit::textChanged, this, &KeyPassphraseDialog::check);
    }
    check();
    if (QLineEdit *first = m_before ? m_before : m_after)
        first->setFocus();
}

void KeyPassphraseDialog::check()
{
    const bool differ = m_again && m_after->text() != m_again->text();
    m_problem->setText(differ && !m_again->text().isEmpty() ? tr("The two passphrases differ.") : QString());
    m_go->setEnabled(!differ && (!m_before || !m_before->text().isEmpty()));
}

void KeyPassphraseDialog::accept()
{
    if (!m_go->isEnabled())
        return;
    const std::shared_ptr<Secret> before = taken(m_before);
    if (m_again)
        m_again->clear();
    const std::shared_ptr<Secret> after = taken(m_after);
    emit agreed(before, after);
    QDialog::accept();
}

} // namespace Sandpiper
