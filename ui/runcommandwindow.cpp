#include "ui/runcommandwindow.h"

#include "ui/dialogkit.h"
#include "ui/runcommandmodel.h"
#include "ui/runcommandview.h"
#include "ui/style.h"

#include <QClipboard>
#include <QFileDialog>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSaveFile>
#include <QSplitter>
#include <QTreeView>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

constexpr std::chrono::milliseconds clockStep{500};

} // namespace

RunCommandWindow::RunCommandWindow(const QList<Sandbox> &sandboxes, const Make &make, QWidget *parent)
    : QDialog(parent)
    , m_sandboxes(sandboxes)
    , m_make(make)
    , m_model(new RunCommandModel(this))
    , m_line(new QLineEdit(this))
    , m_go(new QPushButton(tr("Run"), this))
    , m_table(new QTreeView(this))
    , m_view(new RunCommandView(this))
    , m_summary(makeText({}, TextTone::Muted, this))
    , m_copy(new QPushButton(tr("Copy output"), this))
    , m_save(new QPushButton(tr("Save output…"), this))
{
    setObjectName(u"runCommandWindow"_s);
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(sandboxes.size() == 1 ? tr("Run a command in %1").arg(tamed(sandboxes.first().displayName(), 60))
                                         : tr("Run a command in %n sandboxes", nullptr, int(sandboxes.size())));
    layOut();
    connect(m_go, &QPushButton::clicked, this, &RunCommandWindow::runOrStop);
    connect(m_copy, &QPushButton::clicked, this, &RunCommandWindow::copyOutput);
    connect(m_save, &QPushButton::clicked, this, &RunCommandWindow::saveOutput);
    connect(m_line, &QLineEdit::textChanged, this, &RunCommandWindow::refresh);
    connect(m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            [this](const QModelIndex &index) { showRun(index.row()); });
    connect(&m_clock, &QTimer::timeout, this, &RunCommandWindow::refresh);
    refresh();
}

RunCommandWindow::~RunCommandWindow()
{
    // Ends of runs are told while they are deleted, to parts of this window that are gone by then.
    m_model->setRuns(nullptr);
    if (m_runs)
        m_runs->disconnect(this);
}

void RunCommandWindow::layOut()
{
    m_line->setObjectName(u"runLine"_s);
    m_line->setAccessibleName(tr("Command"));
    m_line->setPlaceholderText(tr("A command for the shell there, such as uname -a"));
    m_line->setFont(m_view->font());
    m_line->setClearButtonEnabled(true);
    m_go->setObjectName(u"runButton"_s);
    m_go->setDefault(true);
    auto *top = new QHBoxLayout;
    top->setSpacing(8);
    top->addWidget(m_line, 1);
    top->addWidget(m_go);

    m_table->setObjectName(u"runTable"_s);
    m_table->setAccessibleName(tr("Results"));
    m_table->setModel(m_model);
    m_table->setRootIsDecorated(false);
    m_table->setUniformRowHeights(true);
    m_table->setAllColumnsShowFocus(true);
    m_table->setTextElideMode(Qt::ElideRight);
    m_table->header()->setSectionResizeMode(QHeaderView::Interactive);
    m_table->header()->setStretchLastSection(true);
    m_table->header()->resizeSection(RunCommandModel::SandboxColumn, 140);
    m_table->header()->resizeSection(RunCommandModel::ResultColumn, 104);
    m_table->header()->resizeSection(RunCommandModel::AlikeColumn, 52);
    m_table->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_table->setVisible(m_sandboxes.size() > 1);
    auto *across = new QSplitter(Qt::Horizontal, this);
    across->addWidget(m_table);
    across->addWidget(m_view);
    across->setStretchFactor(0, 0);
    across->setStretchFactor(1, 1);
    across->setChildrenCollapsible(false);
    across->setSizes({430, 500});

    auto *close = new QPushButton(tr("Close"), this);
    for (QPushButton *button : {m_copy, m_save, close})
        button->setAutoDefault(false);
    connect(close, &QPushButton::clicked, this, &RunCommandWindow::reject);
    m_summary->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto *bottom = new QHBoxLayout;
    bottom->setSpacing(8);
    bottom->addWidget(m_summary, 1);
    bottom->addWidget(m_copy);
    bottom->addWidget(m_save);
    bottom->addWidget(close);

    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(16, 16, 16, 16);
    layout->setSpacing(12);
    layout->addLayout(top);
    layout->addWidget(across, 1);
    layout->addLayout(bottom);
    resize(m_sandboxes.size() > 1 ? 960 : 720, 480);
}

void RunCommandWindow::runOrStop()
{
    if (m_runs && !m_runs->isOver())
        m_runs->stop();
    else
        run(m_line->text());
    refresh();
}

void RunCommandWindow::run(const QString &line)
{
    if (line.trimmed().isEmpty() || (m_runs && !m_runs->isOver()))
        return;
    m_line->setText(line);
    CommandSpec spec;
    spec.argv = {u"sh"_s, u"-c"_s, line};
    const int shown = qMax(0, m_table->currentIndex().row());
    m_model->setRuns(nullptr);
    m_view->show(nullptr);
    m_runs = std::make_unique<CommandRunSet>(m_sandboxes, [make = m_make, spec](const Sandbox &sandbox) {
        CommandRun::Services services;
        services.make = [make, sandbox, spec] { return make(sandbox, spec); };
        return services;
    });
    m_model->setRuns(m_runs.get());
    connect(m_runs.get(), &CommandRunSet::runChanged, this, &RunCommandWindow::refresh);
    select(shown);
    m_clock.start(clockStep);
    m_runs->start();
    refresh();
}

void RunCommandWindow::select(int row)
{
    m_table->setCurrentIndex(m_model->index(row, 0));
}

CommandRun *RunCommandWindow::current() const
{
    const int row = m_table->currentIndex().row();
    return m_runs && row >= 0 && row < m_runs->size() ? m_runs->run(row) : nullptr;
}

void RunCommandWindow::showRun(int)
{
    disconnect(m_shown);
    CommandRun *run = current();
    m_view->show(run);
    if (run)
        m_shown = connect(run, &CommandRun::appended, m_view, &RunCommandView::add);
    refresh();
}

void RunCommandWindow::refresh()
{
    const bool runs = m_runs && !m_runs->isOver();
    m_go->setText(runs ? tr("Stop") : tr("Run"));
    m_go->setEnabled(runs || !m_line->text().trimmed().isEmpty());
    m_line->setReadOnly(runs);
    if (!runs)
        m_clock.stop();
    const CommandRun *run = current();
    m_copy->setEnabled(run && !run->pieces().empty());
    m_save->setEnabled(m_copy->isEnabled());
    m_model->refresh();
    if (!run)
        return m_summary->setText({});
    QString text = runSummary(*run);
    if (m_runs->size() > 1) {
        const CommandRunSet::Counts counts = m_runs->counts();
        const QString all = runs ? tr("%1 of %2 done").arg(counts.succeeded + counts.failed).arg(m_runs->size())
                                 : tr("%1 succeeded, %2 did not").arg(counts.succeeded).arg(counts.failed);
        text = tr("%1: %2").arg(tamed(run->sandbox().displayName(), 40), text) + u"\n"_s + all;
    }
    m_summary->setText(text);
}

QString RunCommandWindow::everything() const
{
    if (m_runs->size() == 1)
        return m_runs->run(0)->text();
    QString all;
    for (int i = 0; i < m_runs->size(); ++i) {
        const CommandRun &run = *m_runs->run(i);
        all += u"== %1: %2\n"_s.arg(tamed(run.sandbox().displayName(), 80), runSummary(run)) + run.text();
        if (!all.endsWith(u'\n'))
            all += u'\n';
    }
    return all;
}

void RunCommandWindow::copyOutput()
{
    if (const CommandRun *run = current())
        QGuiApplication::clipboard()->setText(run->text());
}

void RunCommandWindow::saveOutput()
{
    auto *dialog = new QFileDialog(this, tr("Save output"), {}, tr("Text (*.txt);;All files (*)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(u"txt"_s);
    dialog->selectFile(u"output.txt"_s);
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString &path) {
        QSaveFile file(path);
        const QByteArray text = everything().toUtf8();
        if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size() || !file.commit())
            m_summary->setText(tr("The output could not be saved: %1").arg(file.errorString()));
    });
    dialog->open();
}

void RunCommandWindow::reject()
{
    // Escape must not end what runs for an hour by a slip.
    if (!m_runs || m_runs->isOver()) {
        QDialog::reject();
        return;
    }
    confirm(this,
            {tr("Stop the command?"), tr("It still runs. Closing this window ends it."), tr("Stop and close"), tr("Keep it running")},
            [this] {
                m_runs->stop();
                QDialog::reject();
            });
}

} // namespace Sandpiper
