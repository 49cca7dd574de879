// The forwards, in the drawer of the window: the table, what can be done with a row, and what a failed one needs.
// GUI thread.
#pragma once

#include "session/portradar.h"
#include "ui/forwardmodel.h"

#include <QWidget>

#include <functional>

class QLabel;
class QMenu;
class QTableView;
class QToolButton;

namespace Sandpiper {

class NoticeBar;

class ForwardPanel : public QWidget
{
    Q_OBJECT
public:
    struct Parts
    {
        ForwardManager *forwards = nullptr;  // borrowed, outlives it
        QPointer<SandboxRegistry> registry;  // may be null
        std::function<void(const QUrl &)> openUrl; // unset: the desktop's way
        std::function<QString(const SandboxId &)> destination; // "user@host" for a copied ssh line; unset or empty: its name
        std::function<SandboxId()> current = {};   // what a new forward leads to at first; unset: the first there is
        std::function<QList<FoundPort>(const SandboxId &)> ports = {}; // what listens there, to choose from; unset: not known
    };
    explicit ForwardPanel(Parts parts, QWidget *parent = nullptr);

    [[nodiscard]] ForwardModel *model() const { return m_model; }
    [[nodiscard]] QTableView *table() const { return m_table; }
    // Of the chosen rows, for its context menu.
    void fillMenu(QMenu *menu);
    // A dialog for a new one. sandbox: what it leads to at first.
    void addForward(const SandboxId &sandbox = {});
    void paste(const QString &text);
    void addLine(QWidget *line); // below everything; taken over

signals:
    void closeWanted();

private:
    [[nodiscard]] QStringList chosen() const;
    [[nodiscard]] std::optional<ForwardWish> single() const;
    void updateButtons();
    void showMend();
    void openDialog(const ForwardWish &wish);
    void edit();
    void showConnections();
    void remove();
    void switchTo(const QStringList &ids, bool isOn);
    void openInBrowser();
    void copyAddress();
    void copyCommand();
    void importFile();
    void exportFile();
    void tell(const Error &error);
    Parts m_parts;
    ForwardModel *m_model;
    QTableView *m_table;
    QLabel *m_empty;
    NoticeBar *m_mend;
    QString m_mended; // whose failure the bar is about, and which
    QToolButton *m_add;
    QToolButton *m_edit;
    QToolButton *m_remove;
    QToolButton *m_open;
    QToolButton *m_copy;
    QToolButton *m_more;
    QToolButton *m_close;
};

// How many there are, in the status bar: a button that shows the list. Nothing while none is on.
class ForwardSummary : public QWidget
{
    Q_OBJECT
public:
    explicit ForwardSummary(ForwardManager *forwards, QWidget *parent = nullptr); // borrowed, outlives it
    [[nodiscard]] QString text() const;

signals:
    void clicked();

private:
    void update();
    ForwardManager *m_forwards;
    QToolButton *m_button;
};

} // namespace Sandpiper
