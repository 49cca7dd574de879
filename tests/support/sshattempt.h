// One try to connect, for tests. GUI thread.
#pragma once

#include "session/sshlink.h"

#include "tests/support/recordingprompts.h"

#include <QTest>

namespace Sandpiper {

// Connects and waits for Ready or the end.
class Attempt
{
public:
    Attempt(const LinkOptions &options, RecordingPrompts *prompts)
        : link(options, prompts)
    {
        QObject::connect(&link, &SshLink::closed, &link, [this](const Error &error) { errors.append(error); });
        QObject::connect(&link, &SshLink::bannerReceived, &link, [this](const QString &text) { banners.append(text); });
        link.connectToHost();
        const bool over = QTest::qWaitFor([this] { return link.state() == LinkState::Ready || !errors.isEmpty(); }, 60000);
        if (!over)
            qWarning("the link neither opens nor closes");
    }
    [[nodiscard]] bool isReady() const { return link.state() == LinkState::Ready; }
    [[nodiscard]] QByteArray why() const { return errors.isEmpty() ? QByteArray() : describe(errors.front()).toUtf8(); }

    SshLink link;
    QList<Error> errors;
    QStringList banners;
};

} // namespace Sandpiper
