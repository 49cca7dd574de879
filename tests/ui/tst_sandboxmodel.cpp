#include "tests/support/windowfixture.h"
#include "ui/sandboxmodel.h"
#include "ui/sandboxpanel.h"

#include <QAbstractItemModelTester>
#include <QElapsedTimer>
#include <QItemSelectionModel>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>
#include <QTreeView>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

using Boxes = QStringList; // "name" or "name:state word"

QStringList shown(const SandboxModel &model, const QString &account)
{
    QStringList names;
    const QModelIndex top = model.accountIndex(account);
    for (int row = 0; row < model.rowCount(top); ++row)
        names.append(model.index(row, 0, top).data().toString());
    return names;
}

} // namespace

class TestSandboxModel : public QObject
{
    Q_OBJECT
private slots:
    void thisComputerIsAlwaysThere()
    {
        WindowFixture f;
        SandboxModel model(&f.registry(), &f.hub());
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        f.hub().start(AccountHub::LocalStart::OnlyIfRunning);
        const QModelIndex top = model.accountIndex(u"local"_s);
        QCOMPARE(top.row(), 0);
        QCOMPARE(top.data().toString(), u"This computer"_s);
        const QModelIndex note = model.index(0, 0, top);
        QCOMPARE(SandboxModel::kindOf(note), SandboxModel::RowKind::Note);
        QCOMPARE(note.data(SandboxModel::NoteActionRole).value<SandboxModel::NoteAction>(), SandboxModel::NoteAction::NewSandbox);
        QCOMPARE(f.gatewayStarts, 0);
        QCOMPARE(SandboxModel::kindOf(model.keysIndex()), SandboxModel::RowKind::Keys);
    }

    void aListChangesWithoutBeingReset_data()
    {
        QTest::addColumn<QStringList>("before");
        QTest::addColumn<QStringList>("after");
        QTest::newRow("first ones") << Boxes{} << Boxes{u"b"_s, u"a"_s};
        QTest::newRow("nothing left") << Boxes{u"a"_s, u"b"_s} << Boxes{};
        QTest::newRow("one in between") << Boxes{u"a"_s, u"c"_s} << Boxes{u"a"_s, u"b"_s, u"c"_s};
        QTest::newRow("runs go and come") << Boxes{u"a"_s, u"b"_s, u"c"_s, u"d"_s, u"h"_s} << Boxes{u"a"_s, u"d"_s, u"e"_s, u"f"_s, u"g"_s, u"h"_s, u"i"_s};
        QTest::newRow("all others") << Boxes{u"a"_s, u"b"_s} << Boxes{u"c"_s, u"d"_s};
        QTest::newRow("numbers in order") << Boxes{u"box-10"_s} << Boxes{u"box-10"_s, u"box-9"_s};
    }
    void aListChangesWithoutBeingReset()
    {
        QFETCH(QStringList, before);
        QFETCH(QStringList, after);
        WindowFixture f({u"one"_s});
        f.prepare = [&](FakeProvider *provider) {
            for (const QString &name : before)
                provider->sandboxes.append(provider->make(name));
        };
        SandboxModel model(&f.registry(), &f.hub());
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        SandboxFilter filter;
        filter.setSourceModel(&model);
        QAbstractItemModelTester proxyTester(&filter, QAbstractItemModelTester::FailureReportingMode::QtTest);
        QSignalSpy reset(&model, &QAbstractItemModel::modelReset);
        f.hub().start(AccountHub::LocalStart::OnlyIfRunning);
        if (!before.isEmpty())
            QTRY_COMPARE_WITH_TIMEOUT(shown(model, u"one"_s).size(), before.size(), 15000);
        FakeProvider *provider = f.providers.value(u"one"_s);
        QTRY_VERIFY_WITH_TIMEOUT(f.registry().view(u"one"_s)->state == SandboxRegistry::AccountState::Ready, 15000);
        provider->sandboxes.clear();
        for (const QString &name : after)
            provider->sandboxes.append(provider->make(name));
        f.registry().refresh(u"one"_s);
        QStringList wanted = after;
        std::ranges::sort(wanted, [](const QString &a, const QString &b) { return a.size() != b.size() ? a.size() < b.size() : a < b; });
        if (after.isEmpty())
            wanted = {u"No sandboxes yet."_s};
        QTRY_COMPARE_WITH_TIMEOUT(shown(model, u"one"_s), wanted, 15000);
        QCOMPARE(reset.size(), 0);
    }

    void aRenamedRowMovesAndStaysSelected()
    {
        WindowFixture f({u"one"_s});
        f.prepare = [](FakeProvider *provider) {
            for (const QString &name : {u"a"_s, u"b"_s, u"c"_s, u"d"_s})
                provider->sandboxes.append(provider->make(name));
        };
        SandboxModel model(&f.registry(), &f.hub());
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        f.hub().start(AccountHub::LocalStart::OnlyIfRunning);
        QTRY_COMPARE_WITH_TIMEOUT(shown(model, u"one"_s).size(), 4, 15000);
        QItemSelectionModel selection(&model);
        selection.setCurrentIndex(model.index(0, 0, model.accountIndex(u"one"_s)), QItemSelectionModel::ClearAndSelect);
        Sandbox renamed = f.providers.value(u"one"_s)->sandboxes.first();
        renamed.name = u"z"_s;
        f.registry().put(renamed);
        QTRY_COMPARE_WITH_TIMEOUT(shown(model, u"one"_s), (QStringList{u"b"_s, u"c"_s, u"d"_s, u"z"_s}), 15000);
        QCOMPARE(selection.currentIndex().data().toString(), u"z"_s);
        QCOMPARE(selection.currentIndex().row(), 3);
    }

    void oneChangeAmongFiveThousandTouchesOneRow()
    {
        WindowFixture f({u"one"_s});
        f.prepare = [](FakeProvider *provider) {
            for (int i = 0; i < 5000; ++i)
                provider->sandboxes.append(provider->make(u"box-%1"_s.arg(i)));
        };
        SandboxModel model(&f.registry(), &f.hub());
        SandboxFilter filter;
        filter.setSourceModel(&model);
        QTreeView view;
        view.setUniformRowHeights(true);
        view.setModel(&filter);
        view.resize(300, 600);
        view.show();
        f.hub().start(AccountHub::LocalStart::OnlyIfRunning);
        QTRY_COMPARE_WITH_TIMEOUT(model.rowCount(model.accountIndex(u"one"_s)), 5000, 60000);
        view.expandAll();
        view.verticalScrollBar()->setValue(view.verticalScrollBar()->maximum() / 2);
        const int scroll = view.verticalScrollBar()->value();
        QCoreApplication::processEvents();

        FakeProvider *provider = f.providers.value(u"one"_s);
        provider->sandboxes[2500].state = SandboxState::Suspended;
        QSignalSpy changed(&model, &QAbstractItemModel::dataChanged);
        QSignalSpy inserted(&model, &QAbstractItemModel::rowsInserted);
        QSignalSpy removed(&model, &QAbstractItemModel::rowsRemoved);
        QSignalSpy moved(&model, &QAbstractItemModel::layoutChanged);
        QElapsedTimer clock;
        clock.start();
        f.registry().refresh(u"one"_s);
        const auto rowsTouched = [&] {
            int rows = 0;
            for (const QList<QVariant> &one : changed) {
                const auto from = one.at(0).toModelIndex();
                if (from.parent().isValid() && (one.at(2).value<QList<int>>().isEmpty()))
                    rows += one.at(1).toModelIndex().row() - from.row() + 1;
            }
            return rows;
        };
        QTRY_COMPARE_WITH_TIMEOUT(rowsTouched(), 1, 30000);
        qInfo() << "one of 5,000 rows refreshed within" << clock.nsecsElapsed() / 1000 << "µs";
        QCOMPARE(inserted.size(), 0);
        QCOMPARE(removed.size(), 0);
        QCOMPARE(moved.size(), 0);
        QCOMPARE(view.verticalScrollBar()->value(), scroll);
    }

    void whatWentWrongIsSaidWithAWayOn()
    {
        WindowFixture f({u"one"_s});
        f.prepare = [](FakeProvider *provider) {
            provider->failNext = Error{ErrorKind::HostUnreachable, Layer::Tcp, u"no route"_s, u"api.example.invalid"_s};
        };
        SandboxModel model(&f.registry(), &f.hub());
        f.hub().start(AccountHub::LocalStart::OnlyIfRunning);
        const auto note = [&model] { return model.index(0, 0, model.accountIndex(u"one"_s)); };
        QTRY_COMPARE_WITH_TIMEOUT(note().data(SandboxModel::NoteActionRole).value<SandboxModel::NoteAction>(), SandboxModel::NoteAction::Retry, 15000);
        QVERIFY(note().data().toString().contains(u"api.example.invalid"_s));
        f.providers.value(u"one"_s)->sandboxes.append(f.providers.value(u"one"_s)->make(u"back"_s));
        f.hub().retry(u"one"_s);
        QTRY_COMPARE_WITH_TIMEOUT(shown(model, u"one"_s), QStringList{u"back"_s}, 15000);
    }

    void aRejectedKeyAsksForAnother()
    {
        WindowFixture f({u"one"_s});
        f.prepare = [](FakeProvider *provider) { provider->failNext = Error{ErrorKind::AuthRejected, Layer::Auth, {}, {}}; };
        SandboxModel model(&f.registry(), &f.hub());
        f.hub().start(AccountHub::LocalStart::OnlyIfRunning);
        const auto action = [&model] {
            return model.index(0, 0, model.accountIndex(u"one"_s)).data(SandboxModel::NoteActionRole).value<SandboxModel::NoteAction>();
        };
        QTRY_COMPARE_WITH_TIMEOUT(action(), SandboxModel::NoteAction::EnterSecret, 15000);
    }

    void theFilterKeepsAccountsOfWhatMatches_data()
    {
        QTest::addColumn<QString>("needle");
        QTest::addColumn<int>("accounts");
        QTest::addColumn<int>("sandboxes");
        QTest::newRow("nothing") << QString() << 4 << 3;
        QTest::newRow("name") << u"alp"_s << 1 << 1;
        QTest::newRow("any case, blanks around") << u" ALP "_s << 1 << 1;
        QTest::newRow("image") << u"debian"_s << 2 << 3;
        QTest::newRow("account") << u"two"_s << 1 << 1;
        QTest::newRow("none") << u"zzz"_s << 0 << 0;
    }
    void theFilterKeepsAccountsOfWhatMatches()
    {
        QFETCH(QString, needle);
        WindowFixture f({u"one"_s, u"two"_s});
        f.prepare = [](FakeProvider *provider) {
            if (provider->accountId() == u"one"_s)
                provider->sandboxes = {provider->make(u"alpha"_s), provider->make(u"beta"_s)};
            else
                provider->sandboxes = {provider->make(u"gamma"_s)};
        };
        SandboxModel model(&f.registry(), &f.hub());
        SandboxFilter filter;
        filter.setSourceModel(&model);
        QAbstractItemModelTester tester(&filter, QAbstractItemModelTester::FailureReportingMode::QtTest);
        f.hub().start(AccountHub::LocalStart::OnlyIfRunning);
        QTRY_COMPARE_WITH_TIMEOUT(shown(model, u"one"_s).size() + shown(model, u"two"_s).size(), 3, 15000);
        QTRY_VERIFY_WITH_TIMEOUT(model.indexOf({u"fake"_s, u"two"_s, u"id-gamma"_s}).isValid(), 15000);
        filter.setNeedle(needle);
        QTEST(filter.rowCount(), "accounts");
        int sandboxes = 0;
        for (int a = 0; a < filter.rowCount(); ++a) {
            const QModelIndex top = filter.index(a, 0);
            for (int row = 0; row < filter.rowCount(top); ++row)
                sandboxes += SandboxModel::kindOf(filter.index(row, 0, top)) == SandboxModel::RowKind::Sandbox ? 1 : 0;
        }
        QTEST(sandboxes, "sandboxes");
    }
};

QTEST_MAIN(TestSandboxModel)
#include "tst_sandboxmodel.moc"
