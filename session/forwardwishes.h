// The forwards that the user keeps: forwards.json. GUI thread.
#pragma once

#include "session/forwardspec.h"
#include "session/keptfile.h"
#include "session/sandbox.h"

#include <QList>
#include <QObject>

namespace Sandpiper {

struct ForwardWish
{
    QString id;          // stable, never shown
    SandboxId sandbox;
    QString sandboxName; // as it was last called
    QString name;        // that its user gave it; may be empty
    ForwardSpec spec;
    bool isOn = false;                // wanted now, and again after a restart of the program
    bool startsWithProgram = false;   // switched on whenever Sandpiper starts
    bool startsWithSandbox = false;   // switched on whenever the sandbox begins to run
    ForwardWay way = ForwardWay::Automatic;
    qint64 bytesPerSecond = 0;        // at most, in each direction; 0: as fast as it goes

    friend bool operator==(const ForwardWish &, const ForwardWish &) = default;
};

// InvalidInput with a sentence in its detail: what cannot be a wish.
[[nodiscard]] Done checkForwardWish(const ForwardWish &wish);

// One line for each of a sandbox's forwards as ssh has it: "ssh -N -L 8080:db:80 -D 1080 user@host".
[[nodiscard]] QString forwardsCommand(const QList<ForwardWish> &wishes, const QString &destination);
// The forwards of a pasted command line ("ssh -N -f -L 8080:db:80 -D1080 host"), or of the lines of an ssh_config
// ("LocalForward 8080 db:80"), or plain ones, one in a line ("-L 8080:db:80"). InvalidInput: a sentence that says
// which word is wrong, or that there is none.
[[nodiscard]] Result<QList<ForwardSpec>> forwardsIn(const QString &text);

class ForwardWishes : public QObject
{
    Q_OBJECT
public:
    // file: forwards.json; see KeptFile.
    explicit ForwardWishes(const QString &file, QObject *parent = nullptr);

    [[nodiscard]] const QList<ForwardWish> &wishes() const { return m_wishes; }
    [[nodiscard]] std::optional<ForwardWish> wish(const QString &id) const;
    [[nodiscard]] std::optional<Error> loadError() const { return m_file.error(); }
    // All or none; ids that are empty are filled in, and are what is answered. InvalidInput, TooLarge, LocalDisk:
    // nothing has changed.
    [[nodiscard]] Result<QStringList> add(const QList<ForwardWish> &wishes);
    [[nodiscard]] Done update(const QList<ForwardWish> &wishes); // NotFound too: of any
    [[nodiscard]] Done remove(const QStringList &ids);           // those that are there

    // The whole list as a file for another computer, and what such a file holds: switched off, with ids of their own.
    [[nodiscard]] QByteArray exported() const;
    [[nodiscard]] static Result<QList<ForwardWish>> imported(const QByteArray &content);

signals:
    void changed();

private:
    Done change(const std::function<Done(QList<ForwardWish> &)> &edit);
    KeptFile m_file;
    QList<ForwardWish> m_wishes;
};

} // namespace Sandpiper
