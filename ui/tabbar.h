// The tabs of the workspace. Drawn by us; what it tells assistive technology and the keyboard is
// QTabBar's. GUI thread.
#pragma once

#include "ui/tabface.h"

#include <QTabBar>

namespace Sandpiper {

class Spring;

class TabBar : public QTabBar
{
    Q_OBJECT
public:
    explicit TabBar(QWidget *parent = nullptr);

    int addTab(const TabFace &face);
    void setFace(int index, const TabFace &face);
    // How wide the bar may become; tabs get narrower before they are scrolled.
    void setRoom(int pixels);
    [[nodiscard]] TabFace face(int index) const;
    // Where the cross of this tab is; empty where it shows none.
    [[nodiscard]] QRect crossRect(int index) const;

    [[nodiscard]] Spring *spring() const { return m_spring; } // of tabs under a drag

    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

signals:
    void closeWanted(int index);
    void menuWanted(int index, const QPoint &globalPos);
    void renameWanted(int index); // double click

protected:
    [[nodiscard]] QSize tabSizeHint(int index) const override;
    [[nodiscard]] QSize minimumTabSizeHint(int index) const override;
    void tabInserted(int index) override;
    void tabRemoved(int index) override;
    void paintEvent(QPaintEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void mouseReleaseEvent(QMouseEvent *event) override;
    void mouseDoubleClickEvent(QMouseEvent *event) override;
    void leaveEvent(QEvent *event) override;
    void contextMenuEvent(QContextMenuEvent *event) override;
    void dragEnterEvent(QDragEnterEvent *event) override;
    void dragMoveEvent(QDragMoveEvent *event) override;
    void dragLeaveEvent(QDragLeaveEvent *event) override;
    void dropEvent(QDropEvent *event) override;

private:
    void paintTab(QPainter &painter, int index) const;
    void paintWords(QPainter &painter, const QRect &space, const TabFace &face, bool current) const;
    [[nodiscard]] bool showsCross(int index) const;
    [[nodiscard]] int barHeight() const;
    [[nodiscard]] int wantedWidth(int index) const;
    void share();
    void hover(const QPoint &pos);
    void dragTo(const QPoint &pos);
    Spring *m_spring;
    int m_room = 0;
    int m_cap = 0; // no tab is wider
    int m_hovered = -1;
    bool m_crossHovered = false;
    int m_crossPressed = -1;
    int m_middlePressed = -1;
    int m_dragged = -1; // index of the tab under the pressed button
    QPoint m_pressedAt;
    bool m_dragging = false;
};

} // namespace Sandpiper
