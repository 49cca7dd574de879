// What a connection may ask its user. It asks; it never shows a dialog.
#pragma once

#include "session/secret.h"

#include <QFuture>
#include <QList>
#include <QString>

#include <memory>

namespace Sandpiper {

struct Prompt
{
    enum class Kind {
        UnknownHostKey,  // accept once, accept and remember, or refuse
        ChangedHostKey,  // shown with both fingerprints; the only answer that connects is none
        Passphrase,      // for keyFile
        Password,
        Interactive,     // the server's own questions (RFC 4256)
        Confirm,         // a plain yes or no; Accepted is yes
        Touch,           // a notice: a security key waits for a touch. It is withdrawn when that is over;
                         // the only answer that counts is Cancelled
    };
    struct Field
    {
        QString label; // from the server where Interactive: already tamed()
        bool echo = false;
    };

    static constexpr int maxCommand = 2000; // characters; a longer one cannot be asked about

    Kind kind = Kind::Password;
    QString target;  // "user@host:port", or the sandbox's name
    QString title;   // Interactive: the server's name for it, tamed. Confirm: the question in short
    QString text;    // Interactive: the server's instruction, tamed. Confirm: why it is asked
    QString command; // Confirm: what would be run, whole; may be empty
    QString keyFile; // Passphrase; Touch: the key's comment
    // Passphrase: of the key ("SHA256:…"); empty where it cannot be told without the passphrase.
    QString keyFingerprint;
    enum class Keeping { Nowhere, Keychain, ThisRunOnly };
    Keeping keeping = Keeping::Nowhere; // where an answer with `keep` set would lie
    QList<Field> fields;
    QString keyType;          // host keys: "ssh-ed25519"
    QString fingerprint;      // host keys: "SHA256:…", the one offered now
    QString knownFingerprint; // ChangedHostKey: the one we knew
    QString knownWhere;       // ChangedHostKey: file and line
    QString address;          // host keys: "host:port", also where target is a sandbox's name
    bool isSandbox = false;   // host keys: a vendor's machine, which is made anew now and then
    QString randomart;        // host keys: as randomartOf() draws it
    QString knownKeyType;     // ChangedHostKey
    QString knownRandomart;   // ChangedHostKey
    int attempt = 1;          // > 1: the last answer was not accepted
};

struct PromptAnswer
{
    enum class Kind {
        Accepted,  // and remember it (host key: known_hosts)
        JustOnce,  // accepted, not remembered
        Cancelled, // the user said no: not an error to show
        Refused,   // nobody is there to answer (no terminal, no window)
    };
    Kind kind = Kind::Refused;
    // One per field, in order.
    std::vector<Secret> values;
    bool keep = false; // the passphrase, as Prompt::keeping says
};

// Implemented by the GUI and the CLI, called on the GUI thread. The future always finishes; the
// asker may cancel() it, and the question must then disappear. shared_ptr: QFuture needs copyable
// results and Secret is move-only; the asker is the only reader.
class PromptHandler
{
public:
    virtual ~PromptHandler() = default;
    [[nodiscard]] virtual QFuture<std::shared_ptr<PromptAnswer>> ask(const Prompt &prompt) = 0;
};

} // namespace Sandpiper
