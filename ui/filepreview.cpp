// A look into a file; see ui/filedialogs.h.
#include "ui/filedialogs.h"

#include "session/background.h"
#include "ui/dialogkit.h"
#include "ui/filewords.h"
#include "ui/theme.h"

#include <QBuffer>
#include <QFontDatabase>
#include <QImageReader>
#include <QKeyEvent>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QStringDecoder>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

constexpr quint64 kMostText = 256 << 10;
constexpr quint64 kMostImage = 16 << 20;
constexpr qsizetype kMostHex = 16 << 10;
constexpr int kMostPixelsAcross = 2000; // on the screen; larger ones are made smaller on the pool

// Only what Qt itself reads: a plugin that nobody asked for is no place for a stranger's bytes.
bool isImageName(const QByteArray &name)
{
    const QByteArray ending = name.mid(name.lastIndexOf('.') + 1).toLower();
    return QByteArrayList{"png", "jpg", "jpeg", "gif", "bmp", "webp", "ppm", "pgm", "xpm"}.contains(ending);
}

QImage imageFrom(QByteArray bytes)
{
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::ReadOnly);
    QImageReader reader(&buffer);
    reader.setDecideFormatFromContent(true);
    reader.setAutoTransform(true);
    if (const QSize size = reader.size(); size.isValid() && std::max(size.width(), size.height()) > kMostPixelsAcross)
        reader.setScaledSize(size.scaled(kMostPixelsAcross, kMostPixelsAcross, Qt::KeepAspectRatio));
    return reader.read();
}

// None: it is no text.
std::optional<QString> textFrom(const QByteArray &bytes, bool isWhole)
{
    if (bytes.contains('\0'))
        return std::nullopt;
    QStringDecoder decoder(QStringDecoder::Utf8, QStringDecoder::Flag::Stateless);
    // The last character may be cut in two.
    for (qsizetype cut = 0; cut < (isWhole ? 1 : 4) && cut <= bytes.size(); ++cut) {
        decoder.resetState();
        const QString text = decoder(bytes.chopped(cut));
        if (!decoder.hasError())
            return text;
    }
    return std::nullopt;
}

QString hexFrom(const QByteArray &bytes)
{
    QString text;
    for (qsizetype at = 0; at < std::min(bytes.size(), kMostHex); at += 16) {
        const QByteArray line = bytes.mid(at, 16);
        QString letters;
        for (const char c : line)
            letters += c >= 0x20 && c < 0x7f ? QChar::fromLatin1(c) : QChar(u'.');
        text += u"%1  %2  %3\n"_s.arg(at, 8, 16, QChar(u'0')).arg(QString::fromLatin1(line.toHex(' ')), -47).arg(letters);
    }
    return text;
}

class PreviewDialog : public QDialog
{
    Q_DECLARE_TR_FUNCTIONS(Sandpiper::FilePreview)
public:
    PreviewDialog(QWidget *parent, FileSystem *files, const FilePath &path, std::optional<quint64> size)
        : QDialog(parent)
        , m_size(size)
        , m_mayBeImage(isImageName(path.name()) && size.value_or(0) <= kMostImage)
        , m_note(makeText(tr("Reading…"), TextTone::Muted, this))
        , m_text(new QPlainTextEdit(this))
        , m_image(new QLabel)
        , m_scroll(new QScrollArea(this))
        , m_reader(files->read(wishFor(files, path, most())))
    {
        setAttribute(Qt::WA_DeleteOnClose);
        setObjectName(u"filePreview"_s);
        setWindowTitle(shownBytes(path.name()));
        resize(760, 560);
        m_text->setReadOnly(true);
        m_text->setObjectName(u"previewText"_s);
        m_text->setAccessibleName(tr("Content"));
        m_text->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
        m_text->setLineWrapMode(QPlainTextEdit::NoWrap);
        m_image->setAlignment(Qt::AlignCenter);
        m_scroll->setWidget(m_image);
        m_scroll->setWidgetResizable(true);
        m_scroll->hide();
        auto *close = new QPushButton(tr("Close"), this);
        auto *foot = new QHBoxLayout;
        foot->addWidget(m_note, 1);
        foot->addWidget(close);
        auto *layout = new QVBoxLayout(this);
        layout->setContentsMargins(16, 16, 16, 12);
        layout->setSpacing(8);
        QLabel *title = makeTitle(shownBytes(path.name()), this);
        layout->addWidget(title);
        layout->addWidget(m_text, 1);
        layout->addWidget(m_scroll, 1);
        layout->addLayout(foot);
        m_text->setFocus();
        connect(close, &QPushButton::clicked, this, &QDialog::reject);
        connect(m_reader.get(), &FileReader::received, this, [this](const QByteArray &bytes) {
            m_bytes += bytes;
            m_reader->consumed(bytes.size());
            if (quint64(m_bytes.size()) >= most() && m_reader) {
                m_reader->disconnect(this);
                m_reader.release()->deleteLater(); // it is what speaks
                showContent(ReadEnd{});
            }
        });
        connect(m_reader.get(), &FileReader::finished, this, [this, reader = m_reader.get()](const Result<ReadEnd> &end) {
            if (reader == m_reader.get())
                showContent(end);
        });
        m_text->installEventFilter(this);
    }

protected:
    bool eventFilter(QObject *watched, QEvent *event) override
    {
        // The key that opened it closes it.
        if (watched == m_text && event->type() == QEvent::KeyPress && static_cast<QKeyEvent *>(event)->key() == Qt::Key_Space) {
            close();
            return true;
        }
        return QDialog::eventFilter(watched, event);
    }

private:
    // Where no part can be had, the whole is begun and left when there is enough.
    static FileReadWish wishFor(const FileSystem *files, const FilePath &path, quint64 most)
    {
        FileReadWish wish;
        wish.path = path;
        if (files->can(FileAction::ReadPart))
            wish.length = most;
        return wish;
    }
    [[nodiscard]] quint64 most() const { return m_mayBeImage ? kMostImage : kMostText; }

    void showContent(const Result<ReadEnd> &end)
    {
        if (!end) {
            m_note->setText(problemText(end.error()));
            return;
        }
        if (!m_mayBeImage)
            return showText();
        inBackground(this, [bytes = m_bytes] { return imageFrom(bytes); }, [this](const QImage &image) {
            if (image.isNull())
                return showText();
            m_image->setPixmap(QPixmap::fromImage(image));
            m_text->hide();
            m_scroll->show();
            m_note->setText(tr("%1 × %2 · %3").arg(image.width()).arg(image.height()).arg(sizeText(quint64(m_bytes.size()))));
        });
    }

    void showText()
    {
        const bool isWhole = !m_size || quint64(m_bytes.size()) >= *m_size;
        const QByteArray first = m_bytes.left(qsizetype(kMostText));
        const std::optional<QString> text = textFrom(first, isWhole && first.size() == m_bytes.size());
        m_text->setPlainText(text ? *text : hexFrom(m_bytes));
        const qsizetype shown = text ? first.size() : std::min(m_bytes.size(), kMostHex);
        const bool isAll = isWhole && shown == m_bytes.size();
        if (m_bytes.isEmpty())
            m_note->setText(tr("This file is empty."));
        else if (isAll)
            m_note->setText(sizeText(quint64(shown)));
        else
            m_note->setText(tr("The first %1 of %2").arg(sizeText(quint64(shown)), sizeText(std::max(m_size.value_or(0), quint64(m_bytes.size())))));
    }

    std::optional<quint64> m_size;
    bool m_mayBeImage;
    QByteArray m_bytes;
    QLabel *m_note;
    QPlainTextEdit *m_text;
    QLabel *m_image;
    QScrollArea *m_scroll;
    std::unique_ptr<FileReader> m_reader;
};

} // namespace

void showFilePreview(QWidget *parent, FileSystem *files, const FilePath &path, std::optional<quint64> size)
{
    if (files)
        (new PreviewDialog(parent, files, path, size))->show();
}

} // namespace Sandpiper
