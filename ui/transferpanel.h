// The list of transfers, in the drawer of the window. GUI thread.
#pragma once

#include "ui/transfermodel.h"

#include <QWidget>

class QLabel;
class QMenu;
class QTableView;
class QToolButton;

namespace Sandpiper {

class TransferPanel : public QWidget
{
    Q_OBJECT
public:
    explicit TransferPanel(TransferQueue *queue, QWidget *parent = nullptr); // borrowed, outlives it
    [[nodiscard]] TransferModel *model() const { return m_model; }
    [[nodiscard]] QTableView *table() const { return m_table; }
    // Of the chosen rows, for its context menu.
    void fillMenu(QMenu *menu);

signals:
    void closeWanted();

protected:
    bool eventFilter(QObject *watched, QEvent *event) override;

private:
    enum class Place { Earlier, Later, First, Last };
    void updateButtons();
    void retryOrResume();
    void pauseChosen();
    void cancelChosen();
    void pauseAll();
    void resumeAll();
    void clearFinished();
    void move(Place where);
    void showReceipt();
    void select(const QList<qint64> &ids);
    [[nodiscard]] QList<qint64> selected() const;
    [[nodiscard]] QList<qint64> chosen() const; // the selected ones; where none is, all
    TransferQueue *m_queue;
    TransferModel *m_model;
    QTableView *m_table;
    QLabel *m_empty;
    QToolButton *m_earlier;
    QToolButton *m_later;
    QToolButton *m_pause;
    QToolButton *m_resume;
    QToolButton *m_cancel;
    QToolButton *m_receipt;
    QToolButton *m_clear;
    QToolButton *m_close;
    QList<qint64> m_kept; // selected, across a reset
};

// What transfers there are, in the status bar: a button that shows the list. Nothing while there is nothing to say.
class TransferSummary : public QWidget
{
    Q_OBJECT
public:
    explicit TransferSummary(TransferQueue *queue, QWidget *parent = nullptr); // borrowed, outlives it
    [[nodiscard]] QString text() const;

signals:
    void clicked();

private:
    void update();
    TransferQueue *m_queue;
    QToolButton *m_button;
};

} // namespace Sandpiper
