#include "ui/promptdialog.h"

#include "session/error.h"
#include "ui/theme.h"

#include <QCheckBox>
#include <QClipboard>
#include <QDialogButtonBox>
#include <QDir>
#include <QFontDatabase>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace Sandpiper {

namespace {

constexpr int maxSecret = 4096; // characters; longer than any password a server takes
constexpr int maxName = 120;
constexpr int maxText = 500;

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
    case Prompt::Kind::Confirm:
        askConsent(prompt);
        break;
    case Prompt::Kind::Touch:
        tellToTouch(prompt);
        break;
    }
    m_column->addStretch();
    m_column->addSpacing(Metrics::unit);
    m_column->addWidget(m_buttons);
    setMinimumWidth(460);
    // Two fingerprints side by side, each on one line.
    setMaximumWidth(prompt.kind == Prompt::Kind::ChangedHostKey ? 960 : 640);
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
    if (!prompt.text.isEmpty())
        paragraph(tamed(prompt.text, 500));
    paragraph(tr("This computer has not met it before. Compare the fingerprint with what its owner or "
                 "vendor shows: where they differ, somebody else may be answering."));
    addressOf(prompt);
    auto *row = new QHBoxLayout;
    row->setSpacing(6 * Metrics::unit);
    row->addLayout(keyColumn({tr("Offered now"), prompt.keyType, prompt.fingerprint, prompt.randomart}));
    row->addStretch();
    m_column->addLayout(row);
    button(tr("Do not connect"), PromptAnswer::Kind::Cancelled, true);
    button(tr("Connect once"), PromptAnswer::Kind::JustOnce, false);
    button(tr("Connect and remember"), PromptAnswer::Kind::Accepted, false);
}

void PromptDialog::tellChangedKey(const Prompt &prompt)
{
    const QString target = tamed(prompt.target, maxName);
    const QString where = tamed(shownPath(prompt.knownWhere), 300);
    heading(tr("%1 shows another host key than before").arg(target));
    paragraph(prompt.isSandbox ? tr("Nothing was sent, and Sandpiper does not connect. A sandbox keeps its host key unless its vendor made it anew, "
                                    "for instance from a snapshot; otherwise somebody else is answering in its place.")
                               : tr("Nothing was sent, and Sandpiper does not connect. Either the host was installed anew, or somebody "
                                    "stands in between and reads along. Ask whoever runs it before you go on."));
    addressOf(prompt);
    auto *row = new QHBoxLayout;
    row->setSpacing(6 * Metrics::unit);
    row->addLayout(keyColumn({tr("Known until now"), prompt.knownKeyType, prompt.knownFingerprint, prompt.knownRandomart}));
    row->addLayout(keyColumn({tr("Offered now"), prompt.keyType, prompt.fingerprint, prompt.randomart}));
    row->addStretch();
    m_column->addLayout(row);
    if (!where.isEmpty()) {
        fact(tr("The known one is kept in"), where);
        paragraph(tr("If you know why it changed, forget the old key on the page of host keys and connect again."));
        QPushButton *open = m_buttons->addButton(tr("Open host keys"), QDialogButtonBox::ActionRole);
        open->setAutoDefault(false);
        connect(open, &QPushButton::clicked, this, [this, fingerprint = prompt.knownFingerprint] {
            emit hostKeysWanted(fingerprint);
            answer(PromptAnswer::Kind::Cancelled);
        });
    }
    QPushButton *copy = m_buttons->addButton(tr("Copy details"), QDialogButtonBox::ActionRole);
    copy->setAutoDefault(false);
    const QString details = QStringList{target, tamed(prompt.address, maxName),
                                        tr("Known: %1 %2").arg(tamed(prompt.knownKeyType, maxName), tamed(prompt.knownFingerprint, maxName)),
                                        tr("Offered: %1 %2").arg(tamed(prompt.keyType, maxName), tamed(prompt.fingerprint, maxName)), where}
                                .join(u'\n');
    connect(copy, &QPushButton::clicked, this,
            [details] { QGuiApplication::clipboard()->setText(details); });
    button(tr("Close"), PromptAnswer::Kind::Cancelled, true);
}

void PromptDialog::addressOf(const Prompt &prompt)
{
    if (!prompt.address.isEmpty() && !prompt.target.contains(prompt.address))
        fact(tr("Address"), tamed(prompt.address, maxName));
}

QVBoxLayout *PromptDialog::keyColumn(const ShownKey &key)
{
    auto *column = new QVBoxLayout;
    column->setSpacing(2);
    auto *title = new QLabel(key.title, this);
    title->setForegroundRole(QPalette::PlaceholderText);
    column->addWidget(title);
    const QString fingerprint = tamed(key.fingerprint, maxName);
    const auto add = [&](const QString &text, const QString &name) {
        if (text.isEmpty())
            return;
        auto *label = new QLabel(text, this);
        label->setTextFormat(Qt::PlainText);
        label->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
        label->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
        label->setAccessibleName(name);
        column->addWidget(label);
    };
    add(tamed(key.type, maxName), tr("%1: type").arg(key.title));
    add(fingerprint, tr("%1: fingerprint").arg(key.title));
    if (!key.randomart.isEmpty()) {
        QStringList lines = key.randomart.left(1000).split(u'\n');
        for (QString &line : lines)
            line = tamed(line, 40);
        column->addSpacing(Metrics::unit);
        add(lines.join(u'\n'), tr("%1: drawing of the key").arg(key.title));
    }
    column->addStretch();
    return column;
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
        if (const QString text = tamed(foreign, maxText); !text.isEmpty())
            paragraph(text);
    }
    for (const Prompt::Field &field : prompt.fields)
        addField(field);
    button(tr("Cancel"), PromptAnswer::Kind::Cancelled, false);
    button(prompt.fields.isEmpty() ? tr("Go on") : tr("Answer"), PromptAnswer::Kind::Accepted, true);
}

void PromptDialog::askConsent(const Prompt &prompt)
{
    heading(tamed(prompt.title, maxName));
    paragraph(tamed(prompt.text, maxText));
    const bool runs = !prompt.command.isEmpty();
    if (runs)
        fact(tr("Command"), tamed(prompt.command, Prompt::maxCommand));
    button(runs ? tr("Do not run") : tr("Cancel"), PromptAnswer::Kind::Cancelled, true);
    button(runs ? tr("Run") : tr("Go on"), PromptAnswer::Kind::Accepted, false);
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
