#include "ui/importdialog.h"

#include "session/background.h"
#include "session/errortext.h"
#include "session/paths.h"
#include "ui/dialogkit.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QListWidget>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

bool isSame(const OwnHost &a, const OwnHost &b)
{
    return a.host.compare(b.host, Qt::CaseInsensitive) == 0 && a.port == b.port && a.user == b.user;
}

// By its name where that says it, else by what it looks like.
Result<ImportedHosts> readHosts(const QString &path)
{
    const Result<QByteArray> content = Sandpiper::readFile(path, maxImportBytes);
    if (!content)
        return std::unexpected(content.error());
    const QString suffix = QFileInfo(path).suffix().toLower();
    if (suffix == "reg"_L1)
        return importPuttyRegistry(*content);
    if (suffix == "ini"_L1)
        return importWinScp(*content);
    if (suffix == "xml"_L1)
        return importFileZilla(*content);
    return importPuttySession(QFile::encodeName(QFileInfo(path).fileName()), *content);
}

} // namespace

ImportDialog::ImportDialog(OwnHosts *own, const QString &home, QWidget *parent)
    : QDialog(parent)
    , m_own(own)
    , m_home(home)
    , m_summary(makeText(tr("Looking for PuTTY's sessions…"), TextTone::Muted, this))
    , m_list(new QListWidget(this))
    , m_import(new QPushButton(tr("Import"), this))
{
    setObjectName(u"importDialog"_s);
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Import SSH hosts"));
    m_summary->setObjectName(u"importSummary"_s);
    m_list->setObjectName(u"importList"_s);
    m_list->setAccessibleName(tr("Hosts that were found"));
    m_list->setUniformItemSizes(true);
    m_import->setObjectName(u"importSubmit"_s);
    m_import->setDefault(true);
    auto *file = new QPushButton(icon(IconName::Import), tr("Choose a file…"), this);
    file->setAutoDefault(false);
    auto *cancel = new QPushButton(tr("Cancel"), this);
    cancel->setAutoDefault(false);
    auto *buttons = new QHBoxLayout;
    buttons->addWidget(file);
    buttons->addStretch();
    buttons->addWidget(cancel);
    buttons->addWidget(m_import);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(24, 20, 24, 20);
    layout->setSpacing(8);
    layout->addWidget(makeTitle(windowTitle(), this));
    layout->addWidget(makeText(tr("From PuTTY (its sessions here, or a .reg file), WinSCP.ini, or FileZilla's sitemanager.xml. Passwords are never imported."),
                               TextTone::Muted, this));
    layout->addWidget(m_list, 1);
    layout->addWidget(m_summary);
    layout->addSpacing(8);
    layout->addLayout(buttons);
    resize(520, 480);
    connect(file, &QPushButton::clicked, this, &ImportDialog::chooseFile);
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_import, &QPushButton::clicked, this, &ImportDialog::importChosen);
    connect(m_list, &QListWidget::itemChanged, this, &ImportDialog::updateButton);
    updateButton();
    inBackground(this, [folder = m_home + u"/.putty/sessions"_s] { return importPuttyFolder(folder); },
                 [this](const ImportedHosts &found) { showFound(found); });
}

void ImportDialog::showFound(const ImportedHosts &found)
{
    m_found = found;
    const QSignalBlocker quiet(m_list);
    m_list->clear();
    for (const OwnHost &host : found.hosts) {
        const bool isKnown = std::ranges::any_of(m_own->hosts(), [&host](const OwnHost &known) { return isSame(known, host); });
        const QString destination = destinationText(host.user, host.host, host.port);
        auto *item = new QListWidgetItem(isKnown ? tr("%1 · %2 · there already").arg(host.name, destination)
                                                 : tr("%1 · %2").arg(host.name, destination),
                                         m_list);
        item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsUserCheckable);
        item->setCheckState(isKnown ? Qt::Unchecked : Qt::Checked);
    }
    QStringList words;
    if (found.hosts.isEmpty())
        words += tr("No SSH hosts were found.");
    if (found.passwords > 0)
        words += tr("%n stored password(s) are left where they are.", nullptr, found.passwords);
    if (found.otherKinds > 0)
        words += tr("%n entry(ies) do not go by SSH.", nullptr, found.otherKinds);
    if (found.unusable > 0)
        words += tr("%n entry(ies) cannot be used.", nullptr, found.unusable);
    m_summary->setText(words.join(u' '));
    m_summary->setVisible(!words.isEmpty());
    updateButton();
}

void ImportDialog::chooseFile()
{
    auto *dialog = new QFileDialog(this, tr("Choose a file of another program"), m_home);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    connect(dialog, &QFileDialog::fileSelected, this, &ImportDialog::readChosen);
    dialog->open();
}

void ImportDialog::readChosen(const QString &path)
{
    inBackground(this, [path] { return readHosts(path); }, [this](const Result<ImportedHosts> &found) {
        showFound(found.value_or(ImportedHosts()));
        if (!found) {
            m_summary->setText(errorText(found.error()).sentence);
            m_summary->show();
        }
    });
}

void ImportDialog::updateButton()
{
    int chosen = 0;
    for (int row = 0; row < m_list->count(); ++row)
        chosen += m_list->item(row)->checkState() == Qt::Checked ? 1 : 0;
    m_import->setText(chosen > 0 ? tr("Import %n host(s)", nullptr, chosen) : tr("Import"));
    m_import->setEnabled(chosen > 0);
}

void ImportDialog::importChosen()
{
    QList<OwnHost> chosen;
    for (int row = 0; row < m_list->count(); ++row) {
        if (m_list->item(row)->checkState() == Qt::Checked)
            chosen.append(m_found.hosts.at(row));
    }
    if (const Done kept = m_own->add(chosen); !kept) {
        m_summary->setText(errorText(kept.error()).sentence);
        m_summary->show();
        return;
    }
    accept();
}

} // namespace Sandpiper
