// The row above the terminals: tabs, "+", and a list of all tabs where they do not fit.
#pragma once

#include <QWidget>

class QToolButton;

namespace Sandpiper {

class TabBar;

class TabStrip : public QWidget
{
    Q_OBJECT
public:
    explicit TabStrip(QWidget *parent = nullptr);
    [[nodiscard]] TabBar *bar() const { return m_bar; }
    // Call after tabs came, went or changed their words.
    void arrange();
    [[nodiscard]] bool isOverflowing() const;
    [[nodiscard]] QSize sizeHint() const override;

signals:
    void newWanted();
    void newWithWanted();

protected:
    void resizeEvent(QResizeEvent *event) override;
    void paintEvent(QPaintEvent *event) override;
    void mouseDoubleClickEvent(QMouseEvent *event) override;
    void changeEvent(QEvent *event) override;

private:
    void showList();
    TabBar *m_bar;
    QToolButton *m_new;
    QToolButton *m_list;
};

} // namespace Sandpiper
