// One line above a terminal, drawn by us outside its grid: what it waits for, and what one can do.
#pragma once

#include "ui/bannerface.h"

#include <QTimer>
#include <QWidget>

#include <functional>

class QHBoxLayout;

namespace Sandpiper {

class PaneBanner : public QWidget
{
    Q_OBJECT
public:
    // now: where the countdown takes its time from; the system's clock where none is given.
    explicit PaneBanner(QWidget *parent = nullptr, std::function<QDateTime()> now = {});

    // Shows or hides the line. The same face again changes nothing, so buttons keep the focus.
    void setFace(const BannerFace &face);
    [[nodiscard]] const BannerFace &face() const { return m_face; }
    [[nodiscard]] QString text() const; // as it reads now
    [[nodiscard]] bool isCounting() const { return m_tick.isActive(); }

    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

signals:
    void triggered(Sandpiper::BannerAction action);
    void left(); // Escape: the focus belongs to the terminal again

protected:
    void paintEvent(QPaintEvent *event) override;
    void showEvent(QShowEvent *event) override;
    void hideEvent(QHideEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    bool event(QEvent *event) override;

private:
    void rebuildButtons();
    void tick();
    void arm();
    [[nodiscard]] QRect textRect() const;
    std::function<QDateTime()> m_now;
    BannerFace m_face;
    QTimer m_tick; // runs only while the line is on the screen and counts
    QHBoxLayout *m_layout;
    QWidget *m_buttons = nullptr;
};

} // namespace Sandpiper
