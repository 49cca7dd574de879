#include "session/forwardtellers.h"

#include <QCoreApplication>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// As the other processes that tell of theirs have it.
ForwardStatus statusOf(const ForwardManager::Status &status)
{
    ForwardStatus forward;
    forward.at = status.at;
    forward.error = status.error.value_or(Error());
    if (status.state == ForwardManager::State::Listening)
        forward.state = ForwardStatus::State::Listening;
    else if (status.state == ForwardManager::State::Failed)
        forward.state = ForwardStatus::State::Failed;
    return forward;
}

} // namespace

ForwardTellers::ForwardTellers(ForwardManager *forwards, const QString &folder, QObject *parent)
    : QObject(parent)
    , m_forwards(forwards)
    , m_folder(folder)
{
    connect(forwards, &ForwardManager::listChanged, this, &ForwardTellers::follow);
    follow();
}

QList<ForwardWish> ForwardTellers::wishesOn(const QString &sandbox) const
{
    QList<ForwardWish> on;
    std::ranges::copy_if(m_forwards->wishes()->wishes(), std::back_inserter(on), [&](const ForwardWish &wish) { return wish.isOn && wish.sandbox.toString() == sandbox; });
    return on;
}

void ForwardTellers::follow()
{
    QStringList wanted;
    for (const ForwardWish &wish : m_forwards->wishes()->wishes()) {
        if (wish.isOn)
            wanted.append(wish.sandbox.toString());
    }
    std::erase_if(m_tellers, [&](const auto &each) { return !wanted.contains(each.first); });
    for (const QString &sandbox : std::as_const(wanted)) {
        std::unique_ptr<ForwardsTeller> &teller = m_tellers[sandbox];
        if (teller)
            continue;
        teller = std::make_unique<ForwardsTeller>(m_folder, [this, sandbox] { return look(sandbox); });
        connect(teller.get(), &ForwardsTeller::stopWished, this, [this, sandbox] {
            QStringList ids;
            for (const ForwardWish &wish : wishesOn(sandbox))
                ids.append(wish.id);
            // Where the file cannot be written they go on, and are still listed.
            (void)m_forwards->setOn(ids, false);
        }, Qt::QueuedConnection);
    }
}

RunningForwards ForwardTellers::look(const QString &sandbox) const
{
    const QList<ForwardWish> wishes = wishesOn(sandbox);
    RunningForwards running;
    running.process = QCoreApplication::applicationPid();
    bool waits = false;
    bool isOpen = false;
    for (const ForwardWish &wish : wishes) {
        const ForwardManager::Status status = m_forwards->status(wish.id);
        isOpen = isOpen || status.state == ForwardManager::State::Listening;
        waits = waits || status.state == ForwardManager::State::Waiting;
        running.forwards.append(runningForward(wish.spec, statusOf(status), m_forwards->traffic(wish.id)));
    }
    running.name = running.target = wishes.isEmpty() ? sandbox : wishes.constFirst().sandboxName;
    const bool hasFailed = !isOpen && std::ranges::all_of(running.forwards, [](const RunningForward &one) { return one.state == "failed"_L1; });
    running.state = isOpen ? u"open"_s : waits ? u"waiting"_s : hasFailed ? u"failed"_s : u"opening"_s;
    return running;
}

} // namespace Sandpiper
