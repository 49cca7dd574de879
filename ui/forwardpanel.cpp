#include "ui/forwardpanel.h"

#include "session/background.h"
#include "session/errortext.h"
#include "session/portowner.h"
#include "ui/dialogkit.h"
#include "ui/forwardconnections.h"
#include "ui/forwarddialog.h"
#include "ui/forwardwords.h"

#include <QClipboard>
#include <QDesktopServices>
#include <QFile>
#include <QFileDialog>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QMenu>
#include <QSaveFile>
#include <QTableView>
#include <QToolButton>
#include <QUrl>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

constexpr qint64 kMostOfAFile = 4 << 20;

struct PortNews
{
    std::optional<PortOwner> owner;
    quint16 free = 0;
};

} // namespace

ForwardPanel::ForwardPanel(Parts parts, QWidget *parent)
    : QWidget(parent)
    , m_parts(std::move(parts))
    , m_model(new ForwardModel(m_parts.forwards, this))
    , m_table(new QTableView(this))
    , m_empty(makePanelText(tr("No forwards yet. One makes a port or socket of a sandbox reachable from here, or one of this computer from there."), this))
    , m_mend(new NoticeBar(this))
    , m_add(makeToolButton(IconName::Add, tr("New forward…"), this))
    , m_edit(makeToolButton(IconName::Rename, tr("Change…"), this))
    , m_remove(makeToolButton(IconName::Remove, tr("Delete"), this))
    , m_open(makeToolButton(IconName::External, tr("Open in the browser"), this))
    , m_copy(makeToolButton(IconName::Copy, tr("Copy address"), this))
    , m_more(makeToolButton(IconName::More, tr("More"), this))
    , m_close(makeToolButton(IconName::Close, tr("Close"), this))
{
    setObjectName(u"forwardPanel"_s);
    setAutoFillBackground(true);
    dressTable(m_table);
    m_table->setObjectName(u"forwardTable"_s);
    m_table->setAccessibleName(tr("Forwards"));
    m_table->setModel(m_model);
    m_table->setFrameShape(QFrame::NoFrame);
    m_table->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_table->setContextMenuPolicy(Qt::CustomContextMenu);
    const int widths[] = {40, 80, 328, 190, 52, 164, 56};
    for (int column = 0; column < ForwardModel::ColumnCount; ++column)
        m_table->setColumnWidth(column, widths[column]);
    m_table->horizontalHeader()->setSectionResizeMode(ForwardModel::What, QHeaderView::Stretch);
    m_empty->setObjectName(u"noForwards"_s);
    m_mend->setObjectName(u"forwardMend"_s);
    m_mend->hide();
    m_add->setObjectName(u"addForward"_s);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addLayout(makePanelHead(tr("Forwards"), {m_add, m_edit, m_remove, m_open, m_copy, m_more, m_close}, this));
    column->addWidget(m_table, 1);
    column->addWidget(m_empty, 1);
    column->addWidget(m_mend);

    connect(m_add, &QToolButton::clicked, this, [this] { addForward(m_parts.current ? m_parts.current() : SandboxId()); });
    connect(m_edit, &QToolButton::clicked, this, &ForwardPanel::edit);
    connect(m_remove, &QToolButton::clicked, this, &ForwardPanel::remove);
    connect(m_open, &QToolButton::clicked, this, &ForwardPanel::openInBrowser);
    connect(m_copy, &QToolButton::clicked, this, &ForwardPanel::copyAddress);
    connect(m_close, &QToolButton::clicked, this, &ForwardPanel::closeWanted);
    const auto popUp = [this](const QPoint &at) {
        auto *menu = new QMenu(this);
        menu->setAttribute(Qt::WA_DeleteOnClose);
        fillMenu(menu);
        menu->popup(at);
    };
    connect(m_more, &QToolButton::clicked, this, [this, popUp] { popUp(m_more->mapToGlobal(QPoint(0, m_more->height()))); });
    connect(m_table, &QWidget::customContextMenuRequested, this, [this, popUp](const QPoint &at) { popUp(m_table->viewport()->mapToGlobal(at)); });
    connect(m_table, &QAbstractItemView::activated, this, [this](const QModelIndex &index) {
        if (index.column() == ForwardModel::Connections)
            showConnections();
        else if (index.column() != ForwardModel::On)
            edit();
    });
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &ForwardPanel::updateButtons);
    connect(m_model, &QAbstractItemModel::dataChanged, this, &ForwardPanel::updateButtons);
    connect(m_model, &QAbstractItemModel::modelReset, this, &ForwardPanel::updateButtons);
    connect(m_model, &ForwardModel::notSaved, this, &ForwardPanel::tell);
    updateButtons();
}

QStringList ForwardPanel::chosen() const
{
    QStringList ids;
    for (const QModelIndex &index : m_table->selectionModel()->selectedRows())
        ids.append(m_model->idAt(index.row()));
    return ids;
}

std::optional<ForwardWish> ForwardPanel::single() const
{
    const QStringList ids = chosen();
    return ids.size() == 1 ? m_parts.forwards->wishes()->wish(ids.constFirst()) : std::nullopt;
}

void ForwardPanel::updateButtons()
{
    const std::optional<ForwardWish> one = single();
    const ForwardManager::Status status = one ? m_parts.forwards->status(one->id) : ForwardManager::Status();
    const bool listens = status.state == ForwardManager::State::Listening;
    m_edit->setEnabled(one.has_value());
    m_remove->setEnabled(!chosen().isEmpty());
    m_open->setEnabled(listens && !forwardUrl(one->spec, status.at).isEmpty());
    m_copy->setEnabled(listens);
    m_table->setVisible(m_model->rowCount() > 0);
    m_empty->setVisible(m_model->rowCount() == 0);
    showMend();
}

// What the chosen one needs; where nothing is chosen, the first that has failed.
void ForwardPanel::showMend()
{
    std::optional<ForwardWish> wish = single();
    for (int row = 0; !wish && row < m_model->rowCount(); ++row) {
        if (m_parts.forwards->status(m_model->idAt(row)).state == ForwardManager::State::Failed)
            wish = m_parts.forwards->wishes()->wish(m_model->idAt(row));
    }
    const ForwardManager::Status status = wish ? m_parts.forwards->status(wish->id) : ForwardManager::Status();
    if (status.state != ForwardManager::State::Failed || !status.error) {
        if (!std::exchange(m_mended, QString()).isEmpty())
            m_mend->dismiss();
        return;
    }
    const QString about = wish->id + u'\n' + status.error->detail + forwardText(wish->spec);
    if (about == m_mended)
        return;
    m_mended = about;
    const QString sentence = errorText(*status.error).sentence;
    const auto again = [this, id = wish->id] {
        m_mended.clear();
        m_parts.forwards->retryNow(id);
    };
    m_mend->tell(NoticeBar::Tone::Trouble, sentence, tr("Try again"), again);
    const bool isOurPort = listensHere(wish->spec.kind) && wish->spec.listen.path.isEmpty() && status.error->kind == ErrorKind::Conflict;
    if (!isOurPort)
        return;
    const quint16 port = wish->spec.listen.port;
    inBackground(
            this, [port] { return PortNews{portOwner(port), freePortFrom(quint16(port + 1))}; },
            [this, about, port, wish = *wish, again](const PortNews &news) {
                if (about != m_mended)
                    return;
                if (!news.owner)
                    return m_mend->tell(NoticeBar::Tone::Trouble, tr("Port %1 was in use on this computer, and is free now.").arg(port), tr("Try again"), again);
                const QString who = news.owner->process > 0 ? tr("“%1” (process %2) has port %3 of this computer.").arg(news.owner->program).arg(news.owner->process).arg(port)
                                                            : tr("A program of another user has port %1 of this computer.").arg(port);
                if (news.free == 0)
                    return m_mend->tell(NoticeBar::Tone::Trouble, who, tr("Try again"), again);
                m_mend->tell(NoticeBar::Tone::Trouble, who, tr("Use port %1").arg(news.free), [this, wish, free = news.free] {
                    ForwardWish other = wish;
                    other.spec.listen.port = free;
                    if (const Done done = m_parts.forwards->update(other); !done)
                        tell(done.error());
                });
            });
}

void ForwardPanel::tell(const Error &error)
{
    m_mend->tell(NoticeBar::Tone::Trouble, problemText(error));
}

void ForwardPanel::addForward(const SandboxId &sandbox)
{
    ForwardWish wish;
    wish.sandbox = sandbox;
    if (const std::optional<Sandbox> there = m_parts.registry ? m_parts.registry->sandbox(sandbox) : std::nullopt)
        wish.sandboxName = there->displayName();
    if (wish.sandboxName.isEmpty())
        wish.sandbox = {};
    openDialog(wish);
}

void ForwardPanel::openDialog(const ForwardWish &wish)
{
    auto *dialog = new ForwardDialog(m_parts.forwards, m_parts.registry, wish, window());
    dialog->suggestPorts(m_parts.ports);
    dialog->open();
}

void ForwardPanel::addLine(QWidget *line)
{
    layout()->addWidget(line);
}

void ForwardPanel::edit()
{
    if (const std::optional<ForwardWish> wish = single())
        openDialog(*wish);
}

void ForwardPanel::showConnections()
{
    if (const std::optional<ForwardWish> wish = single())
        (new ForwardConnections(m_parts.forwards, *wish, window()))->show();
}

void ForwardPanel::remove()
{
    const QStringList ids = chosen();
    if (ids.isEmpty())
        return;
    const std::optional<ForwardWish> one = single();
    const QString what = one ? forwardWords(one->spec, one->sandboxName) : QString();
    confirm(window(),
            {one ? tr("Delete this forward?") : tr("Delete %L1 forwards?").arg(ids.size()),
             one ? tr("%1. Connections through it end.").arg(what) : tr("Connections through them end."), tr("Delete"), tr("Keep")},
            [this, ids] {
                if (const Done done = m_parts.forwards->remove(ids); !done)
                    tell(done.error());
            });
}

void ForwardPanel::switchTo(const QStringList &ids, bool isOn)
{
    if (const Done done = m_parts.forwards->setOn(ids, isOn); !done)
        tell(done.error());
}

void ForwardPanel::openInBrowser()
{
    const std::optional<ForwardWish> wish = single();
    const QString url = wish ? forwardUrl(wish->spec, m_parts.forwards->status(wish->id).at) : QString();
    if (url.isEmpty())
        return;
    if (m_parts.openUrl)
        m_parts.openUrl(QUrl(url));
    else
        QDesktopServices::openUrl(QUrl(url));
}

void ForwardPanel::copyAddress()
{
    const std::optional<ForwardWish> wish = single();
    if (!wish)
        return;
    ForwardSpec::End at = m_parts.forwards->status(wish->id).at;
    if (at.path.isEmpty() && !wish->spec.listen.address)
        at.address = u"localhost"_s;
    QGuiApplication::clipboard()->setText(forwardEndText(at));
}

// One line for each of the machines.
void ForwardPanel::copyCommand()
{
    QStringList lines;
    QList<ForwardWish> wishes;
    for (const QString &id : chosen())
        wishes.append(m_parts.forwards->wishes()->wish(id).value_or(ForwardWish()));
    while (!wishes.isEmpty()) {
        const SandboxId sandbox = wishes.constFirst().sandbox;
        const QString name = wishes.constFirst().sandboxName;
        QList<ForwardWish> same;
        std::ranges::copy_if(wishes, std::back_inserter(same), [&](const ForwardWish &wish) { return wish.sandbox == sandbox; });
        wishes.removeIf([&](const ForwardWish &wish) { return wish.sandbox == sandbox; });
        const QString destination = m_parts.destination ? m_parts.destination(sandbox) : QString();
        lines.append(forwardsCommand(same, destination.isEmpty() ? name : destination));
    }
    QGuiApplication::clipboard()->setText(lines.join(u'\n'));
}

void ForwardPanel::paste(const QString &text)
{
    const Result<QList<ForwardSpec>> specs = forwardsIn(text);
    if (!specs)
        return tell(specs.error());
    ForwardWish wish;
    wish.sandbox = m_parts.current ? m_parts.current() : SandboxId();
    if (const std::optional<ForwardWish> like = single(); wish.sandbox.isEmpty() && like)
        wish.sandbox = like->sandbox;
    if (const std::optional<Sandbox> there = m_parts.registry ? m_parts.registry->sandbox(wish.sandbox) : std::nullopt)
        wish.sandboxName = there->displayName();
    if (wish.sandboxName.isEmpty()) {
        m_mend->tell(NoticeBar::Tone::Info, tr("Choose a sandbox at the left first: a pasted line does not say which of yours it leads to."));
        return;
    }
    wish.spec = specs->constFirst();
    if (specs->size() == 1) {
        openDialog(wish);
        return;
    }
    QList<ForwardWish> wishes;
    for (const ForwardSpec &spec : *specs) {
        wish.spec = spec;
        wishes.append(wish);
    }
    if (const Result<QStringList> added = m_parts.forwards->add(wishes); !added)
        return tell(added.error());
    m_mend->tell(NoticeBar::Tone::Info, tr("%L1 forwards of %2 were added. They are off.").arg(specs->size()).arg(tamed(wish.sandboxName, 60)));
}

void ForwardPanel::importFile()
{
    auto *dialog = new QFileDialog(this, tr("Import forwards"), {}, tr("Forwards (*.json);;All files (*)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString &name) {
        QFile file(name);
        if (!file.open(QIODevice::ReadOnly))
            return tell({ErrorKind::Io, Layer::LocalDisk, file.errorString(), name});
        const Result<QList<ForwardWish>> wishes = ForwardWishes::imported(file.read(kMostOfAFile + 1));
        if (!wishes)
            return tell(wishes.error());
        if (const Result<QStringList> added = m_parts.forwards->add(*wishes); !added)
            return tell(added.error());
        m_mend->tell(NoticeBar::Tone::Info, tr("%L1 forwards were added. They are off.").arg(wishes->size()));
    });
    dialog->open();
}

void ForwardPanel::exportFile()
{
    auto *dialog = new QFileDialog(this, tr("Export forwards"), {}, tr("Forwards (*.json)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(u"json"_s);
    dialog->selectFile(u"forwards.json"_s);
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString &name) {
        QSaveFile file(name);
        if (!file.open(QIODevice::WriteOnly) || file.write(m_parts.forwards->wishes()->exported()) < 0 || !file.commit())
            tell({ErrorKind::Io, Layer::LocalDisk, file.errorString(), name});
    });
    dialog->open();
}

void ForwardPanel::fillMenu(QMenu *menu)
{
    const QStringList ids = chosen();
    bool anyOn = false;
    bool anyOff = false;
    for (const QString &id : ids) {
        const bool isOn = m_parts.forwards->wishes()->wish(id).value_or(ForwardWish()).isOn;
        anyOn = anyOn || isOn;
        anyOff = anyOff || !isOn;
    }
    if (!ids.isEmpty()) {
        menu->addAction(tr("Switch on"), this, [this, ids] { switchTo(ids, true); })->setEnabled(anyOff);
        menu->addAction(tr("Switch off"), this, [this, ids] { switchTo(ids, false); })->setEnabled(anyOn);
        if (const std::optional<ForwardWish> one = single())
            menu->addAction(tr("Try again"), this, [this, id = one->id] { m_parts.forwards->retryNow(id); })->setEnabled(one->isOn);
        menu->addSeparator();
        for (QToolButton *button : {m_open, m_copy, m_edit, m_remove})
            menu->addAction(button->icon(), button->toolTip(), button, &QToolButton::click)->setEnabled(button->isEnabled());
        menu->addAction(tr("Copy as ssh command"), this, &ForwardPanel::copyCommand);
        menu->addAction(tr("Connections…"), this, &ForwardPanel::showConnections)->setEnabled(single() && m_parts.forwards->traffic(ids.constFirst()).connections > 0);
        menu->addSeparator();
        QStringList all;
        const QString sandbox = m_parts.forwards->wishes()->wish(ids.constFirst()).value_or(ForwardWish()).sandbox.toString();
        const QString name = m_parts.forwards->wishes()->wish(ids.constFirst()).value_or(ForwardWish()).sandboxName;
        for (const ForwardWish &wish : m_parts.forwards->wishes()->wishes()) {
            if (wish.sandbox.toString() == sandbox)
                all.append(wish.id);
        }
        menu->addAction(tr("All of %1 on").arg(tamed(name, 40)), this, [this, all] { switchTo(all, true); });
        menu->addAction(tr("All of %1 off").arg(tamed(name, 40)), this, [this, all] { switchTo(all, false); });
        menu->addSeparator();
    }
    menu->addAction(m_add->icon(), m_add->toolTip(), m_add, &QToolButton::click);
    menu->addAction(tr("Paste an ssh command"), this, [this] { paste(QGuiApplication::clipboard()->text()); });
    menu->addAction(tr("Import…"), this, &ForwardPanel::importFile);
    menu->addAction(tr("Export…"), this, &ForwardPanel::exportFile)->setEnabled(m_model->rowCount() > 0);
}

ForwardSummary::ForwardSummary(ForwardManager *forwards, QWidget *parent)
    : QWidget(parent)
    , m_forwards(forwards)
    , m_button(makeStatusButton(tr("Show the forwards"), this))
{
    m_button->setObjectName(u"forwardSummary"_s);
    connect(m_button, &QToolButton::clicked, this, &ForwardSummary::clicked);
    connect(forwards, &ForwardManager::changed, this, &ForwardSummary::update);
    connect(forwards, &ForwardManager::listChanged, this, &ForwardSummary::update);
    update();
}

QString ForwardSummary::text() const
{
    return m_button->text();
}

void ForwardSummary::update()
{
    const int listening = m_forwards->count(ForwardManager::State::Listening);
    const int failed = m_forwards->count(ForwardManager::State::Failed);
    const int pending = m_forwards->count(ForwardManager::State::Waiting) + m_forwards->count(ForwardManager::State::Arming);
    QStringList parts{tr("Forwards %L1").arg(listening)};
    if (pending > 0)
        parts << tr("%L1 waiting").arg(pending);
    if (failed > 0)
        parts << tr("%L1 failed").arg(failed);
    m_button->setText(parts.join(u", "_s));
    m_button->setIcon(icon(IconName::Forward, failed > 0 ? IconTone::Danger : pending > 0 ? IconTone::Waiting : IconTone::Running));
    setVisible(listening + pending + failed > 0);
}

} // namespace Sandpiper
