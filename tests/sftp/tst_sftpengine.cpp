// What the engine asks of a server, and in which order, answered by hand.
#include "session/sshwire.h"
#include "sftp/sftpengine.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

QByteArray number(quint32 value)
{
    return SshWire::number(value);
}

QByteArray string(QByteArrayView value)
{
    return SshWire::string(value);
}

struct Asked
{
    SftpType type;
    quint32 id = 0;
    QByteArray body;
};

// An engine whose server is the test.
struct Talk
{
    explicit Talk(const QByteArray &banner = "SSH-2.0-OpenSSH_10.0", const QByteArrayList &extensions = {})
    {
        engine.opened(banner);
        QByteArray body = number(3);
        for (const QByteArray &name : extensions)
            body += string(name) + string("1");
        (void)hear();
        answer(SftpType::Version, body);
    }
    void answer(SftpType type, const QByteArray &body) { engine.received(string(QByteArray(1, char(type)) + body)); }
    void status(quint32 id, quint32 code) { answer(SftpType::Status, number(id) + number(code) + string("") + string("")); }
    void tell(SftpCommand command)
    {
        mail->commands.put(std::move(command));
        engine.pump();
    }
    // What it asks now.
    QList<Asked> hear()
    {
        engine.pump();
        QList<Asked> asked;
        SftpFramer framer;
        while (!engine.output().isEmpty()) {
            const QByteArray piece = engine.output().toByteArray();
            engine.sent(piece.size());
            (void)framer.feed(piece, [&](QByteArrayView packet) {
                QByteArrayView rest = packet.sliced(1);
                Asked one{SftpType(packet.front()), 0, {}};
                (void)SshWire::takeNumber(rest, one.id);
                one.body = rest.toByteArray();
                asked.append(one);
                return true;
            });
        }
        return asked;
    }
    QList<SftpEvent> events()
    {
        QList<SftpEvent> all;
        for (SftpEvent &event : mail->events.takeAll())
            all.append(std::move(event));
        return all;
    }

    std::shared_ptr<SftpMail> mail = std::make_shared<SftpMail>();
    SftpEngine engine{mail, {}};
};

// Offset and length of a READ of the handle "h".
std::pair<quint64, quint32> rangeOf(const Asked &asked)
{
    QByteArrayView rest = asked.body;
    QByteArrayView handle;
    std::pair<quint64, quint32> range;
    (void)SshWire::takeString(rest, handle);
    (void)SshWire::takeNumber(rest, range.first);
    (void)SshWire::takeNumber(rest, range.second);
    return range;
}

} // namespace

class TestSftpEngine : public QObject
{
    Q_OBJECT
private slots:
    void aSymlinkIsAskedForInTheServersOrder_data()
    {
        QTest::addColumn<QByteArray>("banner");
        QTest::addColumn<QByteArray>("body");
        QTest::newRow("OpenSSH") << "SSH-2.0-OpenSSH_10.0"_ba << string("target") + string("link");
        QTest::newRow("russh") << "SSH-2.0-russh_0.50"_ba << string("link") + string("target");
        QTest::newRow("paramiko") << "SSH-2.0-paramiko_3.5"_ba << string("target") + string("link");
        QTest::newRow("another") << "SSH-2.0-Example"_ba << string("link") + string("target");
    }
    void aSymlinkIsAskedForInTheServersOrder()
    {
        QFETCH(QByteArray, banner);
        Talk talk(banner);
        talk.tell(ToSftp::Run{1, SftpDo::Symlink{FilePath::fromBytes("target").value(), FilePath::fromBytes("link").value()}});
        const QList<Asked> asked = talk.hear();
        QCOMPARE(asked.size(), 1);
        QCOMPARE(asked.first().type, SftpType::Symlink);
        QTEST(asked.first().body, "body");
    }

    void nothingIsAskedBeforeTheServerHasSpoken()
    {
        const auto mail = std::make_shared<SftpMail>();
        SftpEngine engine(mail, {});
        mail->commands.put(ToSftp::List{1, {}});
        engine.opened("SSH-2.0-Example");
        engine.pump();
        QCOMPARE(engine.output().size(), 9); // INIT
    }

    void aFolderIsListedWithMoreAndMoreInFlight()
    {
        Talk talk;
        talk.tell(ToSftp::List{1, {}});
        QList<Asked> asked = talk.hear();
        QCOMPARE(asked.first().body, string("."));
        talk.answer(SftpType::Handle, number(asked.first().id) + string("h"));
        asked = talk.hear();
        QCOMPARE(asked.size(), 2);
        qsizetype inFlight = 2;
        for (int round = 0; round < 6; ++round) {
            talk.answer(SftpType::Name, number(asked.takeFirst().id) + number(1) + string("n" + QByteArray::number(round)) + string("") + number(0));
            --inFlight;
            const QList<Asked> more = talk.hear();
            inFlight += more.size();
            asked += more;
        }
        QCOMPARE(inFlight, 32);
        // The last first, and behind the end an error that is none.
        talk.status(asked.takeLast().id, 1);
        talk.status(asked.takeLast().id, 4);
        for (const Asked &one : std::as_const(asked))
            talk.status(one.id, 1);
        asked = talk.hear();
        QCOMPARE(asked.size(), 1);
        QCOMPARE(asked.first().type, SftpType::Close);
        const QList<SftpEvent> events = talk.events();
        const auto *ended = std::get_if<FromSftp::Ended>(&events.last());
        QVERIFY(ended && ended->value);
        QCOMPARE(std::get<ListEnd>(*ended->value), (ListEnd{6, 0}));
    }

    void aServerThatNeverNamesAnythingIsAtTheEnd()
    {
        Talk talk;
        talk.tell(ToSftp::List{1, {}});
        talk.answer(SftpType::Handle, number(talk.hear().first().id) + string("h"));
        int answers = 0;
        for (QList<Asked> asked = talk.hear(); !asked.isEmpty() && asked.first().type == SftpType::Readdir && answers < 1000; asked = talk.hear()) {
            for (const Asked &one : std::as_const(asked))
                talk.answer(SftpType::Name, number(one.id) + number(0));
            answers += int(asked.size());
        }
        QVERIFY(answers < 100);
        const QList<SftpEvent> events = talk.events();
        QVERIFY(std::get_if<FromSftp::Ended>(&events.last()));
    }

    void rowsThatNobodyTakesHoldTheListingUp()
    {
        Talk talk;
        talk.tell(ToSftp::List{1, {}});
        talk.answer(SftpType::Handle, number(talk.hear().first().id) + string("h"));
        QByteArray names = number(1000);
        for (int i = 0; i < 1000; ++i)
            names += string("n") + string("") + number(0);
        qsizetype answered = 0;
        for (QList<Asked> asked = talk.hear(); !asked.isEmpty() && answered < 1000; asked = talk.hear()) {
            for (const Asked &one : std::as_const(asked))
                talk.answer(SftpType::Name, number(one.id) + names);
            answered += asked.size();
        }
        QVERIFY2(answered >= 20 && answered < 20 + 64, QByteArray::number(answered).constData());
        talk.tell(ToSftp::Consumed{1, 15'000 + 64'000});
        QVERIFY(!talk.hear().isEmpty());
    }

    void aFileIsReadInOrderFromAnswersInNone()
    {
        Talk talk;
        const quint64 size = 5 * 32768 + 100;
        talk.tell(ToSftp::Read{1, {.path = FilePath::fromBytes("f").value()}});
        talk.answer(SftpType::Handle, number(talk.hear().first().id) + string("h"));
        QList<Asked> asked = talk.hear();
        QCOMPARE(asked.size(), 2);
        QCOMPARE(asked[0].type, SftpType::Fstat);
        talk.answer(SftpType::Attrs, number(asked[0].id) + number(1) + number(0) + number(quint32(size)));
        QList<Asked> reads{asked[1]};
        reads += talk.hear();
        QCOMPARE(reads.size(), 6);
        QByteArray file;
        for (quint64 i = 0; i < size; ++i)
            file += char(i * 7919 >> 3);
        QByteArray told;
        const auto collect = [&] {
            for (const SftpEvent &event : talk.events()) {
                if (const auto *bytes = std::get_if<FromSftp::Bytes>(&event))
                    told += bytes->bytes;
            }
        };
        // The last first, each in two parts.
        for (int guard = 0; !reads.isEmpty() && guard < 1000; ++guard) {
            const Asked one = reads.takeLast();
            const auto [offset, length] = rangeOf(one);
            if (offset >= size)
                talk.status(one.id, 1);
            else
                talk.answer(SftpType::Data, number(one.id) + string(file.mid(qsizetype(offset), std::min<qsizetype>(length, 20'000))));
            collect();
            for (const Asked &next : talk.hear()) {
                if (next.type == SftpType::Read)
                    reads.append(next);
                else
                    QCOMPARE(next.type, SftpType::Close);
            }
        }
        QVERIFY(told == file);
    }

    void aFileThatShrinksWhileItIsReadIsAnError()
    {
        Talk talk;
        talk.tell(ToSftp::Read{1, {.path = FilePath::fromBytes("f").value()}});
        talk.answer(SftpType::Handle, number(talk.hear().first().id) + string("h"));
        QList<Asked> asked = talk.hear();
        talk.answer(SftpType::Attrs, number(asked[0].id) + number(1) + number(0) + number(100'000));
        QList<Asked> reads{asked[1]};
        reads += talk.hear();
        talk.answer(SftpType::Data, number(reads[1].id) + string("later"));
        talk.status(reads[0].id, 1);
        const QList<SftpEvent> events = talk.events();
        const auto *ended = std::get_if<FromSftp::Ended>(&events.last());
        QVERIFY(ended && !ended->value);
        QCOMPARE(ended->value.error().kind, ErrorKind::Io);
        QCOMPARE(ended->value.error().subject, u"f"_s);
    }

    void aWriterHasSixteenInFlightAndWaitsForAll()
    {
        Talk talk;
        talk.tell(ToSftp::Write{1, {.path = FilePath::fromBytes("f").value(), .mode = 0600}});
        talk.answer(SftpType::Handle, number(talk.hear().first().id) + string("h"));
        talk.tell(ToSftp::Bytes{1, QByteArray(20 * 32768 + 5, 'x')});
        talk.tell(ToSftp::Finish{1, false});
        QList<Asked> asked = talk.hear();
        QCOMPARE(asked.size(), 16);
        qint64 taken = 0;
        int writes = 0;
        while (!asked.isEmpty() && asked.last().type == SftpType::Write) {
            ++writes;
            talk.status(asked.takeLast().id, 0);
            asked += talk.hear();
            for (const SftpEvent &event : talk.events()) {
                if (const auto *news = std::get_if<FromSftp::Taken>(&event))
                    taken += news->bytes;
            }
        }
        QCOMPARE(writes, 21);
        QCOMPARE(taken, 20 * 32768 + 5);
        QCOMPARE(asked.size(), 1);
        QCOMPARE(asked.first().type, SftpType::Close);
        // Where the disk is a network's, only this says that it did not fit.
        talk.status(asked.first().id, 4);
        const QList<SftpEvent> events = talk.events();
        const auto *ended = std::get_if<FromSftp::Ended>(&events.last());
        QVERIFY(ended && !ended->value);
    }

    void aFullDiskIsSaidToBeFull()
    {
        Talk talk("SSH-2.0-OpenSSH_10.0", {"fstatvfs@openssh.com"});
        talk.tell(ToSftp::Write{1, {.path = FilePath::fromBytes("f").value()}});
        talk.answer(SftpType::Handle, number(talk.hear().first().id) + string("h"));
        talk.tell(ToSftp::Bytes{1, QByteArray(3 * 32768, 'x')});
        const QList<Asked> writes = talk.hear();
        QCOMPARE(writes.size(), 3);
        for (const Asked &one : writes)
            talk.status(one.id, 4);
        const QList<Asked> asked = talk.hear();
        QCOMPARE(asked.size(), 1);
        QCOMPARE(asked.first().body, string("fstatvfs@openssh.com") + string("h"));
        QByteArray space;
        for (const quint32 value : {4096u, 4096u, 1000u, 10u, 0u, 5u, 5u, 5u, 1u, 0u, 255u})
            space += number(0) + number(value);
        talk.answer(SftpType::ExtendedReply, number(asked.first().id) + space);
        const QList<SftpEvent> events = talk.events();
        const auto *ended = std::get_if<FromSftp::Ended>(&events.last());
        QVERIFY(ended && !ended->value);
        QCOMPARE(ended->value.error().kind, ErrorKind::QuotaExceeded);
    }

    void whatIsCancelledBeforeItBeginsIsNotBegun()
    {
        Talk talk;
        talk.mail->commands.put(ToSftp::Write{1, {.path = FilePath::fromBytes("f").value()}});
        talk.mail->commands.put(ToSftp::Cancel{1});
        QVERIFY(talk.hear().isEmpty());
        // Of an operation the future says it.
        talk.tell(ToSftp::Run{2, SftpDo::RemoveFile{FilePath::fromBytes("f").value()}, [] { return true; }});
        QVERIFY(talk.hear().isEmpty());
        const QList<SftpEvent> events = talk.events();
        const auto *ended = std::get_if<FromSftp::Ended>(&events.last());
        QVERIFY(ended && ended->id == 2 && !ended->value);
        QCOMPARE(ended->value.error().kind, ErrorKind::Cancelled);
    }

    // pkg/sftp, for one, renames over what is there and says nothing.
    void aRenameThatKeepsWhatIsThereLooksFirst_data()
    {
        QTest::addColumn<bool>("isThere");
        QTest::newRow("there") << true;
        QTest::newRow("not there") << false;
    }
    void aRenameThatKeepsWhatIsThereLooksFirst()
    {
        QFETCH(bool, isThere);
        Talk talk;
        talk.tell(ToSftp::Run{1, SftpDo::Rename{FilePath::fromBytes("a").value(), FilePath::fromBytes("b").value()}});
        const QList<Asked> looked = talk.hear();
        QCOMPARE(looked.size(), 1);
        QCOMPARE(looked.first().type, SftpType::Lstat);
        QCOMPARE(looked.first().body, string("b"));
        if (isThere)
            talk.answer(SftpType::Attrs, number(looked.first().id) + number(0));
        else
            talk.status(looked.first().id, 2);
        const QList<Asked> next = talk.hear();
        QCOMPARE(next.size(), isThere ? 0 : 1);
        if (!isThere) {
            QCOMPARE(next.first().type, SftpType::Rename);
            return;
        }
        const QList<SftpEvent> events = talk.events();
        const auto *ended = std::get_if<FromSftp::Ended>(&events.last());
        QVERIFY(ended && !ended->value);
        QCOMPARE(ended->value.error().kind, ErrorKind::Conflict);
    }

    void aWriterWhoseHandleComesLateGivesItBack()
    {
        Talk talk;
        talk.tell(ToSftp::Write{1, {.path = FilePath::fromBytes("f").value()}});
        const QList<Asked> asked = talk.hear();
        talk.tell(ToSftp::Cancel{1});
        talk.answer(SftpType::Handle, number(asked.first().id) + string("h"));
        const QList<Asked> closed = talk.hear();
        QCOMPARE(closed.size(), 1);
        QCOMPARE(closed.first().type, SftpType::Close);
        QCOMPARE(closed.first().body, string("h"));
    }
};

QTEST_GUILESS_MAIN(TestSftpEngine)
#include "tst_sftpengine.moc"
