// The output of a command: what went to standard error is red and has a bar at its left. GUI thread.
#pragma once

#include "session/commandrun.h"

#include <QPlainTextEdit>
#include <QPointer>

namespace Sandpiper {

class RunCommandView : public QPlainTextEdit
{
    Q_OBJECT
public:
    explicit RunCommandView(QWidget *parent = nullptr);
    // All that is kept of it; null: nothing.
    void show(const CommandRun *run);
    using QPlainTextEdit::show;
    void add(const CommandPiece &piece);

protected:
    void paintEvent(QPaintEvent *event) override;
    void changeEvent(QEvent *event) override;

private:
    void insert(const CommandPiece &piece);
    QPointer<const CommandRun> m_run;
};

} // namespace Sandpiper
