// Shows the questions of connections, one at a time, over one window. GUI thread.
#pragma once

#include "session/prompt.h"

#include <QObject>
#include <QPointer>

#include <deque>
#include <memory>

class QWidget;

namespace Sandpiper {

class PromptDialog;

// Where several connections ask at once, the others wait their turn. A question whose future is
// cancelled disappears, shown or not. With the window gone every question is answered Refused.
class PromptPresenter : public QObject, public PromptHandler
{
    Q_OBJECT
public:
    explicit PromptPresenter(QWidget *window, QObject *parent = nullptr);
    ~PromptPresenter() override; // answers what is open with Refused

    [[nodiscard]] QFuture<std::shared_ptr<PromptAnswer>> ask(const Prompt &prompt) override;
    [[nodiscard]] int waiting() const { return int(m_questions.size()); } // the shown one too
    [[nodiscard]] PromptDialog *shown() const;

signals:
    // A question is shown: the window may be behind others, or its tab not in front.
    void attentionNeeded(const QString &target);
    // A changed key was shown, and the user wants to see what is known.
    void hostKeysWanted(const QString &fingerprint);

private:
    struct Question;
    void showNext();
    void showById(quint64 id);
    void finish(quint64 id, const std::shared_ptr<PromptAnswer> &answer);
    QPointer<QWidget> m_window;
    std::deque<std::unique_ptr<Question>> m_questions; // the first may be on the screen
    quint64 m_lastId = 0;
};

} // namespace Sandpiper
