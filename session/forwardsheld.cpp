#include "session/forwardsheld.h"

#include <algorithm>
#include <mutex>
#include <vector>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

struct Entry
{
    quint64 number = 0;
    ForwardOwner owner;
    ForwardSpec spec;
    ForwardSpec::End at;
};

struct Table
{
    std::mutex mutex;
    std::vector<Entry> entries;
    quint64 last = 0;
};

Table &table()
{
    static Table &all = *new Table; // threads that end after main() still use it
    return all;
}

} // namespace

HeldForward::HeldForward(const ForwardOwner &owner, const ForwardSpec &spec, const ForwardSpec::End &at)
{
    const std::lock_guard guard(table().mutex);
    m_number = ++table().last;
    table().entries.push_back({m_number, owner, spec, at});
}

HeldForward::~HeldForward()
{
    const std::lock_guard guard(table().mutex);
    std::erase_if(table().entries, [this](const Entry &entry) { return entry.number == m_number; });
}

bool HeldForward::isHeld(const ForwardOwner &owner, const ForwardSpec &spec)
{
    const std::lock_guard guard(table().mutex);
    return std::ranges::any_of(table().entries, [&](const Entry &entry) { return entry.owner.identity == owner.identity && entry.spec == spec; });
}

Error HeldForward::explained(const ForwardOwner &owner, const ForwardSpec &spec, const Error &error, bool &isHeld)
{
    isHeld = error.kind == ErrorKind::Conflict && HeldForward::isHeld(owner, spec);
    const QString other = error.kind == ErrorKind::Conflict ? ownerOf(spec.listen) : QString();
    Error full = error;
    if (!other.isEmpty())
        full.detail += u", by the forward to %1"_s.arg(tamed(other, 80));
    return full;
}

QString HeldForward::ownerOf(const ForwardSpec::End &at)
{
    const std::lock_guard guard(table().mutex);
    const auto found = std::ranges::find_if(table().entries, [&](const Entry &entry) {
        return listensHere(entry.spec.kind) && entry.at.path == at.path && entry.at.port == at.port;
    });
    return found == table().entries.end() ? QString() : found->owner.name;
}

} // namespace Sandpiper
