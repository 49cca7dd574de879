#include "ui/promptdialog.h"
#include "ui/promptpresenter.h"
#include "ui/notifier.h"

#include <QClipboard>
#include <QFutureWatcher>
#include <QGuiApplication>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using Answer = std::shared_ptr<PromptAnswer>;
using Kind = Prompt::Kind;

namespace {

Prompt prompt(Kind kind)
{
    Prompt p;
    p.kind = kind;
    p.target = u"root@box-1:22"_s;
    p.keyFile = u"/home/me/.ssh/id_ed25519"_s;
    p.keyType = u"ssh-ed25519"_s;
    p.fingerprint = u"SHA256:newnewnew"_s;
    p.knownFingerprint = u"SHA256:oldoldold"_s;
    p.knownWhere = u"/home/me/.ssh/known_hosts:7"_s;
    p.knownKeyType = u"ssh-rsa"_s;
    p.randomart = u"+--[new]--+\n| drawing |"_s;
    p.knownRandomart = u"+--[old]--+\n| drawing |"_s;
    p.address = u"10.0.0.1:2222"_s;
    return p;
}

QString wordsOf(const QWidget *dialog)
{
    QStringList words;
    for (const QLabel *label : dialog->findChildren<QLabel *>())
        words << label->text();
    return words.join(u'\n');
}

QPushButton *buttonWith(const QWidget *in, const QString &text)
{
    for (QPushButton *button : in->findChildren<QPushButton *>()) {
        if (button->text() == text)
            return button;
    }
    return nullptr;
}

QByteArray value(const QFuture<Answer> &future, size_t index)
{
    const Answer answer = future.result();
    return index < answer->values.size() ? answer->values.at(index).reveal().toByteArray() : QByteArray("none");
}

} // namespace

class TestPrompts : public QObject
{
    Q_OBJECT
private slots:
    void init()
    {
        m_window = std::make_unique<QWidget>();
        m_window->show();
        m_presenter = std::make_unique<PromptPresenter>(m_window.get());
    }
    void cleanup()
    {
        m_presenter.reset();
        m_window.reset();
    }
    void anUnknownKeyCanBeTakenOnceOrForGood_data();
    void anUnknownKeyCanBeTakenOnceOrForGood();
    void enterDoesNotTakeAnUnknownKey();
    void aChangedKeyShowsBothAndOffersNoWayOn();
    void theWayOutOfAChangedKeyIsThePageOfHostKeys();
    void secretsAreHandedOver_data();
    void secretsAreHandedOver();
    void aSecondTrySaysThatTheFirstFailed();
    void aServersQuestionsAreAnsweredInOrder();
    void aServersWordsStayPlainAndShort();
    void consentShowsTheWholeCommandAndIsGivenByItsButtonOnly_data();
    void consentShowsTheWholeCommandAndIsGivenByItsButtonOnly();
    void tooManyQuestionsAreRefused();
    void escapeIsNo();
    void aCancelledQuestionDisappears();
    void aCancelledQuestionInTheQueueIsNeverShown();
    void questionsAreShownOneAfterTheOther();
    void withoutAWindowNobodyAnswers();
    void theWindowsEndAnswersWhatIsOpen();
    void thePresentersEndAnswersWhatIsOpen();
    void askingDoesNotStopTheProgram();

    void messagesAreSentOnlyWhileTheWindowIsBehind();
    void manyMessagesBecomeOne();
    void foreignMessagesAreTamed();

private:
    PromptDialog *shown()
    {
        return QTest::qWaitFor([this] { return m_presenter->shown() && m_presenter->shown()->isVisible(); }, 15000)
            ? m_presenter->shown() : nullptr;
    }
    std::unique_ptr<QWidget> m_window;
    std::unique_ptr<PromptPresenter> m_presenter;
};

void TestPrompts::anUnknownKeyCanBeTakenOnceOrForGood_data()
{
    QTest::addColumn<QString>("button");
    QTest::addColumn<int>("kind");
    QTest::newRow("for good") << u"Connect and remember"_s << int(PromptAnswer::Kind::Accepted);
    QTest::newRow("once") << u"Connect once"_s << int(PromptAnswer::Kind::JustOnce);
    QTest::newRow("no") << u"Do not connect"_s << int(PromptAnswer::Kind::Cancelled);
}

void TestPrompts::anUnknownKeyCanBeTakenOnceOrForGood()
{
    QFETCH(QString, button);
    const auto answer = m_presenter->ask(prompt(Kind::UnknownHostKey));
    PromptDialog *dialog = shown();
    QVERIFY(dialog);
    QVERIFY(wordsOf(dialog).contains(u"SHA256:newnewnew"_s));
    QVERIFY(wordsOf(dialog).contains(u"root@box-1:22"_s));
    QVERIFY(wordsOf(dialog).contains(u"10.0.0.1:2222"_s));
    QVERIFY(wordsOf(dialog).contains(u"[new]"_s));
    QVERIFY(buttonWith(dialog, button));
    QTest::mouseClick(buttonWith(dialog, button), Qt::LeftButton);
    QVERIFY(answer.isFinished());
    QTEST(int(answer.result()->kind), "kind");
    QVERIFY(answer.result()->values.empty());
    QCOMPARE(m_presenter->waiting(), 0);
}

void TestPrompts::enterDoesNotTakeAnUnknownKey()
{
    const auto answer = m_presenter->ask(prompt(Kind::UnknownHostKey));
    QVERIFY(shown());
    QTest::keyClick(shown(), Qt::Key_Return);
    QTRY_VERIFY(answer.isFinished());
    QCOMPARE(answer.result()->kind, PromptAnswer::Kind::Cancelled);
}

void TestPrompts::aChangedKeyShowsBothAndOffersNoWayOn()
{
    const auto answer = m_presenter->ask(prompt(Kind::ChangedHostKey));
    PromptDialog *dialog = shown();
    QVERIFY(dialog);
    const QString words = wordsOf(dialog);
    QVERIFY(words.contains(u"SHA256:newnewnew"_s));
    QVERIFY(words.contains(u"SHA256:oldoldold"_s));
    QVERIFY(words.contains(u"known_hosts:7"_s));
    QVERIFY(words.contains(u"ssh-rsa"_s) && words.contains(u"ssh-ed25519"_s));
    QVERIFY(words.contains(u"[old]"_s) && words.contains(u"[new]"_s));
    QStringList buttons;
    for (const QPushButton *button : dialog->findChildren<QPushButton *>())
        buttons << button->text();
    buttons.sort();
    QCOMPARE(buttons, (QStringList{u"Close"_s, u"Copy details"_s, u"Open host keys"_s}));
    QTest::mouseClick(buttonWith(dialog, u"Copy details"_s), Qt::LeftButton);
    QVERIFY(!answer.isFinished());
    QVERIFY(QGuiApplication::clipboard()->text().contains(u"SHA256:oldoldold"_s));
    QTest::mouseClick(buttonWith(dialog, u"Close"_s), Qt::LeftButton);
    QCOMPARE(answer.result()->kind, PromptAnswer::Kind::Cancelled);
}

void TestPrompts::theWayOutOfAChangedKeyIsThePageOfHostKeys()
{
    QSignalSpy wanted(m_presenter.get(), &PromptPresenter::hostKeysWanted);
    const auto answer = m_presenter->ask(prompt(Kind::ChangedHostKey));
    PromptDialog *dialog = shown();
    QVERIFY(dialog);
    QTest::mouseClick(buttonWith(dialog, u"Open host keys"_s), Qt::LeftButton);
    QCOMPARE(wanted.size(), 1);
    QCOMPARE(wanted.first().first().toString(), u"SHA256:oldoldold"_s);
    QCOMPARE(answer.result()->kind, PromptAnswer::Kind::Cancelled);
}

void TestPrompts::secretsAreHandedOver_data()
{
    QTest::addColumn<Prompt>("asked");
    QTest::addColumn<QString>("button");
    QTest::newRow("passphrase") << prompt(Kind::Passphrase) << u"Unlock"_s;
    QTest::newRow("password") << prompt(Kind::Password) << u"Connect"_s;
}

void TestPrompts::secretsAreHandedOver()
{
    QFETCH(Prompt, asked);
    QFETCH(QString, button);
    const auto answer = m_presenter->ask(asked);
    PromptDialog *dialog = shown();
    QVERIFY(dialog);
    auto *edit = dialog->findChild<QLineEdit *>();
    QVERIFY(edit);
    QCOMPARE(edit->echoMode(), QLineEdit::Password);
    edit->insert(u"pässwörd "_s); // keyClicks() knows ASCII only
    QVERIFY(buttonWith(dialog, button));
    QTest::keyClick(edit, Qt::Key_Return); // the default button
    QTRY_VERIFY(answer.isFinished());
    QCOMPARE(answer.result()->kind, PromptAnswer::Kind::Accepted);
    QCOMPARE(value(answer, 0), "pässwörd "_ba);
}

void TestPrompts::aSecondTrySaysThatTheFirstFailed()
{
    Prompt again = prompt(Kind::Password);
    const auto first = m_presenter->ask(again);
    QVERIFY(shown());
    QVERIFY(!wordsOf(shown()).contains(u"not accepted"_s));
    QTest::keyClick(shown(), Qt::Key_Escape);
    again.attempt = 2;
    const auto second = m_presenter->ask(again);
    QVERIFY(shown());
    QVERIFY(wordsOf(shown()).contains(u"not accepted"_s));
}

void TestPrompts::aServersQuestionsAreAnsweredInOrder()
{
    Prompt asked = prompt(Kind::Interactive);
    asked.title = u"Two steps"_s;
    asked.text = u"Answer both"_s;
    asked.fields = {{u"User"_s, true}, {u"Code"_s, false}};
    const auto answer = m_presenter->ask(asked);
    PromptDialog *dialog = shown();
    QVERIFY(dialog);
    QVERIFY(wordsOf(dialog).contains(u"Two steps"_s));
    const auto edits = dialog->findChildren<QLineEdit *>();
    QCOMPARE(edits.size(), 2);
    QCOMPARE(edits.at(0)->echoMode(), QLineEdit::Normal);
    QCOMPARE(edits.at(1)->echoMode(), QLineEdit::Password);
    QTest::keyClicks(edits.at(0), u"me"_s);
    QTest::keyClicks(edits.at(1), u"123"_s);
    QTest::mouseClick(buttonWith(dialog, u"Answer"_s), Qt::LeftButton);
    QCOMPARE(value(answer, 0), "me"_ba);
    QCOMPARE(value(answer, 1), "123"_ba);
}

void TestPrompts::aServersWordsStayPlainAndShort()
{
    Prompt hostile = prompt(Kind::Interactive);
    hostile.target = u"<b>x</b>\n"_s + QString(100'000, u'h');
    hostile.title = u"<img src=x>\x1b[2J"_s;
    hostile.text = QString(1'000'000, u'w');
    hostile.fields = {{QString(100'000, u'f'), false}};
    const auto answer = m_presenter->ask(hostile);
    PromptDialog *dialog = shown();
    QVERIFY(dialog);
    QVERIFY(wordsOf(dialog).size() < 2000);
    for (const QLabel *label : dialog->findChildren<QLabel *>())
        QCOMPARE(label->textFormat(), Qt::PlainText);
    QVERIFY(dialog->width() <= 640);
}

void TestPrompts::consentShowsTheWholeCommandAndIsGivenByItsButtonOnly_data()
{
    QTest::addColumn<QString>("button");
    QTest::addColumn<int>("kind");
    QTest::newRow("run") << u"Run"_s << int(PromptAnswer::Kind::Accepted);
    QTest::newRow("do not run") << u"Do not run"_s << int(PromptAnswer::Kind::Cancelled);
    QTest::newRow("enter") << QString() << int(PromptAnswer::Kind::Cancelled);
}

void TestPrompts::consentShowsTheWholeCommandAndIsGivenByItsButtonOnly()
{
    QFETCH(QString, button);
    Prompt asked = prompt(Kind::Confirm);
    asked.title = u"Run this command?"_s;
    asked.text = u"Your SSH configuration wants it."_s;
    asked.command = QString(Prompt::maxCommand - 4, u'x') + u"<b>e"_s;
    const QFuture<Answer> future = m_presenter->ask(asked);
    QTRY_VERIFY(m_presenter->shown());
    const QString words = wordsOf(m_presenter->shown());
    QVERIFY(words.contains(asked.title) && words.contains(asked.text) && words.contains(asked.command));
    if (button.isEmpty())
        QTest::keyClick(m_presenter->shown(), Qt::Key_Return);
    else
        QTest::mouseClick(buttonWith(m_presenter->shown(), button), Qt::LeftButton);
    QTRY_VERIFY(future.isFinished());
    QTEST(int(future.result()->kind), "kind");
}

void TestPrompts::tooManyQuestionsAreRefused()
{
    Prompt hostile = prompt(Kind::Interactive);
    hostile.fields.fill({u"?"_s, true}, PromptDialog::maxFields + 1);
    const auto answer = m_presenter->ask(hostile);
    QVERIFY(answer.isFinished());
    QCOMPARE(answer.result()->kind, PromptAnswer::Kind::Refused);
    QVERIFY(!m_presenter->shown());
}

void TestPrompts::escapeIsNo()
{
    const auto answer = m_presenter->ask(prompt(Kind::Password));
    QVERIFY(shown());
    QTest::keyClicks(shown()->findChild<QLineEdit *>(), u"half"_s);
    QTest::keyClick(shown(), Qt::Key_Escape);
    QTRY_VERIFY(answer.isFinished());
    QCOMPARE(answer.result()->kind, PromptAnswer::Kind::Cancelled);
    QVERIFY(answer.result()->values.empty());
}

void TestPrompts::aCancelledQuestionDisappears()
{
    auto answer = m_presenter->ask(prompt(Kind::Password));
    QPointer<PromptDialog> dialog = shown();
    QVERIFY(dialog);
    answer.cancel();
    QTRY_VERIFY(!dialog);
    QVERIFY(answer.isFinished());
    QCOMPARE(m_presenter->waiting(), 0);
}

void TestPrompts::aCancelledQuestionInTheQueueIsNeverShown()
{
    const auto first = m_presenter->ask(prompt(Kind::Password));
    auto second = m_presenter->ask(prompt(Kind::Passphrase));
    const auto third = m_presenter->ask(prompt(Kind::UnknownHostKey));
    QVERIFY(shown());
    QCOMPARE(m_presenter->waiting(), 3);
    second.cancel();
    QTRY_COMPARE(m_presenter->waiting(), 2);
    QTest::keyClick(shown(), Qt::Key_Escape);
    QTRY_VERIFY(m_presenter->shown() && wordsOf(m_presenter->shown()).contains(u"Is this really"_s));
}

void TestPrompts::questionsAreShownOneAfterTheOther()
{
    QSignalSpy attention(m_presenter.get(), &PromptPresenter::attentionNeeded);
    QList<QFuture<Answer>> answers;
    for (int i = 0; i < 3; ++i) {
        Prompt p = prompt(Kind::Password);
        p.target = u"box-%1"_s.arg(i);
        answers << m_presenter->ask(p);
    }
    for (int i = 0; i < 3; ++i) {
        QTRY_VERIFY(m_presenter->shown() && m_presenter->shown()->windowTitle() == u"box-%1"_s.arg(i));
        QCOMPARE(attention.size(), i + 1);
        QTest::keyClicks(m_presenter->shown()->findChild<QLineEdit *>(), QString::number(i));
        QTest::keyClick(m_presenter->shown(), Qt::Key_Return);
        QTRY_VERIFY(answers.at(i).isFinished());
        QCOMPARE(value(answers.at(i), 0), QByteArray::number(i));
    }
}

void TestPrompts::withoutAWindowNobodyAnswers()
{
    PromptPresenter alone(nullptr);
    const auto answer = alone.ask(prompt(Kind::Password));
    QVERIFY(answer.isFinished());
    QCOMPARE(answer.result()->kind, PromptAnswer::Kind::Refused);
}

void TestPrompts::theWindowsEndAnswersWhatIsOpen()
{
    const auto first = m_presenter->ask(prompt(Kind::Password));
    const auto second = m_presenter->ask(prompt(Kind::Password));
    QVERIFY(shown());
    m_window.reset();
    QTRY_VERIFY(first.isFinished() && second.isFinished());
    QCOMPARE(first.result()->kind, PromptAnswer::Kind::Refused);
    QCOMPARE(second.result()->kind, PromptAnswer::Kind::Refused);
}

void TestPrompts::thePresentersEndAnswersWhatIsOpen()
{
    const auto first = m_presenter->ask(prompt(Kind::Password));
    QPointer<PromptDialog> dialog = shown();
    QVERIFY(dialog);
    m_presenter.reset();
    QVERIFY(first.isFinished());
    QTRY_VERIFY(!dialog);
}

void TestPrompts::askingDoesNotStopTheProgram()
{
    QList<PromptAnswer::Kind> heard;
    auto answer = m_presenter->ask(prompt(Kind::Password));
    answer.then(this, [&heard](const Answer &a) { heard << a->kind; });
    QVERIFY(!m_presenter->shown()); // ask() came back before there was a dialog
    QVERIFY(shown());
    QTest::keyClick(shown(), Qt::Key_Escape);
    QTRY_COMPARE(heard, QList{PromptAnswer::Kind::Cancelled});
}

void TestPrompts::messagesAreSentOnlyWhileTheWindowIsBehind()
{
    QList<DesktopMessage> sent;
    Notifier notifier(m_window.get(), nullptr, [&](const DesktopMessage &m) { sent << m; });
    m_window->activateWindow();
    QTRY_VERIFY(m_window->isActiveWindow());
    notifier.notify(u"box-1"_s, u"Ended"_s);
    m_window->hide();
    QTRY_VERIFY(!QApplication::activeWindow());
    notifier.notify(u"box-1"_s, u"Ended with code 3"_s);
    QTRY_COMPARE(sent.size(), 1);
    QCOMPARE(sent.first(), (DesktopMessage{u"box-1"_s, u"Ended with code 3"_s}));
    notifier.setEnabled(false);
    notifier.notify(u"box-1"_s, u"off"_s);
    notifier.setEnabled(true);
    notifier.notify(u"box-1"_s, u"on"_s);
    QTRY_COMPARE(sent.size(), 2);
    QCOMPARE(sent.last().text, u"on"_s);
}

void TestPrompts::manyMessagesBecomeOne()
{
    QList<DesktopMessage> messages;
    for (int i = 1; i <= 5; ++i)
        messages << DesktopMessage{u"box-%1"_s.arg(i), u"Ended"_s};
    const DesktopMessage one = joined(messages);
    QCOMPARE(one.title, u"5 terminals"_s);
    QCOMPARE(one.text, u"box-1: Ended\nbox-2: Ended\nbox-3: Ended\nand 2 more"_s);
}

void TestPrompts::foreignMessagesAreTamed()
{
    QList<DesktopMessage> sent;
    Notifier notifier(m_window.get(), nullptr, [&](const DesktopMessage &m) { sent << m; });
    m_window->activateWindow();
    QTRY_VERIFY(m_window->isActiveWindow()); // else that arrives after hiding
    m_window->hide();
    QTRY_VERIFY(!QApplication::activeWindow());
    notifier.notify(QString(1'000'000, u'x'), u"a\x1b\nb"_s);
    QTRY_COMPARE(sent.size(), 1);
    QVERIFY(sent.first().title.size() <= 100);
    QCOMPARE(sent.first().text, u"a b"_s);
}

QTEST_MAIN(TestPrompts)
#include "tst_prompts.moc"
