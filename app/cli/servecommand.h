// serve: a local SSH endpoint for a sandbox.
#pragma once

#include "app/cli/command.h"
#include "app/cli/serving.h"

#include <memory>
#include <optional>

namespace Sandpiper {

class StdioPump;

class ServeCommand : public Command
{
    Q_OBJECT
public:
    explicit ServeCommand(Directory *directory);
    ~ServeCommand() override;
    void start(const QStringList &arguments) override;
    void interrupt() override;

private:
    struct Wish
    {
        bool stdio = false;
        QString address;
        quint16 port = 0;
        QString via;
        QString hostKeyFile;
        QString authorizedKeys;
        Serving::Options serving;
    };
    // False: the mistake has been said.
    [[nodiscard]] bool read(QCommandLineParser &parser, const QStringList &arguments, TargetText &target);
    void findKeys(const Target &target);
    void serve();
    void serveStdio();

    Wish m_wish;
    std::unique_ptr<PromptHandler> m_prompts;
    std::unique_ptr<Serving> m_serving;
    std::unique_ptr<StdioPump> m_pump;
    bool m_ending = false;
};

} // namespace Sandpiper
