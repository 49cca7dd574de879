// Small things that lie over a terminal.
#pragma once

#include <QAbstractButton>

namespace Sandpiper {

// The frame of a card over other content, filling the widget.
void paintCard(QWidget *widget);

// A small cross that closes or dismisses.
class CrossButton : public QAbstractButton
{
    Q_OBJECT
public:
    explicit CrossButton(const QString &name, QWidget *parent = nullptr);
    [[nodiscard]] QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;
    bool event(QEvent *event) override;
};

// A word in a rounded frame that can be clicked: "Read-only".
class PillButton : public QAbstractButton
{
    Q_OBJECT
public:
    explicit PillButton(const QString &text, QWidget *parent = nullptr);
    [[nodiscard]] QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;
    bool event(QEvent *event) override;
};

} // namespace Sandpiper
