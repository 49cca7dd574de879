// An error of the command line: from the session layer, or a whole sentence of our own.
#pragma once

#include "session/error.h"

namespace Sandpiper {

struct CliError
{
    Error error;
    QString sentence; // where not empty, this is what is said instead of the error's own words
};

template <typename T>
using CliResult = std::expected<T, CliError>;

// What the person typed cannot be used: status 2.
[[nodiscard]] inline std::unexpected<CliError> mistyped(const QString &sentence)
{
    return std::unexpected(CliError{{ErrorKind::InvalidInput, Layer::Provider, sentence, {}}, sentence});
}

} // namespace Sandpiper
