// Small pieces that dialogs and pages share, so that they look alike. GUI thread.
#pragma once

#include "session/error.h"
#include "ui/icons.h"

#include <QDialog>
#include <QFrame>
#include <QLabel>

#include <functional>

class QDialogButtonBox;
class QHBoxLayout;
class QPushButton;
class QTableView;
class QToolButton;
class QVBoxLayout;

namespace Sandpiper {

enum class TextTone { Plain, Muted, Danger };

// Labels whose colour follows the theme. Text is plain, never rich: much of it comes from outside.
[[nodiscard]] QLabel *makeHeading(const QString &text, QWidget *parent);
[[nodiscard]] QLabel *makeTitle(const QString &text, QWidget *parent);
[[nodiscard]] QLabel *makeText(const QString &text, TextTone tone, QWidget *parent);
// How the tables of the pages look and are used; rows are selected, one or several by the table's own mode.
void dressTable(QTableView *table);
// An icon alone; text is its tooltip and its accessible name.
[[nodiscard]] QToolButton *makeToolButton(IconName name, const QString &text, QWidget *parent);

// The top line of a panel in the drawer: its title, and what can be done.
[[nodiscard]] QHBoxLayout *makePanelHead(const QString &title, const QList<QToolButton *> &buttons, QWidget *panel);
// What a panel says while there is nothing to list.
[[nodiscard]] QLabel *makePanelText(const QString &text, QWidget *panel);
// A button that fills its parent, which stands in the status bar.
[[nodiscard]] QToolButton *makeStatusButton(const QString &tip, QWidget *parent);

// Against what a dialog was given: where that is wrong, the sentence that says why; else what failed.
[[nodiscard]] QString problemText(const Error &error);

struct Confirmation
{
    QString question; // short, names the thing
    QString text;     // what it means
    QString verb;     // on the button
    QString keep;     // on the other one, which is the default
    bool isDestructive = true;
};
// Asks without stopping the program; agreed is called once, if at all. Gone with parent.
void confirm(QWidget *parent, const Confirmation &confirmation, std::function<void()> agreed);

// One line that tells, with something to do about it, and goes when dismissed.
class NoticeBar : public QFrame
{
    Q_OBJECT
public:
    enum class Tone { Info, Trouble };
    explicit NoticeBar(QWidget *parent = nullptr);
    void tell(Tone tone, const QString &text, const QString &action = {}, std::function<void()> onAction = {});
    void dismiss();
    [[nodiscard]] QString text() const { return m_text->text(); }

private:
    QLabel *m_icon;
    QLabel *m_text;
    QPushButton *m_action;
    std::function<void()> m_onAction;
};

} // namespace Sandpiper
