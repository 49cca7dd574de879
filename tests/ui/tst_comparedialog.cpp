// "Compare folders" on two folders of this disk: what is shown, and the plan that is agreed to.
#include "sftp/localfilesystem.h"
#include "tests/sftp/treetext.h"
#include "ui/comparedialog.h"
#include "ui/style.h"

#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPointer>
#include <QPushButton>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 60'000;

} // namespace

class TestCompareDialog : public QObject
{
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> m_dir;
    LocalFileSystem m_left{u"This computer"_s};
    LocalFileSystem m_right{u"box-1"_s};
    QPointer<CompareDialog> m_dialog;

    void open(const QByteArray &script, const QString &reason = {})
    {
        m_dir = std::make_unique<QTemporaryDir>();
        QCOMPARE(shellIn(m_dir->path(), "mkdir l r; " + script), "");
        const auto side = [this](FileSystem &files, const QString &name) {
            return CompareDialog::Side{&files, FilePath::fromBytes(m_dir->filePath(name).toLocal8Bit()).value(), files.displayName()};
        };
        m_dialog = new CompareDialog(side(m_left, u"l"_s), side(m_right, u"r"_s), reason);
        m_dialog->show();
        QVERIFY(compared());
    }
    [[nodiscard]] bool compared() const
    {
        return waitUntil([this] { return !m_dialog->isComparing(); }, kPatience);
    }
    [[nodiscard]] QStringList names() const
    {
        QStringList found;
        for (int row = 0; row < m_dialog->model()->rowCount(); ++row)
            found.append(m_dialog->model()->index(row, CompareModel::Path).data().toString());
        found.sort();
        return found;
    }
    template <typename T>
    [[nodiscard]] T *part(const char *name) const
    {
        return m_dialog->findChild<T *>(QString::fromLatin1(name));
    }
    [[nodiscard]] bool planBecomes(qint64 removals) const
    {
        return waitUntil([&] { return part<QPushButton>("planGo")->isEnabled() && m_dialog->planModel()->plan().removals == removals; }, kPatience);
    }

private slots:
    void initTestCase() { QApplication::setStyle(new Style); }
    void cleanup()
    {
        delete m_dialog;
        m_dir.reset();
    }

    void theFilterChoosesWhatIsShown_data()
    {
        QTest::addColumn<CompareModel::Filter>("filter");
        QTest::addColumn<QStringList>("wanted");
        QTest::newRow("differing") << CompareModel::Filter::Differing << QStringList{u"changed"_s, u"left"_s, u"right/"_s};
        QTest::newRow("all") << CompareModel::Filter::All << QStringList{u"changed"_s, u"left"_s, u"right/"_s, u"same"_s};
        QTest::newRow("only left") << CompareModel::Filter::OnlyLeft << QStringList{u"left"_s};
        QTest::newRow("only right") << CompareModel::Filter::OnlyRight << QStringList{u"right/"_s};
    }
    void theFilterChoosesWhatIsShown()
    {
        QFETCH(CompareModel::Filter, filter);
        open("echo 1 >l/same; cp -p l/same r; echo 1 >l/changed; echo 22 >r/changed; touch l/left; mkdir r/right");
        auto *box = part<QComboBox>("compareFilter");
        box->setCurrentIndex(box->findData(int(filter)));
        QTEST(names(), "wanted");
        QVERIFY2(part<QLabel>("compareSummary")->text().contains(u"1 differ, 1 only left, 1 only right, 1 the same"_s), qPrintable(part<QLabel>("compareSummary")->text()));
    }

    void foldersThatAreTheSameOfferNothing()
    {
        open("echo 1 >l/same; cp -p l/same r");
        QVERIFY(!part<QPushButton>("compareToRight")->isEnabled());
        QVERIFY(!part<QPushButton>("compareToLeft")->isEnabled());
        QCOMPARE(m_dialog->model()->rowCount(), 0);
    }

    void whereItCannotBeMadeTheButtonsSayWhy()
    {
        open("touch l/a", u"Both folders are on this computer."_s);
        QVERIFY(!part<QPushButton>("compareToRight")->isEnabled());
        QCOMPARE(part<QPushButton>("compareToRight")->toolTip(), u"Both folders are on this computer."_s);
    }

    void whatIsLeftOutIsNotCompared()
    {
        open("touch l/a l/b.o r/c.o");
        QCOMPARE(names(), QStringList({u"a"_s, u"b.o"_s, u"c.o"_s}));
        part<QLineEdit>("compareExcludes")->setText(u"*.o nothing/"_s);
        part<QPushButton>("compareAgain")->click();
        QVERIFY(compared());
        QCOMPARE(names(), QStringList(u"a"_s));
        part<QLineEdit>("compareExcludes")->setText(u"[a"_s);
        part<QPushButton>("compareAgain")->click();
        QVERIFY(!part<QPushButton>("compareToRight")->isEnabled());
        QVERIFY2(part<QLabel>("compareSummary")->text().contains(u"[a"_s), qPrintable(part<QLabel>("compareSummary")->text()));
    }

    void aPlanRemovesOnlyWhatIsAskedFor_data()
    {
        QTest::addColumn<bool>("toRight");
        QTest::newRow("to the right") << true;
        QTest::newRow("to the left") << false;
    }
    void aPlanRemovesOnlyWhatIsAskedFor()
    {
        QFETCH(bool, toRight);
        open("touch l/left r/right");
        QList<std::pair<SyncWay, SyncPlan>> agreed;
        connect(m_dialog, &CompareDialog::syncWanted, this, [&](SyncWay way, const SyncPlan &plan) { agreed.append({way, plan}); });
        part<QPushButton>(toRight ? "compareToRight" : "compareToLeft")->click();
        QVERIFY(planBecomes(0));
        QCOMPARE(m_dialog->planModel()->plan().copies, 1);
        QVERIFY(!part<QCheckBox>("planRemoves")->isChecked());
        part<QCheckBox>("planRemoves")->setChecked(true);
        QVERIFY(planBecomes(1));
        QVERIFY(part<QPushButton>("planGo")->text().contains(u'1'));
        // Whoever goes back and comes again has not agreed to it yet.
        part<QPushButton>("planBack")->click();
        part<QPushButton>(toRight ? "compareToRight" : "compareToLeft")->click();
        QVERIFY(planBecomes(0));
        part<QPushButton>("planGo")->click();
        QCOMPARE(agreed.size(), 1);
        QCOMPARE(agreed.first().first, toRight ? SyncWay::LeftToRight : SyncWay::RightToLeft);
        QCOMPARE(agreed.first().second.steps.size(), 1);
        QCOMPARE(agreed.first().second.steps.first().path.bytes(), toRight ? "left"_ba : "right"_ba);
    }

    void hostileNamesAreShownEscaped()
    {
        open(R"(touch $'l/new\nline' $'l/\xff' $'l/\xe2\x80\xaetxt.exe')");
        QCOMPARE(names(), QStringList({u"\\xe2\\x80\\xaetxt.exe"_s, u"\\xff"_s, u"new\\nline"_s}));
    }
};

QTEST_MAIN(TestCompareDialog)
#include "tst_comparedialog.moc"
