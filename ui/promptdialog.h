// One question of a connection, as a small window-modal dialog. Shown with open(), never exec().
#pragma once

#include "session/prompt.h"

#include <QDialog>

class QCheckBox;
class QDialogButtonBox;
class QLineEdit;
class QVBoxLayout;

namespace Sandpiper {

class PromptDialog : public QDialog
{
    Q_OBJECT
public:
    explicit PromptDialog(const Prompt &prompt, QWidget *parent = nullptr);

    // What more fields than these would be for, nobody knows; such a question is not shown.
    static constexpr int maxFields = 16;

signals:
    // Once: a button, Escape or the window's close button.
    void answered(const std::shared_ptr<Sandpiper::PromptAnswer> &answer);
    // The page of host keys, with the one of this fingerprint in front.
    void hostKeysWanted(const QString &fingerprint);

protected:
    void done(int result) override;

private:
    void heading(const QString &text);
    void paragraph(const QString &text);
    void fact(const QString &label, const QString &value);
    void addressOf(const Prompt &prompt);
    struct ShownKey
    {
        QString title;
        QString type;
        QString fingerprint;
        QString randomart;
    };
    [[nodiscard]] QVBoxLayout *keyColumn(const ShownKey &key); // for a layout that takes it
    void addField(const Prompt::Field &field);
    void askUnknownKey(const Prompt &prompt);
    void tellChangedKey(const Prompt &prompt);
    void askSecret(const Prompt &prompt);
    void askServersQuestions(const Prompt &prompt);
    void askConsent(const Prompt &prompt);
    void tellToTouch(const Prompt &prompt);
    void button(const QString &text, PromptAnswer::Kind kind, bool isDefault);
    void answer(PromptAnswer::Kind kind);
    QVBoxLayout *m_column;
    QDialogButtonBox *m_buttons;
    QList<QLineEdit *> m_fields;
    QCheckBox *m_keep = nullptr;
    bool m_answered = false;
};

} // namespace Sandpiper
