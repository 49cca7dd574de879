// A short flash over the terminal instead of a sound.
#pragma once

#include <QTimer>
#include <QWidget>

namespace Sandpiper {

class BellFlash : public QWidget
{
    Q_OBJECT
public:
    explicit BellFlash(QWidget *covered); // its parent
    void flash(const QColor &color);

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    QColor m_color;
    QTimer m_end;
};

} // namespace Sandpiper
