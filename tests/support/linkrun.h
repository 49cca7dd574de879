// One command over a link of its own, to its end, for tests.
#pragma once

#include "session/sshlink.h"

#include <QList>

#include <memory>

namespace Sandpiper {

struct LinkRun
{
    LinkRun(const LinkOptions &options, const QStringList &argv, PromptHandler *prompts)
        : link(options, prompts)
    {
        QObject::connect(&link, &SshLink::closed, &link, [this](const Error &why) { errors.append(why); });
        CommandSpec spec;
        spec.argv = argv;
        command = link.makeCommand(spec);
        QObject::connect(command.get(), &RemoteCommand::outputReceived, &link, [this](const QByteArray &bytes) {
            output += bytes;
            command->consumed(bytes.size());
        });
        QObject::connect(command.get(), &RemoteCommand::ended, &link, [this](const ShellEnd &how) { ends.append(how); });
        link.connectToHost();
        command->start();
    }
    [[nodiscard]] QByteArray why() const
    {
        return (errors.isEmpty() ? QByteArray("open") : describe(errors.constFirst()).toUtf8() + " about " + errors.constFirst().subject.toUtf8())
                + (ends.isEmpty() ? QByteArray() : " / " + describe(ends.constFirst().error).toUtf8());
    }
    QByteArray output;
    QList<ShellEnd> ends;
    QList<Error> errors;
    SshLink link;
    std::unique_ptr<RemoteCommand> command;
};

} // namespace Sandpiper
