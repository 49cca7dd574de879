// What of the sidebar is shown while there is something in its filter field. GUI thread.
#pragma once

#include <QSortFilterProxyModel>

namespace Sandpiper {

// Sandboxes whose name, image or id holds the needle; accounts that have one, or whose name does.
class SandboxFilter : public QSortFilterProxyModel
{
    Q_OBJECT
public:
    explicit SandboxFilter(QObject *parent = nullptr);
    void setNeedle(const QString &needle);
    [[nodiscard]] QString needle() const { return m_needle; }

protected:
    bool filterAcceptsRow(int row, const QModelIndex &parent) const override;

private:
    QString m_needle;
};

} // namespace Sandpiper
