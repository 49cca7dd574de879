// Where log lines go: stderr, a file of this user alone, and whoever listens. Any thread writes.
#pragma once

#include <QObject>
#include <QString>

namespace Sandpiper {

// A line as it may be kept: what looks like a credential is blotted out. The second line of defence;
// the first is that no secret is handed to the log. Pure.
[[nodiscard]] QString redacted(const QString &line);

class LogSetup : public QObject
{
    Q_OBJECT
public:
    // file: made 0600; kept below 4 MiB by moving it aside once to "<file>.1". Empty, or where it
    // cannot be written: stderr alone. One at a time; it takes the message handler over for its life.
    explicit LogSetup(const QString &file, QObject *parent = nullptr);
    ~LogSetup() override;

signals:
    // Queued to its receivers on other threads than the writer's. Info and above.
    void lineLogged(const QString &line);
};

} // namespace Sandpiper
