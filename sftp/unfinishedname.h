// What a file is called while it is not whole: made in one place, so that it is known again everywhere.
#pragma once

#include <QByteArray>
#include <QByteArrayView>

namespace Sandpiper {

// mark: of letters, digits and dashes; tells one beginning from another.
[[nodiscard]] inline QByteArray unfinishedName(const QByteArray &mark)
{
    return ".sandpiper-" + mark + ".part";
}
// Of a transfer that was cut off, or is under way: nobody's file yet.
[[nodiscard]] inline bool isUnfinishedName(QByteArrayView name)
{
    return name.startsWith(".sandpiper-") && name.endsWith(".part");
}

} // namespace Sandpiper
