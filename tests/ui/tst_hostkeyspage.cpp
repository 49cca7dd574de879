// The page of host keys over real files: what it lists, finds, adds, forgets and says.
#include "ui/hostkeyspage.h"

#include "ui/theme.h"

#include <QClipboard>
#include <QDialog>
#include <QDir>
#include <QFile>
#include <QGuiApplication>
#include <QLineEdit>
#include <QPushButton>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int patience = 30000;

QByteArray keyText(char fill)
{
    return "ssh-ed25519 " + (QByteArray("\0\0\0\x0bssh-ed25519\0\0\0\x20", 19) + QByteArray(32, fill)).toBase64();
}

// Its name is 192.168.1.61.
const QByteArray hashed = "|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= ";

} // namespace

class TestHostKeysPage : public QObject
{
    Q_OBJECT
private slots:
    void theKeysOfAMachineAreFoundByItsFilter_data()
    {
        QTest::addColumn<Sandbox>("sandbox");
        QTest::addColumn<QString>("filter");
        const auto machine = [](const QString &vendor, const QString &host, quint16 port, const QString &alias = {}, const QString &note = {}) {
            Sandbox sandbox;
            sandbox.id = {vendor, u"account"_s, u"box"_s};
            sandbox.note = note;
            sandbox.ssh = SshEndpoint{.host = host, .port = port, .user = {}, .hostKey = {}, .identityFiles = {}, .alias = alias};
            return sandbox;
        };
        QTest::newRow("a vendor's sandbox") << machine(u"tensorlake"_s, u"10.0.0.1"_s, 22) << u"tensorlake/account/box"_s;
        QTest::newRow("a host") << machine(u"ssh"_s, u"a.example"_s, 22) << u"a.example"_s;
        QTest::newRow("another port") << machine(u"ssh"_s, u"a.example"_s, 2222) << u"a.example:2222"_s;
        QTest::newRow("IPv6") << machine(u"ssh"_s, u"::1"_s, 2222) << u"[::1]:2222"_s;
        QTest::newRow("a Host of ssh_config") << machine(u"ssh"_s, {}, 22, u"work"_s, u"me@w.example:2200"_s) << u"w.example:2200"_s;
        QTest::newRow("one that leads nowhere") << machine(u"ssh"_s, {}, 22, u"work"_s) << u"work"_s;
    }
    void theKeysOfAMachineAreFoundByItsFilter()
    {
        QFETCH(Sandbox, sandbox);
        QTEST(hostKeyFilterFor(sandbox), "filter");
    }

private:
    std::unique_ptr<QTemporaryDir> m_dir;
    std::unique_ptr<QWidget> m_window;
    HostKeysPage *m_page = nullptr;
    QTableView *m_table = nullptr;

    QString usersFile() const { return m_dir->filePath(u"known_hosts"_s); }
    QString sandboxFile() const { return m_dir->filePath(u"sandbox_hosts"_s); }
    static void write(const QString &path, const QByteArray &content)
    {
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(content) == content.size());
    }
    static QByteArray contentOf(const QString &path)
    {
        QFile file(path);
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }
    int rows() const { return m_table->model()->rowCount(); }
    QString cell(int row, HostKeysModel::Column column) const { return m_table->model()->index(row, column).data().toString(); }
    void filter(const QString &text) { m_page->findChild<QLineEdit *>(u"hostKeysFilter"_s)->setText(text); }
    void fill()
    {
        write(sandboxFile(), "vendor/acc/sb-1 " + keyText('s') + " my box\n");
        write(usersFile(), "plain.example.org,10.0.0.1 " + keyText('a') + "\ngarbage here\n" + hashed + keyText('h') + "\n@revoked * " + keyText('r')
                               + "\n@cert-authority *.corp " + keyText('c') + "\n[port.example.org]:2222 " + keyText('p') + "\n");
        m_page->refresh();
        QTRY_COMPARE_WITH_TIMEOUT(rows(), 6, patience);
    }

private slots:
    void init()
    {
        m_dir = std::make_unique<QTemporaryDir>();
        m_window = std::make_unique<QWidget>();
        m_window->resize(1000, 500);
        m_page = new HostKeysPage({{usersFile()}, sandboxFile()}, m_window.get());
        m_page->resize(m_window->size());
        m_table = m_page->findChild<QTableView *>(u"hostKeysTable"_s);
        m_window->show();
    }
    void cleanup() { m_window.reset(); }

    void whatIsKnownIsListed()
    {
        fill();
        using enum HostKeysModel::Column;
        QCOMPARE(cell(0, Host), u"my box"_s);
        QCOMPARE(cell(1, Host), u"plain.example.org,10.0.0.1"_s);
        QCOMPARE(cell(1, Type), u"ED25519"_s);
        QVERIFY(cell(1, Fingerprint).startsWith("SHA256:"_L1));
        QVERIFY(cell(1, Where).contains("known_hosts, line 1"_L1));
        QCOMPARE(cell(2, Host), u"(hashed name)"_s);
        QCOMPARE(cell(3, Mark), u"revoked"_s);
        QCOMPARE(cell(4, Mark), u"authority"_s);
        bool saysGarbage = false;
        for (const QLabel *label : m_page->findChildren<QLabel *>())
            saysGarbage |= label->isVisible() && label->text().startsWith("1 line"_L1);
        QVERIFY(saysGarbage);
    }

    void theFilterFindsPartsAndWholeNames_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<int>("found");
        // Whatever is typed could be a whole name too, which the pattern of the revoked one matches.
        QTest::newRow("part of a name") << u"EXAMPLE"_s << 3;
        QTest::newRow("sandbox by name") << u"my b"_s << 2;
        QTest::newRow("sandbox by id") << u"sb-1"_s << 2;
        QTest::newRow("hashed, whole, and the pattern of the revoked one") << u"192.168.1.61"_s << 2;
        QTest::newRow("with a port") << u"port.example.org:2222"_s << 2;
        QTest::newRow("nothing but the pattern") << u"nobody"_s << 1;
        QTest::newRow("a type") << u"ed25519"_s << 6;
    }
    void theFilterFindsPartsAndWholeNames()
    {
        QFETCH(QString, text);
        fill();
        filter(text);
        QTEST(rows(), "found");
    }

    void onlyTheChosenLineIsForgottenAndACopyStays()
    {
        fill();
        const QByteArray before = contentOf(usersFile());
        auto *forget = m_page->findChild<QPushButton *>(u"hostKeysForget"_s);
        QVERIFY(!forget->isEnabled());
        m_table->selectRow(1);
        QVERIFY(forget->isEnabled());
        forget->click();
        auto *dialog = m_window->findChild<QDialog *>(u"confirmDialog"_s);
        QVERIFY(dialog);
        dialog->findChild<QPushButton *>(u"confirmVerb"_s)->click();
        QTRY_COMPARE_WITH_TIMEOUT(rows(), 5, patience);
        QCOMPARE(contentOf(usersFile()), before.sliced(before.indexOf('\n') + 1));
        QCOMPARE(contentOf(usersFile() + u".old"_s), before);
    }

    void aSandboxIsForgottenWithoutACopy()
    {
        fill();
        m_table->selectRow(0);
        m_page->findChild<QPushButton *>(u"hostKeysForget"_s)->click();
        m_window->findChild<QDialog *>(u"confirmDialog"_s)->findChild<QPushButton *>(u"confirmVerb"_s)->click();
        QTRY_COMPARE_WITH_TIMEOUT(rows(), 5, patience);
        QCOMPARE(contentOf(sandboxFile()), QByteArray());
        QVERIFY(!QFile::exists(sandboxFile() + u".old"_s));
    }

    void aLineIsAddedOnlyWhereItIsOne()
    {
        m_page->findChild<QPushButton *>(u"hostKeysAdd"_s)->click();
        auto *dialog = m_window->findChild<QDialog *>(u"hostKeyLineDialog"_s);
        QVERIFY(dialog);
        auto *edit = dialog->findChild<QLineEdit *>();
        QPushButton *add = nullptr;
        for (QPushButton *button : dialog->findChildren<QPushButton *>())
            add = button->text() == "Add"_L1 ? button : add;
        QVERIFY(add);
        edit->setText(u"host without-a-key"_s);
        QVERIFY(!add->isEnabled());
        edit->setText(u"new.host "_s + QString::fromLatin1(keyText('n')));
        QVERIFY(add->isEnabled());
        add->click();
        QTRY_COMPARE_WITH_TIMEOUT(rows(), 1, patience);
        QCOMPARE(contentOf(usersFile()), "new.host " + keyText('n') + '\n');
    }

    void linesAreCopiedAsTheyStand()
    {
        fill();
        m_table->selectRow(3);
        for (QPushButton *button : m_page->findChildren<QPushButton *>()) {
            if (button->text() == "Copy lines"_L1)
                button->click();
        }
        QCOMPARE(QGuiApplication::clipboard()->text(), QString::fromLatin1("@revoked * " + keyText('r') + '\n'));
    }

    void anEmptyPageAndAFileThatCannotBeReadSaySo()
    {
        m_page->refresh();
        QTRY_VERIFY(!m_table->isVisible());
        write(sandboxFile(), "");
        QVERIFY(m_dir->isValid() && QDir(m_dir->path()).mkdir(u"known_hosts"_s));
        m_page->refresh();
        QTRY_VERIFY_WITH_TIMEOUT(m_page->findChild<NoticeBar *>()->isVisible(), patience);
        QVERIFY(!m_page->findChild<NoticeBar *>()->text().isEmpty());
    }
};

QTEST_MAIN(TestHostKeysPage)
#include "tst_hostkeyspage.moc"
