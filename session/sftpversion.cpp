#include "session/sftpversion.h"

#include "session/error.h"
#include "session/serverfeatures.h"
#include "session/sshwire.h"

namespace Sandpiper {
namespace {

constexpr char kInit = 1;
constexpr char kVersion = 2;
// OpenSSH's own answer has about 300 bytes. The greeting of a shell's start file, taken for a length, is
// near 2^31.
constexpr quint32 kLargestAnswer = 32 << 10;

} // namespace

QByteArray sftpInit()
{
    return SshWire::string(QByteArray(1, kInit) + SshWire::number(3));
}

SftpVersion readSftpVersion(QByteArrayView bytes)
{
    SftpVersion answer;
    QByteArrayView rest = bytes;
    quint32 size = 0;
    if (!SshWire::takeNumber(rest, size))
        return answer;
    answer.reading = SftpVersion::Reading::NotSftp;
    if (size < 5 || size > kLargestAnswer || (!rest.isEmpty() && rest.front() != kVersion))
        return answer;
    if (rest.size() < qsizetype(size)) {
        answer.reading = SftpVersion::Reading::More;
        return answer;
    }
    rest = rest.sliced(1, qsizetype(size) - 1);
    if (!SshWire::takeNumber(rest, answer.version))
        return answer;
    while (!rest.isEmpty()) {
        QByteArrayView name;
        QByteArrayView data;
        if (!SshWire::takeString(rest, name) || !SshWire::takeString(rest, data))
            return answer;
        if (answer.extensions.size() < ServerFeatures::mostExtensions)
            answer.extensions.append(tamed(QString::fromUtf8(name), ServerFeatures::mostName));
    }
    answer.reading = SftpVersion::Reading::Whole;
    return answer;
}

} // namespace Sandpiper
