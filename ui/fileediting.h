// Files of a browser that go to an editor: one of this computer as it is, one of a sandbox by a copy. GUI thread.
#pragma once

#include "ui/filepane.h"

#include <QSet>

namespace Sandpiper {

class FileEditing : public QObject
{
    Q_OBJECT
public:
    // window: what questions are asked over; its parent.
    FileEditing(const FileServices &services, QWidget *window);

    // Of the pane's own files. Why it cannot: a sentence for a tooltip; empty: it can.
    [[nodiscard]] QString reasonAgainst(const FilePane *pane, const QList<int> &rows) const;
    // how: Edit, or Open with what the desktop has for it.
    void open(FilePane *pane, const QList<int> &rows, FileOpening how);
    // Its copy once more.
    void openAgain(const QString &id);
    [[nodiscard]] FileChoices choices() const { return m_services.choices ? m_services.choices() : FileChoices(); }

private:
    void start(const QString &file, FileOpening how, FilePane *pane);
    void opened(const QString &id);
    void changed(const QString &id);

    struct Wish
    {
        FileOpening how = FileOpening::Edit;
        QPointer<FilePane> pane; // where a refusal is told
    };
    FileServices m_services;
    QWidget *m_window;
    QHash<QString, Wish> m_wishes; // for an editor, once the copy is here
    QSet<QString> m_asked; // about their size
};

} // namespace Sandpiper
