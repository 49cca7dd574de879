// Makes a forward, or changes one: sandbox, direction, both ends, and the same in OpenSSH's words. GUI thread.
#pragma once

#include "session/forwardmanager.h"
#include "session/portradar.h"

#include <QDialog>

class QButtonGroup;
class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;

namespace Sandpiper {

// This computer and the sandbox, and which way connections go.
class ForwardPicture : public QWidget
{
    Q_OBJECT
public:
    explicit ForwardPicture(QWidget *parent = nullptr);
    void show(ForwardSpec::Kind kind, const QString &machine, const QString &listener, const QString &target);
    [[nodiscard]] QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    ForwardSpec::Kind m_kind = ForwardSpec::Kind::Local;
    QString m_machine;
    QString m_listener;
    QString m_target;
};

class ForwardDialog : public QDialog
{
    Q_OBJECT
public:
    // wish: what the fields begin with; with an id it is changed, else a new one is kept. forwards is borrowed and
    // outlives it; registry may be null. Deletes itself when closed.
    ForwardDialog(ForwardManager *forwards, SandboxRegistry *registry, const ForwardWish &wish, QWidget *parent);
    // What listens in a sandbox is offered as a target, where anything does.
    void suggestPorts(std::function<QList<FoundPort>(const SandboxId &)> ports);

private:
    void fillSandboxes();
    void takeTemplate(int index);
    void takeSpec(const QString &text);
    void takePort(const FoundPort &port);
    void fieldsChanged();
    void showSpec(const ForwardSpec &spec);
    void showWays();
    [[nodiscard]] ForwardSpec::Kind kind() const;
    [[nodiscard]] Result<ForwardSpec> spec() const;
    [[nodiscard]] QString sandboxName() const;
    void submit();
    [[nodiscard]] std::optional<Error> refusal(ForwardWay way) const; // why it cannot go that way; nothing: it can
    ForwardManager *m_forwards;
    SandboxRegistry *m_registry;
    ForwardWish m_wish;
    QComboBox *m_sandbox;
    QButtonGroup *m_kinds;
    ForwardPicture *m_picture;
    QComboBox *m_template;
    QLineEdit *m_listen;
    QLabel *m_targetLabel;
    QLineEdit *m_target;
    QLineEdit *m_spec;
    QComboBox *m_way;
    QLineEdit *m_name;
    QCheckBox *m_withProgram;
    QCheckBox *m_withSandbox;
    QSpinBox *m_limit; // KiB a second
    QLabel *m_note;    // what it exposes
    QLabel *m_problem;
    QPushButton *m_submit;
    std::function<QList<FoundPort>(const SandboxId &)> m_ports;
    QAction *m_suggest = nullptr; // in the field of the target; null: no ports are known
    bool m_isFilling = false;
};

} // namespace Sandpiper
