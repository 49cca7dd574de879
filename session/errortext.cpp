#include "session/errortext.h"

#include "session/providers/refusals.h"

#include <optional>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// "The HTTP request to “x”": what every sentence without a row of its own begins with.
QString wayTo(Layer layer)
{
    switch (layer) {
    case Layer::Dns: return u"The name lookup for %1"_s;
    case Layer::Tcp: return u"The connection to %1"_s;
    case Layer::Tls: return u"The secure connection (TLS) to %1"_s;
    case Layer::Http: return u"The HTTP request to %1"_s;
    case Layer::WebSocket: return u"The WebSocket connection to %1"_s;
    case Layer::Ssh: return u"The SSH connection to %1"_s;
    case Layer::Auth: return u"The sign-in at %1"_s;
    case Layer::Provider: return u"The request to the vendor for %1"_s;
    case Layer::SandboxState: return u"The request to the sandbox %1"_s;
    case Layer::Sftp: return u"The file access (SFTP) to %1"_s;
    case Layer::LocalDisk: return u"The access to %1 on this computer's disk"_s;
    }
    Q_UNREACHABLE_RETURN({});
}

QString nounFor(Layer layer)
{
    switch (layer) {
    case Layer::Dns: return u"the host"_s;
    case Layer::Tcp:
    case Layer::Tls:
    case Layer::Http:
    case Layer::WebSocket:
    case Layer::Ssh:
    case Layer::Auth: return u"the server"_s;
    case Layer::Provider: return u"this account"_s;
    case Layer::SandboxState: return u"in question"_s;
    case Layer::Sftp:
    case Layer::LocalDisk: return u"the file"_s;
    }
    Q_UNREACHABLE_RETURN({});
}

struct Words
{
    QString text; // a predicate after wayTo(), or a whole sentence where it holds %1
    NextStep step = NextStep::None;
};

// What each kind means where nothing more exact is known.
Words wordsFor(ErrorKind kind)
{
    using enum ErrorKind;
    switch (kind) {
    case HostNotFound: return {u"failed: the name has no address."_s, NextStep::CheckAddress};
    case HostUnreachable: return {u"failed: no way leads there."_s, NextStep::CheckNetwork};
    case ConnectionRefused: return {u"was refused: nothing listens there."_s, NextStep::CheckAddress};
    case ConnectionLost: return {u"broke."_s, NextStep::Retry};
    case Timeout: return {u"got no answer in time."_s, NextStep::Retry};
    case Cancelled: return {u"was cancelled."_s, NextStep::None};
    case CertificateInvalid:
        return {u"was stopped: its certificate cannot be trusted."_s, NextStep::CheckAddress};
    case HostKeyChanged:
        return {u"was stopped before anything was sent: its host key is not the one known from "
                u"before."_s,
                NextStep::ReviewHostKey};
    case HostKeyRefused:
        return {u"was stopped before anything was sent: its host key was not accepted."_s,
                NextStep::ReviewHostKey};
    case AuthRejected:
        return {u"was refused: the key or token is not accepted."_s, NextStep::SignInAgain};
    case KeyNotRegistered:
        return {u"was refused: the vendor does not know this SSH key."_s, NextStep::RegisterKey};
    case PermissionDenied:
        return {u"was refused: this account may not do that."_s, NextStep::SignInAgain};
    case NotFound: return {u"found nothing: it is not there any more."_s, NextStep::RefreshList};
    case Conflict:
        return {u"was refused: it exists already, or its state does not allow this now."_s,
                NextStep::RefreshList};
    case QuotaExceeded: return {u"was refused: a limit of the vendor is reached."_s, NextStep::None};
    case RateLimited: return {u"was refused: requests came too fast."_s, NextStep::WaitAndRetry};
    case SandboxNotRunning:
        return {u"was refused: the sandbox is not running."_s, NextStep::ResumeSandbox};
    case SandboxNotYours:
        return {u"was refused: the sandbox is in no project of this account."_s,
                NextStep::RefreshList};
    case Unsupported: return {u"cannot be made: this is not supported here."_s, NextStep::None};
    case TooLarge: return {u"was stopped: what came is larger than Sandpiper accepts."_s,
                           NextStep::ReportBug};
    case InvalidInput: return {u"was not made: what was entered cannot be used."_s, NextStep::None};
    case ServerError:
        return {u"failed: the other side has a fault of its own."_s, NextStep::WaitAndRetry};
    case Protocol:
        return {u"failed: the other side sent something that makes no sense."_s, NextStep::ReportBug};
    case Io: return {u"failed while reading or writing."_s, NextStep::Retry};
    case NoKeychain: return {u"failed: there is no keychain to keep secrets in."_s, NextStep::None};
    }
    Q_UNREACHABLE_RETURN({});
}

struct Row
{
    ErrorKind kind;
    Layer layer;
    QString text; // as Words::text
    NextStep step;
};

const QList<Row> &exactRows()
{
    using enum ErrorKind;
    using enum Layer;
    static const QList<Row> rows{
        {Timeout, Dns, u"got no answer in time."_s, NextStep::CheckNetwork},
        {Timeout, Tcp, u"could not be made in time."_s, NextStep::CheckNetwork},
        {ConnectionLost, Http, u"broke before the answer was complete."_s, NextStep::Retry},
        {CertificateInvalid, Tls,
         u"The certificate of %1 cannot be trusted, so nothing was sent."_s, NextStep::CheckAddress},
        {CertificateInvalid, WebSocket,
         u"The WebSocket connection to %1 was not made: its certificate cannot be trusted."_s,
         NextStep::CheckAddress},
        {HostKeyChanged, Ssh,
         u"The SSH host key of %1 is not the one known from before: the server was set up anew, or "
         u"somebody stands in between. Nothing was sent."_s,
         NextStep::ReviewHostKey},
        {HostKeyRefused, Ssh, u"The SSH host key of %1 was not accepted, so nothing was sent."_s,
         NextStep::ReviewHostKey},
        {AuthRejected, Ssh, u"The SSH server of %1 accepted none of the keys and passwords."_s,
         NextStep::RegisterKey},
        {AuthRejected, WebSocket,
         u"The WebSocket connection to %1 was refused: the token of the shell is not accepted."_s,
         NextStep::StartNewShell},
        {KeyNotRegistered, Ssh, u"The SSH server of %1 does not know this key."_s,
         NextStep::RegisterKey},
        {PermissionDenied, Sftp, u"was refused: its permissions do not allow it."_s, NextStep::None},
        {PermissionDenied, LocalDisk, u"was refused: its permissions do not allow it."_s,
         NextStep::None},
        {PermissionDenied, Ssh, u"was refused: the server does not allow this."_s, NextStep::None},
        {NotFound, Provider, u"The vendor does not know %1."_s, NextStep::RefreshList},
        {NotFound, SandboxState, u"The sandbox %1 is not there any more."_s, NextStep::RefreshList},
        {NotFound, WebSocket,
         u"The shell session in %1 that the WebSocket connection asked for is gone."_s,
         NextStep::StartNewShell},
        {NotFound, Http, u"failed: there is nothing at that address."_s, NextStep::CheckAddress},
        {NotFound, Ssh, u"failed: the server has nothing by that name."_s, NextStep::None},
        {NotFound, Sftp, u"failed: there is no such file or folder."_s, NextStep::None},
        {NotFound, LocalDisk, u"failed: there is no such file or folder."_s, NextStep::None},
        {Conflict, Sftp, u"was refused: something by that name is there already."_s, NextStep::None},
        {Conflict, LocalDisk, u"was refused: something by that name is there already."_s,
         NextStep::None},
        {QuotaExceeded, Sftp, u"failed: the disk in the sandbox is full."_s, NextStep::FreeSpace},
        {QuotaExceeded, LocalDisk, u"failed: the disk is full."_s, NextStep::FreeSpace},
        {SandboxNotRunning, SandboxState, u"The sandbox %1 is not running."_s,
         NextStep::ResumeSandbox},
        {SandboxNotYours, SandboxState, u"The sandbox %1 is in no project of this account."_s,
         NextStep::RefreshList},
        {TooLarge, LocalDisk, u"was stopped: it is larger than Sandpiper accepts."_s, NextStep::None},
        {TooLarge, Http, u"was stopped: the answer is larger than Sandpiper accepts."_s,
         NextStep::ReportBug},
        {InvalidInput, Dns, u"was not made: this is not a host name."_s, NextStep::CheckAddress},
        {InvalidInput, Ssh, u"was not made: the address, or your SSH configuration, cannot be used."_s,
         NextStep::CheckAddress},
        {InvalidInput, Http, u"was not made: the address cannot be used."_s, NextStep::CheckAddress},
        {InvalidInput, Provider, u"The vendor cannot use what was entered for %1."_s,
         NextStep::None},
        {Protocol, Http,
         u"The HTTP answer of %1 makes no sense; perhaps the address is not that of the vendor's "
         u"API."_s,
         NextStep::CheckAddress},
        {Protocol, Provider,
         u"The vendor's answer for %1 makes no sense; perhaps the address of the account is "
         u"wrong."_s,
         NextStep::CheckAddress},
        {Protocol, LocalDisk, u"failed: its content is damaged."_s, NextStep::None},
        {Io, Sftp, u"failed while reading or writing there."_s, NextStep::Retry},
        // Detail says why, or that the protocol has no word for it.
        {ServerError, Sftp, u"was refused by the server."_s, NextStep::None},
        {Unsupported, Sftp, u"failed: this server cannot do that."_s, NextStep::None},
        {InvalidInput, Sftp, u"was not made."_s, NextStep::None},
        {ConnectionLost, Sftp, u"broke: the server ended it."_s, NextStep::Retry},
        {NoKeychain, LocalDisk,
         u"There is no keychain for %1, so secrets stay off the disk and last only until Sandpiper "
         u"ends."_s,
         NextStep::None},
    };
    return rows;
}

QString labelFor(NextStep step)
{
    switch (step) {
    case NextStep::None: return {};
    case NextStep::Retry: return u"Retry"_s;
    case NextStep::CheckAddress: return u"Check the address"_s;
    case NextStep::CheckNetwork: return u"Check the network"_s;
    case NextStep::SignInAgain: return u"Sign in again"_s;
    case NextStep::RegisterKey: return u"Register this key"_s;
    case NextStep::ChooseKey: return u"Choose a key"_s;
    case NextStep::ResumeSandbox: return u"Resume sandbox"_s;
    case NextStep::RefreshList: return u"Refresh the list"_s;
    case NextStep::StartNewShell: return u"Start a new shell"_s;
    case NextStep::ReviewHostKey: return u"Compare the host keys"_s;
    case NextStep::StartSandbox: return u"Start sandbox"_s;
    case NextStep::CreateSandbox: return u"Create a new sandbox"_s;
    case NextStep::FreeSpace: return u"Free some space"_s;
    case NextStep::WaitAndRetry: return u"Wait a moment, then retry"_s;
    case NextStep::ReportBug: return u"Report this"_s;
    }
    Q_UNREACHABLE_RETURN({});
}

// Kinds whose sentence says little without the words of whoever refused.
bool needsDetail(ErrorKind kind)
{
    using enum ErrorKind;
    switch (kind) {
    case CertificateInvalid:
    case PermissionDenied:
    case Conflict:
    case QuotaExceeded:
    case RateLimited:
    case Unsupported:
    case InvalidInput:
    case ServerError:
    case Protocol:
    case Io: return true;
    case HostNotFound:
    case HostUnreachable:
    case ConnectionRefused:
    case ConnectionLost:
    case Timeout:
    case Cancelled:
    case HostKeyChanged:
    case HostKeyRefused:
    case AuthRejected:
    case KeyNotRegistered:
    case NotFound:
    case SandboxNotRunning:
    case SandboxNotYours:
    case TooLarge:
    case NoKeychain: return false;
    }
    Q_UNREACHABLE_RETURN(false);
}

QString filled(const QString &sentence, const Error &error)
{
    const QString subject = tamed(error.subject, 120);
    // Not arg(): a subject that holds "%1" must stay as it is.
    QString text = sentence;
    text.replace(u"%1"_s, subject.isEmpty() ? nounFor(error.layer) : u'“' + subject + u'”');
    return text;
}

std::optional<ErrorText> vendorText(const Error &error)
{
    for (const Refusal &row : knownRefusals()) {
        if ((row.layers.isEmpty() || row.layers.contains(error.layer))
            && error.detail.contains(row.fragment))
            return ErrorText{filled(row.sentence, error), row.step, labelFor(row.step)};
    }
    return std::nullopt;
}

// What servers of SSH say in a fixed way, whoever runs them.
std::optional<ErrorText> protocolText(const Error &error)
{
    const auto says = [&](QLatin1StringView words) { return error.detail.contains(words, Qt::CaseInsensitive); };
    const auto text = [&](const QString &sentence, NextStep step) { return ErrorText{filled(sentence, error), step, labelFor(step)}; };
    // Whoever made it says "the proxy HOST:PORT: why"; whose name it is in the subject did nothing wrong.
    static const QLatin1StringView proxyMark("the proxy ");
    if (error.detail.startsWith(proxyMark) && error.kind != ErrorKind::Cancelled) {
        const QString detail = tamed(error.detail, 300);
        const qsizetype colon = detail.indexOf(": "_L1);
        QString why = colon < 0 ? QString() : detail.sliced(colon + 2);
        while (why.endsWith(u'.'))
            why.chop(1);
        const QString name = detail.sliced(proxyMark.size(), (colon < 0 ? detail.size() : colon) - proxyMark.size());
        const QString sentence = u"The proxy "_s + name + filled(u" on the way to %1 did not lead there: "_s, error)
                + (why.isEmpty() ? u"it failed"_s : why) + u'.';
        return ErrorText{sentence, NextStep::CheckNetwork, labelFor(NextStep::CheckNetwork)};
    }
    if (error.layer == Layer::Ssh && says("too many authentication failures"_L1))
        return text(u"The SSH server of %1 hung up because too many keys were offered before the right one. Name the one for it, with "
                    "IdentityFile and IdentitiesOnly in ssh_config."_s,
                    NextStep::ChooseKey);
    if (error.layer == Layer::Sftp && says("first words are not SFTP"_L1))
        return text(u"The file access (SFTP) to %1 failed: something else came first. What the start file of a shell there prints must be for "
                    "terminals only."_s,
                    NextStep::None);
    if (error.kind == ErrorKind::HostKeyRefused && says("is marked as revoked"_L1))
        return text(u"The SSH host key of %1 is marked as revoked, so nothing was sent."_s, NextStep::ReviewHostKey);
    if (error.kind == ErrorKind::HostKeyRefused && says("StrictHostKeyChecking"_L1))
        return text(u"The SSH host key of %1 is not known, and StrictHostKeyChecking lets only known hosts pass. Add its key first."_s,
                    NextStep::ReviewHostKey);
    if (error.kind == ErrorKind::HostKeyRefused && says("certificate authority"_L1))
        return text(u"The SSH server of %1 is known only by a certificate authority, and the system's ssh, which checks host certificates, "
                    "could not get there. Try ssh itself, or add its plain host key."_s,
                    NextStep::ReviewHostKey);
    return std::nullopt;
}

Words wordsFor(const Error &error)
{
    if (error.kind == ErrorKind::AuthRejected && error.detail.contains(" keys were offered"_L1))
        return {u"The SSH server of %1 accepted none of the many keys that were offered, and may allow only a few: choose one key for it."_s,
                NextStep::ChooseKey};
    for (const Row &row : exactRows()) {
        if (row.kind == error.kind && row.layer == error.layer)
            return {row.text, row.step};
    }
    return wordsFor(error.kind);
}

} // namespace

ErrorText errorText(const Error &error)
{
    // The user's own "no" needs no vendor's opinion.
    if (error.kind != ErrorKind::Cancelled) {
        if (auto text = vendorText(error))
            return *text;
    }
    if (auto text = protocolText(error))
        return *text;
    Words words = wordsFor(error);
    // The system's words for a full disk (ENOSPC, EDQUOT) decide what is to be done.
    if (error.kind == ErrorKind::Io
        && (error.detail.contains("No space left"_L1) || error.detail.contains("quota exceeded"_L1)))
        words.step = NextStep::FreeSpace;
    const bool whole = words.text.contains("%1"_L1);
    QString sentence = filled(whole ? words.text : wayTo(error.layer) + u' ' + words.text, error);
    // What was left out on this side, and how to mend it; see SshAuth.
    if (const qsizetype note = error.detail.indexOf("; note: "_L1); error.kind == ErrorKind::AuthRejected && note >= 0 && error.detail.size() > note + 8) {
        QString notes = tamed(error.detail.sliced(note + 8), 400).replace("; note: "_L1, "; "_L1);
        notes[0] = notes[0].toUpper();
        sentence += u' ' + notes + u'.';
    }
    if (const QString detail = tamed(error.detail, 200);
        needsDetail(error.kind) && !detail.isEmpty()) {
        sentence.chop(1);
        sentence += u" ("_s + detail + u")."_s;
    }
    return {sentence, words.step, labelFor(words.step)};
}

} // namespace Sandpiper
