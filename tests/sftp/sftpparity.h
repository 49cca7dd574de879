// What every SFTP server must do for SftpClient, whatever its habits. A test program derives from it and brings
// the servers.
#pragma once

#include "tests/support/sftprun.h"

#include <QObject>

namespace Sandpiper {

[[nodiscard]] QByteArray filePattern(qsizetype size);

class SftpParity : public QObject
{
    Q_OBJECT
protected:
    [[nodiscard]] virtual QStringList kinds() const = 0;
    // problem: why it is not there.
    [[nodiscard]] virtual LinkOptions optionsOf(const QString &kind, QString &problem) = 0;
    // A folder there in which others may be made.
    [[nodiscard]] virtual QByteArray folderOf(const QString &kind) const = 0;
    [[nodiscard]] virtual bool isOnThisComputer() const { return true; }

    // A client of this server, with an empty folder at m_root.
    void begin(const QString &kind);
    [[nodiscard]] FilePath at(const QByteArray &name) const { return m_root.joined(remotePath(name)); }
    [[nodiscard]] SftpClient *client() const { return m_run->client.get(); }

    std::unique_ptr<SftpRun> m_run;
    FilePath m_root;

private:
    void addKinds();

    QString m_localRoot; // the same, where it is on this computer
    int m_folders = 0;

private slots:
    void cleanup();
    void aFileIsWrittenAndRead_data();
    void aFileIsWrittenAndRead();
    void aFolderIsListed_data();
    void aFolderIsListed();
    void everyOperationDoesWhatItSays_data();
    void everyOperationDoesWhatItSays();
    void aFileIsCopiedByTheServer_data();
    void aFileIsCopiedByTheServer();
    void manyQuestionsAreAnsweredAtOnce_data();
    void manyQuestionsAreAnsweredAtOnce();
    void aReaderThatDoesNotReadHoldsTheServerUp_data();
    void aReaderThatDoesNotReadHoldsTheServerUp();
    void whoIsDeletedIsHeardNoMore_data();
    void whoIsDeletedIsHeardNoMore();
};

} // namespace Sandpiper
