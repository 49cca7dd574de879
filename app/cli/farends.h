// Chooses what a channel of `serve` is joined to, by what the sandbox can. Main thread.
#pragma once

#include "app/cli/farend.h"
#include "session/logins.h"
#include "sshserver/mailchannel.h"

#include <vector>

namespace Sandpiper {

class FarEnds : public QObject
{
    Q_OBJECT
public:
    enum class Route { Ssh, Vendor };
    enum class Sftp { Where, Never };
    struct Options
    {
        Sandbox sandbox;
        SignIn signIn;
        SandboxProvider *provider = nullptr; // borrowed; Route::Vendor needs it
        Route route = Route::Ssh;            // Ssh: sandbox.ssh is there
        Sftp sftp = Sftp::Where;
        PromptHandler *prompts = nullptr; // borrowed
    };
    explicit FarEnds(const Options &options);

    // One way to serve it after the other, best first; empty: refused, and why.
    struct Choice
    {
        std::vector<std::function<std::unique_ptr<FarEnd>()>> ways;
        QString refusal; // a whole sentence; also for when every way has failed to open
    };
    [[nodiscard]] Choice choose(const ToFar::Start &start);
    // What a person needs to know of that end beyond its status; mostly empty.
    [[nodiscard]] QString explain(const ToFar::Start &start, const ShellEnd &end) const;

private:
    [[nodiscard]] Choice overSsh(const ToFar::Start &start);
    [[nodiscard]] Choice overVendor(const ToFar::Start &start);
    [[nodiscard]] Choice sftpOverVendor();
    [[nodiscard]] std::function<std::unique_ptr<FarEnd>()> channel(const ChannelSpec &spec);
    // A link with room for one more channel.
    [[nodiscard]] SshLinkCore *link();

    Options m_options;
    std::vector<std::unique_ptr<SshLinkCore>> m_links;
};

} // namespace Sandpiper
