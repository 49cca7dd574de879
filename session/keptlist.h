// A list of values in a KeptFile, as stores of the user's own things have it. GUI thread.
#pragma once

#include "session/keptfile.h"

#include <QJsonObject>
#include <QList>

#include <functional>

namespace Sandpiper {

// Gives edit the list as the file holds it now (held, where it cannot be read), saves it, and puts it into held. What edit
// refuses, or what cannot be saved, leaves both as they are. taken: what of the file makes sense.
template <typename Item>
[[nodiscard]] Done changeKeptList(KeptFile &file, QList<Item> &held, QList<Item> (*taken)(const QJsonArray &), QJsonObject (*json)(const Item &),
                                  const std::function<Done(QList<Item> &)> &edit)
{
    QList<Item> items;
    const Done saved = file.change([&](const std::optional<QJsonArray> &now) -> Result<QJsonArray> {
        items = now ? taken(*now) : held;
        if (const Done edited = edit(items); !edited)
            return std::unexpected(edited.error());
        QJsonArray array;
        for (const Item &item : std::as_const(items))
            array.append(json(item));
        return array;
    });
    if (saved)
        held = items;
    return saved;
}

} // namespace Sandpiper
