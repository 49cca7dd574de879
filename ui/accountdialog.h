// Adds an account, or takes a new key for one that is there. Tries the key before anything is kept.
// GUI thread.
#pragma once

#include "session/providers/factory.h"
#include "ui/accounthub.h"

#include <QDialog>
#include <QFuture>

class QComboBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QPushButton;

namespace Sandpiper {

class AccountDialog : public QDialog
{
    Q_OBJECT
public:
    // existing: an account's id whose key is entered anew; empty: a new account. hub is borrowed and
    // outlives it; known is vendors(), or what a test offers. Deletes itself when closed.
    AccountDialog(AccountHub *hub, const QList<VendorInfo> &known, const QString &existing, QWidget *parent);
    ~AccountDialog() override;

signals:
    void added(const QString &accountId);

private:
    enum class Phase { Editing, Testing, Refused };
    void vendorChosen();
    void addField(AccountField field, const QString &label, bool required);
    void submit();
    void setPhase(Phase phase, const QString &text = {});
    void keep();
    [[nodiscard]] std::optional<Account> accountFromFields(QString &problem) const;
    [[nodiscard]] const VendorInfo *vendor() const;
    [[nodiscard]] std::shared_ptr<Secret> takeSecret() const;

    AccountHub *m_hub;
    QList<VendorInfo> m_known;
    QString m_existing;
    QComboBox *m_vendor;
    QLineEdit *m_name;
    QLineEdit *m_secret;
    QLabel *m_secretLabel;
    QLabel *m_help;
    QFormLayout *m_form;
    QFormLayout *m_extra;
    QWidget *m_extraBox;
    QPushButton *m_more;
    QHash<AccountField, QLineEdit *> m_fields;
    QPlainTextEdit *m_ca = nullptr;
    QLabel *m_status;
    QPushButton *m_anyway;
    QPushButton *m_submit;
    QFuture<Done> m_test;
    Account m_account;                  // what is being tested
    std::shared_ptr<Secret> m_testedSecret; // shared with the provider that tests it
};

} // namespace Sandpiper
