#include "ui/comparedialog.h"

#include "session/background.h"
#include "session/errortext.h"
#include "ui/dialogkit.h"
#include "ui/style.h"

#include <QCheckBox>
#include <QComboBox>
#include <QGridLayout>
#include <QHeaderView>
#include <QLineEdit>
#include <QLocale>
#include <QPushButton>
#include <QStackedWidget>
#include <QTableView>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

QTableView *makeTable(QAbstractItemModel *model, const QString &name, const QString &spoken, std::initializer_list<int> widths, int stretched, QWidget *parent)
{
    auto *table = new QTableView(parent);
    dressTable(table);
    table->setObjectName(name);
    table->setAccessibleName(spoken);
    table->setModel(model);
    table->setSelectionMode(QAbstractItemView::SingleSelection);
    int column = 0;
    for (const int width : widths)
        table->setColumnWidth(column++, width);
    table->horizontalHeader()->setSectionResizeMode(stretched, QHeaderView::Stretch);
    return table;
}

} // namespace

QString CompareDialog::Place::shown() const
{
    return tr("%1: %2").arg(tamed(name, 60), folder.shown());
}

CompareDialog::CompareDialog(const Side &left, const Side &right, const QString &reasonAgainstSync, QWidget *parent)
    : QDialog(parent)
    , m_sides{{left.files, left.folder, left.name}, {right.files, right.folder, right.name}}
    , m_reasonAgainstSync(reasonAgainstSync)
    , m_model(new CompareModel(this))
    , m_plan(new PlanModel(this))
    , m_pages(new QStackedWidget(this))
    , m_filter(new QComboBox(this))
    , m_excludes(new QLineEdit(this))
    , m_reads(new QCheckBox(tr("Read files of which only the time differs"), this))
    , m_again(new QPushButton(tr("Compare again"), this))
    , m_rowsOrMessage(new QStackedWidget(this))
    , m_table(makeTable(m_model, u"compareTable"_s, tr("What the folders have and have not"), {320, 200, 150, 150}, CompareModel::Path, this))
    , m_message(makeText({}, TextTone::Muted, this))
    , m_summary(makeText({}, TextTone::Plain, this))
    , m_toRight(new QPushButton(tr("Make the right like the left…"), this))
    , m_toLeft(new QPushButton(tr("Make the left like the right…"), this))
    , m_planTitle(makeTitle({}, this))
    , m_planWhat(makeText({}, TextTone::Muted, this))
    , m_planTable(makeTable(m_plan, u"planTable"_s, tr("What would be done"), {90, 320, 280, 80}, PlanModel::Path, this))
    , m_removes(new QCheckBox(this))
    , m_planSummary(makeText({}, TextTone::Plain, this))
    , m_go(new QPushButton(this))
{
    setObjectName(u"compareDialog"_s);
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Compare folders"));
    resize(880, 560);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    m_pages->addWidget(buildRows());
    m_pages->addWidget(buildPlan());
    column->addWidget(m_pages);
    compare();
}

CompareDialog::~CompareDialog() = default;

QWidget *CompareDialog::buildRows()
{
    auto *page = new QWidget(this);
    auto *column = new QVBoxLayout(page);
    column->setContentsMargins(24, 20, 24, 20);
    column->setSpacing(12);
    column->addWidget(makeTitle(tr("Compare folders"), page));
    auto *sides = new QGridLayout;
    sides->setHorizontalSpacing(16);
    sides->setVerticalSpacing(4);
    sides->setColumnStretch(1, 1);
    const QString titles[] = {tr("Left"), tr("Right")};
    for (int side = 0; side < 2; ++side) {
        sides->addWidget(makeText(titles[side], TextTone::Muted, page), side, 0, Qt::AlignTop);
        sides->addWidget(makeText(m_sides[side].shown(), TextTone::Plain, page), side, 1);
    }
    column->addLayout(sides);
    auto *options = new QHBoxLayout;
    options->setSpacing(8);
    const std::pair<CompareModel::Filter, QString> filters[] = {{CompareModel::Filter::Differing, tr("What differs")},
                                                                {CompareModel::Filter::All, tr("All")},
                                                                {CompareModel::Filter::OnlyLeft, tr("Only left")},
                                                                {CompareModel::Filter::OnlyRight, tr("Only right")}};
    for (const auto &[filter, word] : filters)
        m_filter->addItem(word, int(filter));
    m_filter->setObjectName(u"compareFilter"_s);
    m_filter->setMinimumContentsLength(12);
    m_filter->setAccessibleName(tr("What is shown"));
    m_excludes->setObjectName(u"compareExcludes"_s);
    m_excludes->setAccessibleName(tr("What is left out"));
    m_excludes->setPlaceholderText(tr("Leave out: *.o node_modules/ /build"));
    m_excludes->setToolTip(tr("Patterns as rsync has them, with spaces between: *.o anywhere, node_modules/ folders alone, /build at the top."));
    m_again->setObjectName(u"compareAgain"_s);
    m_again->setAutoDefault(false);
    options->addWidget(m_filter);
    options->addWidget(m_excludes, 1);
    options->addWidget(m_again);
    column->addLayout(options);
    m_reads->setObjectName(u"compareReads"_s);
    column->addWidget(m_reads);
    m_message->setAlignment(Qt::AlignCenter);
    m_rowsOrMessage->addWidget(m_table);
    m_rowsOrMessage->addWidget(m_message);
    column->addWidget(m_rowsOrMessage, 1);
    m_summary->setObjectName(u"compareSummary"_s);
    column->addWidget(m_summary);
    auto *buttons = new QHBoxLayout;
    auto *close = new QPushButton(tr("Close"), page);
    close->setAutoDefault(false);
    m_toRight->setObjectName(u"compareToRight"_s);
    m_toLeft->setObjectName(u"compareToLeft"_s);
    buttons->addWidget(m_toRight);
    buttons->addWidget(m_toLeft);
    buttons->addStretch();
    buttons->addWidget(close);
    column->addLayout(buttons);
    for (QPushButton *button : {m_toRight, m_toLeft})
        button->setAutoDefault(false);
    connect(close, &QPushButton::clicked, this, &QDialog::close);
    connect(m_again, &QPushButton::clicked, this, &CompareDialog::compare);
    connect(m_excludes, &QLineEdit::returnPressed, this, &CompareDialog::compare);
    connect(m_reads, &QCheckBox::toggled, this, &CompareDialog::compare);
    connect(m_toRight, &QPushButton::clicked, this, [this] { openPlan(SyncWay::LeftToRight); });
    connect(m_toLeft, &QPushButton::clicked, this, [this] { openPlan(SyncWay::RightToLeft); });
    connect(m_filter, &QComboBox::currentIndexChanged, this, [this] { m_model->setFilter(CompareModel::Filter(m_filter->currentData().toInt())); });
    connect(m_model, &QAbstractItemModel::modelReset, this, &CompareDialog::updateRows);
    connect(m_model, &QAbstractItemModel::rowsInserted, this, &CompareDialog::updateRows);
    return page;
}

QWidget *CompareDialog::buildPlan()
{
    auto *page = new QWidget(this);
    auto *column = new QVBoxLayout(page);
    column->setContentsMargins(24, 20, 24, 20);
    column->setSpacing(12);
    column->addWidget(m_planTitle);
    column->addWidget(m_planWhat);
    column->addWidget(m_planTable, 1);
    m_removes->setObjectName(u"planRemoves"_s);
    column->addWidget(m_removes);
    m_planSummary->setObjectName(u"planSummary"_s);
    column->addWidget(m_planSummary);
    auto *buttons = new QHBoxLayout;
    auto *back = new QPushButton(tr("Back"), page);
    back->setObjectName(u"planBack"_s);
    back->setAutoDefault(false);
    m_go->setObjectName(u"planGo"_s);
    m_go->setAutoDefault(false);
    buttons->addStretch();
    buttons->addWidget(back);
    buttons->addWidget(m_go);
    column->addLayout(buttons);
    connect(back, &QPushButton::clicked, this, [this] {
        m_pages->setCurrentIndex(0);
        m_table->setFocus();
    });
    connect(m_removes, &QCheckBox::toggled, this, &CompareDialog::makePlan);
    connect(m_go, &QPushButton::clicked, this, [this] {
        emit syncWanted(m_way, m_plan->plan());
        close();
    });
    return page;
}

// The rows -------------------------------------------------------------------------------------------

void CompareDialog::compare()
{
    m_compare.reset();
    m_isWhole = false;
    m_problem.clear();
    m_model->clear();
    QByteArrayList patterns;
    for (const QString &word : m_excludes->text().split(u' ', Qt::SkipEmptyParts))
        patterns.append(word.toUtf8());
    const Result<Excludes> excludes = Excludes::fromPatterns(patterns);
    if (!excludes) {
        m_problem = tr("“%1”: %2").arg(excludes.error().subject, excludes.error().detail);
        return updateRows();
    }
    CompareOptions options;
    options.excludes = *excludes;
    options.readsContent = m_reads->isChecked();
    m_compare = std::make_unique<TreeCompare>(TreeCompare::Place{m_sides[0].files, m_sides[0].folder}, TreeCompare::Place{m_sides[1].files, m_sides[1].folder}, options);
    connect(m_compare.get(), &TreeCompare::found, this, [this](const QList<CompareRow> &rows) {
        m_model->add(rows);
        updateRows();
    });
    connect(m_compare.get(), &TreeCompare::finished, this, &CompareDialog::ended);
    m_compare->start();
    updateRows();
}

void CompareDialog::ended(const Done &end)
{
    m_compare.release()->deleteLater(); // it is what speaks
    m_isWhole = end.has_value();
    if (!end)
        m_problem = problemText(end.error());
    m_model->sortAll();
    updateRows();
}

void CompareDialog::updateRows()
{
    const CompareModel::Counts &counts = m_model->counts();
    const auto count = [](qint64 number) { return QLocale().toString(number); };
    QString text = tr("%1 differ, %2 only left, %3 only right, %4 the same.").arg(count(counts.differing), count(counts.onlyLeft), count(counts.onlyRight), count(counts.same));
    const bool isAlike = m_isWhole && counts.differing + counts.onlyLeft + counts.onlyRight + counts.failed == 0;
    if (isAlike)
        text = tr("%1 the same.").arg(count(counts.same));
    if (counts.failed > 0)
        text += u' ' + tr("%1 could not be compared.").arg(count(counts.failed));
    if (counts.leftOut > 0)
        text += u' ' + tr("%1 left out.").arg(count(counts.leftOut));
    if (m_model->unlisted() > 0)
        text += u' ' + tr("%1 of the same are not listed.").arg(count(m_model->unlisted()));
    if (m_compare)
        text = tr("Comparing… %1").arg(text);
    m_summary->setText(m_problem.isEmpty() ? text : m_problem);
    m_summary->setForegroundRole(m_problem.isEmpty() ? QPalette::WindowText : QPalette::BrightText);
    const bool isEmpty = m_model->rowCount() == 0;
    m_message->setText(m_compare ? tr("Comparing…") : !m_problem.isEmpty() ? tr("The folders were not compared.") : isAlike ? tr("The folders are the same.") : tr("Nothing of this kind."));
    m_rowsOrMessage->setCurrentIndex(isEmpty ? 1 : 0);
    for (QPushButton *button : {m_toRight, m_toLeft}) {
        button->setEnabled(m_isWhole && !isAlike && m_reasonAgainstSync.isEmpty());
        button->setToolTip(m_reasonAgainstSync);
    }
}

// The plan -------------------------------------------------------------------------------------------

void CompareDialog::openPlan(SyncWay way)
{
    m_way = way;
    const bool isToRight = way == SyncWay::LeftToRight;
    m_planTitle->setText(isToRight ? tr("Make the right like the left") : tr("Make the left like the right"));
    m_planWhat->setText(tr("%1 becomes as %2. Nothing has been changed yet.").arg(m_sides[isToRight ? 1 : 0].shown(), m_sides[isToRight ? 0 : 1].shown()));
    const qint64 onlyThere = isToRight ? m_model->counts().onlyRight : m_model->counts().onlyLeft;
    m_removes->setText(tr("Also remove what is only there (%1)").arg(QLocale().toString(onlyThere)));
    m_removes->setEnabled(onlyThere > 0);
    {
        const QSignalBlocker quiet(m_removes);
        m_removes->setChecked(false);
    }
    m_plan->setPlan({});
    makePlan();
    m_pages->setCurrentIndex(1);
    m_planTable->setFocus();
}

void CompareDialog::makePlan()
{
    m_hasPlan = false;
    updatePlan();
    inBackground(
            this, [rows = m_model->rows(), way = m_way, removes = m_removes->isChecked()] { return planSync(rows, way, removes); },
            [this, asked = ++m_planning](const SyncPlan &plan) {
                if (asked != m_planning)
                    return;
                m_hasPlan = true;
                m_plan->setPlan(plan);
                updatePlan();
            });
}

void CompareDialog::updatePlan()
{
    const SyncPlan &plan = m_plan->plan();
    m_planSummary->setText(m_hasPlan ? planText(plan) : tr("Making the plan…"));
    const bool removes = m_hasPlan && plan.removals > 0;
    m_go->setEnabled(m_hasPlan && plan.changes() > 0);
    m_go->setText(removes ? tr("Go, and remove %1").arg(QLocale().toString(plan.removals)) : tr("Go"));
    m_go->setProperty("danger", removes);
    m_go->update();
}

} // namespace Sandpiper
