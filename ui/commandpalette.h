// One field for every command and every sandbox. GUI thread.
#pragma once

#include <QFrame>
#include <QHash>
#include <QIcon>
#include <QList>
#include <QPointer>

#include <functional>
#include <optional>

class QLabel;
class QLineEdit;
class QListView;
class QStandardItemModel;

namespace Sandpiper {

struct PaletteEntry
{
    QString key;      // stable; what use is counted by
    QString text;
    QString detail;   // muted, beside it
    QString shortcut; // at the right
    QIcon icon;
    std::function<void()> run;
};

class CommandPalette : public QFrame
{
    Q_OBJECT
public:
    explicit CommandPalette(QWidget *window);

    // use: how often each key was chosen. Shown over the window, gone with Escape or a click elsewhere.
    void popup(const QList<PaletteEntry> &entries, const QHash<QString, int> &use, const QString &placeholder);
    // Makes an entry of its own from what is typed, shown before all others; none: nothing to add.
    using TypedEntry = std::function<std::optional<PaletteEntry>(const QString &text)>;
    void setTypedEntry(TypedEntry make) { m_makeTyped = std::move(make); }
    void setText(const QString &text); // as if it had been typed
    // Best first; at most 200. Pure, for tests.
    [[nodiscard]] static QList<int> ranked(const QList<PaletteEntry> &entries, const QHash<QString, int> &use, const QString &pattern);

signals:
    void chosen(const QString &key);

private:
    void filter(const QString &pattern);
    void runCurrent();
    void dismiss();
    void place();
    bool eventFilter(QObject *watched, QEvent *event) override;
    void paintEvent(QPaintEvent *event) override;

    QLineEdit *m_field;
    QListView *m_list;
    QLabel *m_nothing;
    QStandardItemModel *m_model;
    QList<PaletteEntry> m_entries;
    QHash<QString, int> m_use;
    TypedEntry m_makeTyped;
    std::optional<PaletteEntry> m_typed;
    QPointer<QWidget> m_before; // who had the focus
};

} // namespace Sandpiper
