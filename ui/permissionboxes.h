// Permissions of one file or of several, as boxes and as a number. GUI thread.
#pragma once

#include <QList>
#include <QWidget>

class QCheckBox;
class QGridLayout;
class QLineEdit;

namespace Sandpiper {

class PermissionBoxes : public QWidget
{
    Q_OBJECT
public:
    explicit PermissionBoxes(QWidget *parent = nullptr);

    // As they are. Where they differ a box is neither set nor clear, and its bit stays as it is until it is clicked.
    void setModes(const QList<quint32> &modes);
    struct Bits
    {
        quint32 set = 0;
        quint32 clear = 0;
    };
    // Those that were touched; a typed number touches all that it can say.
    [[nodiscard]] Bits touched() const;
    // All but those that differ.
    [[nodiscard]] Bits all() const;
    [[nodiscard]] bool isValid() const; // the number is none, while somebody types

signals:
    void changed();

private:
    void addBit(QGridLayout *grid, int row, int column, quint32 bit, const QString &text, const QString &name);
    void typed(const QString &text);
    void showNumber();
    [[nodiscard]] Bits within(quint32 mask) const;

    QList<std::pair<quint32, QCheckBox *>> m_boxes;
    QLineEdit *m_octal;
    quint32 m_touched = 0;
};

} // namespace Sandpiper
