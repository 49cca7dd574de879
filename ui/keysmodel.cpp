#include "ui/keysmodel.h"

#include "ui/theme.h"

#include <QFileInfo>
#include <QLocale>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

QString dayOf(const QDateTime &time)
{
    return time.isValid() ? QLocale().toString(time.toLocalTime().date(), QLocale::ShortFormat) : QString();
}

} // namespace

KeysModel::KeysModel(SandboxRegistry *registry, AccountHub *hub, AvailableKeys *available, QObject *parent)
    : QAbstractTableModel(parent)
    , m_registry(registry)
    , m_hub(hub)
    , m_available(available)
{
    connect(registry, &SandboxRegistry::keysChanged, this, &KeysModel::rebuild);
    connect(registry, &SandboxRegistry::accountRemoved, this, &KeysModel::rebuild);
    connect(available, &AvailableKeys::changed, this, &KeysModel::rebuild);
    rebuild();
}

void KeysModel::rebuild()
{
    beginResetModel();
    m_rows.clear();
    addFiles();
    addAgentKeys();
    addRegistrations();
    endResetModel();
}

KeysModel::Row &KeysModel::rowFor(const QString &fingerprint)
{
    const auto it = std::ranges::find(m_rows, fingerprint, &Row::fingerprint);
    if (it != m_rows.end() && !fingerprint.isEmpty())
        return *it;
    m_rows.append(Row());
    m_rows.last().fingerprint = fingerprint;
    return m_rows.last();
}

void KeysModel::addFiles()
{
    for (const KeyFile &file : m_available->files()) {
        Row &row = rowFor(file.key.fingerprint);
        if (row.file) // the same key under another name: the first one stands for it
            continue;
        const bool isPublic = file.form == KeyFile::Form::PublicOnly;
        row.name = isPublic ? QFileInfo(file.file).completeBaseName() : QFileInfo(file.file).fileName();
        row.type = file.key.type;
        row.comment = file.key.comment;
        row.addedAt = file.modified;
        row.line = file.key.line;
        row.file = file;
    }
}

void KeysModel::addAgentKeys()
{
    for (const AgentKey &key : m_available->agentKeys()) {
        if (key.isCertificate())
            continue;
        Row &row = rowFor(fingerprintOfBlob(key.blob));
        row.agentBlob = key.blob;
        const QString comment = tamed(QString::fromUtf8(key.comment), 200);
        if (row.name.isEmpty())
            row.name = comment;
        if (row.comment.isEmpty())
            row.comment = comment;
        if (row.line.isEmpty()) {
            const QByteArray type = typeFromBlob(key.blob);
            row.type = QString::fromLatin1(type);
            row.line = type + ' ' + key.blob.toBase64() + ' ' + comment.toUtf8();
        }
    }
}

void KeysModel::addRegistrations()
{
    for (const AccountHub::Entry &entry : m_hub->entries()) {
        const SandboxRegistry::AccountView *view = m_registry->view(entry.account.id);
        if (!view)
            continue;
        for (const SshKey &key : view->keys) {
            Row &row = rowFor(key.fingerprint);
            if (row.registrations.isEmpty()) {
                row.name = key.name.isEmpty() ? row.name : key.name;
                row.addedAt = key.addedAt.isValid() ? key.addedAt : row.addedAt;
            }
            if (row.type.isEmpty())
                row.type = key.type;
            row.lastUsedAt = std::max(row.lastUsedAt, key.lastUsedAt);
            row.registrations.append({entry.account.id, entry.account.name, key.id});
        }
    }
}

int KeysModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : int(m_rows.size());
}

int KeysModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

bool KeysModel::isEmptyColumn(Column column) const
{
    return std::ranges::all_of(m_rows, [column](const Row &row) { return textOf(row, column).isEmpty(); });
}

QString KeysModel::textOf(const Row &row, Column column)
{
    switch (column) {
    case Name:
        return row.name;
    case Type: {
        QString type = row.type;
        const bool isOnSecurityKey = type.startsWith("sk-"_L1);
        if (isOnSecurityKey)
            type = type.sliced(3).section(u'@', 0, 0) + u"-sk"_s;
        if (type.startsWith("ssh-"_L1))
            type.remove(0, 4);
        return type.replace("ecdsa-sha2-nistp"_L1, "ecdsa-"_L1);
    }
    case Fingerprint:
        return row.fingerprint.isEmpty() ? tr("shown once it is unlocked") : row.fingerprint;
    case Comment:
        return row.comment;
    case Added:
        return dayOf(row.addedAt);
    case LastUsed:
        return dayOf(row.lastUsedAt);
    case Here: {
        QStringList places;
        if (row.file)
            places.append(row.hasPrivateHalf() ? tr("file") : tr("public half"));
        if (!row.agentBlob.isEmpty())
            places.append(tr("agent"));
        if (row.file && row.file->isOpenToOthers)
            places.append(tr("readable by others"));
        return places.join(u", "_s);
    }
    case Registered: {
        QStringList accounts;
        for (const Registration &one : row.registrations)
            accounts.append(u"✓ "_s + one.accountName);
        return accounts.join(u"  "_s);
    }
    case ColumnCount:
        break;
    }
    return {};
}

QVariant KeysModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid())
        return {};
    const Row &row = m_rows.at(index.row());
    if (role == Qt::ForegroundRole && index.column() != Name)
        return themeColors().muted;
    if (role == Qt::ToolTipRole && row.file) {
        if (index.column() == Here && row.file->isOpenToOthers)
            return tr("Other users of this computer can read %1, so it is not used. Run: chmod 600 %1").arg(row.file->file);
        if (index.column() == Name || index.column() == Here)
            return row.file->file;
    }
    if (role != Qt::DisplayRole && role != Qt::ToolTipRole)
        return {};
    const QString text = textOf(row, Column(index.column()));
    // The heading says what it is; what is compared or copied has all of it.
    const bool isShortened = role == Qt::DisplayRole && index.column() == Fingerprint && text.startsWith("SHA256:"_L1);
    return isShortened ? text.sliced(7) : text;
}

QVariant KeysModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    switch (Column(section)) {
    case Name:
        return tr("Name");
    case Type:
        return tr("Type");
    case Fingerprint:
        return tr("SHA-256");
    case Comment:
        return tr("Comment");
    case Added:
        return tr("Added");
    case LastUsed:
        return tr("Last used");
    case Here:
        return tr("Here");
    case Registered:
        return tr("Registered at");
    case ColumnCount:
        break;
    }
    return {};
}

} // namespace Sandpiper
