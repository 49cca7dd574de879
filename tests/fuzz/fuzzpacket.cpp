// What a server sends, as packets in pieces and as answers.
#include "sftp/packet.h"
#include "tests/fuzz/must.h"

using namespace Sandpiper;

namespace {

QList<QByteArray> framed(QByteArrayView bytes, qsizetype piece)
{
    QList<QByteArray> packets;
    SftpFramer framer;
    while (!bytes.isEmpty()) {
        const QByteArrayView now = bytes.first(std::min(piece, bytes.size()));
        bytes = bytes.sliced(now.size());
        const Done fed = framer.feed(now, [&](QByteArrayView packet) {
            packets.append(packet.toByteArray());
            return true;
        });
        must(framer.held() <= qsizetype(SftpFramer::largestPacket) + 4);
        if (!fed)
            break;
    }
    return packets;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *data, std::size_t size)
{
    const QByteArrayView bytes(data, qsizetype(size));
    // The pieces that it comes in change nothing.
    const QList<QByteArray> packets = framed(bytes, bytes.size());
    must(framed(bytes, 1) == packets);
    must(framed(bytes, 7) == packets);
    for (const QByteArray &packet : packets + QList<QByteArray>{bytes.toByteArray()}) {
        const Result<SftpReply> reply = readSftpReply(packet);
        if (!reply)
            continue;
        if (const auto *rows = std::get_if<QList<FileEntry>>(&reply->body))
            must(rows->size() * 12 <= packet.size());
        if (const auto *part = std::get_if<SftpData>(&reply->body))
            must(part->bytes.size() <= packet.size());
    }
    QByteArrayView rest = bytes;
    QList<quint64> values;
    (void)takeSftpLongs(rest, values, 11);
    must(rest.size() <= bytes.size());
    return 0;
}
