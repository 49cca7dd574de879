#include "session/shellquote.h"

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

bool isVariableName(const QString &name)
{
    const auto isLetter = [](QChar c) { return (c >= u'a' && c <= u'z') || (c >= u'A' && c <= u'Z') || c == u'_'; };
    return !name.isEmpty() && isLetter(name.front())
            && std::all_of(name.cbegin(), name.cend(), [&](QChar c) { return isLetter(c) || (c >= u'0' && c <= u'9'); });
}

QByteArray folderForShell(const QString &folder)
{
    if (folder == u"~")
        return "\"$HOME\"";
    if (folder.startsWith(u"~/"))
        return "\"$HOME\"/" + quotedForShell(folder.sliced(2));
    // Not "cd --", which not every shell has.
    return quotedForShell(folder.startsWith(u'-') ? u"./"_s + folder : folder);
}

} // namespace

QByteArray quotedForShell(const QString &word)
{
    return '\'' + word.toUtf8().replace("'", "'\\''") + '\'';
}

QString shellWord(const QString &word)
{
    const bool plain = !word.isEmpty() && std::all_of(word.cbegin(), word.cend(), [](QChar c) {
        return (c >= u'a' && c <= u'z') || (c >= u'A' && c <= u'Z') || (c >= u'0' && c <= u'9') || "_@%+=:,./-"_L1.contains(c);
    });
    return plain ? word : QString::fromUtf8(quotedForShell(word));
}

Result<QByteArray> commandLineForShell(const CommandLine &line)
{
    const auto invalid = [](const QString &why) { return failure(ErrorKind::InvalidInput, Layer::Ssh, why); };
    bool hasNul = line.workingDirectory.contains(QChar(0)) || line.argv.join(QString()).contains(QChar(0));
    for (auto it = line.environment.cbegin(); it != line.environment.cend(); ++it) {
        hasNul = hasNul || it.value().contains(QChar(0));
        if (!isVariableName(it.key()))
            return invalid(u"\"%1\" cannot be the name of a variable"_s.arg(tamed(it.key(), 60)));
    }
    if (hasNul)
        return invalid(u"a command cannot hold a NUL character"_s);
    if (!line.argv.isEmpty() && line.argv.front().isEmpty())
        return invalid(u"the name of the program is empty"_s);

    QByteArray out;
    if (!line.workingDirectory.isEmpty())
        out += "cd " + folderForShell(line.workingDirectory) + " && ";
    out += "exec ";
    if (!line.environment.isEmpty()) {
        out += "env ";
        for (auto it = line.environment.cbegin(); it != line.environment.cend(); ++it)
            out += it.key().toUtf8() + '=' + quotedForShell(it.value()) + ' ';
    }
    if (line.argv.isEmpty())
        return out + "\"${SHELL:-/bin/sh}\" -l";
    QByteArrayList words;
    for (const QString &word : line.argv)
        words.append(quotedForShell(word));
    return out + words.join(' ');
}

QString joinWords(const QStringList &words)
{
    QStringList quoted;
    for (const QString &word : words)
        quoted << shellWord(word);
    return quoted.join(u' ');
}

std::optional<QStringList> splitWords(const QString &text)
{
    QStringList words;
    QString word;
    bool inWord = false;
    QChar quote; // null: outside
    for (qsizetype i = 0; i < text.size(); ++i) {
        const QChar c = text.at(i);
        const bool last = i + 1 == text.size();
        if (quote == u'\'') {
            if (c == quote)
                quote = {};
            else
                word += c;
        } else if (c == u'\\') {
            if (last)
                return std::nullopt;
            const QChar next = text.at(++i);
            // Between double quotes only these two lose their backslash; nothing is expanded here.
            if (!quote.isNull() && next != u'"' && next != u'\\')
                word += c;
            word += next;
            inWord = true;
        } else if (!quote.isNull()) {
            if (c == quote)
                quote = {};
            else
                word += c;
        } else if (c == u'\'' || c == u'"') {
            quote = c;
            inWord = true;
        } else if (c.isSpace()) {
            if (inWord)
                words << word;
            word.clear();
            inWord = false;
        } else {
            word += c;
            inWord = true;
        }
    }
    if (!quote.isNull())
        return std::nullopt;
    if (inWord)
        words << word;
    return words;
}

} // namespace Sandpiper
