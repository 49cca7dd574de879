#include "ui/terminalpane.h"

#include "terminal/pasteguard.h"
#include "terminal/terminalsession.h"
#include "ui/findbar.h"
#include "ui/overlay.h"
#include "ui/panebanner.h"
#include "ui/pastebar.h"
#include "ui/theme.h"

#include <QDropEvent>
#include <QStyle>
#include <QVBoxLayout>

namespace Sandpiper {

namespace {

using namespace std::chrono_literals;

constexpr auto bannerPatience = 400ms;
constexpr auto slowAfter = 10s;
constexpr auto replayQuiet = 1s;

} // namespace

TerminalPane::TerminalPane(const KeptTab &tab, const TerminalOptions &options, QWidget *parent)
    : WorkspacePage(parent)
    , m_tab(tab)
    , m_area(new QWidget(this))
    , m_view(new TerminalView(options, m_area))
    , m_banner(new PaneBanner(this))
    , m_notice(new PaneBanner(this))
    , m_find(new FindBar(m_area))
    , m_paste(new PasteBar(m_area))
    , m_readOnlyMark(new PillButton(tr("Read-only"), m_area))
{
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_banner);
    column->addWidget(m_notice);
    column->addWidget(m_area, 1);
    auto *area = new QVBoxLayout(m_area);
    area->setContentsMargins(0, 0, 0, 0);
    area->addWidget(m_view);
    m_area->installEventFilter(this);
    m_readOnlyMark->setToolTip(tr("Keys are not sent. Click to type again."));
    m_readOnlyMark->hide();
    setFocusProxy(m_view);

    m_patience.setSingleShot(true);
    m_slow.setSingleShot(true);
    connect(&m_patience, &QTimer::timeout, this, &TerminalPane::updateBanner);
    connect(&m_slow, &QTimer::timeout, this, &TerminalPane::updateBanner);
    connect(m_banner, &PaneBanner::triggered, this, &TerminalPane::onBanner);
    connect(m_notice, &PaneBanner::triggered, this, &TerminalPane::onBanner);
    connect(m_banner, &PaneBanner::left, this, &TerminalPane::focusTerminal);
    connect(m_notice, &PaneBanner::left, this, &TerminalPane::focusTerminal);
    connect(m_readOnlyMark, &PillButton::clicked, this, [this] { setReadOnly(false); });
    watchView();

    m_slow.start(slowAfter);
    m_patience.start(bannerPatience);
}

TerminalPane::~TerminalPane()
{
    // What the view still says while it goes is of no use to a pane that is half gone.
    m_area->removeEventFilter(this);
    for (QWidget *inside : m_view->findChildren<QWidget *>())
        inside->removeEventFilter(this);
    m_view->disconnect(this);
}

void TerminalPane::watchView()
{
    // Before the view itself, which takes what is dropped for text.
    for (QWidget *inside : m_view->findChildren<QWidget *>())
        inside->installEventFilter(this);
    connect(m_view, &TerminalView::titleChanged, this, [this](const QString &title) {
        m_programTitle = tamed(title, 200);
        emit faceChanged();
    });
    connect(m_view, &TerminalView::workingDirectoryChanged, this, [this](const QString &path) {
        m_directory = tamed(path, 500);
        const Result<FilePath> folder = FilePath::fromBytes(path.toUtf8());
        m_folder = folder && folder->isAbsolute() ? *folder : FilePath();
        emit faceChanged();
    });
    connect(m_view, &TerminalView::activity, this, [this] { markSeen(false); });
    connect(m_view, &TerminalView::bell, this, [this] { markSeen(true); });
    connect(m_view, &TerminalView::contextMenuWanted, this, &TerminalPane::menuWanted);
    connect(m_view, &TerminalView::input, this, &TerminalPane::used);
    connect(m_view, &TerminalView::pasteConfirmationNeeded, this,
            [this](const QString &text, int lines) {
                m_paste->ask(text, lines, m_tab.shell.sandboxName);
                placeOverlays();
            });
    connect(m_paste, &PasteBar::agreed, m_view, &TerminalView::pasteText);
    connect(m_paste, &PasteBar::closed, this, &TerminalPane::focusTerminal);
    connect(m_find, &FindBar::findWanted, this, [this](const QString &text, bool backwards) {
        m_find->setFound(m_view->find(text, backwards));
    });
    connect(m_find, &FindBar::closed, this, &TerminalPane::focusTerminal);
}

// Files are for the sandbox, not for the terminal, which would only have their paths. True: nobody else is to see it.
bool TerminalPane::handleDrag(QDropEvent *event)
{
    if (event->type() == QEvent::DragEnter)
        m_dragged = mayHoldFiles(event->mimeData()) ? filesIn(event->mimeData()) : std::nullopt;
    if (!m_dragged)
        return false;
    // Its own files are there already: what is wanted is what they are called.
    const bool inserts = m_dragged->place == sandbox();
    if (inserts && m_readOnly) {
        event->ignore();
        return true;
    }
    event->setDropAction(Qt::CopyAction);
    event->accept();
    if (event->type() != QEvent::Drop)
        return true;
    const CarriedFiles files = *std::exchange(m_dragged, std::nullopt);
    if (!inserts) {
        emit filesDropped(files, m_folder);
        return true;
    }
    QString words;
    for (const FilePath &path : files.paths)
        words += shellQuoted(QString::fromUtf8(path.bytes())) + u' ';
    m_view->pasteText(words);
    focusTerminal();
    return true;
}

void TerminalPane::connectShell(StandingShell::Services services, const QString &accountName)
{
    if (m_shell)
        return;
    m_accountName = accountName;
    m_provider = services.provider;
    m_shell = std::make_unique<StandingShell>(m_tab.shell, std::move(services));
    m_shell->setShown(m_attended);
    connect(m_shell.get(), &StandingShell::statusChanged, this, &TerminalPane::onStatus);
    connect(m_shell.get(), &StandingShell::recordChanged, this, &TerminalPane::onRecord);
    connect(m_shell.get(), &StandingShell::noticeReceived, this,
            [this](const QString &text) { m_notice->setFace(bannerForNotice(text)); });
    connect(m_shell.get(), &StandingShell::outputReceived, this, [this](const QByteArray &bytes) {
        const QList<QUrl> urls = m_printed.feed(bytes);
        for (const QUrl &url : urls) {
            if (m_replayEnds.hasExpired())
                emit localUrlPrinted(url);
        }
    });
    m_session = std::make_unique<TerminalSession>(*m_shell, *m_view);
    onStatus(m_shell->status());
    emit shellsChanged();
}

void TerminalPane::retire()
{
    if (!m_shell)
        return;
    m_shell->disconnect(this);
    m_session.reset();
    m_shell->detach();
}

StandingShell::Status TerminalPane::status() const
{
    return m_shell ? m_shell->status() : StandingShell::Status{};
}

TabFace TerminalPane::face() const
{
    TabSubject subject;
    subject.sandboxName = m_tab.shell.sandboxName.isEmpty() ? m_tab.shell.sandbox.id
                                                            : m_tab.shell.sandboxName;
    subject.customTitle = m_tab.title;
    subject.programTitle = m_programTitle;
    subject.directory = m_directory;
    subject.accountName = m_accountName;
    subject.route = m_tab.shell.route;
    subject.status = status();
    subject.accountMissing = !m_shell;
    subject.activity = m_activity;
    subject.bell = m_bell;
    return tabFaceFor(subject);
}

QString TerminalPane::statusText() const
{
    return tr("%1 · %2 · %3").arg(tamed(m_tab.shell.sandboxName, 60), wordFor(m_tab.shell.route),
                                  isConnected() ? wordFor(status().state) : wordFor(face().mark));
}

ClosingShell TerminalPane::closing() const
{
    ClosingShell closing;
    closing.route = m_tab.shell.route;
    closing.state = status().state;
    closing.sandboxName = m_tab.shell.sandboxName;
    if (m_provider)
        closing.keptFor = m_provider->unattendedShellLife();
    return closing;
}

bool TerminalPane::wantsShell() const
{
    using State = StandingShell::State;
    switch (status().state) {
    case State::Opening:
    case State::Open:
    case State::Waiting:
    case State::Suspended:
    case State::Stopped:
        return true;
    case State::Idle:
    case State::Gone:
    case State::Ended:
    case State::Failed:
    case State::Detached:
        return false;
    }
    Q_UNREACHABLE_RETURN(false);
}

void TerminalPane::setSandbox(const Sandbox &sandbox)
{
    const QString why = sandbox.capabilities.reasonAgainst(Capability::Resume);
    const bool renamed = sandbox.displayName() != m_tab.shell.sandboxName;
    if (!renamed && why == m_whyNoResume)
        return;
    m_whyNoResume = why;
    m_tab.shell.sandboxName = sandbox.displayName();
    updateBanner();
    emit faceChanged();
    if (renamed)
        emit keptChanged();
}

void TerminalPane::setCustomTitle(const QString &title)
{
    const QString clean = tamed(title, 100);
    if (clean == m_tab.title)
        return;
    m_tab.title = clean;
    emit faceChanged();
    emit keptChanged();
}

void TerminalPane::setAttended(bool attended)
{
    m_attended = attended;
    if (m_shell)
        m_shell->setShown(attended);
    if (!attended || (!m_activity && !m_bell))
        return;
    m_activity = m_bell = false;
    emit faceChanged();
}

void TerminalPane::setReadOnly(bool readOnly)
{
    m_readOnly = readOnly;
    m_view->setReadOnly(readOnly);
    m_readOnlyMark->setVisible(readOnly);
    placeOverlays();
    emit shellsChanged(); // the action that switches it shows it
}

void TerminalPane::focusTerminal()
{
    m_view->setFocus();
}

void TerminalPane::focusBanner()
{
    for (PaneBanner *line : {m_banner, m_notice}) {
        if (line->isVisible() && line->focusProxy()) {
            line->setFocus(Qt::ShortcutFocusReason);
            return;
        }
    }
}

void TerminalPane::find()
{
    m_find->open(m_view->selectedText());
    placeOverlays();
}

void TerminalPane::retryNow()
{
    if (!m_shell)
        return;
    const QSize grid = m_view->gridSize();
    if (m_shell->status().state == StandingShell::State::Detached)
        m_shell->open(TerminalSize{grid.width(), grid.height()});
    else
        m_shell->retryNow();
}

void TerminalPane::endShell()
{
    if (m_shell && wantsShell())
        m_shell->endShell();
}

void TerminalPane::markSeen(bool bell)
{
    if (m_attended || !m_replayEnds.hasExpired())
        return;
    bool &mark = bell ? m_bell : m_activity;
    if (mark)
        return;
    mark = true;
    emit faceChanged();
}

void TerminalPane::onRecord(const ShellRecord &record)
{
    // The name comes from the list of sandboxes, which hears of a rename first.
    const QString name = m_tab.shell.sandboxName;
    m_tab.shell = record;
    if (!name.isEmpty())
        m_tab.shell.sandboxName = name;
    emit keptChanged();
}

void TerminalPane::onStatus(const StandingShell::Status &status)
{
    using State = StandingShell::State;
    const bool newState = status.state != m_lastState;
    const State before = std::exchange(m_lastState, status.state);
    if (status.state == State::Open) {
        m_wasOpen = true;
        m_replayEnds.setRemainingTime(replayQuiet);
    } else {
        m_paste->withdraw();
    }
    if (newState && status.state == State::Opening) {
        m_slow.start(slowAfter);
        if (!m_banner->face().shown)
            m_patience.start(bannerPatience);
    } else if (status.state != State::Opening) {
        m_slow.stop();
        m_patience.stop();
    }
    updateBanner();
    emit faceChanged();
    if (!newState)
        return;
    emit shellsChanged();
    const bool needsUser = status.state == State::Gone || status.state == State::Failed;
    if (needsUser || (status.state == State::Ended && before == State::Open))
        emit noteworthy(face().name, m_banner->text());
}

void TerminalPane::updateBanner()
{
    if (!m_shell) {
        m_banner->setFace(m_patience.isActive() ? BannerFace{} : bannerForMissingAccount(subject()));
        return;
    }
    if (!m_patience.isActive())
        m_banner->setFace(bannerFor(m_shell->status(), subject()));
}

BannerSubject TerminalPane::subject() const
{
    return {.name = m_tab.shell.sandboxName.isEmpty() ? m_tab.shell.sandbox.id
                                                      : m_tab.shell.sandboxName,
            .route = m_tab.shell.route,
            .whyNoResume = m_whyNoResume,
            .slow = !m_slow.isActive(),
            .wasOpen = m_wasOpen};
}

void TerminalPane::onBanner(BannerAction action)
{
    switch (action) {
    case BannerAction::Dismiss:
        m_notice->setFace({});
        focusTerminal();
        return;
    case BannerAction::Close:
        emit closeWanted();
        return;
    case BannerAction::RegisterKey:
    case BannerAction::ChooseKey:
    case BannerAction::ReviewHostKey:
    case BannerAction::CreateSandbox:
    case BannerAction::RefreshList:
    case BannerAction::SignInAgain:
        emit stepWanted(action, sandbox());
        return;
    case BannerAction::RetryNow:
        retryNow();
        break;
    case BannerAction::Stop:
        if (m_shell)
            m_shell->stop();
        return; // the next click is likely in the banner too
    case BannerAction::Resume:
    case BannerAction::ResumeSandbox:
    case BannerAction::StartSandbox:
        emit resumeWanted(sandbox());
        if (m_shell)
            m_shell->resumeSandbox();
        break;
    case BannerAction::StartNew:
    case BannerAction::Restart:
        if (m_shell)
            m_shell->startNew();
        break;
    }
    focusTerminal();
}

bool TerminalPane::eventFilter(QObject *watched, QEvent *event)
{
    if (watched == m_area && (event->type() == QEvent::Resize || event->type() == QEvent::LayoutRequest))
        placeOverlays();
    switch (event->type()) {
    case QEvent::DragEnter:
    case QEvent::DragMove:
    case QEvent::Drop: return watched != m_area && handleDrag(static_cast<QDropEvent *>(event));
    default: return QWidget::eventFilter(watched, event);
    }
}

void TerminalPane::placeOverlays()
{
    constexpr int margin = 3 * Metrics::unit;
    constexpr int scrollBar = 4 * Metrics::unit; // it must stay usable beside them
    const int space = m_area->width() - 2 * margin - scrollBar;
    const auto put = [this](QWidget *widget, QRect rect) {
        widget->setGeometry(QStyle::visualRect(layoutDirection(), m_area->rect(), rect));
    };
    const int findWidth = std::min(space, std::max(340, m_find->sizeHint().width()));
    put(m_find, {m_area->width() - margin - scrollBar - findWidth, margin, findWidth,
                 m_find->sizeHint().height()});
    const int markTop = m_find->isVisible() ? m_find->geometry().bottom() + margin : margin;
    const QSize mark = m_readOnlyMark->sizeHint();
    put(m_readOnlyMark, {m_area->width() - margin - scrollBar - mark.width(), markTop, mark.width(),
                         mark.height()});
    const int pasteWidth = std::min(space, 640);
    const int pasteHeight = std::min(m_paste->sizeHint().height(), m_area->height() - 2 * margin);
    put(m_paste, {(m_area->width() - scrollBar - pasteWidth) / 2,
                  m_area->height() - margin - pasteHeight, pasteWidth, pasteHeight});
}

} // namespace Sandpiper
