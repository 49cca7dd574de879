// Keeps the network setting: one small versioned file in the config folder that window and command line
// read, and the proxy's password in the keychain. What it holds is in force in this process at once,
// also where another program changes the file. GUI thread.
#pragma once

#include "session/keptfile.h"
#include "session/keychain.h"
#include "session/networksetting.h"

#include <QFileSystemWatcher>
#include <QPointer>
#include <QPromise>

namespace Sandpiper {

class NetworkStore : public QObject
{
    Q_OBJECT
public:
    // keychain: borrowed, outlives it. A file that cannot be understood is kept aside, and until
    // something is chosen anew nothing is reached: it may have named a proxy.
    NetworkStore(const QString &file, Keychain *keychain, QObject *parent = nullptr);
    ~NetworkStore() override;

    [[nodiscard]] const NetworkSetting &setting() const { return m_setting; }
    [[nodiscard]] std::optional<Error> loadError() const { return m_file.error(); }
    // When the password is known, or known not to be there. Connect nothing before.
    [[nodiscard]] QFuture<void> ready() const { return m_ready.future(); }

    // InvalidInput with a sentence; LocalDisk where it was not saved. Another proxy or user loses the
    // password: it was meant for the old one.
    [[nodiscard]] Done set(const NetworkSetting &next);
    [[nodiscard]] bool hasPassword() const { return m_password != nullptr; }
    // Empty: forgets it. In force at once, whether or not the keychain takes it.
    void setPassword(Secret password);

signals:
    void changed();
    void passwordNotKept(const Sandpiper::Error &error); // it lasts for this run

private:
    void reload();
    void readPassword();
    void watch();
    [[nodiscard]] QString passwordKey() const; // empty: there can be none
    QString m_path;
    KeptFile m_file;
    QByteArray m_content; // of the file, as it was read last
    QPointer<Keychain> m_keychain;
    QFileSystemWatcher m_watcher;
    NetworkSetting m_setting;
    std::shared_ptr<Secret> m_password;
    QPromise<void> m_ready;
    int m_turn = 0; // of the password: an answer of the keychain to an old question is dropped
};

} // namespace Sandpiper
