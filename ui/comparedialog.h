// "Compare folders": what two folders have and have not, and the plan that makes one as the other. GUI thread.
#pragma once

#include "sftp/treecompare.h"
#include "ui/comparemodel.h"

#include <QDialog>

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QStackedWidget;
class QTableView;

namespace Sandpiper {

class CompareDialog : public QDialog
{
    Q_OBJECT
public:
    struct Side
    {
        FileSystem *files = nullptr; // borrowed and may go
        FilePath folder;
        QString name; // whose it is
    };
    // reasonAgainstSync: why neither can be made as the other; empty: both can.
    CompareDialog(const Side &left, const Side &right, const QString &reasonAgainstSync, QWidget *parent = nullptr);
    ~CompareDialog() override;

    [[nodiscard]] CompareModel *model() const { return m_model; }
    [[nodiscard]] PlanModel *planModel() const { return m_plan; }
    [[nodiscard]] bool isComparing() const { return m_compare != nullptr; }

signals:
    // Agreed to; the dialog closes.
    void syncWanted(Sandpiper::SyncWay way, const Sandpiper::SyncPlan &plan);

private:
    [[nodiscard]] QWidget *buildRows();
    [[nodiscard]] QWidget *buildPlan();
    void compare();
    void ended(const Done &end);
    void updateRows();
    void openPlan(SyncWay way);
    void makePlan();
    void updatePlan();

    struct Place
    {
        QPointer<FileSystem> files;
        FilePath folder;
        QString name;
        [[nodiscard]] QString shown() const;
    };
    Place m_sides[2];
    QString m_reasonAgainstSync;
    CompareModel *m_model;
    PlanModel *m_plan;
    std::unique_ptr<TreeCompare> m_compare; // while it is under way
    bool m_isWhole = false; // the rows are all that there is
    QString m_problem;
    SyncWay m_way = SyncWay::LeftToRight;
    int m_planning = 0; // the latest plan that was asked for
    bool m_hasPlan = false;

    QStackedWidget *m_pages;
    QComboBox *m_filter;
    QLineEdit *m_excludes;
    QCheckBox *m_reads;
    QPushButton *m_again;
    QStackedWidget *m_rowsOrMessage;
    QTableView *m_table;
    QLabel *m_message;
    QLabel *m_summary;
    QPushButton *m_toRight;
    QPushButton *m_toLeft;
    QLabel *m_planTitle;
    QLabel *m_planWhat;
    QTableView *m_planTable;
    QCheckBox *m_removes;
    QLabel *m_planSummary;
    QPushButton *m_go;
};

} // namespace Sandpiper
