#include "ui/publicportline.h"

#include "session/errortext.h"
#include "ui/elidedline.h"
#include "ui/icons.h"
#include "ui/sandboxtext.h"
#include "ui/style.h"

#include <QHBoxLayout>
#include <QPushButton>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

PublicPortLine::PublicPortLine(SandboxRegistry *registry, QWidget *parent)
    : QWidget(parent)
    , m_registry(registry)
    , m_text(new ElidedLine(this))
    , m_close(new QPushButton(this))
{
    setObjectName(u"publicPortLine"_s);
    m_close->setObjectName(u"closePublicPorts"_s);
    m_close->setAutoDefault(false);
    setQuiet(m_close);
    m_text->setIcon(icon(IconName::Warning, IconTone::Waiting));
    auto *row = new QHBoxLayout(this);
    row->setContentsMargins(12, 2, 6, 2);
    row->addWidget(m_text, 1);
    row->addWidget(m_close);
    connect(m_close, &QPushButton::clicked, this, &PublicPortLine::close);
    for (const auto news : {&SandboxRegistry::sandboxesChanged, &SandboxRegistry::accountRemoved})
        connect(registry, news, this, &PublicPortLine::refresh);
    refresh();
}

QString PublicPortLine::text() const
{
    return m_text->text();
}

// The first of them; the others follow when it is closed.
void PublicPortLine::refresh()
{
    Sandbox found;
    const QStringList accounts = m_registry->accountIds();
    for (const QString &account : accounts) {
        for (const Sandbox &sandbox : m_registry->view(account)->sandboxes) {
            const bool isFirst = found.id.isEmpty() || sandbox.id == m_shown.id;
            if (isFirst && !sandbox.publicPorts.isEmpty() && sandbox.state != SandboxState::Terminated)
                found = sandbox;
        }
    }
    setVisible(!found.id.isEmpty());
    if (found == m_shown)
        return;
    m_shown = found;
    m_text->setText(publicPortsText(found));
    m_close->setText(found.publicPorts.size() == 1 ? tr("Close it") : tr("Close them"));
    m_close->setAccessibleName(tr("%1: %2").arg(m_close->text(), m_text->text()));
    m_close->setEnabled(found.capabilities.has(Capability::PublicPorts));
    m_close->setToolTip(plainTip(found.capabilities.reasonAgainst(Capability::PublicPorts)));
}

void PublicPortLine::close()
{
    SandboxProvider *provider = m_registry->provider(m_shown.id.account);
    if (!provider)
        return;
    m_close->setEnabled(false); // until it is answered
    provider->closePublicPorts(m_shown.id, m_shown.publicPorts)
            .then(this, [this, before = m_shown](const Result<Sandbox> &now) {
                if (now)
                    m_registry->put(*now);
                else
                    emit failed(tr("%1 They could not be closed: %2").arg(publicPortsText(before), errorText(now.error()).sentence));
                m_close->setEnabled(m_shown.capabilities.has(Capability::PublicPorts));
            })
            .onCanceled(this, [this] { m_close->setEnabled(true); });
}

} // namespace Sandpiper
