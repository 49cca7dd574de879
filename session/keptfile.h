// A versioned JSON file of ours that holds one list, and perhaps a few values beside it: written atomically, 0600, under a lock, and kept
// aside when not understood. GUI thread, or one thread at a time.
#pragma once

#include "session/error.h"

#include <QJsonArray>
#include <QJsonObject>

#include <functional>
#include <optional>

namespace Sandpiper {

class KeptFile
{
public:
    // listName: the member that holds the list, beside "version".
    KeptFile(QString file, QString listName);

    // The list as it is now. isWhole says whether all of it was understood; where it was not, the
    // file is first copied aside, and error() names the copy. Empty where there is none.
    [[nodiscard]] QJsonArray load(const std::function<bool(const QJsonArray &)> &isWhole);
    [[nodiscard]] std::optional<Error> error() const { return m_error; }
    // What stands beside the list, as of the last load() or change().
    [[nodiscard]] const QJsonObject &others() const { return m_others; }
    // Gives edit what the file holds now (none: nothing that can be read), and saves what it returns.
    // LocalDisk: not saved. Waits at most half a second for another program that changes it.
    // others: what is to stand beside the list; what it does not name stays as it is in the file.
    [[nodiscard]] Done change(const std::function<Result<QJsonArray>(const std::optional<QJsonArray> &)> &edit, const QJsonObject &others = {});

private:
    enum class Reading { Whole, Damaged, TooNew };
    [[nodiscard]] Reading read(const QByteArray &content, QJsonArray &list);
    [[nodiscard]] Error trouble(ErrorKind kind, const QString &detail) const;
    QString m_file;
    QString m_listName;
    QJsonObject m_others;
    std::optional<Error> m_error;
    bool m_readOnly = false; // the file is there and may not be replaced
};

} // namespace Sandpiper
