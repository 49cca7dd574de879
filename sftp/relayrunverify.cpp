// Whether what a relay has moved holds the same at both of its ends: both are read.
#include "sftp/contentcompare.h"
#include "sftp/fileanswer.h"
#include "sftp/relayrun.h"

namespace Sandpiper {
namespace {

constexpr int kMostBoth = 4; // at once
constexpr int kMostTries = 3;    // with one, where its place is out of reach

} // namespace

void RelayRun::verify()
{
    while (m_comparing < kMostBoth && m_nextCompared < m_arrivedFiles.size()) {
        ++m_comparing;
        compare(m_nextCompared++, 1);
    }
    if (m_comparing == 0)
        verifyEnded();
}

void RelayRun::compare(qsizetype index, int attempt)
{
    if (!isOpen())
        return whenOpen([this, index, attempt] { compare(index, attempt); });
    const Arrived &file = m_arrivedFiles.at(index);
    auto *both = new ContentCompare(m_from->files(), file.item.source, to()->files(), absolute(file.target), this);
    connect(both, &ContentCompare::finished, this, [this, both, index, attempt](const Result<bool> &isSame) {
        both->deleteLater();
        if (m_isOver || m_isCancelled)
            return;
        if (!isSame && isOutOfReach(isSame.error()) && attempt < kMostTries)
            return compare(index, attempt + 1);
        --m_comparing;
        verified(index, isSame);
        verify();
    });
}

} // namespace Sandpiper
