// One line of the doctor's report, and what a server can do compared with what is promised of it. Plain
// values, pure.
#pragma once

#include "session/capability.h"
#include "session/serverfeatures.h"

#include <QJsonObject>
#include <QList>

namespace Sandpiper {

struct DoctorLine
{
    enum class Result {
        Ok,
        Bad,     // status 1; something does not work that should
        Differs, // not what was said of it, and no harm
        Skipped, // not looked at, not known, or not promised and not there
    };
    QString layer;
    Result result = Result::Ok;
    QString expected;
    QString seen;
    QString todo;   // the next step; empty where there is none to take
    QString detail; // of an error, for whoever has to mend it

    [[nodiscard]] QJsonObject toJson() const;
    // As it is printed: one line, and what was expected and what to do below where it is not as expected.
    [[nodiscard]] QStringList toText() const;
};

[[nodiscard]] QList<DoctorLine> featureLines(const Capabilities &promised, const ServerFeatures &seen);

} // namespace Sandpiper
