// All files of sandboxes that are edited here. What an earlier start has left is there again. GUI thread.
#pragma once

#include "session/sandboxregistry.h"
#include "sftp/editsession.h"
#include "sftp/standingfiles.h"

#include <map>

namespace Sandpiper {

class FileEdits : public QObject
{
    Q_OBJECT
public:
    struct Services
    {
        QString folder; // private, made where it is missing: the copies and what is remembered of them
        std::function<StandingFiles::Services(const SandboxId &)> standing;
        QPointer<SandboxRegistry> registry; // null: every sandbox can be asked for at once
        std::chrono::milliseconds settle = std::chrono::milliseconds(300);  // how long a copy holds still before it goes
        std::chrono::milliseconds retry = std::chrono::seconds(5);
        std::chrono::milliseconds linger = std::chrono::seconds(60); // a link that nobody needs
    };
    explicit FileEdits(Services services, QObject *parent = nullptr);
    ~FileEdits() override; // what is under way goes on at the next start

    // Fetches it, unless it is here already; opened() either way. The id.
    QString edit(const SandboxId &sandbox, const QString &sandboxName, const FilePath &path);
    [[nodiscard]] QStringList edits() const; // the oldest first
    [[nodiscard]] EditSession *session(const QString &id) const; // null: there is none
    // The copy is removed where it is the same as what is there, as far as is known; else it stays where it is, and
    // its path is what comes back.
    QString stop(const QString &id);

signals:
    void added(const QString &id);
    void removed(const QString &id);
    void changed(const QString &id);
    void opened(const QString &id); // its copy is here: the editor can be started. By edit() alone, not by a restart

private:
    struct Place
    {
        SandboxId sandbox;
        std::unique_ptr<StandingFiles> standing;
        std::unique_ptr<QTimer> linger;
    };
    void load();
    void add(const EditRecord &record);
    void provide(const QString &id);
    void follow(const SandboxId &sandbox, const StandingFiles::Status &status);
    void tell(EditSession *session, const StandingFiles::Status &status);
    void letGo(const SandboxId &sandbox);
    void accountCame(const QString &account);
    void wakeUp();

    Services m_services;
    std::map<QString, Place> m_places; // by SandboxId::toString(); before the sessions, which are told by them
    QStringList m_order;
    std::map<QString, std::unique_ptr<EditSession>> m_sessions;
};

} // namespace Sandpiper
