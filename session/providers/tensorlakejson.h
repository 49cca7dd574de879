// What Tensorlake answers, as values. Every field may be missing, of another type, or absurd; one bad
// item never costs the others. Pure; any thread.
#pragma once

#include "session/httpclient.h"
#include "session/provider.h"
#include "session/providers/tensorlakeroutes.h"

#include <QJsonObject>

#include <memory>
#include <mutex>

namespace Sandpiper {

// What a sandbox's object alone does not say.
struct TensorlakeContext
{
    QString vendor;
    QString accountId;
    TensorlakeRoutes routes;
    SshEndpoint localSsh; // This computer: where its SSH is, as its own file says; no host: as its answers say
    bool isThisComputer = false;
};

// Capabilities of sandboxes in the same situation, shared so that comparing thousands is cheap.
class CapabilityCache
{
public:
    [[nodiscard]] Capabilities shared(const Capabilities &capabilities);

private:
    std::mutex m_mutex; // lists are read on pool threads
    QList<Capabilities> m_known;
};

[[nodiscard]] Capabilities tensorlakeCapabilities(const TensorlakeContext &context);

// Nothing where there is no usable id.
[[nodiscard]] std::optional<Sandbox> tensorlakeSandbox(const QJsonObject &object, const TensorlakeContext &context, CapabilityCache *cache);

struct TensorlakePage
{
    QList<Sandbox> sandboxes;
    QUrl next; // empty: this was the last one
    int skipped = 0; // items without a usable id
};
// Protocol: no list in it. current: where the page came from.
[[nodiscard]] Result<TensorlakePage> tensorlakePage(const QByteArray &body, const QUrl &current, const TensorlakeContext &context,
                                                    CapabilityCache *cache);

[[nodiscard]] Result<QList<SshKey>> tensorlakeKeys(const QByteArray &body);
[[nodiscard]] Result<SshKey> tensorlakeKey(const QByteArray &body);
[[nodiscard]] Result<QList<PtySession>> tensorlakePtySessions(const QByteArray &body);
[[nodiscard]] Result<PtySession> tensorlakePtySession(const QByteArray &body);
// Wipes the token's own buffer; copies inside of Qt's parser stay until their memory is used again.
[[nodiscard]] Result<PtyHandle> tensorlakePtyHandle(const QByteArray &body);

// How a process stands.
struct TensorlakeProcess
{
    qint64 pid = 0;
    bool isRunning = false;
    ShellEnd end; // where it is not running
};
[[nodiscard]] Result<TensorlakeProcess> tensorlakeProcess(const QByteArray &body);

// "TERM" for 15, as Linux numbers them; the number as text where it has no name here.
[[nodiscard]] QString signalNameOf(int number);

// Action: suspend and resume, which refuse a wrong state as a bad request.
enum class TensorlakePlane { Lifecycle, Action, Create, Platform, Proxy };
// What an answer that is no success means. subject: the sandbox, key or host it is about.
[[nodiscard]] Error tensorlakeError(const HttpReply &reply, TensorlakePlane plane, const QString &subject);

// The vendor's rule for names; empty where it is kept, else a sentence.
[[nodiscard]] QString tensorlakeNameProblem(const QString &name);

} // namespace Sandpiper
