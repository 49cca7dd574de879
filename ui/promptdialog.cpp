#include "ui/promptdialog.h"

#include "session/error.h"
#include "ui/theme.h"

#include <QCheckBox>
#include <QClipboard>
#include <QDialogButtonBox>
#include <QDir>
#include <QFontDatabase>
#include <QGuiApplication>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace Sandpiper {

namespace {

constexpr int maxSecret = 4096; // characters; longer than any password a server takes
constexpr int maxName = 120;

QString shownPath(const QString &path)
{
    const QString home = QDir::homePath();
    return path.startsWith(home + u'/') ? u'~' + path.mid(home.size()) : path;
}

// The editor's own copies die with it; this one is wiped.
Secret taken(const QLineEdit *edit)
{
    QByteArray bytes = edit->text().toUtf8();
    return Secret::taking(bytes);
}

} // namespace

PromptDialog::PromptDialog(const Prompt &prompt, QWidget *parent)
    : QDialog(parent)
    , m_column(new QVBoxLayout(this))
    , m_buttons(new QDialogButtonBox(this))
{
    setWindowModality(Qt::WindowModal);
    m_column->setContentsMargins(20, 20, 20, 16);
    m_column->setSpacing(3 * Metrics::unit);
    switch (prompt.kind) {
    case Prompt::Kind::UnknownHostKey:
        askUnknownKey(prompt);
        break;
    case Prompt::Kind::ChangedHostKey:
        tellChangedKey(prompt);
        break;
    case Prompt::Kind::Passphrase:
    case Prompt::Kind::Password:
        askSecret(prompt);
        break;
    case Prompt::Kind::Interactive:
        askServersQuestions(prompt);
        break;
    case Prompt::Kind::Touch:
        tellToTouch(prompt);
        break;
    }
    m_column->addStretch();
    m_column->addSpacing(Metrics::unit);
    m_column->addWidget(m_buttons);
    setMinimumWidth(460);
    setMaximumWidth(640);
    setWindowTitle(tamed(prompt.target, maxName));
    if (!m_fields.isEmpty())
        m_fields.first()->setFocus();
}

void PromptDialog::heading(const QString &text)
{
    auto *label = new QLabel(text, this);
    label->setTextFormat(Qt::PlainText);
    label->setWordWrap(true);
    QFont font = label->font();
    font.setWeight(QFont::DemiBold);
    font.setPixelSize(qRound(fontInfo().pixelSize() * 1.2));
    label->setFont(font);
    m_column->addWidget(label);
    setAccessibleName(text);
}

void PromptDialog::paragraph(const QString &text)
{
    auto *label = new QLabel(text, this);
    label->setTextFormat(Qt::PlainText);
    label->setWordWrap(true);
    m_column->addWidget(label);
}

void PromptDialog::fact(const QString &label, const QString &value)
{
    auto *name = new QLabel(label, this);
    name->setForegroundRole(QPalette::PlaceholderText);
    auto *text = new QLabel(value, this);
    text->setTextFormat(Qt::PlainText);
    text->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    text->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    text->setWordWrap(true);
    text->setAccessibleName(label);
    auto *pair = new QVBoxLayout;
    pair->setSpacing(2);
    pair->addWidget(name);
    pair->addWidget(text);
    m_column->addLayout(pair);
}

void PromptDialog::button(const QString &text, PromptAnswer::Kind kind, bool isDefault)
{
    const bool refuses = kind == PromptAnswer::Kind::Cancelled;
    QPushButton *button = m_buttons->addButton(
        text, refuses ? QDialogButtonBox::RejectRole : QDialogButtonBox::ActionRole);
    button->setAutoDefault(isDefault);
    button->setDefault(isDefault);
    connect(button, &QPushButton::clicked, this, [this, kind] { answer(kind); });
}

void PromptDialog::askUnknownKey(const Prompt &prompt)
{
    const QString target = tamed(prompt.target, maxName);
    heading(tr("Is this really %1?").arg(target));
    paragraph(tr("This computer has not met it before. Compare the fingerprint with what its owner or "
                 "vendor shows: where they differ, somebody else may be answering."));
    fact(tr("Fingerprint offered now"), tamed(prompt.fingerprint, maxName));
    fact(tr("Kind of key"), tamed(prompt.keyType, maxName));
    button(tr("Do not connect"), PromptAnswer::Kind::Cancelled, true);
    button(tr("Connect once"), PromptAnswer::Kind::JustOnce, false);
    button(tr("Connect and remember"), PromptAnswer::Kind::Accepted, false);
}

void PromptDialog::tellChangedKey(const Prompt &prompt)
{
    const QString target = tamed(prompt.target, maxName);
    const QString where = tamed(shownPath(prompt.knownWhere), 300);
    heading(tr("%1 shows another host key than before").arg(target));
    paragraph(tr("Either it was made anew, or somebody else is answering in its place. Nothing was "
                 "sent, and Sandpiper does not connect."));
    fact(tr("Known until now"), tamed(prompt.knownFingerprint, maxName));
    fact(tr("Offered now"), tamed(prompt.fingerprint, maxName));
    if (!where.isEmpty()) {
        fact(tr("The known one is kept in"), where);
        paragraph(tr("If you know why it changed, take that line out and connect again."));
    }
    QPushButton *copy = m_buttons->addButton(tr("Copy details"), QDialogButtonBox::ActionRole);
    copy->setAutoDefault(false);
    const QString details = QStringList{target, tamed(prompt.keyType, maxName),
                                        tr("Known: %1").arg(tamed(prompt.knownFingerprint, maxName)),
                                        tr("Offered: %1").arg(tamed(prompt.fingerprint, maxName)), where}
                                .join(u'\n');
    connect(copy, &QPushButton::clicked, this,
            [details] { QGuiApplication::clipboard()->setText(details); });
    button(tr("Close"), PromptAnswer::Kind::Cancelled, true);
}

void PromptDialog::askSecret(const Prompt &prompt)
{
    const bool passphrase = prompt.kind == Prompt::Kind::Passphrase;
    heading(passphrase ? tr("Unlock %1").arg(tamed(shownPath(prompt.keyFile), maxName))
                       : tr("Password for %1").arg(tamed(prompt.target, maxName)));
    if (prompt.attempt > 1)
        paragraph(passphrase ? tr("That passphrase does not open it. Try again.")
                             : tr("That password was not accepted. Try again."));
    else if (passphrase)
        paragraph(tr("The key is needed to connect to %1.").arg(tamed(prompt.target, maxName)));
    QList<Prompt::Field> fields = prompt.fields;
    if (fields.isEmpty())
        fields.append({passphrase ? tr("Passphrase") : tr("Password"), false});
    for (const Prompt::Field &field : std::as_const(fields))
        addField(field);
    if (passphrase && prompt.keeping != Prompt::Keeping::Nowhere) {
        const bool lasts = prompt.keeping == Prompt::Keeping::Keychain;
        m_keep = new QCheckBox(lasts ? tr("Remember in the keychain") : tr("Remember until Sandpiper ends"), this);
        m_column->addWidget(m_keep);
    }
    button(tr("Cancel"), PromptAnswer::Kind::Cancelled, false);
    button(passphrase ? tr("Unlock") : tr("Connect"), PromptAnswer::Kind::Accepted, true);
}

void PromptDialog::tellToTouch(const Prompt &prompt)
{
    // A notice: work in the window goes on, and it closes by itself.
    setWindowModality(Qt::NonModal);
    heading(tr("Touch your security key"));
    const QString name = tamed(prompt.keyFile, maxName);
    const QString target = tamed(prompt.target, maxName);
    paragraph(name.isEmpty() ? tr("It signs you in to %1.").arg(target) : tr("The key %1 signs you in to %2.").arg(name, target));
    button(tr("Cancel"), PromptAnswer::Kind::Cancelled, true);
}

void PromptDialog::askServersQuestions(const Prompt &prompt)
{
    heading(tr("%1 asks").arg(tamed(prompt.target, maxName)));
    if (prompt.attempt > 1)
        paragraph(tr("The last answer was not accepted."));
    for (const QString &foreign : {prompt.title, prompt.text}) {
        if (const QString text = tamed(foreign, 500); !text.isEmpty())
            paragraph(text);
    }
    for (const Prompt::Field &field : prompt.fields)
        addField(field);
    button(tr("Cancel"), PromptAnswer::Kind::Cancelled, false);
    button(prompt.fields.isEmpty() ? tr("Go on") : tr("Answer"), PromptAnswer::Kind::Accepted, true);
}

void PromptDialog::addField(const Prompt::Field &field)
{
    const QString name = tamed(field.label, 200);
    auto *label = new QLabel(name, this);
    label->setTextFormat(Qt::PlainText);
    label->setWordWrap(true);
    auto *edit = new QLineEdit(this);
    edit->setEchoMode(field.echo ? QLineEdit::Normal : QLineEdit::Password);
    edit->setMaxLength(maxSecret);
    edit->setAccessibleName(name);
    label->setBuddy(edit);
    auto *pair = new QVBoxLayout;
    pair->setSpacing(Metrics::unit);
    pair->addWidget(label);
    pair->addWidget(edit);
    m_column->addLayout(pair);
    m_fields.append(edit);
}

void PromptDialog::answer(PromptAnswer::Kind kind)
{
    if (std::exchange(m_answered, true))
        return;
    const auto result = std::make_shared<PromptAnswer>();
    result->kind = kind;
    result->keep = m_keep && m_keep->isChecked();
    for (QLineEdit *edit : std::as_const(m_fields)) {
        if (kind == PromptAnswer::Kind::Accepted)
            result->values.push_back(taken(edit));
        edit->clear();
    }
    emit answered(result);
    QDialog::done(kind == PromptAnswer::Kind::Cancelled ? Rejected : Accepted);
}

void PromptDialog::done(int result)
{
    // Escape and the window's own button say no.
    if (!m_answered)
        answer(PromptAnswer::Kind::Cancelled);
    else
        QDialog::done(result);
}

} // namespace Sandpiper
