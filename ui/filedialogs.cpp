#include "ui/filedialogs.h"

#include "ui/dialogkit.h"

#include <QCoreApplication>
#include <QFormLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

struct Form
{
    QDialog *dialog;
    QFormLayout *fields;
    QPushButton *verb;
};

Form makeForm(QWidget *parent, const QString &title, const QString &verb)
{
    auto *dialog = new QDialog(parent);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setObjectName(u"fileDialog"_s);
    dialog->setWindowTitle(title);
    dialog->setMinimumWidth(420);
    auto *layout = new QVBoxLayout(dialog);
    layout->setContentsMargins(24, 20, 24, 20);
    layout->setSpacing(12);
    layout->addWidget(makeTitle(title, dialog));
    auto *fields = new QFormLayout;
    fields->setSpacing(8);
    layout->addLayout(fields);
    layout->addSpacing(4);
    auto *buttons = new QHBoxLayout;
    buttons->addStretch();
    auto *cancel = new QPushButton(QCoreApplication::translate("FileDialogs", "Cancel"), dialog);
    auto *agree = new QPushButton(verb, dialog);
    agree->setObjectName(u"fileDialogVerb"_s);
    agree->setDefault(true);
    cancel->setAutoDefault(false);
    buttons->addWidget(cancel);
    buttons->addWidget(agree);
    layout->addLayout(buttons);
    QObject::connect(cancel, &QPushButton::clicked, dialog, &QDialog::reject);
    QObject::connect(agree, &QPushButton::clicked, dialog, &QDialog::accept);
    return {dialog, fields, agree};
}

QLineEdit *addField(const Form &form, const QString &label, const QString &text, const QString &name)
{
    auto *edit = new QLineEdit(text, form.dialog);
    edit->setObjectName(name);
    edit->setAccessibleName(label);
    form.fields->addRow(label, edit);
    return edit;
}

} // namespace

void askText(QWidget *parent, const TextQuestion &question, std::function<void(const QString &)> agreed)
{
    const Form form = makeForm(parent, question.title, question.verb);
    QLineEdit *edit = addField(form, question.label, question.text, u"fileDialogText"_s);
    const auto update = [verb = form.verb, edit] { verb->setEnabled(!edit->text().isEmpty()); };
    QObject::connect(edit, &QLineEdit::textChanged, form.dialog, update);
    update();
    QObject::connect(form.dialog, &QDialog::accepted, parent, [edit, agreed = std::move(agreed)] { agreed(edit->text()); });
    form.dialog->open();
    edit->setFocus();
    edit->selectAll();
}

void askLink(QWidget *parent, const QString &target, std::function<void(const QString &, const QString &)> agreed)
{
    const auto tr = [](const char *text) { return QCoreApplication::translate("FileDialogs", text); };
    const Form form = makeForm(parent, tr("New link"), tr("Create"));
    QLineEdit *to = addField(form, tr("Leads to"), target, u"linkTarget"_s);
    QLineEdit *name = addField(form, tr("Name"), target.section(u'/', -1), u"linkName"_s);
    const auto update = [verb = form.verb, to, name] { verb->setEnabled(!to->text().isEmpty() && !name->text().isEmpty()); };
    QObject::connect(to, &QLineEdit::textChanged, form.dialog, update);
    QObject::connect(name, &QLineEdit::textChanged, form.dialog, update);
    update();
    QObject::connect(form.dialog, &QDialog::accepted, parent, [to, name, agreed = std::move(agreed)] { agreed(to->text(), name->text()); });
    form.dialog->open();
    to->setFocus();
    to->selectAll();
}

} // namespace Sandpiper
