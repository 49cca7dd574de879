#include "ui/annotationdialog.h"

#include "ui/dialogkit.h"
#include "ui/labelcompleter.h"
#include "ui/theme.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

CommonAnnotation CommonAnnotation::of(const QList<Annotation> &annotations)
{
    CommonAnnotation common;
    if (annotations.isEmpty())
        return common;
    const Annotation &first = annotations.first();
    common.group = first.group;
    common.labels = first.labels;
    common.note = first.note;
    for (const Annotation &one : annotations) {
        common.groupsDiffer |= one.group != first.group;
        common.notesDiffer |= one.note != first.note;
        common.labels.removeIf([&one](const QString &label) { return !one.hasLabel(label); });
    }
    common.labelsDiffer = std::ranges::any_of(annotations, [&common](const Annotation &one) { return one.labels.size() > common.labels.size(); });
    if (common.groupsDiffer)
        common.group.clear();
    if (common.notesDiffer)
        common.note.clear();
    return common;
}

Annotation edited(const Annotation &one, const CommonAnnotation &before, const CommonAnnotation &after)
{
    Annotation result = one;
    if (!before.groupsDiffer || after.group != before.group)
        result.group = after.group;
    if (!before.notesDiffer || after.note != before.note)
        result.note = after.note;
    if (!before.labelsDiffer) {
        result.labels = after.labels; // in the new order
        return result;
    }
    result.labels.removeIf([&](const QString &label) {
        return before.labels.contains(label, Qt::CaseInsensitive) && !after.labels.contains(label, Qt::CaseInsensitive);
    });
    for (const QString &label : after.labels) {
        if (!result.hasLabel(label))
            result.labels.append(label);
    }
    return result;
}

AnnotationDialog::AnnotationDialog(const QList<Sandbox> &sandboxes, Annotations *store, QWidget *parent)
    : QDialog(parent)
    , m_sandboxes(sandboxes)
    , m_store(store)
    , m_group(new QComboBox(this))
    , m_labels(new QLineEdit(this))
    , m_note(new QPlainTextEdit(this))
    , m_problem(makeText({}, TextTone::Danger, this))
{
    QList<Annotation> annotations;
    for (const Sandbox &sandbox : sandboxes)
        annotations.append(store->of(sandbox.id));
    m_before = CommonAnnotation::of(annotations);

    setObjectName(u"annotationDialog"_s);
    setWindowTitle(tr("Labels and notes"));
    setWindowModality(Qt::WindowModal);
    setAttribute(Qt::WA_DeleteOnClose);
    setMinimumWidth(460);

    m_group->setObjectName(u"annotationGroup"_s);
    m_group->setEditable(true);
    m_group->setInsertPolicy(QComboBox::NoInsert);
    m_group->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_group->setMinimumContentsLength(20);
    m_group->addItem(QString());
    m_group->addItems(store->groups());
    m_group->setCurrentText(m_before.group);
    m_group->lineEdit()->setPlaceholderText(m_before.groupsDiffer ? tr("They are in different groups") : tr("None"));
    m_labels->setObjectName(u"annotationLabels"_s);
    m_labels->setText(m_before.labels.join(u", "_s));
    m_labels->setPlaceholderText(m_before.labelsDiffer ? tr("None that all of them have") : tr("prod, gpu"));
    m_labels->setCompleter(new LabelCompleter(store->labels(), m_labels));
    m_note->setObjectName(u"annotationNote"_s);
    m_note->setPlainText(m_before.note);
    m_note->setPlaceholderText(m_before.notesDiffer ? tr("They have different notes. What is written here takes the place of them all.") : QString());
    m_note->setTabChangesFocus(true);
    m_note->setMinimumHeight(5 * m_note->fontMetrics().lineSpacing() + 16);

    auto *form = new QFormLayout;
    form->setHorizontalSpacing(4 * Metrics::unit);
    form->setVerticalSpacing(2 * Metrics::unit);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    form->addRow(tr("&Group"), m_group);
    form->addRow(tr("&Labels"), m_labels);
    if (m_before.labelsDiffer)
        form->addRow(QString(), makeText(tr("Some have more labels than these; they keep them."), TextTone::Muted, this));
    form->addRow(tr("&Note"), m_note);
    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    buttons->addButton(tr("Save"), QDialogButtonBox::AcceptRole)->setDefault(true);
    connect(buttons, &QDialogButtonBox::accepted, this, &AnnotationDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &AnnotationDialog::reject);

    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(20, 20, 20, 16);
    column->setSpacing(3 * Metrics::unit);
    const QString heading = sandboxes.size() == 1 ? tamed(sandboxes.first().displayName(), 60)
                                                  : tr("%1 sandboxes").arg(sandboxes.size());
    column->addWidget(makeHeading(heading, this));
    column->addWidget(makeText(tr("These stay on this computer. Labels are separated by commas; “#label” in the filter finds them."), TextTone::Muted, this));
    column->addLayout(form, 1);
    column->addWidget(m_problem);
    m_problem->setObjectName(u"annotationProblem"_s);
    m_problem->hide();
    column->addWidget(buttons);
    fit();
    m_labels->setFocus();
}

void AnnotationDialog::accept()
{
    CommonAnnotation after;
    after.group = m_group->currentText().trimmed();
    // "web" joins "Web": two groups that differ in case are one to their user. The case of the group that they
    // are in already can be changed.
    if (const int known = m_group->findText(after.group, Qt::MatchFixedString); known > 0 && m_group->itemText(known) != m_before.group)
        after.group = m_group->itemText(known);
    after.labels = labelsFromText(m_labels->text());
    after.note = tidied({false, {}, {}, m_note->toPlainText()}).note;
    QHash<SandboxId, Annotation> changes;
    for (const Sandbox &sandbox : std::as_const(m_sandboxes))
        changes.insert(sandbox.id, edited(m_store->of(sandbox.id), m_before, after));
    const Done kept = m_store->set(changes);
    if (kept)
        return QDialog::accept();
    say(problemText(kept.error()));
}

void AnnotationDialog::say(const QString &problem)
{
    m_problem->setText(problem);
    m_problem->show();
    fit();
}

void AnnotationDialog::fit()
{
    // Texts of several lines are as high as they are at this width, which a size hint does not know.
    layout()->activate();
    const int wide = qMax(width(), minimumWidth());
    // And a form asks for less than its fields need at least.
    resize(wide, qMax(isVisible() ? height() : 0, qMax(layout()->totalHeightForWidth(wide), sizeHint().height())));
}

} // namespace Sandpiper
