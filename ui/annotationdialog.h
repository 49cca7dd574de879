// "Labels and notes…": group, labels and note of one or several sandboxes. Shown with open(). GUI thread.
#pragma once

#include "session/annotations.h"

#include <QDialog>

class QComboBox;
class QLabel;
class QLineEdit;
class QPlainTextEdit;

namespace Sandpiper {

// What several have in common, as the dialog shows it; nothing where they differ.
struct CommonAnnotation
{
    QString group;
    QStringList labels; // that all of them have
    QString note;
    bool groupsDiffer = false;
    bool labelsDiffer = false;
    bool notesDiffer = false;

    [[nodiscard]] static CommonAnnotation of(const QList<Annotation> &annotations);
};
// `one` with what was changed from `before` to `after`: labels that were taken away go, new ones come, and what
// was left as it was shown stays as each had it. Pure.
[[nodiscard]] Annotation edited(const Annotation &one, const CommonAnnotation &before, const CommonAnnotation &after);

class AnnotationDialog : public QDialog
{
    Q_OBJECT
public:
    // sandboxes: at least one. store is borrowed for its life.
    AnnotationDialog(const QList<Sandbox> &sandboxes, Annotations *store, QWidget *parent = nullptr);

private:
    void accept() override;
    void say(const QString &problem);
    void fit();
    QList<Sandbox> m_sandboxes;
    Annotations *m_store;
    CommonAnnotation m_before;
    QComboBox *m_group;
    QLineEdit *m_labels;
    QPlainTextEdit *m_note;
    QLabel *m_problem;
};

} // namespace Sandpiper
