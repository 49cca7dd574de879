#include "ui/permissionboxes.h"

#include "ui/dialogkit.h"
#include "ui/filewords.h"

#include <QCheckBox>
#include <QGridLayout>
#include <QLineEdit>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

constexpr quint32 kAll = 07777;

} // namespace

PermissionBoxes::PermissionBoxes(QWidget *parent)
    : QWidget(parent)
    , m_octal(new QLineEdit(this))
{
    auto *grid = new QGridLayout;
    grid->setHorizontalSpacing(16);
    grid->setVerticalSpacing(4);
    const QString who[] = {tr("Owner"), tr("Group"), tr("Others")};
    const QString what[] = {tr("Read"), tr("Write"), tr("Execute")};
    for (int column = 0; column < 3; ++column)
        grid->addWidget(makeText(what[column], TextTone::Muted, this), 0, column + 1);
    for (int row = 0; row < 3; ++row) {
        grid->addWidget(makeText(who[row], TextTone::Muted, this), row + 1, 0);
        for (int column = 0; column < 3; ++column)
            addBit(grid, row + 1, column + 1, 0400u >> (row * 3 + column), {}, tr("%1: %2").arg(who[row], what[column]));
    }
    addBit(grid, 1, 4, 04000, tr("Set user ID"), tr("Set user ID"));
    addBit(grid, 2, 4, 02000, tr("Set group ID"), tr("Set group ID"));
    addBit(grid, 3, 4, 01000, tr("Sticky"), tr("Sticky"));
    m_octal->setObjectName(u"propertiesOctal"_s);
    m_octal->setAccessibleName(tr("Permissions as an octal number"));
    m_octal->setMaximumWidth(90);
    m_octal->setMaxLength(5);
    auto *octal = new QHBoxLayout;
    octal->addWidget(makeText(tr("As a number"), TextTone::Muted, this));
    octal->addWidget(m_octal);
    octal->addStretch(1);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(12);
    column->addLayout(grid);
    column->addLayout(octal);
    connect(m_octal, &QLineEdit::textEdited, this, &PermissionBoxes::typed);
}

void PermissionBoxes::addBit(QGridLayout *grid, int row, int column, quint32 bit, const QString &text, const QString &name)
{
    auto *box = new QCheckBox(text, this);
    box->setAccessibleName(name);
    box->setObjectName(u"bit%1"_s.arg(bit, 4, 8, QChar(u'0')));
    grid->addWidget(box, row, column);
    m_boxes.append({bit, box});
    connect(box, &QCheckBox::clicked, this, [this, bit] {
        m_touched |= bit;
        showNumber();
        emit changed();
    });
}

void PermissionBoxes::setModes(const QList<quint32> &modes)
{
    m_touched = 0;
    for (const auto &[bit, box] : std::as_const(m_boxes)) {
        const auto count = std::ranges::count_if(modes, [bit](quint32 mode) { return (mode & bit) != 0; });
        const bool isMixed = count > 0 && count < modes.size();
        box->setTristate(isMixed);
        box->setCheckState(isMixed ? Qt::PartiallyChecked : count > 0 ? Qt::Checked : Qt::Unchecked);
    }
    showNumber();
}

void PermissionBoxes::typed(const QString &text)
{
    if (const std::optional<quint32> mode = modeFromOctal(text)) {
        m_touched = kAll;
        for (const auto &[bit, box] : std::as_const(m_boxes))
            box->setCheckState(*mode & bit ? Qt::Checked : Qt::Unchecked);
    }
    emit changed();
}

void PermissionBoxes::showNumber()
{
    const Bits bits = all();
    const bool isWhole = (bits.set | bits.clear) == kAll;
    m_octal->setText(isWhole ? octalText(bits.set) : QString());
    m_octal->setPlaceholderText(isWhole ? QString() : tr("differ"));
}

PermissionBoxes::Bits PermissionBoxes::within(quint32 mask) const
{
    Bits bits;
    for (const auto &[bit, box] : m_boxes) {
        if (box->checkState() == Qt::Checked)
            bits.set |= bit & mask;
        else if (box->checkState() == Qt::Unchecked)
            bits.clear |= bit & mask;
    }
    return bits;
}

PermissionBoxes::Bits PermissionBoxes::touched() const
{
    return within(m_touched);
}

PermissionBoxes::Bits PermissionBoxes::all() const
{
    return within(kAll);
}

bool PermissionBoxes::isValid() const
{
    return m_octal->text().isEmpty() ? !m_octal->placeholderText().isEmpty() : modeFromOctal(m_octal->text()).has_value();
}

} // namespace Sandpiper
