#include "ui/forwarddialog.h"

#include "session/forwardways.h"
#include "ui/dialogkit.h"
#include "ui/forwardwords.h"
#include "ui/sandboxtext.h"
#include "ui/portwords.h"
#include "ui/theme.h"

#include <QButtonGroup>
#include <QCheckBox>
#include <QComboBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QMenu>
#include <QPainter>
#include <QPushButton>
#include <QRadioButton>
#include <QSpinBox>
#include <QStandardItemModel>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPictureHeight = 84;
constexpr int kBoxWidth = 168;
constexpr int kMostKib = 10 << 20; // 10 GiB a second

} // namespace

ForwardPicture::ForwardPicture(QWidget *parent)
    : QWidget(parent)
{
    setObjectName(u"forwardPicture"_s);
    setFixedHeight(kPictureHeight);
}

QSize ForwardPicture::sizeHint() const
{
    return {3 * kBoxWidth, kPictureHeight};
}

void ForwardPicture::show(ForwardSpec::Kind kind, const QString &machine, const QString &listener, const QString &target)
{
    m_kind = kind;
    m_machine = machine;
    m_listener = listener;
    m_target = target;
    setAccessibleName(listensHere(kind) ? tr("From this computer to %1").arg(machine) : tr("From %1 to this computer").arg(machine));
    update();
}

void ForwardPicture::paintEvent(QPaintEvent *)
{
    const ThemeColors &colors = themeColors();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const bool fromHere = listensHere(m_kind);
    const auto box = [&](const QRect &rect, IconName name, const QString &title, const QString &detail) {
        painter.setPen(colors.border);
        painter.setBrush(colors.raised);
        painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
        paintIcon(&painter, QRect(rect.left() + 12, rect.top() + 14, 16, 16), name, colors.muted);
        const QRect upper(rect.left() + 36, rect.top() + 10, rect.width() - 48, 24);
        painter.setPen(colors.text);
        painter.drawText(upper, Qt::AlignLeft | Qt::AlignVCenter, fontMetrics().elidedText(title, Qt::ElideRight, upper.width()));
        const QRect lower(rect.left() + 12, rect.top() + 38, rect.width() - 24, rect.height() - 46);
        painter.setPen(colors.muted);
        painter.drawText(lower, Qt::AlignLeft | Qt::AlignTop, fontMetrics().elidedText(detail, Qt::ElideMiddle, lower.width()));
    };
    QRect left(0, 4, kBoxWidth, kPictureHeight - 8);
    QRect right(width() - kBoxWidth, 4, kBoxWidth, kPictureHeight - 8);
    if (layoutDirection() == Qt::RightToLeft)
        std::swap(left, right);
    box(left, IconName::Computer, tr("This computer"), fromHere ? m_listener : m_target);
    box(right, IconName::Sandbox, m_machine, fromHere ? m_target : m_listener);
    const bool toRight = (left.left() < right.left()) == fromHere;
    const int y = kPictureHeight / 2;
    const int from = kBoxWidth + 12;
    const int to = width() - kBoxWidth - 12;
    painter.setPen(QPen(colors.accent, 2, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter.setBrush(Qt::NoBrush);
    painter.drawLine(from, y, to, y);
    const int tip = toRight ? to : from;
    const int back = toRight ? -7 : 7;
    painter.drawPolyline(QPolygon({QPoint(tip + back, y - 6), QPoint(tip, y), QPoint(tip + back, y + 6)}));
    painter.setPen(colors.muted);
    const QString word = hasTarget(m_kind) ? tr("connections") : tr("SOCKS");
    painter.drawText(QRect(from, y - 24, to - from, 20), Qt::AlignCenter, fontMetrics().elidedText(word, Qt::ElideRight, to - from));
}

ForwardDialog::ForwardDialog(ForwardManager *forwards, SandboxRegistry *registry, const ForwardWish &wish, QWidget *parent)
    : QDialog(parent)
    , m_forwards(forwards)
    , m_registry(registry)
    , m_wish(wish)
    , m_sandbox(new QComboBox(this))
    , m_kinds(new QButtonGroup(this))
    , m_picture(new ForwardPicture(this))
    , m_template(new QComboBox(this))
    , m_listen(new QLineEdit(this))
    , m_targetLabel(new QLabel(this))
    , m_target(new QLineEdit(this))
    , m_spec(new QLineEdit(this))
    , m_way(new QComboBox(this))
    , m_name(new QLineEdit(wish.name, this))
    , m_withProgram(new QCheckBox(tr("Switch it on when Sandpiper starts"), this))
    , m_withSandbox(new QCheckBox(tr("Switch it on when the sandbox begins to run"), this))
    , m_limit(new QSpinBox(this))
    , m_note(makeText({}, TextTone::Muted, this))
    , m_problem(makeText({}, TextTone::Danger, this))
    , m_submit(new QPushButton(wish.id.isEmpty() ? tr("Add and switch on") : tr("Save"), this))
{
    setObjectName(u"forwardDialog"_s);
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(wish.id.isEmpty() ? tr("New forward") : tr("Change the forward"));
    m_sandbox->setObjectName(u"forwardSandbox"_s);
    fillSandboxes();
    auto *directions = new QVBoxLayout;
    directions->setSpacing(2);
    const std::pair<ForwardSpec::Kind, QString> kinds[] = {{ForwardSpec::Kind::Local, tr("Reach a port or socket of the sandbox from here")},
                                                           {ForwardSpec::Kind::Remote, tr("Reach a port or socket of this computer from there")},
                                                           {ForwardSpec::Kind::Dynamic, tr("SOCKS proxy here, whose connections come from the sandbox")},
                                                           {ForwardSpec::Kind::RemoteDynamic, tr("SOCKS proxy there, whose connections come from this computer")}};
    for (const auto &[kind, text] : kinds) {
        auto *button = new QRadioButton(text, this);
        button->setObjectName(u"forwardKind%1"_s.arg(int(kind)));
        m_kinds->addButton(button, int(kind));
        directions->addWidget(button);
    }
    m_template->setObjectName(u"forwardTemplate"_s);
    m_template->addItem(tr("Choose what it is for, or fill in below"));
    for (const ForwardTemplate &one : forwardTemplates())
        m_template->addItem(one.name);
    m_listen->setObjectName(u"forwardListen"_s);
    m_listen->setMaxLength(512);
    m_listen->setPlaceholderText(tr("8080, address:8080 or /path/of.sock; 0 takes any free port"));
    m_target->setObjectName(u"forwardTarget"_s);
    m_target->setMaxLength(512);
    m_target->setPlaceholderText(tr("localhost:8000, db:5432 or /path/of.sock"));
    m_spec->setObjectName(u"forwardSpec"_s);
    m_spec->setMaxLength(4096);
    m_spec->setPlaceholderText(tr("Paste -L 8080:localhost:80, or a whole ssh command"));
    m_spec->setFont(QFont(u"monospace"_s));
    m_way->setObjectName(u"forwardWay"_s);
    for (const ForwardWay way : {ForwardWay::Automatic, ForwardWay::Ssh, ForwardWay::Tunnel, ForwardWay::Bridge})
        m_way->addItem(forwardWayText(way), int(way));
    m_way->setCurrentIndex(m_way->findData(int(wish.way)));
    m_name->setObjectName(u"forwardName"_s);
    m_name->setMaxLength(80);
    m_name->setPlaceholderText(tr("None"));
    m_withProgram->setObjectName(u"forwardWithProgram"_s);
    m_withProgram->setChecked(wish.startsWithProgram);
    m_withSandbox->setObjectName(u"forwardWithSandbox"_s);
    m_withSandbox->setChecked(wish.startsWithSandbox);
    m_limit->setObjectName(u"forwardLimit"_s);
    m_limit->setRange(0, kMostKib);
    m_limit->setSingleStep(100);
    m_limit->setSpecialValueText(tr("None"));
    m_limit->setSuffix(tr(" KiB/s each way"));
    m_limit->setValue(int(std::min<qint64>(wish.bytesPerSecond >> 10, kMostKib)));
    m_targetLabel->setText(tr("Leads to"));

    auto *form = new QFormLayout;
    form->setHorizontalSpacing(16);
    form->setVerticalSpacing(8);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    form->addRow(tr("Sandbox or host"), m_sandbox);
    form->addRow(tr("Direction"), directions);
    form->addRow(tr("Template"), m_template);
    form->addRow(tr("Listens at"), m_listen);
    form->addRow(m_targetLabel, m_target);
    form->addRow(tr("OpenSSH"), m_spec);
    form->addRow(tr("Way there"), m_way);
    form->addRow(tr("Name"), m_name);
    form->addRow(tr("Speed limit"), m_limit);
    form->addRow(QString(), m_withProgram);
    form->addRow(QString(), m_withSandbox);
    for (int row = 0; row < form->rowCount(); ++row) {
        const QLayoutItem *labelItem = form->itemAt(row, QFormLayout::LabelRole);
        const auto *label = labelItem ? qobject_cast<QLabel *>(labelItem->widget()) : nullptr;
        if (QWidget *field = form->itemAt(row, QFormLayout::FieldRole)->widget(); label && field)
            field->setAccessibleName(label->text());
    }
    m_note->setObjectName(u"forwardNote"_s);
    m_note->hide();
    m_problem->setObjectName(u"forwardProblem"_s);
    m_problem->hide();

    auto *cancel = new QPushButton(tr("Cancel"), this);
    cancel->setAutoDefault(false);
    m_submit->setObjectName(u"forwardSubmit"_s);
    m_submit->setDefault(true);
    auto *buttons = new QHBoxLayout;
    buttons->addStretch();
    buttons->addWidget(cancel);
    buttons->addWidget(m_submit);

    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(24, 20, 24, 20);
    layout->setSpacing(8);
    layout->addWidget(makeTitle(windowTitle(), this));
    layout->addSpacing(4);
    layout->addWidget(m_picture);
    layout->addSpacing(4);
    layout->addLayout(form);
    layout->addWidget(m_note);
    layout->addWidget(m_problem);
    layout->addSpacing(8);
    layout->addLayout(buttons);
    setMinimumWidth(600);

    showSpec(wish.spec);
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_submit, &QPushButton::clicked, this, &ForwardDialog::submit);
    connect(m_kinds, &QButtonGroup::idToggled, this, &ForwardDialog::fieldsChanged);
    connect(m_sandbox, &QComboBox::currentIndexChanged, this, &ForwardDialog::fieldsChanged);
    connect(m_way, &QComboBox::currentIndexChanged, this, &ForwardDialog::fieldsChanged);
    connect(m_listen, &QLineEdit::textEdited, this, &ForwardDialog::fieldsChanged);
    connect(m_target, &QLineEdit::textEdited, this, &ForwardDialog::fieldsChanged);
    connect(m_template, &QComboBox::activated, this, &ForwardDialog::takeTemplate);
    connect(m_spec, &QLineEdit::textEdited, this, &ForwardDialog::takeSpec);
    m_listen->setFocus();
}

void ForwardDialog::fillSandboxes()
{
    const auto add = [this](const SandboxId &id, const QString &name) {
        m_sandbox->addItem(tamed(name, 60), id.toString());
        m_sandbox->setItemData(m_sandbox->count() - 1, name, Qt::UserRole + 1);
    };
    if (m_registry) {
        for (const QString &account : m_registry->accountIds()) {
            for (const Sandbox &sandbox : m_registry->view(account)->sandboxes) {
                if (!wayRefusal(ForwardWay::Automatic, sandbox) || sandbox.id == m_wish.sandbox)
                    add(sandbox.id, sandbox.displayName());
            }
        }
    }
    // What is not listed now keeps its forwards.
    if (!m_wish.sandbox.isEmpty() && m_sandbox->findData(m_wish.sandbox.toString()) < 0)
        add(m_wish.sandbox, m_wish.sandboxName);
    m_sandbox->setCurrentIndex(qMax(0, m_sandbox->findData(m_wish.sandbox.toString())));
    m_submit->setEnabled(m_sandbox->count() > 0);
    if (m_sandbox->count() == 0)
        m_sandbox->setPlaceholderText(tr("No sandbox here can be reached by SSH or a tunnel"));
}

ForwardSpec::Kind ForwardDialog::kind() const
{
    return ForwardSpec::Kind(qMax(0, m_kinds->checkedId()));
}

QString ForwardDialog::sandboxName() const
{
    return m_sandbox->currentData(Qt::UserRole + 1).toString();
}

Result<ForwardSpec> ForwardDialog::spec() const
{
    QString text = m_listen->text().trimmed();
    if (hasTarget(kind()))
        text += u':' + m_target->text().trimmed();
    Result<ForwardSpec> made = parseForward(kind() == ForwardSpec::Kind::RemoteDynamic ? ForwardSpec::Kind::Remote : kind(), text);
    if (made && made->kind != kind())
        return failure(ErrorKind::InvalidInput, Layer::Ssh, tr("Say what it leads to."));
    return made;
}

std::optional<Error> ForwardDialog::refusal(ForwardWay way) const
{
    const std::optional<SandboxId> id = SandboxId::parse(m_sandbox->currentData().toString());
    const std::optional<Sandbox> sandbox = m_registry && id ? m_registry->sandbox(*id) : std::nullopt;
    const Result<ForwardSpec> made = spec();
    // Of one that is not listed now nothing is known.
    return sandbox ? wayRefusal(way, *sandbox, made ? std::optional(*made) : std::nullopt) : std::nullopt;
}

// What cannot be is greyed out, and says why.
void ForwardDialog::showWays()
{
    auto *items = qobject_cast<QStandardItemModel *>(m_way->model());
    for (int row = 0; row < m_way->count(); ++row) {
        const std::optional<Error> why = refusal(ForwardWay(m_way->itemData(row).toInt()));
        items->item(row)->setEnabled(!why);
        m_way->setItemData(row, why ? QVariant(plainTip(wayReason(*why))) : QVariant(), Qt::ToolTipRole);
    }
}

void ForwardDialog::showSpec(const ForwardSpec &spec)
{
    m_isFilling = true;
    m_kinds->button(int(spec.kind))->setChecked(true);
    const bool isBlank = hasTarget(spec.kind) && spec.target == ForwardSpec::End(); // port 0 would be one to listen at
    m_listen->setText(isBlank && spec.listen == ForwardSpec::End() ? QString() : forwardEndText(spec.listen));
    m_target->setText(isBlank || !hasTarget(spec.kind) ? QString() : forwardEndText(spec.target));
    m_isFilling = false;
    fieldsChanged();
}

void ForwardDialog::takeTemplate(int index)
{
    if (index < 1)
        return;
    const ForwardTemplate one = forwardTemplates().at(index - 1);
    m_isFilling = true;
    if (!hasTarget(kind()))
        m_kinds->button(int(ForwardSpec::Kind::Local))->setChecked(true);
    m_target->setText(one.target);
    m_listen->setText(QString::number(one.port));
    if (m_name->text().isEmpty() || m_name->text() == m_template->property("taken").toString())
        m_name->setText(one.name);
    m_template->setProperty("taken", one.name);
    m_isFilling = false;
    fieldsChanged();
}

void ForwardDialog::suggestPorts(std::function<QList<FoundPort>(const SandboxId &)> ports)
{
    m_ports = std::move(ports);
    if (!m_ports || m_suggest)
        return;
    m_suggest = m_target->addAction(icon(IconName::ChevronDown), QLineEdit::TrailingPosition);
    m_suggest->setObjectName(u"forwardSuggest"_s);
    m_suggest->setToolTip(tr("What listens there"));
    connect(m_suggest, &QAction::triggered, this, [this] {
        auto *menu = new QMenu(this);
        menu->setAttribute(Qt::WA_DeleteOnClose);
        const QList<FoundPort> found = m_ports(SandboxId::parse(m_sandbox->currentData().toString()).value_or(SandboxId()));
        for (const FoundPort &port : found)
            menu->addAction(portText(port), this, [this, port] { takePort(port); });
        menu->popup(m_target->mapToGlobal(QPoint(0, m_target->height())));
    });
    fieldsChanged();
}

void ForwardDialog::takePort(const FoundPort &port)
{
    m_isFilling = true;
    m_target->setText(forwardEndText({port.host, port.port, {}}));
    if (m_listen->text().trimmed().isEmpty())
        m_listen->setText(QString::number(port.port));
    if (m_name->text().isEmpty())
        m_name->setText(port.process);
    m_isFilling = false;
    fieldsChanged();
}

void ForwardDialog::takeSpec(const QString &text)
{
    const Result<QList<ForwardSpec>> specs = forwardsIn(text);
    if (!specs) {
        m_problem->setText(specs.error().detail);
        m_problem->setVisible(!text.trimmed().isEmpty());
        return;
    }
    const QString pasted = m_spec->text();
    const int cursor = m_spec->cursorPosition();
    showSpec(specs->constFirst());
    // It stays as it was typed while it is.
    m_spec->setText(pasted);
    m_spec->setCursorPosition(cursor);
}

void ForwardDialog::fieldsChanged()
{
    if (m_isFilling)
        return;
    const bool leads = hasTarget(kind());
    m_target->setVisible(leads);
    m_targetLabel->setVisible(leads);
    m_problem->hide();
    if (m_suggest) {
        const std::optional<SandboxId> sandbox = SandboxId::parse(m_sandbox->currentData().toString());
        m_suggest->setVisible(kind() == ForwardSpec::Kind::Local && sandbox && !m_ports(*sandbox).isEmpty());
    }
    const QString listener = m_listen->text().trimmed();
    m_picture->show(kind(), tamed(sandboxName(), 60), listener.isEmpty() ? tr("a port") : tr("listens at %1").arg(listener),
                    leads ? (m_target->text().trimmed().isEmpty() ? tr("a service") : m_target->text().trimmed()) : tr("any address"));
    const Result<ForwardSpec> made = spec();
    m_spec->setText(made ? forwardArgument(*made) : QString());
    QStringList notes;
    if (made) {
        notes << exposureText(*made, sandboxName());
        if (listensHere(made->kind) && made->listen.path.isEmpty() && made->listen.port > 0 && made->listen.port < 1024)
            notes << tr("Ports below 1024 are often kept for the administrator of this computer.");
    }
    showWays();
    if (const std::optional<Error> why = refusal(ForwardWay(m_way->currentData().toInt())))
        notes << wayReason(*why);
    notes.removeAll(QString());
    m_note->setText(notes.join(u' '));
    m_note->setVisible(!notes.isEmpty());
}

void ForwardDialog::submit()
{
    const auto tell = [this](const QString &problem) {
        m_problem->setText(problem);
        m_problem->show();
        adjustSize();
    };
    const std::optional<SandboxId> sandbox = SandboxId::parse(m_sandbox->currentData().toString());
    if (!sandbox)
        return tell(tr("Choose the sandbox or host that it leads to."));
    if (m_listen->text().trimmed().isEmpty())
        return tell(tr("Say where it listens: a port, or the path of a socket."));
    if (hasTarget(kind()) && m_target->text().trimmed().isEmpty())
        return tell(tr("Say what it leads to."));
    const Result<ForwardSpec> made = spec();
    if (!made)
        return tell(made.error().detail);
    if (const std::optional<Error> why = refusal(ForwardWay(m_way->currentData().toInt())))
        return tell(wayReason(*why));
    const bool isNew = m_wish.id.isEmpty();
    m_wish.way = ForwardWay(m_way->currentData().toInt());
    m_wish.sandbox = *sandbox;
    m_wish.sandboxName = sandboxName();
    m_wish.spec = *made;
    m_wish.name = m_name->text().trimmed();
    m_wish.startsWithProgram = m_withProgram->isChecked();
    m_wish.startsWithSandbox = m_withSandbox->isChecked();
    // What a file says to the byte stays while nobody changes it here.
    if (m_limit->value() != int(std::min<qint64>(m_wish.bytesPerSecond >> 10, kMostKib)))
        m_wish.bytesPerSecond = qint64(m_limit->value()) << 10;
    m_wish.isOn = isNew || m_wish.isOn;
    const Result<QStringList> added = isNew ? m_forwards->add({m_wish}) : Result<QStringList>(QStringList());
    const Done done = isNew ? (added ? Done() : std::unexpected(added.error())) : m_forwards->update(m_wish);
    if (!done)
        return tell(problemText(done.error()));
    accept();
}

} // namespace Sandpiper
