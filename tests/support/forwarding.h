// A link, and what is told of its forwards.
#pragma once

#include "session/sshlink.h"

#include "tests/support/everybyte.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/waituntil.h"

#include <QHash>

namespace Sandpiper {

inline ForwardSpec forwardSpec(ForwardSpec::Kind option, const QString &text)
{
    const Result<ForwardSpec> read = parseForward(option, text);
    if (!read)
        qFatal("%s", qPrintable(read.error().detail));
    return *read;
}

struct Forwarding
{
    static constexpr int kPatience = 60'000;
    using State = ForwardStatus::State;

    explicit Forwarding(const LinkOptions &options)
        : link(options, &prompts)
    {
        QObject::connect(&link, &SshLink::closed, &link, [this](const Error &error) {
            events.append(QStringLiteral("closed"));
            ends.append(error);
        });
        QObject::connect(&link, &SshLink::forwardChanged, &link, [this](const ForwardReport &report) {
            events.append(QStringLiteral("forward"));
            if (report.trouble)
                troubles.append(*report.trouble);
            else
                reports.append(report);
        });
        QObject::connect(&link, &SshLink::forwardTrafficChanged, &link, [this](int id, const ForwardTraffic &news) { traffic.insert(id, news); });
        link.connectToHost();
    }
    int add(ForwardSpec::Kind option, const QString &text) { return link.addForward(forwardSpec(option, text)); }
    [[nodiscard]] ForwardStatus status(int id) const
    {
        ForwardStatus last;
        for (const ForwardReport &report : reports) {
            if (report.id == id)
                last = report.status;
        }
        return last;
    }
    // Waits for what comes of it; 0: no port.
    quint16 port(int id)
    {
        (void)waitUntil([&] { return status(id).state != State::Waiting; }, kPatience);
        return status(id).state == State::Listening ? status(id).at.port : quint16(0);
    }
    quint16 ready(ForwardSpec::Kind option, const QString &text) { return port(add(option, text)); }
    [[nodiscard]] QByteArray why() const
    {
        return reports.isEmpty() ? ends.isEmpty() ? QByteArray("nothing") : describe(ends.constFirst()).toUtf8()
                                 : describe(reports.constLast().status.error).toUtf8();
    }

    RecordingPrompts prompts;
    SshLink link;
    QStringList events;
    QList<ForwardReport> reports;
    QHash<int, ForwardTraffic> traffic; // as it was told last
    QList<Error> troubles;
    QList<Error> ends;
};

} // namespace Sandpiper
