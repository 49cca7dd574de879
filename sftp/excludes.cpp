#include "sftp/excludes.h"

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype kLongest = 4096;

std::unexpected<Error> mistake(const QByteArray &pattern, const QString &what)
{
    return failure(ErrorKind::InvalidInput, Layer::LocalDisk, what, shownBytes(pattern));
}

} // namespace

Result<Excludes> Excludes::fromPatterns(const QByteArrayList &patterns)
{
    Excludes excludes;
    for (const QByteArray &text : patterns) {
        Result<Pattern> pattern = parse(text);
        if (!pattern)
            return std::unexpected(pattern.error());
        excludes.m_patterns.push_back(std::move(*pattern));
    }
    return excludes;
}

Result<Excludes::Pattern> Excludes::parse(const QByteArray &text)
{
    Pattern pattern;
    QByteArray left = text;
    if (left.size() > kLongest)
        return mistake(text.first(100), u"the pattern is too long"_s);
    // A folder and all that is in it: what is in it is not asked about.
    if (left.endsWith("/***"))
        left.chop(3);
    pattern.isForFolders = left.endsWith('/');
    while (left.endsWith('/'))
        left.chop(1);
    pattern.isAnchored = left.startsWith('/');
    while (left.startsWith('/'))
        left.remove(0, 1);
    if (left.isEmpty() || left.contains('\0'))
        return mistake(text, u"a pattern names something"_s);
    for (qsizetype i = 0; i < left.size(); ++i) {
        Token token;
        switch (const char byte = left.at(i); byte) {
        case '?': token.kind = Token::Kind::One; break;
        case '*':
            token.kind = Token::Kind::Many;
            for (; i + 1 < left.size() && left.at(i + 1) == '*'; ++i)
                token.kind = Token::Kind::ManyAndSlashes;
            break;
        case '\\':
            if (++i == left.size())
                return mistake(text, u"nothing follows the backslash"_s);
            token.byte = left.at(i);
            break;
        case '[': {
            token.kind = Token::Kind::Set;
            qsizetype at = i + 1;
            token.isNegated = at < left.size() && (left.at(at) == '!' || left.at(at) == '^');
            at += token.isNegated ? 1 : 0;
            const auto member = [&] { // the byte there; a backslash takes the next as it is
                at += left.at(at) == '\\' && at + 1 < left.size() ? 1 : 0;
                return left.at(at++);
            };
            const qsizetype first = at;
            while (at < left.size() && (left.at(at) != ']' || at == first)) {
                if (left.mid(at, 2) == "[:")
                    return mistake(text, u"classes with a name are not understood"_s);
                const char from = member();
                char to = from;
                if (at + 1 < left.size() && left.at(at) == '-' && left.at(at + 1) != ']') {
                    ++at;
                    to = member();
                }
                token.members.append(from).append(to);
            }
            if (at >= left.size())
                return mistake(text, u"the bracket is not closed"_s);
            i = at;
            break;
        }
        default: token.byte = byte; break;
        }
        pattern.tokens.push_back(std::move(token));
    }
    return pattern;
}

bool Excludes::takes(const Token &token, char byte)
{
    switch (token.kind) {
    case Token::Kind::Byte: return token.byte == byte;
    case Token::Kind::One:
    case Token::Kind::Many: return byte != '/';
    case Token::Kind::ManyAndSlashes: return true;
    case Token::Kind::Set: {
        bool isIn = false;
        for (qsizetype i = 0; i < token.members.size(); i += 2)
            isIn = isIn || (uchar(token.members.at(i)) <= uchar(byte) && uchar(byte) <= uchar(token.members.at(i + 1)));
        return byte != '/' && isIn != token.isNegated;
    }
    }
    Q_UNREACHABLE_RETURN(false);
}

// All places in the pattern that the path may have come to, at once: no pattern and no name make this slower than
// one's length by the other's.
bool Excludes::match(const Pattern &pattern, const QByteArray &path)
{
    const size_t end = pattern.tokens.size();
    std::vector<bool> places(end + 1);
    const auto stay = [&](size_t place) { return place < end && (pattern.tokens[place].kind == Token::Kind::Many || pattern.tokens[place].kind == Token::Kind::ManyAndSlashes); };
    const auto enter = [&](std::vector<bool> &in, size_t place) {
        in[place] = true;
        while (stay(place)) // a star may take nothing
            in[++place] = true;
    };
    enter(places, 0);
    for (qsizetype i = 0; i < path.size(); ++i) {
        std::vector<bool> next(end + 1);
        for (size_t place = 0; place < end; ++place) {
            if (places[place] && takes(pattern.tokens[place], path.at(i)))
                enter(next, stay(place) ? place : place + 1);
        }
        if (!pattern.isAnchored && path.at(i) == '/')
            enter(next, 0);
        places.swap(next);
    }
    return places[end];
}

bool Excludes::match(const FilePath &path, bool isFolder) const
{
    return std::ranges::any_of(m_patterns, [&](const Pattern &pattern) { return (isFolder || !pattern.isForFolders) && match(pattern, path.bytes()); });
}

} // namespace Sandpiper
