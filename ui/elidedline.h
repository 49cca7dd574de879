// One line of plain text, perhaps behind an icon, that gives way: what has no room is cut off with an ellipsis, and is
// in the tooltip. GUI thread.
#pragma once

#include <QIcon>
#include <QWidget>

namespace Sandpiper {

class ElidedLine : public QWidget
{
    Q_OBJECT
public:
    explicit ElidedLine(QWidget *parent = nullptr);
    // Accessible name and tooltip, too.
    void setText(const QString &text);
    [[nodiscard]] QString text() const { return m_text; }
    void setIcon(const QIcon &icon); // painted anew with each theme
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;
    bool event(QEvent *event) override;

private:
    [[nodiscard]] int textLeft() const;
    QIcon m_icon;
    QString m_text;
};

} // namespace Sandpiper
