// Walks the layers to one target, from the account to the forwards of its SSH server, and says of each
// what was expected and what was seen. It stops at the first that nothing can be seen behind, resumes
// nothing and leaves nothing behind. Main thread.
#pragma once

#include "app/cli/directory.h"
#include "app/cli/doctorline.h"
#include "session/sshlink.h"

#include <QObject>

#include <memory>

namespace Sandpiper {

class DoctorWalk : public QObject, private FeatureAsker
{
    Q_OBJECT
public:
    // directory is borrowed and outlives it; after its load().
    explicit DoctorWalk(Directory *directory, QObject *parent = nullptr);
    ~DoctorWalk() override;
    void start(const TargetText &text);
    [[nodiscard]] QString targetName() const { return m_target.sandbox.displayName(); }

signals:
    void seen(const Sandpiper::DoctorLine &line);
    void finished(); // once

private:
    struct Place // where TCP connects to, and what that is
    {
        QString host;
        quint16 port = 0;
        QString what; // "something", "the proxy"
    };
    void checkTarget(const CliResult<Target> &target);
    void checkTls();
    void checkPty();
    void checkWebSocket();
    void checkRoute();
    void goDirectly(const QString &host, quint16 port);
    void lookUp(const Place &place);
    void checkPort(const Place &place);
    void checkSsh();
    void reached(LinkState state);
    void lost(const Error &error);
    void conclude();

    // FeatureAsker
    std::optional<std::chrono::milliseconds> wantsAfter(const SandboxId &sandbox, const QString &serverVersion) override;
    void told(const SandboxId &sandbox, const Result<ServerFeatures> &features) override;

    void good(const QString &layer, const QString &expected, const QString &what);
    void skip(const QString &layer, const QString &why);
    void bad(const QString &layer, const QString &expected, const Error &error); // and concludes

    Directory *m_directory;
    Target m_target;
    QList<std::pair<QString, QUrl>> m_secureUrls; // layer; those whose certificate is still to be seen
    QByteArray m_pinnedCa;
    std::unique_ptr<PromptHandler> m_prompts; // outlives the link
    std::unique_ptr<Shell> m_pty;
    std::unique_ptr<SshLink> m_link;
    LinkState m_reached = LinkState::Idle;
    bool m_isOver = false;
};

} // namespace Sandpiper
