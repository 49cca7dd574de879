// Tells other processes of the forwards that a ForwardManager has switched on, as ForwardsTeller does: one set for
// each sandbox. GUI thread.
#pragma once

#include "session/forwardmanager.h"
#include "session/runningforwards.h"

#include <map>

namespace Sandpiper {

class ForwardTellers : public QObject
{
    Q_OBJECT
public:
    // forwards is borrowed and outlives it; folder as for ForwardsTeller.
    ForwardTellers(ForwardManager *forwards, const QString &folder, QObject *parent = nullptr);

private:
    void follow();
    [[nodiscard]] RunningForwards look(const QString &sandbox) const;
    [[nodiscard]] QList<ForwardWish> wishesOn(const QString &sandbox) const;
    ForwardManager *m_forwards;
    QString m_folder;
    std::map<QString, std::unique_ptr<ForwardsTeller>> m_tellers; // by SandboxId::toString()
};

} // namespace Sandpiper
