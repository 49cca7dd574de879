// A whole connection against a server that says anything: each request is answered once, whatever comes.
#include "sftp/protocol.h"
#include "tests/fuzz/must.h"

using namespace Sandpiper;

// The first byte says in what pieces the rest comes.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char *data, std::size_t size)
{
    if (size == 0)
        return 0;
    const qsizetype piece = 1 + data[0] % 64;
    QByteArrayView bytes(data + 1, qsizetype(size) - 1);
    int known = 0;
    int broken = 0;
    int asked = 0;
    QList<int> answers;
    SftpProtocol::Time now{};
    SftpProtocol protocol({}, {[&] { ++known; }, [&](const Error &) { ++broken; }});
    protocol.open("SSH-2.0-OpenSSH_10.0", now);
    const auto ask = [&](SftpType type, int owner) {
        answers.append(0);
        protocol.request(std::move(SftpRequest(type).string("/x")), owner, now, [&answers, which = asked++](const Result<SftpReply> &) { ++answers[which]; });
    };
    while (!bytes.isEmpty()) {
        now += std::chrono::milliseconds(1);
        if (protocol.isReady() && asked < 64) {
            ask(SftpType::Stat, 1);
            ask(SftpType::Open, 2);
            ask(SftpType::Readdir, 1);
            ask(SftpType::Read, 1);
        }
        if (asked == 32)
            protocol.abandon(2, now);
        while (!protocol.output().isEmpty())
            protocol.sent(protocol.output().size(), now);
        protocol.receive(bytes.first(std::min(piece, bytes.size())), now);
        bytes = bytes.sliced(std::min(piece, bytes.size()));
        must(broken <= 1);
        must(protocol.inFlight() <= 512);
        must(protocol.unsent() < 1 << 20);
    }
    protocol.fail({ErrorKind::ConnectionLost, Layer::Ssh, {}, {}});
    must(broken == 1);
    for (int i = 0; i < asked; ++i)
        must(answers.at(i) == 1 || (i % 4 == 1 && answers.at(i) == 0));
    return 0;
}
