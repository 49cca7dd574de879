#include "app/cli/output.h"

#include "session/errortext.h"

#include <algorithm>
#include <cerrno>

#include <poll.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// POSIX promises that a pipe said to be writable takes this much at once.
constexpr qsizetype pieceSize = 4096;

} // namespace

OutputStream::OutputStream(int descriptor, QObject *parent)
    : QObject(parent)
    , m_descriptor(descriptor)
    , m_writable(descriptor, QSocketNotifier::Write)
{
    m_writable.setEnabled(false);
    connect(&m_writable, &QSocketNotifier::activated, this, &OutputStream::drain);
}

OutputStream::~OutputStream()
{
    flush();
}

void OutputStream::flush()
{
    while (!m_queue.empty() && !m_broken) {
        pollfd writable = {m_descriptor, POLLOUT, 0};
        ::poll(&writable, 1, -1);
        writeOnce();
    }
}

void OutputStream::write(const QByteArray &bytes)
{
    if (bytes.isEmpty() || m_broken)
        return;
    m_queue.push_back(bytes);
    m_pending += bytes.size();
    drain();
}

void OutputStream::drain()
{
    const qint64 before = m_pending;
    while (!m_queue.empty() && !m_broken) {
        pollfd writable = {m_descriptor, POLLOUT, 0};
        if (::poll(&writable, 1, 0) <= 0 || writeOnce() == Progress::None)
            break;
    }
    m_writable.setEnabled(!m_queue.empty() && !m_broken);
    if (before != m_pending)
        emit written(before - m_pending);
    if (m_broken && before != m_pending)
        emit broken();
}

OutputStream::Progress OutputStream::writeOnce()
{
    const QByteArray &front = m_queue.front();
    const qsizetype size = std::min(pieceSize, front.size() - m_offset);
    const ssize_t done = ::write(m_descriptor, front.constData() + m_offset, size_t(size));
    if (done < 0) {
        if (errno == EINTR || errno == EAGAIN)
            return Progress::None;
        m_broken = true;
        m_queue.clear();
        m_pending = 0;
        return Progress::None;
    }
    m_offset += done;
    m_pending -= done;
    if (m_offset == front.size()) {
        m_queue.pop_front();
        m_offset = 0;
    }
    return Progress::Some;
}

OutputStream &standardOutput()
{
    // Deleted by main(), which writes what is left.
    static auto *stream = new OutputStream(STDOUT_FILENO, nullptr);
    return *stream;
}

OutputStream &standardError()
{
    static auto *stream = new OutputStream(STDERR_FILENO, nullptr);
    return *stream;
}

void say(const QString &line)
{
    standardError().write("sandpiper-cli: " + line.toUtf8() + '\n');
}

void sayError(const Error &error)
{
    const ErrorText text = errorText(error);
    say(text.stepLabel.isEmpty() ? text.sentence : text.sentence + u' ' + u"→ "_s + text.stepLabel);
}

void printLine(const QString &line)
{
    standardOutput().write(line.toUtf8() + '\n');
}

void printJson(const QJsonDocument &document)
{
    standardOutput().write(document.toJson(QJsonDocument::Compact) + '\n');
}

QString tableText(const QStringList &header, const QList<QStringList> &rows)
{
    QList<qsizetype> widths;
    for (const QString &cell : header)
        widths << cell.size();
    QList<QStringList> tame;
    for (const QStringList &row : rows) {
        QStringList cells;
        for (qsizetype i = 0; i < header.size(); ++i) {
            cells << tamed(row.value(i), 200);
            widths[i] = std::max(widths[i], cells.last().size());
        }
        tame << cells;
    }
    QString text;
    const auto add = [&](const QStringList &cells) {
        QString line;
        for (qsizetype i = 0; i < cells.size(); ++i)
            line += cells.at(i).leftJustified(widths.at(i) + 2);
        text += line.trimmed() + u'\n';
    };
    add(header);
    for (const QStringList &cells : tame)
        add(cells);
    return text;
}

void printTable(const QStringList &header, const QList<QStringList> &rows)
{
    standardOutput().write(tableText(header, rows).toUtf8());
}

} // namespace Sandpiper
