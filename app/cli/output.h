// Data on stdout, everything else on stderr; neither blocks the event loop for long.
#pragma once

#include "session/error.h"

#include <QByteArray>
#include <QJsonDocument>
#include <QObject>
#include <QSocketNotifier>
#include <QStringList>

#include <deque>

namespace Sandpiper {

// One descriptor that bytes go to in order. Main thread.
class OutputStream : public QObject
{
    Q_OBJECT
public:
    explicit OutputStream(int descriptor, QObject *parent = nullptr);
    ~OutputStream() override; // flushes

    void write(const QByteArray &bytes);
    void flush(); // all of it, waiting for the reader
    [[nodiscard]] qint64 pending() const { return m_pending; }
    // The reader has gone (EPIPE): what is written is dropped from then on.
    [[nodiscard]] bool isBroken() const { return m_broken; }

signals:
    void written(qint64 bytes);
    void broken();

private:
    void drain();
    enum class Progress { Some, None };
    Progress writeOnce();
    int m_descriptor;
    QSocketNotifier m_writable;
    std::deque<QByteArray> m_queue;
    qsizetype m_offset = 0;
    qint64 m_pending = 0;
    bool m_broken = false;
};

// What commands print. Texts from outside are tamed on their way to a terminal.
[[nodiscard]] OutputStream &standardOutput();
[[nodiscard]] OutputStream &standardError();
void say(const QString &line);                 // stderr, "sandpiper-cli: line"
void sayError(const Error &error);             // the sentence and the next step
void printLine(const QString &line);           // stdout
void printJson(const QJsonDocument &document); // stdout, one line
// Columns as wide as their longest cell, two spaces between; the header in capitals.
void printTable(const QStringList &header, const QList<QStringList> &rows);
[[nodiscard]] QString tableText(const QStringList &header, const QList<QStringList> &rows);

} // namespace Sandpiper
