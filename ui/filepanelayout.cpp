// How a pane is put together.
#include "ui/filepane.h"

#include "ui/fileplaces.h"
#include "ui/filetable.h"
#include "ui/filewords.h"
#include "ui/panebanner.h"
#include "ui/pathbar.h"
#include "ui/sandboxtext.h"
#include "ui/style.h"
#include "ui/theme.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

// Escape and the arrows leave the filter for the rows.
class FilterKeys : public QObject
{
public:
    FilterKeys(QLineEdit *edit, std::function<void(bool clears)> leave)
        : QObject(edit)
        , m_leave(std::move(leave))
    {
        edit->installEventFilter(this);
    }
    bool eventFilter(QObject *watched, QEvent *event) override
    {
        if (event->type() != QEvent::KeyPress)
            return QObject::eventFilter(watched, event);
        const int key = static_cast<QKeyEvent *>(event)->key();
        if (key != Qt::Key_Escape && key != Qt::Key_Down && key != Qt::Key_Return && key != Qt::Key_Enter && key != Qt::Key_Tab)
            return QObject::eventFilter(watched, event);
        m_leave(key == Qt::Key_Escape);
        return true;
    }

private:
    std::function<void(bool)> m_leave;
};

QString plain(const QString &text)
{
    return QString(text).replace(u'&', u"&&"_s);
}

} // namespace

void FilePane::build()
{
    m_place = new QPushButton(this);
    m_place->setObjectName(u"filePlace"_s);
    m_place->setMenu(new QMenu(m_place));
    setQuiet(m_place);
    m_backButton = makeToolButton(IconName::Back, tr("Back (Alt+Left)"), this);
    m_forwardButton = makeToolButton(IconName::Next, tr("Forward (Alt+Right)"), this);
    m_upButton = makeToolButton(IconName::Up, tr("Folder above (Alt+Up)"), this);
    m_refreshButton = makeToolButton(IconName::Refresh, tr("List again (Ctrl+R)"), this);
    m_marks = makeToolButton(IconName::Star, tr("Bookmarks and recent folders"), this);
    m_marks->setMenu(new QMenu(m_marks));
    m_marks->setPopupMode(QToolButton::InstantPopup);
    m_path = new PathBar(this);
    m_banner = new PaneBanner(this);
    m_notices = new NoticeBar(this);
    m_stack = new QStackedWidget(this);
    m_table = new FileTable(m_model, m_stack);
    m_table->setObjectName(u"fileTable"_s);

    m_message = new QWidget(m_stack);
    m_messageIcon = new QLabel(m_message);
    m_messageTitle = makeTitle({}, m_message);
    m_messageDetail = makeText({}, TextTone::Muted, m_message);
    m_messageButton = new QPushButton(m_message);
    m_messageButton->setObjectName(u"fileMessageButton"_s);
    for (QLabel *label : {m_messageIcon, m_messageTitle, m_messageDetail})
        label->setAlignment(Qt::AlignCenter);
    auto *column = new QVBoxLayout(m_message);
    column->setContentsMargins(24, 24, 24, 24);
    column->setSpacing(8);
    column->addStretch(2);
    column->addWidget(m_messageIcon);
    column->addWidget(m_messageTitle);
    column->addWidget(m_messageDetail);
    column->addSpacing(4);
    column->addWidget(m_messageButton, 0, Qt::AlignHCenter);
    column->addStretch(3);
    m_stack->addWidget(m_table);
    m_stack->addWidget(m_message);

    // Which side the keys go to.
    m_activeLine = new QWidget(this);
    m_activeLine->setFixedHeight(2);
    m_activeLine->setAutoFillBackground(true);
    m_head = new QWidget(this);
    m_head->setAutoFillBackground(true);
    auto *first = new QHBoxLayout;
    first->setSpacing(2);
    first->addWidget(m_place);
    first->addStretch();
    first->addWidget(m_marks);
    first->addWidget(m_refreshButton);
    auto *second = new QHBoxLayout;
    second->setSpacing(2);
    second->addWidget(m_backButton);
    second->addWidget(m_forwardButton);
    second->addWidget(m_upButton);
    second->addSpacing(4);
    second->addWidget(m_path, 1);
    auto *head = new QVBoxLayout(m_head);
    head->setContentsMargins(6, 4, 6, 6);
    head->setSpacing(4);
    head->addLayout(first);
    head->addLayout(second);

    m_filterBar = new QWidget(this);
    m_filter = new QLineEdit(m_filterBar);
    m_filter->setObjectName(u"fileFilter"_s);
    m_filter->setPlaceholderText(tr("Part of the name"));
    m_filter->setAccessibleName(tr("Filter"));
    m_filter->setClearButtonEnabled(true);
    m_filter->addAction(icon(IconName::Search), QLineEdit::LeadingPosition);
    auto *filter = new QHBoxLayout(m_filterBar);
    filter->setContentsMargins(6, 4, 6, 4);
    filter->addWidget(m_filter);
    m_filterBar->hide();

    m_count = makeText({}, TextTone::Muted, this);
    m_free = makeText({}, TextTone::Muted, this);
    m_free->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    for (QLabel *label : {m_count, m_free}) {
        QFont font = label->font();
        font.setPixelSize(font.pixelSize() - 1);
        label->setFont(font);
        label->setWordWrap(false);
        label->setMinimumWidth(40);
    }
    m_count->setObjectName(u"fileCount"_s);
    auto *foot = new QHBoxLayout;
    foot->setContentsMargins(10, 4, 10, 4);
    foot->addWidget(m_count, 1);
    foot->addWidget(m_free);

    auto *all = new QVBoxLayout(this);
    all->setContentsMargins(0, 0, 0, 0);
    all->setSpacing(0);
    all->addWidget(m_activeLine);
    all->addWidget(m_head);
    all->addWidget(m_banner);
    all->addWidget(m_notices);
    all->addWidget(m_stack, 1);
    all->addWidget(m_filterBar);
    all->addLayout(foot);
    setFocusProxy(m_table);
}

void FilePane::connectParts()
{
    connect(m_place->menu(), &QMenu::aboutToShow, this, &FilePane::fillPlaceMenu);
    connect(m_marks->menu(), &QMenu::aboutToShow, this, &FilePane::fillMarksMenu);
    connect(m_backButton, &QToolButton::clicked, this, &FilePane::goBack);
    connect(m_forwardButton, &QToolButton::clicked, this, &FilePane::goForward);
    connect(m_upButton, &QToolButton::clicked, this, &FilePane::goUp);
    connect(m_refreshButton, &QToolButton::clicked, this, &FilePane::refresh);
    connect(m_messageButton, &QPushButton::clicked, this, &FilePane::runMessageAction);
    connect(m_path, &PathBar::pathChosen, this, [this](const FilePath &path) { goTo(path); });
    connect(m_path, &PathBar::refused, this, [this](const QString &why) { m_notices->tell(NoticeBar::Tone::Trouble, tr("This is no path: %1.").arg(why)); });
    connect(m_path, &PathBar::completionsWanted, this, &FilePane::complete);
    connect(m_path, &PathBar::left, this, &FilePane::focusFiles);
    connect(m_banner, &PaneBanner::triggered, this, &FilePane::onBanner);
    connect(m_banner, &PaneBanner::left, this, &FilePane::focusFiles);
    connect(m_filter, &QLineEdit::textChanged, this, [this](const QString &text) {
        setFilter(text);
        if (text.isEmpty())
            focusFiles();
    });
    new FilterKeys(m_filter, [this](bool clears) {
        if (clears)
            setFilter({});
        focusFiles();
    });
    connect(m_table, &FileTable::opened, this, &FilePane::openRow);
    connect(m_table, &FileTable::upWanted, this, &FilePane::goUp);
    connect(m_table, &FileTable::gotFocus, this, &FilePane::activated);
    connect(m_table, &FileTable::letterTyped, this, [this](const QString &text) { startFilter(text); });
    connect(m_table, &FileTable::escaped, this, [this] {
        if (!m_model->order().filter.isEmpty())
            return setFilter({});
        m_table->selectionModel()->clearSelection();
    });
    connect(m_table->horizontalHeader(), &QHeaderView::sectionClicked, this, &FilePane::sortBy);
    m_table->horizontalHeader()->setContextMenuPolicy(Qt::CustomContextMenu);
    connect(m_table->horizontalHeader(), &QWidget::customContextMenuRequested, this, &FilePane::fillColumnsMenu);
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
        updateFooter();
        emit stateChanged();
    });
    connect(m_table->selectionModel(), &QItemSelectionModel::currentChanged, this, &FilePane::stateChanged);
    connect(m_model, &FileListModel::stateChanged, this, [this] {
        updateMessage();
        updateFooter();
        emit stateChanged();
        // What failed behind rows that are shown is told; a lost link has its own line.
        if (m_model->state() == FileListModel::State::Failed && m_model->rowCount() > 0 && files())
            tell(m_model->error());
    });
    connect(m_model, &FileListModel::counted, this, [this] {
        updateMessage();
        updateFooter();
    });
    connect(m_model, &FileListModel::headerDataChanged, this, &FilePane::updateHead);
    connect(m_watch, &FolderWatch::changed, this, [this] {
        // A name that is being written must not go from under the keys.
        if (!m_table->isEditing())
            m_model->refresh();
    });
    connect(&m_slow, &QTimer::timeout, this, &FilePane::updateBanner);
    if (m_services.registry) {
        connect(m_services.registry, &SandboxRegistry::accountAdded, this, &FilePane::connectSide);
        connect(m_services.registry, &SandboxRegistry::sandboxesChanged, this, [this] {
            if (const std::optional<Sandbox> sandbox = m_services.registry->sandbox(m_side.sandbox))
                setSandbox(*sandbox);
        });
    }
}

void FilePane::fillPlaceMenu()
{
    QMenu *menu = m_place->menu();
    menu->clear();
    const auto add = [&](const QString &text, IconName picture, const KeptSide &side) {
        QAction *action = menu->addAction(icon(picture), plain(text), this, [this, side] {
            open(side);
            focusFiles();
        });
        action->setCheckable(true);
        action->setChecked(side.sandbox == m_side.sandbox);
    };
    add(tr("This computer"), IconName::Computer, {});
    if (!m_services.registry)
        return;
    for (const QString &account : m_services.registry->accountIds()) {
        const SandboxRegistry::AccountView *view = m_services.registry->view(account);
        if (!view || view->sandboxes.isEmpty())
            continue;
        menu->addSection(plain(view->account.name));
        for (const Sandbox &sandbox : view->sandboxes) {
            const bool runs = sandbox.state == SandboxState::Running || sandbox.state == SandboxState::Unknown;
            add(runs ? sandbox.displayName() : tr("%1 (%2)").arg(sandbox.displayName(), stateWord(sandbox)), IconName::Sandbox,
                {sandbox.id, sandbox.displayName(), {}});
        }
    }
}

void FilePane::fillMarksMenu()
{
    QMenu *menu = m_marks->menu();
    menu->clear();
    const QList<FilePath> bookmarks = m_places->bookmarks(m_side.sandbox);
    QAction *toggle = menu->addAction(icon(IconName::Star), bookmarks.contains(folder()) ? tr("Remove this bookmark") : tr("Bookmark this folder"), this,
                                      &FilePane::toggleBookmark);
    toggle->setShortcut(QKeySequence(Qt::CTRL | Qt::Key_D));
    toggle->setShortcutVisibleInContextMenu(true);
    const auto add = [&](const FilePath &path) {
        menu->addAction(plain(fontMetrics().elidedText(path.shown(), Qt::ElideMiddle, 420)), this, [this, path] {
            goTo(path);
            focusFiles();
        });
    };
    menu->addAction(icon(IconName::Computer), tr("Home folder"), this, &FilePane::goHome);
    if (!bookmarks.isEmpty())
        menu->addSection(tr("Bookmarks"));
    for (const FilePath &path : bookmarks)
        add(path);
    const QList<FilePath> history = m_places->history(m_side.sandbox);
    if (history.size() > 1)
        menu->addSection(tr("Recent folders"));
    for (const FilePath &path : history.first(std::min<qsizetype>(history.size(), 12))) {
        if (path != folder())
            add(path);
    }
}

void FilePane::fillColumnsMenu()
{
    auto *menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    for (int column = 1; column < kFileColumns; ++column) {
        QAction *action = menu->addAction(columnTitle(FileColumn(column)), this, [this, column] { m_table->toggleColumn(column); });
        action->setCheckable(true);
        action->setChecked(!m_table->isColumnHidden(column));
    }
    menu->popup(QCursor::pos());
}

void FilePane::updateHead()
{
    m_place->setIcon(icon(isLocal() ? IconName::Computer : IconName::Sandbox));
    m_place->setText(plain(fontMetrics().elidedText(displayName(), Qt::ElideMiddle, 240)));
    m_place->setAccessibleName(tr("Files of %1; choose whose").arg(displayName()));
    m_place->setToolTip(plainTip(displayName()));
    m_table->setAccessibleName(tr("Files of %1").arg(displayName()));
    m_backButton->setEnabled(canGoBack());
    m_forwardButton->setEnabled(canGoForward());
    m_upButton->setEnabled(folder().isAbsolute() && folder().parent() != folder());
    const bool isMarked = m_places->bookmarks(m_side.sandbox).contains(folder());
    m_marks->setIcon(icon(IconName::Star, isMarked ? IconTone::Accent : IconTone::Muted));
    m_table->horizontalHeader()->setSortIndicator(int(m_model->order().column), m_model->order().isDescending ? Qt::DescendingOrder : Qt::AscendingOrder);
}

void FilePane::setActive(bool active)
{
    m_activeLine->setBackgroundRole(active ? QPalette::Link : QPalette::Window);
    QFont font = m_place->font();
    font.setWeight(active ? QFont::DemiBold : QFont::Normal);
    m_place->setFont(font);
}

} // namespace Sandpiper
