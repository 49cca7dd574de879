#include "ui/logdrawer.h"

#include "ui/dialogkit.h"

#include <QClipboard>
#include <QFontDatabase>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QToolButton>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int linesKept = 5000;

} // namespace

LogDrawer::LogDrawer(QWidget *parent)
    : QWidget(parent)
    , m_lines(new QPlainTextEdit(this))
{
    setObjectName(u"logDrawer"_s);
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::AlternateBase);
    m_lines->setReadOnly(true);
    m_lines->setMaximumBlockCount(linesKept);
    m_lines->setFrameShape(QFrame::NoFrame);
    m_lines->setLineWrapMode(QPlainTextEdit::NoWrap);
    m_lines->setAccessibleName(tr("Log"));
    m_lines->setPlaceholderText(tr("What connections do is written here."));
    m_lines->viewport()->setAutoFillBackground(false);
    m_lines->document()->setDocumentMargin(10);
    m_lines->setTabChangesFocus(true);
    QFont font = QFontDatabase::systemFont(QFontDatabase::FixedFont);
    font.setFamilies({u"JetBrains Mono"_s, font.family()});
    font.setPixelSize(qMax(9, this->font().pixelSize() - 1));
    m_lines->setFont(font);

    QToolButton *copy = makeToolButton(IconName::Copy, tr("Copy the log"), this);
    QToolButton *clear = makeToolButton(IconName::Remove, tr("Empty the log"), this);
    QToolButton *close = makeToolButton(IconName::Close, tr("Close the log"), this);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(makePanelHead(tr("Log"), {copy, clear, close}, this));
    layout->addWidget(m_lines, 1);
    connect(copy, &QToolButton::clicked, this, [this] { QGuiApplication::clipboard()->setText(text()); });
    connect(clear, &QToolButton::clicked, m_lines, &QPlainTextEdit::clear);
    connect(close, &QToolButton::clicked, this, &LogDrawer::closeWanted);
}

void LogDrawer::append(const QString &line)
{
    m_lines->appendPlainText(line);
}

QString LogDrawer::text() const
{
    return m_lines->toPlainText();
}

} // namespace Sandpiper
