// The first words of SFTP (draft-ietf-secsh-filexfer-02 section 4): INIT from us, VERSION from the server.
// Pure; any thread.
#pragma once

#include <QByteArray>
#include <QStringList>

namespace Sandpiper {

[[nodiscard]] QByteArray sftpInit(); // of version 3

struct SftpVersion
{
    enum class Reading {
        More,     // not all of it is there yet
        Whole,
        NotSftp, // something else speaks, or it is larger than any such answer
    };
    Reading reading = Reading::More;
    quint32 version = 0;
    QStringList extensions; // names, tamed; at most ServerFeatures::mostExtensions
};

// bytes: from the start of the channel. What follows the packet does not matter.
[[nodiscard]] SftpVersion readSftpVersion(QByteArrayView bytes);

} // namespace Sandpiper
