#include "ui/detailsdialog.h"

#include <QApplication>
#include <QDialog>
#include <QLabel>
#include <QScrollArea>
#include <QScrollBar>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using Kind = FeatureAnswer::Kind;

namespace {

Sandbox box()
{
    Sandbox sandbox;
    sandbox.id = {u"vendor"_s, u"account"_s, u"box-1"_s};
    sandbox.name = u"box"_s;
    sandbox.state = SandboxState::Running;
    sandbox.capabilities.allow(Capability::SshShell);
    return sandbox;
}

ServerFeatures someFeatures()
{
    ServerFeatures features;
    features.serverVersion = u"SSH-2.0-OpenSSH_10.0p2 Debian-7"_s;
    features.askedAt = QDateTime::currentDateTimeUtc();
    features.of(ServerFeature::Exec).kind = Kind::Yes;
    features.of(ServerFeature::Terminal).kind = Kind::Yes;
    features.of(ServerFeature::Sftp).kind = Kind::Yes;
    features.of(ServerFeature::LocalForward) = {Kind::No, u"administratively prohibited by <b>whoever</b> runs it, in a sentence that is too long for a line"_s};
    features.sftpVersion = 3;
    features.sftpExtensions = {u"posix-rename@openssh.com"_s, u"limits@openssh.com"_s};
    return features;
}

QWidget *shown(const std::optional<ServerFeatures> &features)
{
    showDetails(box(), {}, {}, features, nullptr);
    for (QWidget *widget : QApplication::topLevelWidgets()) {
        if (widget->objectName() == u"detailsDialog" && widget->isVisible())
            return widget;
    }
    return nullptr;
}

QStringList textsOf(const QWidget *dialog)
{
    QStringList texts;
    for (const QLabel *label : dialog->findChildren<QLabel *>())
        texts.append(label->text().isEmpty() ? label->accessibleName() : label->text());
    return texts;
}

} // namespace

class TestDetails : public QObject
{
    Q_OBJECT
private slots:
    void whatAServerCanDoIsShownWithItsWords()
    {
        const std::unique_ptr<QWidget> dialog(shown(someFeatures()));
        QVERIFY(dialog);
        const QStringList texts = textsOf(dialog.get());
        QVERIFY(texts.contains(u"What this server can do"_s));
        QVERIFY2(texts.contains(u"Version 3, 2 extension(s)"_s), qPrintable(texts.join(u'\n')));
        QVERIFY(texts.contains(someFeatures().of(ServerFeature::LocalForward).words));
        QVERIFY(texts.contains(u"Not known"_s));
        if (const QString file = qEnvironmentVariable("SANDPIPER_SHOT"); !file.isEmpty()) {
            auto *area = dialog->findChild<QScrollArea *>();
            QCoreApplication::processEvents();
            area->verticalScrollBar()->setValue(area->verticalScrollBar()->maximum());
            dialog->grab().save(file);
        }
    }

    void aServerThatWasNotAskedHasNoSection()
    {
        const std::unique_ptr<QWidget> dialog(shown(std::nullopt));
        QVERIFY(dialog);
        QVERIFY(textsOf(dialog.get()).contains(u"What it can do"_s));
        QVERIFY(!textsOf(dialog.get()).contains(u"What this server can do"_s));
    }

    void textFromAServerIsPlain()
    {
        const std::unique_ptr<QWidget> dialog(shown(someFeatures()));
        for (const QLabel *label : dialog->findChildren<QLabel *>()) {
            if (label->text().contains(u"<b>"_s))
                QCOMPARE(label->textFormat(), Qt::PlainText);
        }
    }
};

QTEST_MAIN(TestDetails)
#include "tst_details.moc"
