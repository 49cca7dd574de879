// Feeds a target with its corpus and with changes of it: the same ones each time, so that what fails once fails again.
//
//   fuzz_WHAT CORPUS ROUNDS      every file of the folder as it is, then that many changed inputs
//   fuzz_WHAT FILE               that input alone
//
// What is under way when it dies lies in fuzz_WHAT.input. Worth keeping: into the corpus with it.
#include <QDir>
#include <QFile>
#include <QFileInfo>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *data, std::size_t size);
#if defined(__SANITIZE_ADDRESS__)
extern "C" void __sanitizer_set_death_callback(void (*callback)());
#endif

namespace {

QByteArray current;
QByteArray dumpFile;

void dump()
{
    if (FILE *file = std::fopen(dumpFile.constData(), "wb")) {
        std::fwrite(current.constData(), 1, std::size_t(current.size()), file);
        std::fclose(file);
    }
    std::fprintf(stderr, "the input is in %s (%lld bytes)\n", dumpFile.constData(), static_cast<long long>(current.size()));
}

void run(const QByteArray &input)
{
    current = input;
    // A block of exactly that size: what reads past its end is seen.
    const std::unique_ptr<unsigned char[]> exact(new unsigned char[std::size_t(input.size())]);
    std::copy(input.cbegin(), input.cend(), exact.get());
    LLVMFuzzerTestOneInput(exact.get(), std::size_t(input.size()));
}

QByteArray contentOf(const QString &name)
{
    QFile file(name);
    if (!file.open(QIODevice::ReadOnly))
        qFatal("%s cannot be read", qPrintable(name));
    return file.readAll();
}

class Mutator
{
public:
    explicit Mutator(const QList<QByteArray> &corpus)
        : m_corpus(corpus)
    {
    }
    QByteArray next()
    {
        QByteArray bytes = any();
        for (qsizetype changes = 1 + below(6); changes > 0; --changes)
            change(bytes);
        return bytes.first(std::min<qsizetype>(bytes.size(), 4096));
    }

private:
    qsizetype below(qsizetype limit) { return limit <= 0 ? 0 : qsizetype(m_random() % std::uint64_t(limit)); }
    char byte() { return char(m_random() & 0xff); }
    const QByteArray &any() { return m_corpus.at(below(m_corpus.size())); }

    void change(QByteArray &bytes)
    {
        static const QByteArray numbers[] = {QByteArray(4, '\0'), QByteArray("\0\0\0\1", 4), QByteArray(4, '\xff'), QByteArray("\x7f\xff\xff\xff", 4),
                                             QByteArray("\x80\0\0\0", 4), QByteArray("\0\4\4\0", 4), QByteArray("\0\4\4\1", 4)};
        const qsizetype at = below(bytes.size() + 1);
        switch (below(9)) {
        case 0: // a bit
            if (at < bytes.size())
                bytes[at] = char(bytes[at] ^ (1 << below(8)));
            break;
        case 1:
            if (at < bytes.size())
                bytes[at] = byte();
            break;
        case 2: bytes.insert(at, byte()); break;
        case 3: bytes.remove(at, 1 + below(8)); break;
        case 4: bytes.truncate(at); break;
        case 5: // a length or a count
            bytes.replace(at, std::min<qsizetype>(4, bytes.size() - at), numbers[below(std::ssize(numbers))]);
            break;
        case 6: // a piece of it twice
            bytes.insert(below(bytes.size() + 1), bytes.mid(at, 1 + below(64)));
            break;
        case 7: // the end of another
            bytes = bytes.first(at) + any().mid(below(64));
            break;
        case 8: bytes.append(any()); break;
        }
    }

    const QList<QByteArray> &m_corpus;
    std::mt19937_64 m_random; // not seeded: the same numbers each time
};

} // namespace

int main(int argc, char **argv)
{
    if (argc < 2) {
        std::fputs("fuzz_WHAT CORPUS ROUNDS, or fuzz_WHAT FILE\n", stderr);
        return 2;
    }
    dumpFile = QFileInfo(QString::fromLocal8Bit(argv[0])).fileName().toLocal8Bit() + ".input";
    std::signal(SIGABRT, [](int) { dump(); }); // a claim that was broken; abort() goes on after it
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_set_death_callback(dump);
#endif
    const QString where = QString::fromLocal8Bit(argv[1]);
    if (QFileInfo(where).isFile()) {
        run(contentOf(where));
        return 0;
    }
    QList<QByteArray> corpus;
    for (const QString &name : QDir(where).entryList(QDir::Files, QDir::Name))
        corpus.append(contentOf(where + QLatin1Char('/') + name));
    if (corpus.isEmpty()) {
        std::fputs("the corpus is empty\n", stderr);
        return 1;
    }
    for (const QByteArray &input : corpus)
        run(input);
    const long rounds = argc > 2 ? std::atol(argv[2]) : 0;
    Mutator mutator(corpus);
    for (long round = 0; round < rounds; ++round)
        run(mutator.next());
    std::printf("%lld inputs and %ld changed ones\n", static_cast<long long>(corpus.size()), rounds);
    return 0;
}
