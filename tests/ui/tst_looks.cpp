#include "ui/icons.h"
#include "ui/style.h"
#include "ui/theme.h"

#include <QApplication>
#include <QFile>
#include <QImage>
#include <QPushButton>
#include <QSvgRenderer>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

class TestLooks : public QObject
{
    Q_OBJECT
private slots:
    void textIsReadableOnEverySurface_data()
    {
        QTest::addColumn<QColor>("ink");
        QTest::addColumn<QColor>("ground");
        QTest::addColumn<double>("least");
        for (const ThemeColors &c : {lightColors(), darkColors(), highContrastColors()}) {
            const std::pair<const char *, QColor> grounds[] = {{"window", c.window}, {"panel", c.panel},
                {"raised", c.raised}, {"selection", c.selection}, {"idle selection", c.selectionIdle}, {"hover", c.hover}};
            const std::pair<const char *, QColor> inks[] = {{"text", c.text}, {"muted", c.muted}, {"accent", c.accent},
                {"danger", c.danger}, {"waiting", c.waiting}, {"running", c.running}};
            for (const auto &[ground, under] : grounds) {
                for (const auto &[ink, color] : inks)
                    QTest::addRow("%s: %s on %s", qPrintable(c.name), ink, ground) << color << under << 4.5;
                QTest::addRow("%s: resting mark on %s", qPrintable(c.name), ground) << c.resting << under << 3.0;
            }
            QTest::addRow("%s: default button", qPrintable(c.name)) << c.onAccent << c.accentFill << 4.5;
            QTest::addRow("%s: default button, hovered", qPrintable(c.name)) << c.onAccent << c.accentFill.lighter(104) << 4.5;
            QTest::addRow("%s: dangerous button", qPrintable(c.name)) << c.onDanger << c.dangerFill << 4.5;
            QTest::addRow("%s: dangerous button, hovered", qPrintable(c.name)) << c.onDanger << c.dangerFill.lighter(104) << 4.5;
        }
        const ThemeColors high = highContrastColors();
        QTest::newRow("contrast: controls have edges") << high.controlBorder << high.raised << 3.0;
    }
    void textIsReadableOnEverySurface()
    {
        QFETCH(QColor, ink);
        QFETCH(QColor, ground);
        QFETCH(double, least);
        const double ratio = contrastRatio(ink, ground);
        QVERIFY2(ratio >= least, qPrintable(QString::number(ratio)));
    }

    void contrastOfBlackOnWhiteIsTwentyOne()
    {
        QVERIFY(qAbs(contrastRatio(Qt::black, Qt::white) - 21) < 0.01);
        QVERIFY(qAbs(contrastRatio(Qt::white, Qt::white) - 1) < 0.01);
        QCOMPARE(blended(QColor(0, 0, 0, 0), Qt::white), QColor(Qt::white));
    }

    void everyIconIsDrawnInTheCurrentColour_data()
    {
        QTest::addColumn<QString>("file");
        for (const IconName name : allIcons())
            QTest::newRow(qPrintable(iconFile(name))) << iconFile(name);
    }
    void everyIconIsDrawnInTheCurrentColour()
    {
        QFETCH(QString, file);
        QFile svg(file);
        QVERIFY(svg.open(QIODevice::ReadOnly));
        const QByteArray source = svg.readAll();
        QVERIFY(source.contains("currentColor"));
        QVERIFY(!source.contains('#'));
        QVERIFY(QSvgRenderer(source).isValid());
    }

    void anIconFollowsTheTheme()
    {
        ThemeController theme;
        theme.setChoice(ThemeChoice::Light);
        const QIcon key = icon(IconName::Key, IconTone::Text);
        const auto strongest = [&key] {
            const QImage image = key.pixmap(QSize(32, 32), 1.0).toImage().convertToFormat(QImage::Format_ARGB32);
            QColor best;
            int alpha = 0;
            for (int y = 0; y < image.height(); ++y) {
                for (int x = 0; x < image.width(); ++x) {
                    if (image.pixelColor(x, y).alpha() > alpha) {
                        best = image.pixelColor(x, y);
                        alpha = best.alpha();
                    }
                }
            }
            return best;
        };
        const QColor dark = strongest();
        QVERIFY(contrastRatio(QColor(dark.rgb()), Qt::white) > 4.5);
        theme.setChoice(ThemeChoice::Dark);
        const QColor light = strongest();
        QVERIFY(contrastRatio(QColor(light.rgb()), Qt::black) > 4.5);
        QVERIFY(dark != light);
    }

    void anIconIsSharpAtEveryScale_data()
    {
        QTest::addColumn<double>("scale");
        for (const double scale : {1.0, 1.25, 1.5, 2.0})
            QTest::addRow("%d %%", int(scale * 100)) << scale;
    }
    void anIconIsSharpAtEveryScale()
    {
        QFETCH(double, scale);
        const QPixmap pixmap = icon(IconName::Terminal).pixmap(QSize(16, 16), scale);
        QCOMPARE(pixmap.size(), QSize(16, 16) * scale);
        QCOMPARE(pixmap.devicePixelRatio(), scale);
    }

    void aChoiceReachesThePalette_data()
    {
        QTest::addColumn<int>("choice");
        QTest::addColumn<QColor>("window");
        QTest::newRow("light") << int(ThemeChoice::Light) << lightColors().window;
        QTest::newRow("dark") << int(ThemeChoice::Dark) << darkColors().window;
        QTest::newRow("high contrast") << int(ThemeChoice::HighContrast) << highContrastColors().window;
    }
    void aChoiceReachesThePalette()
    {
        QFETCH(int, choice);
        ThemeController theme;
        theme.setChoice(ThemeChoice(choice));
        QTEST(QApplication::palette().color(QPalette::Window), "window");
        QTEST(themeColors().window, "window");
        QVERIFY(qobject_cast<Style *>(QApplication::style()));
    }

    void controlsAreAsHighAsARow()
    {
        ThemeController theme;
        QPushButton button(u"Create"_s);
        QVERIFY(button.sizeHint().height() >= Metrics::rowHeight);
        QCOMPARE(QApplication::style()->styleHint(QStyle::SH_MenuBar_AltKeyNavigation), 0);
    }
};

QTEST_MAIN(TestLooks)
#include "tst_looks.moc"
