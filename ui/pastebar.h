// Asks before several lines go to a shell, showing what would be pasted. Lies over the terminal's
// lower edge; not a dialog, so that the screen below can still be read.
#pragma once

#include <QWidget>

class QLabel;
class QPlainTextEdit;
class QPushButton;

namespace Sandpiper {

// Text as it can be shown without lying: controls and invisible format characters become visible,
// line ends stay; what goes beyond maxChars is left out and said.
[[nodiscard]] QString visiblePaste(const QString &text, qsizetype maxChars = 4000);

class PasteBar : public QWidget
{
    Q_OBJECT
public:
    explicit PasteBar(QWidget *parent = nullptr);

    // A new question takes the place of an unanswered one.
    void ask(const QString &text, int lines, const QString &target);
    [[nodiscard]] bool isAsking() const { return !m_text.isEmpty(); }
    void withdraw(); // the shell is not there any more: no answer follows
    [[nodiscard]] QString preview() const;

signals:
    void agreed(const QString &text);
    void closed(); // after either answer

protected:
    void keyPressEvent(QKeyEvent *event) override;
    void paintEvent(QPaintEvent *event) override;

private:
    void answer(bool paste);
    QString m_text;
    QLabel *m_question;
    QPlainTextEdit *m_preview;
    QPushButton *m_paste;
};

} // namespace Sandpiper
