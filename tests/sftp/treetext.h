// Rows of a comparison as text, and comparisons run to their end.
#pragma once

#include "sftp/treecompare.h"
#include "tests/support/waituntil.h"

#include <QProcess>

#include <algorithm>

namespace Sandpiper {

// In a folder; what it says on standard error.
inline QByteArray shellIn(const QString &folder, const QByteArray &script)
{
    QProcess process;
    process.setWorkingDirectory(folder);
    process.start(QStringLiteral("bash"), {QStringLiteral("-c"), QString::fromLocal8Bit("set -e; " + script)});
    (void)process.waitForFinished(60'000);
    return process.readAllStandardError();
}

// "differs size time: name"
inline QByteArray lineOf(const CompareRow &row)
{
    using State = CompareRow::State;
    QByteArray line;
    switch (row.state) {
    case State::Same: line = "same"; break;
    case State::Differs: line = "differs"; break;
    case State::OnlyLeft: line = "left"; break;
    case State::OnlyRight: line = "right"; break;
    case State::LeftOut: line = "out"; break;
    case State::Failed: line = "failed " + nameOf(row.error->kind).toLatin1(); break;
    }
    const std::pair<Difference, const char *> words[] = {{Difference::Kind, " kind"},       {Difference::Size, " size"},       {Difference::Time, " time"},
                                                         {Difference::Content, " content"}, {Difference::LinkTarget, " link"}, {Difference::Mode, " mode"}};
    for (const auto &[difference, word] : words) {
        if (row.differences.testFlag(difference))
            line += word;
    }
    return line + (row.isRead ? " read: " : ": ") + row.path.bytes();
}

struct Compared
{
    Compared(const TreeCompare::Place &left, const TreeCompare::Place &right, const CompareOptions &options = {})
        : compare(left, right, options)
    {
        QObject::connect(&compare, &TreeCompare::found, &compare, [this](const QList<CompareRow> &some) { rows += some; });
        QObject::connect(&compare, &TreeCompare::finished, &compare, [this](const Done &end) { ends.append(end); });
        compare.start();
        (void)waitUntil([this] { return !ends.isEmpty(); }, 60'000);
    }
    // In the order of the alphabet.
    [[nodiscard]] QByteArray lines() const
    {
        QByteArrayList found;
        for (const CompareRow &row : rows)
            found.append(lineOf(row));
        std::ranges::sort(found);
        return found.join('\n');
    }
    [[nodiscard]] std::optional<Error> error() const { return ends.size() == 1 && !ends.first() ? std::optional(ends.first().error()) : std::nullopt; }
    [[nodiscard]] bool isWhole() const { return ends.size() == 1 && ends.first(); }

    TreeCompare compare;
    QList<CompareRow> rows;
    QList<Done> ends;
};

} // namespace Sandpiper
