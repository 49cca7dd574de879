// What a comparison of folders leaves out, in the patterns that users of rsync know. Values; any thread.
#pragma once

#include "sftp/filepath.h"

#include <QByteArrayList>

#include <vector>

namespace Sandpiper {

// "*.o": anything of that name. "node_modules/": folders alone. "/build": at the top alone. "docs/*.html": at the
// end of a path. "*" and "?" stop at a slash, "**" does not; "[a-z]" and "[!a-z]"; a backslash takes the next
// character as it is. What is in a folder that is left out is left out with it. Bytes are compared with bytes.
class Excludes
{
public:
    Excludes() = default;
    // InvalidInput, subject the pattern, where it cannot be understood.
    [[nodiscard]] static Result<Excludes> fromPatterns(const QByteArrayList &patterns);
    // path: relative to the top. The folders above it have been asked about before.
    [[nodiscard]] bool match(const FilePath &path, bool isFolder) const;
    [[nodiscard]] bool isEmpty() const { return m_patterns.empty(); }

private:
    struct Token
    {
        enum class Kind { Byte, One, Many, ManyAndSlashes, Set };
        Kind kind = Kind::Byte;
        char byte = 0;
        QByteArray members = {}; // Set: pairs, from and to
        bool isNegated = false;
    };
    struct Pattern
    {
        std::vector<Token> tokens;
        bool isAnchored = false;
        bool isForFolders = false;
    };
    [[nodiscard]] static Result<Pattern> parse(const QByteArray &text);
    [[nodiscard]] static bool match(const Pattern &pattern, const QByteArray &path);
    [[nodiscard]] static bool takes(const Token &token, char byte);
    std::vector<Pattern> m_patterns;
};

} // namespace Sandpiper
