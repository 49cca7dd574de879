// The list of transfers and what is said of them; the transfers are real ones between folders of this computer.
#include "tests/support/filestage.h"
#include "ui/receiptdialog.h"
#include "ui/transferpanel.h"

#include <QMenu>
#include <QTableView>
#include <QToolButton>

using namespace Sandpiper;

class TestTransfers : public QObject
{
    Q_OBJECT

    struct Stage
    {
        Stage()
        {
            (void)QDir(dir.path()).mkpath(QStringLiteral("from"));
            (void)QDir(dir.path()).mkpath(QStringLiteral("to"));
            TransferQueue::Services services;
            // No link is ever made: what goes to a sandbox waits.
            services.makeLink = [](const SandboxId &, QObject *, auto) {};
            queue = std::make_unique<TransferQueue>(services);
            panel = std::make_unique<TransferPanel>(queue.get());
            panel->resize(1000, 220);
            panel->show();
        }
        ~Stage()
        {
            panel.reset();
            queue.reset();
        }
        qint64 addLocal(const QString &name, const QByteArray &content)
        {
            QFile file(dir.filePath(u"from/"_s + name));
            (void)file.open(QIODevice::WriteOnly);
            file.write(content);
            file.close();
            TransferWish wish;
            wish.way = TransferWay::Relay;
            wish.sources = {FilePath::fromBytes(QFile::encodeName(file.fileName())).value()};
            wish.target = FilePath::fromBytes(QFile::encodeName(dir.filePath(u"to"_s))).value();
            wish.hashes = true;
            return queue->add(wish);
        }
        qint64 addStuck(const QByteArray &name)
        {
            TransferWish wish;
            wish.way = TransferWay::Send;
            wish.sandbox = {u"fake"_s, u"work"_s, u"box"_s};
            wish.sandboxName = u"box-1"_s;
            wish.sources = {FilePath::fromBytes("/tmp/" + name).value()};
            wish.target = FilePath::fromBytes("/there").value();
            return queue->add(wish);
        }
        void choose(const QList<qint64> &ids) const
        {
            panel->table()->clearSelection();
            for (int row = 0; row < panel->model()->rowCount(); ++row) {
                if (ids.contains(panel->model()->idAt(row)))
                    panel->table()->selectionModel()->select(panel->model()->index(row, 0), QItemSelectionModel::Select | QItemSelectionModel::Rows);
            }
        }
        void press(const QString &name) const
        {
            for (QToolButton *button : panel->findChildren<QToolButton *>()) {
                if (button->accessibleName().startsWith(name) || button->toolTip().startsWith(name)) {
                    QVERIFY2(button->isEnabled(), qPrintable(name));
                    return button->click();
                }
            }
            QFAIL(qPrintable(u"there is no button "_s + name));
        }
        QTemporaryDir dir;
        std::unique_ptr<TransferQueue> queue;
        std::unique_ptr<TransferPanel> panel;
    };

private slots:
    void theOrderIsChanged_data()
    {
        QTest::addColumn<QString>("button");
        QTest::addColumn<QList<int>>("chosen");
        QTest::addColumn<QList<int>>("wanted");
        QTest::newRow("earlier") << u"Earlier"_s << QList<int>{2} << QList<int>{0, 2, 1, 3};
        QTest::newRow("later") << u"Later"_s << QList<int>{1} << QList<int>{0, 2, 1, 3};
        QTest::newRow("two keep their order, earlier") << u"Earlier"_s << QList<int>{2, 3} << QList<int>{0, 2, 3, 1};
        QTest::newRow("two keep their order, later") << u"Later"_s << QList<int>{0, 1} << QList<int>{2, 0, 1, 3};
        QTest::newRow("to the front") << u"To the front"_s << QList<int>{2, 3} << QList<int>{2, 3, 0, 1};
        QTest::newRow("to the end") << u"To the end"_s << QList<int>{0, 1} << QList<int>{2, 3, 0, 1};
    }
    void theOrderIsChanged()
    {
        QFETCH(QString, button);
        QFETCH(QList<int>, chosen);
        QFETCH(QList<int>, wanted);
        Stage stage;
        QList<qint64> ids;
        for (const QByteArray name : {"a", "b", "c", "d"})
            ids.append(stage.addStuck(name));
        QList<qint64> some;
        for (const int one : chosen)
            some.append(ids.at(one));
        stage.choose(some);
        if (button.startsWith(u"To"_s)) {
            QMenu menu;
            stage.panel->fillMenu(&menu);
            for (QAction *action : menu.actions()) {
                if (action->text() == button)
                    action->trigger();
            }
        } else {
            stage.press(button);
        }
        QList<qint64> order;
        for (const int one : wanted)
            order.append(ids.at(one));
        QCOMPARE(stage.queue->transfers(), order);
        QCOMPARE(stage.panel->table()->selectionModel()->selectedRows().size(), chosen.size()); // they stay chosen
    }

    void pauseAllLeavesNoneRunning()
    {
        Stage stage;
        for (const QByteArray name : {"a", "b", "c", "d"})
            stage.addStuck(name);
        QTRY_VERIFY(std::ranges::any_of(stage.queue->transfers(), [&](qint64 id) { return stage.queue->progress(id).state != TransferState::Queued; }));
        stage.press(u"Pause all"_s);
        for (const qint64 id : stage.queue->transfers())
            QCOMPARE(stage.queue->progress(id).state, TransferState::Paused);
    }

    void clearTakesOnlyWhatIsOver()
    {
        Stage stage;
        const qint64 stuck = stage.addStuck("a");
        const qint64 done = stage.addLocal(u"file"_s, "content");
        QTRY_COMPARE_WITH_TIMEOUT(stage.queue->progress(done).state, TransferState::Finished, kPatience);
        stage.press(u"Clear"_s);
        QCOMPARE(stage.queue->transfers(), QList<qint64>{stuck});
    }

    void aReceiptHasSizeAndHash()
    {
        Stage stage;
        const qint64 id = stage.addLocal(u"file\xff.txt"_s, "content");
        QTRY_COMPARE_WITH_TIMEOUT(stage.queue->progress(id).state, TransferState::Finished, kPatience);
        stage.choose({id});
        stage.press(u"Receipt"_s);
        auto *dialog = stage.panel->findChild<QDialog *>(u"receiptDialog"_s);
        QVERIFY(dialog);
        auto *model = qobject_cast<ReceiptModel *>(dialog->findChild<QTableView *>(u"receiptTable"_s)->model());
        QTRY_COMPARE_WITH_TIMEOUT(model->rowCount(), 1, kPatience);
        QCOMPARE(model->receipts().constFirst().file.size, 7u);
        const QStringList cells = receiptText(model->receipts()).split(u'\t');
        QCOMPARE(cells.size(), 5);
        QCOMPARE(cells.at(1), u"7"_s);
        QCOMPARE(cells.at(4), QString::fromLatin1(QCryptographicHash::hash("content", QCryptographicHash::Sha256).toHex()));
    }

    void theSummaryIsOneLine_data()
    {
        QTest::addColumn<QList<TransferProgress>>("transfers");
        QTest::addColumn<QString>("wanted");
        const auto running = [](quint64 bytes, quint64 moved, double rate, bool isScanned = true) {
            TransferProgress progress;
            progress.state = TransferState::Running;
            progress.isScanned = isScanned;
            progress.bytes = bytes;
            progress.bytesMoved = moved;
            progress.bytesPerSecond = rate;
            return progress;
        };
        const auto in = [](TransferState state) {
            TransferProgress progress;
            progress.state = state;
            progress.isScanned = true;
            return progress;
        };
        QTest::newRow("none") << QList<TransferProgress>{} << QString();
        QTest::newRow("all over") << QList<TransferProgress>{in(TransferState::Finished), in(TransferState::Failed)} << QString();
        QTest::newRow("one") << QList<TransferProgress>{running(200'000'000, 80'000'000, 1'000'000)} << u"1 transfer · 1.0 MB/s · 2 min left"_s;
        QTest::newRow("two together") << QList<TransferProgress>{running(100'000'000, 0, 1'000'000), running(80'000'000, 0, 1'000'000)} << u"2 transfers · 2.0 MB/s · 1 min left"_s;
        QTest::newRow("not counted yet") << QList<TransferProgress>{running(100, 0, 1'000'000, false)} << u"1 transfer · 1.0 MB/s"_s;
        QTest::newRow("paused") << QList<TransferProgress>{in(TransferState::Paused), in(TransferState::Paused)} << u"2 transfers · paused"_s;
        QTest::newRow("waiting") << QList<TransferProgress>{in(TransferState::Waiting)} << u"1 transfer · waiting"_s;
        QTest::newRow("asks") << QList<TransferProgress>{in(TransferState::Asking)} << u"1 transfer · asks about a file"_s;
        QTest::newRow("one of two asks") << QList<TransferProgress>{in(TransferState::Asking), in(TransferState::Queued)} << u"2 transfers · 1 asking"_s;
    }
    void theSummaryIsOneLine()
    {
        QFETCH(QList<TransferProgress>, transfers);
        QFETCH(QString, wanted);
        QCOMPARE(summaryText(transfers), wanted);
    }

    void nothingIsSaidWhileThereIsNothing()
    {
        Stage stage;
        TransferSummary summary(stage.queue.get());
        QVERIFY(summary.isHidden());
        stage.addStuck("a");
        QVERIFY(!summary.isHidden());
        QVERIFY(summary.text().startsWith(u"1 transfer"_s));
    }
};

QTEST_MAIN(TestTransfers)
#include "tst_transfers.moc"
