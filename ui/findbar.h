// Finding in a terminal's scrollback; lies over the terminal's upper corner, so nothing moves.
#pragma once

#include <QWidget>

class QLabel;
class QLineEdit;

namespace Sandpiper {

class FindBar : public QWidget
{
    Q_OBJECT
public:
    explicit FindBar(QWidget *parent = nullptr);

    // text: what to begin with, a selection say; one line of it is taken.
    void open(const QString &text);
    void setFound(bool found); // the answer to findWanted()
    [[nodiscard]] QString pattern() const;

signals:
    void findWanted(const QString &text, bool backwards); // never empty
    void closed();

protected:
    void keyPressEvent(QKeyEvent *event) override;
    void paintEvent(QPaintEvent *event) override;

private:
    void finish();
    void search(bool backwards);
    QLineEdit *m_edit;
    QLabel *m_answer;
};

} // namespace Sandpiper
