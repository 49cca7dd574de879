// Warns of ports that a vendor has opened to everyone, and closes them: one line in the drawer, not there while there
// are none. GUI thread.
#pragma once

#include "session/sandboxregistry.h"

#include <QPointer>
#include <QWidget>

class QPushButton;

namespace Sandpiper {

class ElidedLine;

class PublicPortLine : public QWidget
{
    Q_OBJECT
public:
    explicit PublicPortLine(SandboxRegistry *registry, QWidget *parent = nullptr); // borrowed, outlives it
    [[nodiscard]] QString text() const;

signals:
    void failed(const QString &sentence);

private:
    void refresh();
    void close();
    QPointer<SandboxRegistry> m_registry;
    Sandbox m_shown; // that it is about
    ElidedLine *m_text;
    QPushButton *m_close;
};

} // namespace Sandpiper
