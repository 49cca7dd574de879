#include "session/localurl.h"

#include <QStringList>

#include <optional>
#include <utility>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype kMostOfAUrl = 4 << 10; // with the colours in it
constexpr qsizetype kMostOfAPath = 2 << 10;
constexpr qsizetype kMostOfALocalHost = 16;
constexpr qsizetype kMostOfAColour = 32;

// What is seen of a program's output, character by character: colours are stepped over, everything else that is no
// plain character ends what is being read.
class VisibleText
{
public:
    enum class What { Character, NotYet, Stop };

    explicit VisibleText(QByteArrayView bytes)
        : m_bytes(bytes)
    {
    }
    // Of the character at hand; NotYet: what has come so far does not say.
    [[nodiscard]] What look()
    {
        while (m_at < m_bytes.size()) {
            const char c = m_bytes[m_at];
            if (c != '\x1b')
                return c > ' ' && c < '\x7f' ? What::Character : What::Stop;
            qsizetype next = m_at + 1;
            if (next == m_bytes.size())
                return What::NotYet;
            if (m_bytes[next] != '[')
                return What::Stop;
            do {
                ++next;
            } while (next < m_bytes.size() && m_bytes[next] >= ' ' && m_bytes[next] < '@' && next - m_at < kMostOfAColour);
            if (next == m_bytes.size())
                return What::NotYet;
            if (m_bytes[next] != 'm')
                return What::Stop;
            m_at = next + 1;
        }
        return What::NotYet;
    }
    [[nodiscard]] char character() const { return m_bytes[m_at]; }
    void step() { ++m_at; }
    [[nodiscard]] qsizetype at() const { return m_at; }

private:
    QByteArrayView m_bytes;
    qsizetype m_at = 0;
};

bool isUrlDigit(char c)
{
    return c >= '0' && c <= '9';
}

bool isUrlLetter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct UrlReading
{
    bool isWhole = true; // false: more must come before it is known
    std::optional<QUrl> url;
};

// text begins with the scheme, whose length is given.
UrlReading readLocalUrl(QByteArrayView text, qsizetype schemeLength)
{
    using What = VisibleText::What;
    VisibleText rest(text.sliced(schemeLength));
    QByteArray url = text.first(schemeLength).toByteArray();
    const UrlReading notYet{false, {}};
    const auto take = [&] {
        url += rest.character();
        rest.step();
    };

    const qsizetype hostStart = url.size();
    for (;;) {
        const What what = rest.look();
        if (what == What::NotYet)
            return notYet;
        const char c = what == What::Character ? rest.character() : ' ';
        const bool inBrackets = url.size() > hostStart && url.at(hostStart) == '[' && !url.endsWith(']');
        const bool isOfHost = isUrlLetter(c) || isUrlDigit(c) || c == '.' || c == '-' || (c == '[' && url.size() == hostStart) || (inBrackets && (c == ':' || c == ']'));
        if (!isOfHost)
            break;
        take();
        if (url.size() - hostStart > kMostOfALocalHost)
            return {};
    }
    if (rest.look() != What::Character || rest.character() != ':')
        return {}; // the port that a scheme stands for is no service of a person
    take();

    qsizetype digits = 0;
    What what = rest.look();
    for (; what == What::Character && isUrlDigit(rest.character()) && digits < 6; what = rest.look(), ++digits)
        take();
    if (what == What::NotYet)
        return notYet;
    const char after = what == What::Character ? rest.character() : ' ';
    if (digits == 0 || digits > 5 || isUrlLetter(after) || after == '@' || after == '_')
        return {};

    if (after == '/' || after == '?' || after == '#') {
        const qsizetype pathStart = url.size();
        for (; what == What::Character && !QByteArrayView("\"'<>`\\^{|}").contains(rest.character()); what = rest.look()) {
            take();
            if (url.size() - pathStart > kMostOfAPath)
                return {};
        }
        if (what == What::NotYet)
            return notYet;
        // The end of a sentence, or of what stands in brackets.
        while (url.size() > pathStart && QByteArrayView(".,;:!)]").contains(url.back()))
            url.chop(1);
    }
    const QUrl made = QUrl::fromEncoded(url, QUrl::StrictMode);
    return isLocalUrl(made) && made.port() > 0 ? UrlReading{true, made} : UrlReading();
}

} // namespace

bool isLocalUrl(const QUrl &url)
{
    static const QStringList hosts{u"localhost"_s, u"127.0.0.1"_s, u"0.0.0.0"_s, u"::1"_s, u"::"_s};
    const QString scheme = url.scheme();
    return url.isValid() && (scheme == "http"_L1 || scheme == "https"_L1) && hosts.contains(url.host()) && portOfLocalUrl(url) > 0;
}

quint16 portOfLocalUrl(const QUrl &url)
{
    const int port = url.port(url.scheme() == "https"_L1 ? 443 : 80);
    return port > 0 && port <= 0xffff ? quint16(port) : 0;
}

QUrl localUrlAt(const QUrl &url, quint16 port)
{
    QUrl moved = url;
    // A page may depend on which of these two it is called by. The others are nothing to connect to.
    if (url.host() != "127.0.0.1"_L1)
        moved.setHost(u"localhost"_s);
    moved.setPort(port);
    return moved;
}

QList<QUrl> LocalUrlScanner::feed(QByteArrayView bytes)
{
    QList<QUrl> found;
    const QByteArray joined = std::exchange(m_held, {}).append(bytes);
    const QByteArrayView text(joined);
    qsizetype from = 0; // what lies before is settled
    for (;;) {
        const qsizetype colon = text.indexOf("://", from);
        if (colon < 0)
            break;
        const QByteArrayView before = text.sliced(from, colon - from);
        const qsizetype word = before.last(qMin<qsizetype>(5, before.size())).compare("https", Qt::CaseInsensitive) == 0 ? 5
                : before.last(qMin<qsizetype>(4, before.size())).compare("http", Qt::CaseInsensitive) == 0               ? 4
                                                                                                                         : 0;
        from = colon + 3;
        if (word == 0)
            continue;
        const qsizetype start = colon - word;
        const UrlReading reading = readLocalUrl(text.sliced(start), word + 3);
        if (reading.isWhole) {
            if (reading.url)
                found.append(*reading.url);
        } else if (text.size() - start <= kMostOfAUrl) {
            m_held = text.sliced(start).toByteArray();
            return found;
        }
    }
    // Of "https://" what may still be completed.
    m_held = text.sliced(qMax(from, text.size() - 7)).toByteArray();
    return found;
}

} // namespace Sandpiper
