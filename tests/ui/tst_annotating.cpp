// Favourites, groups, labels and notes in the sidebar: the tree, the filter, the row, the dialog.
#include "session/ownhosts.h"
#include "tests/support/windowfixture.h"
#include "ui/annotationdialog.h"
#include "ui/labelchips.h"
#include "ui/labelcompleter.h"
#include "ui/mainwindow.h"
#include "ui/sandboxpanel.h"

#include <QAbstractItemModelTester>
#include <QAbstractButton>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QSignalSpy>
#include <QTest>
#include <QTreeView>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int patience = 15000;

using Said = QHash<SandboxId, Annotation>;

SandboxId idOf(const QString &name, const QString &account = u"one"_s)
{
    return {u"fake"_s, account, u"id-"_s + name};
}

Annotation favourite()
{
    return {true, {}, {}, {}};
}
Annotation inGroup(const QString &group)
{
    return {false, group, {}, {}};
}

// "Favourites(b) one(a web(c)) …": heads and what is under them; the keys at the end are left out.
QString drawn(const QAbstractItemModel &model, const QModelIndex &parent = {})
{
    QStringList parts;
    for (int row = 0; row < model.rowCount(parent); ++row) {
        const QModelIndex index = model.index(row, 0, parent);
        if (SandboxModel::kindOf(index) == SandboxModel::RowKind::Keys)
            continue;
        const QString name = SandboxModel::kindOf(index) == SandboxModel::RowKind::Note ? u"-"_s : index.data().toString();
        parts.append(model.rowCount(index) > 0 ? name + u'(' + drawn(model, index) + u')' : name);
    }
    return parts.join(u' ');
}

struct Tree
{
    Tree()
        : f({u"one"_s, u"two"_s})
        , store(f.path(u"annotations.json"_s))
    {
        f.prepare = [](FakeProvider *provider) {
            if (provider->accountId() == u"one"_s)
                provider->sandboxes = {provider->make(u"a"_s), provider->make(u"b"_s), provider->make(u"c"_s)};
            else if (provider->accountId() == u"two"_s)
                provider->sandboxes = {provider->make(u"z"_s)};
        };
    }
    void start()
    {
        model = std::make_unique<SandboxModel>(&f.registry(), &f.hub(), &store);
        tester = std::make_unique<QAbstractItemModelTester>(model.get(), QAbstractItemModelTester::FailureReportingMode::QtTest);
        filter.setSourceModel(model.get());
        filterTester = std::make_unique<QAbstractItemModelTester>(&filter, QAbstractItemModelTester::FailureReportingMode::QtTest);
        f.hub().start(AccountHub::LocalStart::OnlyIfRunning);
        QTRY_VERIFY_WITH_TIMEOUT(model->indexOf(idOf(u"c"_s)).isValid() && model->indexOf(idOf(u"z"_s, u"two"_s)).isValid(), patience);
    }
    WindowFixture f;
    Annotations store;
    std::unique_ptr<SandboxModel> model;
    std::unique_ptr<QAbstractItemModelTester> tester;
    SandboxFilter filter;
    std::unique_ptr<QAbstractItemModelTester> filterTester;
};

struct Window : Tree
{
    Window()
    {
        hosts = std::make_unique<OwnHosts>(f.path(u"hosts.json"_s));
        WorkspaceServices services;
        services.registry = &f.registry();
        services.keychain = &f.keychain();
        services.shellServices = [](const SandboxId &) { return StandingShell::Services(); };
        window = std::make_unique<MainWindow>(MainWindow::Parts{.registry = &f.registry(),
                                                                .hub = &f.hub(),
                                                                .keychain = &f.keychain(),
                                                                .preferences = &f.preferences(),
                                                                .theme = &theme,
                                                                .workspace = services,
                                                                .ownHosts = hosts.get(),
                                                                .annotations = &store});
        window->show();
        f.hub().start(AccountHub::LocalStart::OnlyIfRunning);
        panel = window->findChild<SandboxPanel *>();
        tree = window->findChild<QTreeView *>(u"sandboxTree"_s);
    }
    [[nodiscard]] QModelIndex find(const QString &name, const QModelIndex &parent = {}) const
    {
        for (int row = 0; row < tree->model()->rowCount(parent); ++row) {
            const QModelIndex index = tree->model()->index(row, 0, parent);
            if (index.data().toString() == name)
                return index;
            if (const QModelIndex below = find(name, index); below.isValid())
                return below;
        }
        return {};
    }
    [[nodiscard]] bool isReady() const { return find(u"c"_s).isValid() && find(u"z"_s).isValid(); }
    [[nodiscard]] QAction *action(ActionId id) const { return window->actions()->action(id); }
    void choose(const QStringList &names)
    {
        tree->selectionModel()->clear();
        for (const QString &name : names)
            tree->selectionModel()->setCurrentIndex(find(name), QItemSelectionModel::Select);
    }
    [[nodiscard]] AnnotationDialog *openDialog() const
    {
        action(ActionId::LabelsAndNotes)->trigger();
        return window->findChild<AnnotationDialog *>();
    }

    ThemeController theme;
    std::unique_ptr<OwnHosts> hosts;
    std::unique_ptr<MainWindow> window;
    SandboxPanel *panel = nullptr;
    QTreeView *tree = nullptr;
};

void save(AnnotationDialog *dialog)
{
    for (QAbstractButton *button : dialog->findChild<QDialogButtonBox *>()->buttons()) {
        if (button->text().contains(u"Save"_s))
            button->click();
    }
}

} // namespace

class TestAnnotating : public QObject
{
    Q_OBJECT
private slots:
    void theTreeIsDrawnAsItsUserSortedIt_data()
    {
        QTest::addColumn<Said>("annotations");
        QTest::addColumn<QString>("tree");
        QTest::newRow("nothing said") << Said{} << u"This computer(-) one(a b c) two(z)"_s;
        QTest::newRow("labels alone move nothing") << Said{{idOf(u"a"_s), {false, {}, {u"x"_s}, u"n"_s}}} << u"This computer(-) one(a b c) two(z)"_s;
        QTest::newRow("favourites of two accounts") << Said{{idOf(u"b"_s), favourite()}, {idOf(u"z"_s, u"two"_s), favourite()}}
                                                    << u"Favourites(b z) This computer(-) one(a c) two(-)"_s;
        QTest::newRow("groups after what is in none") << Said{{idOf(u"a"_s), inGroup(u"web"_s)}, {idOf(u"c"_s), inGroup(u"db"_s)}}
                                                      << u"This computer(-) one(b db(c) web(a)) two(z)"_s;
        QTest::newRow("the same group in two accounts") << Said{{idOf(u"a"_s), inGroup(u"web"_s)}, {idOf(u"z"_s, u"two"_s), inGroup(u"web"_s)}}
                                                        << u"This computer(-) one(b c web(a)) two(web(z))"_s;
        QTest::newRow("a favourite of a group is a favourite") << Said{{idOf(u"a"_s), {true, u"web"_s, {}, {}}}} << u"Favourites(a) This computer(-) one(b c) two(z)"_s;
        QTest::newRow("all in one group") << Said{{idOf(u"a"_s), inGroup(u"g"_s)}, {idOf(u"b"_s), inGroup(u"g"_s)}, {idOf(u"c"_s), inGroup(u"g"_s)}}
                                          << u"This computer(-) one(g(a b c)) two(z)"_s;
        QTest::newRow("one that is not there") << Said{{idOf(u"gone"_s), favourite()}} << u"This computer(-) one(a b c) two(z)"_s;
    }
    void theTreeIsDrawnAsItsUserSortedIt()
    {
        // Before the lists come, and after: both ways lead to the same tree, and back.
        QFETCH(Said, annotations);
        QFETCH(QString, tree);
        {
            Tree before;
            QVERIFY(before.store.set(annotations));
            before.start();
            QCOMPARE(drawn(*before.model), tree);
            QCOMPARE(drawn(before.filter), tree);
        }
        Tree after;
        after.start();
        QSignalSpy reset(after.model.get(), &QAbstractItemModel::modelReset);
        QVERIFY(after.store.set(annotations));
        QCOMPARE(drawn(*after.model), tree);
        QCOMPARE(drawn(after.filter), tree);
        for (auto it = annotations.begin(); it != annotations.end(); ++it)
            *it = Annotation();
        QVERIFY(after.store.set(annotations));
        QCOMPARE(drawn(*after.model), u"This computer(-) one(a b c) two(z)"_s);
        QCOMPARE(drawn(after.filter), u"This computer(-) one(a b c) two(z)"_s);
        QCOMPARE(reset.size(), 0);
    }

    void aRowKeepsItsSelectionWhereverItGoes()
    {
        Tree t;
        t.start();
        QItemSelectionModel selection(&t.filter);
        selection.setCurrentIndex(t.filter.mapFromSource(t.model->indexOf(idOf(u"b"_s))), QItemSelectionModel::ClearAndSelect);
        for (const Annotation &next : {inGroup(u"web"_s), favourite(), inGroup(u"db"_s), Annotation()}) {
            QVERIFY(t.store.set({{idOf(u"b"_s), next}}));
            QCOMPARE(selection.currentIndex().data().toString(), u"b"_s);
            QVERIFY(selection.isSelected(t.filter.mapFromSource(t.model->indexOf(idOf(u"b"_s)))));
        }
    }

    void whatTheVendorChangesReachesEverySection()
    {
        Tree t;
        QVERIFY(t.store.set({{idOf(u"a"_s), favourite()}, {idOf(u"b"_s), inGroup(u"web"_s)}}));
        t.start();
        FakeProvider *provider = t.f.providers.value(u"one"_s);
        for (Sandbox &box : provider->sandboxes)
            box.state = SandboxState::Suspended;
        t.f.registry().refresh(u"one"_s);
        for (const QString &name : {u"a"_s, u"b"_s, u"c"_s}) {
            QTRY_COMPARE_WITH_TIMEOUT(SandboxModel::sandboxAt(t.model->indexOf(idOf(name))).state, SandboxState::Suspended, patience);
        }
        // Renamed, gone and new at once.
        provider->sandboxes = {provider->make(u"a"_s), provider->make(u"d"_s)};
        provider->sandboxes[0].name = u"zz"_s;
        t.f.registry().refresh(u"one"_s);
        QTRY_COMPARE_WITH_TIMEOUT(drawn(*t.model), u"Favourites(zz) This computer(-) one(d) two(z)"_s, patience);
        // Another account's favourite comes in front of it; a change still finds its row.
        QVERIFY(t.store.set({{idOf(u"z"_s, u"two"_s), favourite()}}));
        provider->sandboxes[0].state = SandboxState::Suspended;
        t.f.registry().refresh(u"one"_s);
        QTRY_COMPARE_WITH_TIMEOUT(SandboxModel::sandboxAt(t.model->indexOf(idOf(u"a"_s))).state, SandboxState::Suspended, patience);
        QCOMPARE(drawn(*t.model), u"Favourites(z zz) This computer(-) one(d) two(-)"_s);
    }

    void favouritesGoWithTheirAccount()
    {
        Tree t;
        QVERIFY(t.store.set({{idOf(u"a"_s), favourite()}, {idOf(u"z"_s, u"two"_s), favourite()}}));
        t.start();
        QVERIFY(t.f.hub().remove(u"one"_s));
        QTRY_COMPARE_WITH_TIMEOUT(drawn(*t.model), u"Favourites(z) This computer(-) two(-)"_s, patience);
        QVERIFY(t.f.hub().remove(u"two"_s));
        QTRY_COMPARE_WITH_TIMEOUT(drawn(*t.model), u"This computer(-)"_s, patience);
    }

    void aFavouriteSaysWhoseItIs()
    {
        Tree t;
        QVERIFY(t.store.set({{idOf(u"a"_s), favourite()}}));
        t.start();
        QVERIFY(t.model->indexOf(idOf(u"a"_s)).data(SandboxModel::DetailRole).toString().startsWith(u"one · "_s));
        QVERIFY(t.model->indexOf(idOf(u"b"_s)).data(SandboxModel::DetailRole).toString().startsWith("debian"_L1));
    }

    void thousandsAreSortedAtOnce()
    {
        Tree t;
        t.f.prepare = [](FakeProvider *provider) {
            for (int i = 0; i < 3000 && provider->accountId() == u"one"_s; ++i)
                provider->sandboxes.append(provider->make(u"box-%1"_s.arg(i)));
            if (provider->accountId() == u"one"_s)
                provider->sandboxes.append(provider->make(u"c"_s));
            else
                provider->sandboxes = {provider->make(u"z"_s)};
        };
        t.start();
        QHash<SandboxId, Annotation> all;
        for (int i = 0; i < 3000; ++i)
            all.insert(idOf(u"box-%1"_s.arg(i)), inGroup(i % 2 == 0 ? u"even"_s : u"odd"_s));
        QSignalSpy changed(t.model.get(), &QAbstractItemModel::dataChanged);
        QVERIFY(t.store.set(all));
        QVERIFY2(changed.size() < 20, qPrintable(QString::number(changed.size())));
        QCOMPARE(t.model->rowCount(t.model->accountIndex(u"one"_s)), 3);
        QCOMPARE(t.model->indexOf(idOf(u"box-2999"_s)).parent().data().toString(), u"odd"_s);
    }

    void markupInANoteIsShownAndNotObeyed()
    {
        Tree t;
        QVERIFY(t.store.set({{idOf(u"a"_s), {false, {}, {}, u"<b>bold</b>\n<img src=x>"_s}}}));
        t.start();
        const QString tip = t.model->indexOf(idOf(u"a"_s)).data(Qt::ToolTipRole).toString();
        QVERIFY(tip.contains(u"&lt;b&gt;bold&lt;/b&gt;"_s));
        QVERIFY(!tip.contains(u"<img"_s));
        QVERIFY(t.model->indexOf(idOf(u"a"_s)).data(Qt::AccessibleTextRole).toString().contains(u"bold"_s));
    }

    void theFilterFindsWhatItsUserSaid_data()
    {
        QTest::addColumn<QString>("needle");
        QTest::addColumn<QString>("tree");
        QTest::newRow("label") << u"#prod"_s << u"Favourites(a) one(web(b))"_s;
        QTest::newRow("label in another case") << u"#PROD"_s << u"Favourites(a) one(web(b))"_s;
        QTest::newRow("the beginning of a label") << u"#pr"_s << u"Favourites(a) one(web(b))"_s;
        QTest::newRow("not the middle of one") << u"#rod"_s << QString();
        QTest::newRow("label of two words") << u"#eu west"_s << u"one(web(b))"_s;
        QTest::newRow("two labels") << u"#prod #eu"_s << u"one(web(b))"_s;
        QTest::newRow("label and name") << u"#prod a"_s << u"Favourites(a) one(web(b))"_s; // "a" is in debian too
        QTest::newRow("label and a name of one") << u"id-b #prod"_s << u"one(web(b))"_s;
        QTest::newRow("a label without its sign") << u"eu west"_s << u"one(web(b))"_s;
        QTest::newRow("group") << u"WEB"_s << u"one(web(b))"_s;
        QTest::newRow("note") << u"second line"_s << u"one(c)"_s;
        QTest::newRow("words of several fields") << u"id-b west"_s << u"one(web(b))"_s;
        QTest::newRow("words of which one is nowhere") << u"id-b nowhere"_s << QString();
        QTest::newRow("favourites") << u"favour"_s << u"Favourites(a)"_s;
        QTest::newRow("a sign alone hides nothing") << u"#"_s << u"Favourites(a) This computer(-) one(c web(b)) two(z)"_s;
        QTest::newRow("none") << u"#nope"_s << QString();
    }
    void theFilterFindsWhatItsUserSaid()
    {
        QFETCH(QString, needle);
        Tree t;
        QVERIFY(t.store.set({{idOf(u"a"_s), {true, {}, {u"prod"_s}, {}}},
                             {idOf(u"b"_s), {false, u"web"_s, {u"Prod"_s, u"eu west"_s}, {}}},
                             {idOf(u"c"_s), {false, {}, {}, u"first\nthe second line"_s}}}));
        t.start();
        t.filter.setNeedle(needle);
        QTEST(drawn(t.filter), "tree");
    }

    void aFilterFollowsWhatIsSaidMeanwhile()
    {
        Tree t;
        t.start();
        t.filter.setNeedle(u"#prod"_s);
        QTRY_COMPARE(drawn(t.filter), QString());
        QVERIFY(t.store.set({{idOf(u"a"_s), {false, u"web"_s, {u"prod"_s}, {}}}}));
        QTRY_COMPARE(drawn(t.filter), u"one(web(a))"_s);
        QVERIFY(t.store.set({{idOf(u"a"_s), {true, u"web"_s, {u"prod"_s}, {}}}}));
        QTRY_COMPARE(drawn(t.filter), u"Favourites(a)"_s);
        QVERIFY(t.store.set({{idOf(u"a"_s), {}}}));
        QTRY_COMPARE(drawn(t.filter), QString());
    }

    void labelsFitIntoTheirRoom_data()
    {
        QTest::addColumn<QStringList>("labels");
        QTest::addColumn<int>("room");
        QTest::newRow("none") << QStringList{} << 100;
        QTest::newRow("no room") << QStringList{u"prod"_s} << 0;
        QTest::newRow("less than none") << QStringList{u"prod"_s} << -20;
        QTest::newRow("one") << QStringList{u"prod"_s} << 200;
        QTest::newRow("many") << QString(u"prod,eu,gpu,team-a,nightly,blue,green"_s).split(u',') << 120;
        QTest::newRow("endless") << QStringList{QString(40, u'w'), QString(40, u'm')} << 150;
    }
    void labelsFitIntoTheirRoom()
    {
        QFETCH(QStringList, labels);
        QFETCH(int, room);
        const QRect rest(50, 10, room, 20);
        const QList<LabelChip> chips = fittingLabels(QFont(), labels, rest);
        int right = rest.left();
        qsizetype shown = 0;
        for (const LabelChip &chip : chips) {
            QVERIFY(chip.rect.left() >= right);
            right = chip.rect.left() + chip.rect.width();
            QVERIFY(right <= rest.left() + rest.width());
            shown += chip.text.startsWith(u'+') ? chip.text.sliced(1).toInt() : 1;
        }
        // What is left out is counted, where there is room to say so.
        QVERIFY(chips.isEmpty() || shown == labels.size());
        QVERIFY(!chips.isEmpty() || labels.isEmpty() || room < 40);
    }

    void whatSeveralHaveInCommonIsEditedTogether()
    {
        const Annotation one{true, u"web"_s, {u"prod"_s, u"eu"_s}, u"mine"_s};
        const Annotation other{false, u"db"_s, {u"EU"_s, u"gpu"_s}, {}};
        const CommonAnnotation before = CommonAnnotation::of({one, other});
        QCOMPARE(before.labels, QStringList{u"eu"_s});
        QVERIFY(before.groupsDiffer && before.labelsDiffer && before.notesDiffer);
        // Saved as it was shown: nothing changes.
        QCOMPARE(edited(one, before, before), one);
        QCOMPARE(edited(other, before, before), other);
        CommonAnnotation after = before;
        after.labels = {u"blue"_s};
        QCOMPARE(edited(one, before, after).labels, (QStringList{u"prod"_s, u"blue"_s}));
        QCOMPARE(edited(other, before, after).labels, (QStringList{u"gpu"_s, u"blue"_s}));
        after.group = u"all"_s;
        QCOMPARE(edited(one, before, after), (Annotation{true, u"all"_s, {u"prod"_s, u"blue"_s}, u"mine"_s}));
        QCOMPARE(edited(other, before, after), (Annotation{false, u"all"_s, {u"gpu"_s, u"blue"_s}, {}}));
    }

    void whatAllHaveCanBeTakenFromThem()
    {
        const Annotation one{true, u"web"_s, {u"prod"_s}, u"n"_s};
        const CommonAnnotation before = CommonAnnotation::of({one, one});
        QVERIFY(!before.groupsDiffer && !before.labelsDiffer && !before.notesDiffer);
        QCOMPARE(edited(one, before, {}), favourite());
    }

    void theLabelThatIsWrittenIsCompleted_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("completed");
        QTest::newRow("first") << u"pr"_s << u"prod"_s;
        QTest::newRow("any case") << u"PR"_s << u"prod"_s;
        QTest::newRow("after another") << u"gpu, pr"_s << u"gpu, prod"_s;
        QTest::newRow("without a blank") << u"gpu,pr"_s << u"gpu, prod"_s;
        QTest::newRow("with its sign") << u"#pr"_s << u"prod"_s;
    }
    void theLabelThatIsWrittenIsCompleted()
    {
        QFETCH(QString, text);
        LabelCompleter completer({u"eu"_s, u"prod"_s}, nullptr);
        completer.setCompletionPrefix(text);
        QCOMPARE(completer.completionCount(), 1);
        QTEST(completer.currentCompletion(), "completed");
    }

    void aFavouriteIsMadeByItsActionAndUnmade()
    {
        Window w;
        QTRY_VERIFY_WITH_TIMEOUT(w.isReady(), patience);
        w.choose({u"a"_s, u"b"_s});
        QAction *action = w.action(ActionId::Favourite);
        QVERIFY(action->isEnabled() && !action->isChecked());
        action->trigger();
        QVERIFY(w.store.of(idOf(u"a"_s)).isFavourite && w.store.of(idOf(u"b"_s)).isFavourite);
        QCOMPARE(w.find(u"a"_s).parent().data().toString(), u"Favourites"_s);
        QVERIFY(w.tree->isExpanded(w.find(u"Favourites"_s)));
        QVERIFY(action->isChecked());
        QCOMPARE(w.panel->selectedSandboxes().size(), 2);
        // Of one that is and one that is not, both become one.
        w.choose({u"a"_s, u"c"_s});
        QVERIFY(!action->isChecked());
        action->trigger();
        QVERIFY(w.store.of(idOf(u"c"_s)).isFavourite);
        action->trigger();
        QVERIFY(!w.store.of(idOf(u"a"_s)).isFavourite && !w.store.of(idOf(u"c"_s)).isFavourite);
    }

    void aFavouriteMadeUnderAFilterStaysInSight()
    {
        Window w;
        QTRY_VERIFY_WITH_TIMEOUT(w.isReady(), patience);
        w.panel->filterFor(u"id-b"_s);
        w.choose({u"b"_s});
        w.action(ActionId::Favourite)->trigger();
        QCOMPARE(w.find(u"b"_s).parent().data().toString(), u"Favourites"_s);
        QVERIFY(w.tree->isExpanded(w.find(u"b"_s).parent()));
        QCOMPARE(w.panel->currentSandbox()->name, u"b"_s);
    }

    void theSidebarsKeysReachThem()
    {
        Window w;
        QTRY_VERIFY_WITH_TIMEOUT(w.isReady(), patience);
        w.window->activateWindow();
        w.choose({u"a"_s});
        w.tree->setFocus();
        QTRY_VERIFY_WITH_TIMEOUT(w.tree->hasFocus(), patience);
        QTest::keyClick(w.tree, Qt::Key_D, Qt::ControlModifier);
        QVERIFY(w.store.of(idOf(u"a"_s)).isFavourite);
        QTest::keyClick(w.tree, Qt::Key_L, Qt::ControlModifier);
        QVERIFY(w.window->findChild<AnnotationDialog *>());
    }

    void nothingCanBeSaidOfAnAccount()
    {
        Window w;
        QTRY_VERIFY_WITH_TIMEOUT(w.isReady(), patience);
        w.choose({u"one"_s});
        QVERIFY(!w.action(ActionId::Favourite)->isEnabled());
        QVERIFY(!w.action(ActionId::LabelsAndNotes)->isEnabled());
    }

    void theDialogKeepsWhatWasWritten()
    {
        Window w;
        QTRY_VERIFY_WITH_TIMEOUT(w.isReady(), patience);
        QVERIFY(w.store.set({{idOf(u"z"_s, u"two"_s), inGroup(u"Web"_s)}}));
        w.choose({u"a"_s});
        AnnotationDialog *dialog = w.openDialog();
        QVERIFY(dialog && dialog->isVisible());
        dialog->findChild<QComboBox *>(u"annotationGroup"_s)->setEditText(u" web "_s);
        dialog->findChild<QLineEdit *>(u"annotationLabels"_s)->setText(u"#prod, eu west,"_s);
        dialog->findChild<QPlainTextEdit *>(u"annotationNote"_s)->setPlainText(u"one\n  two\n"_s);
        save(dialog);
        // The spelling of the group that is there.
        QCOMPARE(w.store.of(idOf(u"a"_s)), (Annotation{false, u"Web"_s, {u"prod"_s, u"eu west"_s}, u"one\n  two"_s}));
        QCOMPARE(w.find(u"a"_s).parent().data().toString(), u"Web"_s);
        QVERIFY(w.tree->isExpanded(w.find(u"a"_s).parent()));
        QCOMPARE(w.panel->currentSandbox()->name, u"a"_s);
    }

    void whatCannotBeKeptIsSaidInTheDialog()
    {
        Window w;
        QTRY_VERIFY_WITH_TIMEOUT(w.isReady(), patience);
        w.choose({u"a"_s});
        AnnotationDialog *dialog = w.openDialog();
        dialog->findChild<QLineEdit *>(u"annotationLabels"_s)->setText(QString(41, u'x'));
        save(dialog);
        QVERIFY(dialog->isVisible());
        QVERIFY(dialog->findChild<QLabel *>(u"annotationProblem"_s)->text().contains(u"40"_s));
        QVERIFY(w.store.of(idOf(u"a"_s)).isEmpty());
    }

    void aGroupStandsForItsSandboxes()
    {
        Window w;
        QTRY_VERIFY_WITH_TIMEOUT(w.isReady(), patience);
        QVERIFY(w.store.set({{idOf(u"a"_s), inGroup(u"web"_s)}, {idOf(u"b"_s), inGroup(u"web"_s)}}));
        w.choose({u"web"_s, u"a"_s, u"c"_s});
        QStringList names;
        for (const Sandbox &sandbox : w.panel->selectedSandboxes())
            names.append(sandbox.name);
        QCOMPARE(names, (QStringList{u"c"_s, u"a"_s, u"b"_s}));
        // So it is renamed.
        w.choose({u"web"_s});
        AnnotationDialog *dialog = w.openDialog();
        dialog->findChild<QComboBox *>(u"annotationGroup"_s)->setEditText(u"Web"_s);
        save(dialog);
        QCOMPARE(w.store.groups(), QStringList{u"Web"_s});
    }

    void foldsAreRememberedAlsoOfWhatIsNotThere()
    {
        Window w;
        QTRY_VERIFY_WITH_TIMEOUT(w.isReady(), patience);
        QVERIFY(w.store.set({{idOf(u"a"_s), inGroup(u"web"_s)}, {idOf(u"b"_s), favourite()}}));
        w.tree->collapse(w.find(u"web"_s));
        w.tree->collapse(w.find(u"Favourites"_s));
        QVERIFY(w.store.set({{idOf(u"a"_s), {}}, {idOf(u"b"_s), {}}}));
        w.tree->collapse(w.find(u"two"_s));
        QVERIFY(w.store.set({{idOf(u"a"_s), inGroup(u"web"_s)}, {idOf(u"b"_s), favourite()}}));
        QVERIFY(!w.tree->isExpanded(w.find(u"web"_s)));
        QVERIFY(!w.tree->isExpanded(w.find(u"Favourites"_s)));
        QVERIFY(w.tree->isExpanded(w.find(u"one"_s)));
        // A filter opens them and leaves them as they were.
        w.panel->filterFor(u"id-"_s);
        QVERIFY(w.tree->isExpanded(w.find(u"web"_s)));
        w.panel->filterFor({});
        QVERIFY(!w.tree->isExpanded(w.find(u"web"_s)));
        QVERIFY(!w.tree->isExpanded(w.find(u"two"_s)));
    }

    void oneInAFoldedGroupIsFoundAndShown()
    {
        Window w;
        QTRY_VERIFY_WITH_TIMEOUT(w.isReady(), patience);
        QVERIFY(w.store.set({{idOf(u"a"_s), inGroup(u"web"_s)}}));
        w.tree->collapse(w.find(u"web"_s));
        w.panel->select(idOf(u"a"_s));
        QVERIFY(w.tree->isExpanded(w.find(u"web"_s)));
        QCOMPARE(w.panel->currentSandbox()->name, u"a"_s);
    }

    void detailsTellIt()
    {
        Window w;
        QTRY_VERIFY_WITH_TIMEOUT(w.isReady(), patience);
        QVERIFY(w.store.set({{idOf(u"a"_s), {true, u"web"_s, {u"prod"_s, u"eu"_s}, u"my\nnote"_s}}}));
        w.choose({u"a"_s});
        w.action(ActionId::SandboxDetails)->trigger();
        QStringList texts;
        for (const QLabel *label : w.window->findChild<QDialog *>(u"detailsDialog"_s)->findChildren<QLabel *>())
            texts.append(label->text());
        for (const QString &wanted : {u"web"_s, u"prod, eu"_s, u"my\nnote"_s})
            QVERIFY2(texts.contains(wanted), qPrintable(wanted));
    }
};

QTEST_MAIN(TestAnnotating)
#include "tst_annotating.moc"
