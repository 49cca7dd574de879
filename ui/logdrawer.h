// The log of connection events at the bottom of the window. GUI thread.
#pragma once

#include <QWidget>

class QPlainTextEdit;

namespace Sandpiper {

class LogDrawer : public QWidget
{
    Q_OBJECT
public:
    explicit LogDrawer(QWidget *parent = nullptr);
    // One line, already without secrets. The last 5,000 are kept.
    void append(const QString &line);
    [[nodiscard]] QString text() const;

signals:
    void closeWanted();

private:
    QPlainTextEdit *m_lines;
};

} // namespace Sandpiper
