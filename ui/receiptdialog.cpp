#include "ui/receiptdialog.h"

#include "ui/dialogkit.h"
#include "ui/filewords.h"
#include "ui/sandboxtext.h"
#include "ui/transfermodel.h"

#include <QClipboard>
#include <QCoreApplication>
#include <QFontDatabase>
#include <QGuiApplication>
#include <QHeaderView>
#include <QLocale>
#include <QPushButton>
#include <QTableView>
#include <QTimeZone>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

class ReceiptWords
{
    Q_DECLARE_TR_FUNCTIONS(Sandpiper::Receipts)
};

QString wholeText(const TransferReceipt &receipt, int column)
{
    const FileReceipt &file = receipt.file;
    switch (ReceiptModel::Column(column)) {
    case ReceiptModel::Name: return shownBytes(receipt.path);
    case ReceiptModel::Size: return QString::number(file.size);
    // None is told by what knows no permissions.
    case ReceiptModel::Permissions: return file.mode == 0 ? QString() : octalText(file.mode);
    case ReceiptModel::Modified: return file.modified == 0 ? QString() : QDateTime::fromSecsSinceEpoch(file.modified, QTimeZone::UTC).toString(Qt::ISODate);
    case ReceiptModel::Hash: return QString::fromLatin1(file.sha256.toHex());
    case ReceiptModel::ColumnCount: break;
    }
    return {};
}

} // namespace

void ReceiptModel::setReceipts(const QList<TransferReceipt> &receipts)
{
    beginResetModel();
    m_receipts = receipts;
    endResetModel();
}

int ReceiptModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : int(m_receipts.size());
}

int ReceiptModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant ReceiptModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (role == Qt::TextAlignmentRole && section == Size)
        return QVariant(Qt::AlignRight | Qt::AlignVCenter);
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    const QString titles[] = {tr("Name"), tr("Size"), tr("Permissions"), tr("Modified"), tr("SHA-256")};
    return titles[section];
}

QVariant ReceiptModel::data(const QModelIndex &index, int role) const
{
    const TransferReceipt &receipt = m_receipts.at(index.row());
    if (role == Qt::ToolTipRole)
        return plainTip(wholeText(receipt, index.column()));
    if (role == Qt::FontRole && index.column() == Hash)
        return QFontDatabase::systemFont(QFontDatabase::FixedFont);
    if (role == Qt::TextAlignmentRole && index.column() == Size)
        return QVariant(Qt::AlignRight | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    switch (Column(index.column())) {
    case Size: return sizeText(receipt.file.size);
    case Permissions: return receipt.file.mode == 0 ? QString() : modeText(receipt.file.mode);
    case Modified: return receipt.file.modified == 0 ? QString() : momentText(receipt.file.modified, QDateTime::currentDateTime());
    case Name:
    case Hash: return wholeText(receipt, index.column());
    case ColumnCount: break;
    }
    return {};
}

QString receiptText(const QList<TransferReceipt> &receipts)
{
    QStringList lines;
    for (const TransferReceipt &receipt : receipts) {
        QStringList cells;
        for (int column = 0; column < ReceiptModel::ColumnCount; ++column)
            cells.append(wholeText(receipt, column));
        lines.append(cells.join(u'\t'));
    }
    return lines.join(u'\n');
}

QDialog *showTransferReceipt(QWidget *parent, TransferQueue *queue, qint64 id)
{
    const TransferWish wish = queue->wish(id);
    auto *dialog = new QDialog(parent);
    dialog->setObjectName(u"receiptDialog"_s);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(ReceiptWords::tr("Receipt"));
    dialog->resize(760, 420);
    auto *layout = new QVBoxLayout(dialog);
    layout->setContentsMargins(24, 20, 24, 20);
    layout->setSpacing(12);
    layout->addWidget(makeTitle(nameText(wish).left(160), dialog));
    QString when = ReceiptWords::tr("begun %1").arg(QLocale().toString(queue->addedAt(id), QLocale::ShortFormat));
    if (const QDateTime ended = queue->endedAt(id); ended.isValid())
        when += ReceiptWords::tr(", ended %1").arg(QLocale().toString(ended, QLocale::ShortFormat));
    layout->addWidget(makeText(QStringList{placesText(wish), wish.target.shown(), when, stateText(queue->progress(id))}.join(u" · "_s), TextTone::Muted, dialog));
    auto *model = new ReceiptModel(dialog);
    auto *table = new QTableView(dialog);
    table->setObjectName(u"receiptTable"_s);
    table->setAccessibleName(ReceiptWords::tr("What has arrived"));
    dressTable(table);
    table->setModel(model);
    const int widths[] = {260, 80, 96, 110, 120};
    for (int column = 0; column < ReceiptModel::ColumnCount; ++column)
        table->setColumnWidth(column, widths[column]);
    table->horizontalHeader()->setStretchLastSection(true);
    layout->addWidget(table, 1);
    QLabel *total = makeText(ReceiptWords::tr("Reading the journal…"), TextTone::Muted, dialog);
    auto *copy = new QPushButton(ReceiptWords::tr("Copy as text"), dialog);
    auto *close = new QPushButton(ReceiptWords::tr("Close"), dialog);
    close->setDefault(true);
    auto *buttons = new QHBoxLayout;
    buttons->addWidget(total, 1);
    buttons->addWidget(copy);
    buttons->addWidget(close);
    layout->addLayout(buttons);
    QObject::connect(copy, &QPushButton::clicked, dialog, [model] { QGuiApplication::clipboard()->setText(receiptText(model->receipts())); });
    QObject::connect(close, &QPushButton::clicked, dialog, &QDialog::close);
    queue->receipts(id, dialog, [model, total, copy](const QList<TransferReceipt> &receipts) {
        model->setReceipts(receipts);
        quint64 bytes = 0;
        bool hasHashes = true;
        for (const TransferReceipt &receipt : receipts) {
            bytes += receipt.file.size;
            hasHashes = hasHashes && !receipt.file.sha256.isEmpty();
        }
        copy->setEnabled(!receipts.isEmpty());
        const QString sum = receipts.size() == 1 ? ReceiptWords::tr("1 file, %1.").arg(sizeText(bytes)) : ReceiptWords::tr("%L1 files, %2.").arg(receipts.size()).arg(sizeText(bytes));
        total->setText(receipts.isEmpty() ? ReceiptWords::tr("Nothing has arrived yet.")
                               : hasHashes ? sum
                                           : sum + u' ' + ReceiptWords::tr("Hashes are taken where Preferences, Files says so."));
    });
    dialog->show();
    return dialog;
}

} // namespace Sandpiper
