// Where a pane is: breadcrumbs that turn into an editable path. GUI thread.
#pragma once

#include "sftp/filepath.h"

#include <QWidget>

class QCompleter;
class QHBoxLayout;
class QLineEdit;
class QStackedLayout;
class QStringListModel;
class QToolButton;

namespace Sandpiper {

class PathBar : public QWidget
{
    Q_OBJECT
public:
    explicit PathBar(QWidget *parent = nullptr);

    void setPath(const FilePath &path);
    [[nodiscard]] const FilePath &path() const { return m_path; }
    // With the whole path selected.
    void edit();
    [[nodiscard]] bool isEditing() const;
    // The folders in parent, asked for by completionsWanted(); anything else is late and dropped.
    void setCompletions(const FilePath &parent, const QStringList &shownPaths);
    // Paths that were gone to, offered while nothing is typed.
    void setHistory(const QStringList &shownPaths) { m_history = shownPaths; }

    [[nodiscard]] QSize minimumSizeHint() const override;

signals:
    void pathChosen(const Sandpiper::FilePath &path);
    void refused(const QString &why); // what was typed is no path
    void completionsWanted(const Sandpiper::FilePath &parent);
    void left(); // Escape, or chosen: the focus belongs to the files again

protected:
    void resizeEvent(QResizeEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    void paintEvent(QPaintEvent *event) override;
    bool eventFilter(QObject *watched, QEvent *event) override;
    void changeEvent(QEvent *event) override;

private:
    void rebuild();
    void arrange();
    void typed(const QString &text);
    void choose();
    void stopEditing();

    FilePath m_path;
    FilePath m_completing;
    QStringList m_history;
    QStackedLayout *m_stack;
    QWidget *m_crumbs;
    QHBoxLayout *m_row;
    QToolButton *m_more;
    QList<QToolButton *> m_buttons; // from the root down
    QLineEdit *m_edit;
    QStringListModel *m_words;
    QCompleter *m_completer;
};

} // namespace Sandpiper
