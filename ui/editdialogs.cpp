#include "ui/editdialogs.h"

#include "session/background.h"
#include "sftp/textdiff.h"
#include "ui/dialogkit.h"
#include "ui/filewords.h"
#include "ui/theme.h"

#include <QCoreApplication>
#include <QEvent>
#include <QFontDatabase>
#include <QHBoxLayout>
#include <QPlainTextEdit>
#include <QPointer>
#include <QPushButton>
#include <QTextCursor>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

// More than anybody reads, and as much as is laid out at once without being felt.
constexpr qsizetype kMostLines = 4000;

class DifferenceDialog : public QDialog
{
    Q_DECLARE_TR_FUNCTIONS(Sandpiper::EditDifference)
public:
    DifferenceDialog(QWidget *parent, FileEdits *edits, const QString &id)
        : QDialog(parent)
        , m_edits(edits)
        , m_id(id)
        , m_sandbox(tamed(session()->record().sandboxName, 60))
        , m_note(makeText(tr("Comparing…"), TextTone::Muted, this))
        , m_text(new QPlainTextEdit(this))
    {
        setAttribute(Qt::WA_DeleteOnClose);
        setObjectName(u"editDifference"_s);
        const QString name = shownBytes(session()->record().path.name()).left(160);
        setWindowTitle(name);
        resize(820, 560);
        const EditStatus &status = session()->status();
        m_isConflict = status.state == EditState::Conflict;
        auto *layout = new QVBoxLayout(this);
        layout->setContentsMargins(24, 20, 24, 16);
        layout->setSpacing(8);
        layout->addWidget(makeTitle(!m_isConflict ? tr("“%1” here and on “%2”").arg(name, m_sandbox)
                                            : status.isGoneThere ? tr("“%1” was removed on “%2” while you edited it").arg(name, m_sandbox)
                                                                 : tr("“%1” has changed on “%2” while you edited it").arg(name, m_sandbox),
                                    this));
        layout->addWidget(makeText(tr("− is there, + is what you saved here."), TextTone::Muted, this));
        m_text->setReadOnly(true);
        m_text->setObjectName(u"differenceText"_s);
        m_text->setAccessibleName(tr("Differences"));
        m_text->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
        m_text->setLineWrapMode(QPlainTextEdit::NoWrap);
        layout->addWidget(m_text, 1);
        layout->addWidget(m_note);
        layout->addSpacing(4);
        auto *buttons = new QHBoxLayout;
        buttons->addStretch();
        auto *close = new QPushButton(m_isConflict ? tr("Decide later") : tr("Close"), this);
        connect(close, &QPushButton::clicked, this, &QDialog::reject);
        close->setAutoDefault(!m_isConflict);
        buttons->addWidget(close);
        if (m_isConflict)
            addChoices(buttons, status);
        layout->addLayout(buttons);
        m_text->setFocus();
        connect(edits, &FileEdits::changed, this, [this](const QString &which) {
            // Decided elsewhere: the question is none any more.
            if (which == m_id && m_isConflict && session()->status().state != EditState::Conflict)
                close_();
        });
        connect(edits, &FileEdits::removed, this, [this](const QString &which) {
            if (which == m_id)
                close_();
        });
        session()->compare().then(this, [this](const Result<EditDifference> &both) { compared(both); });
    }

protected:
    void changeEvent(QEvent *event) override
    {
        QDialog::changeEvent(event);
        if (event->type() == QEvent::PaletteChange && !m_diff.lines.isEmpty())
            showLines();
    }

private:
    [[nodiscard]] EditSession *session() const { return m_edits->session(m_id); }
    void close_() { QDialog::reject(); }

    void addChoices(QHBoxLayout *buttons, const EditStatus &status)
    {
        const auto add = [&](const QString &text, const QString &name, void (EditSession::*way)()) {
            auto *button = new QPushButton(text, this);
            button->setObjectName(name);
            button->setAutoDefault(false);
            buttons->addWidget(button);
            connect(button, &QPushButton::clicked, this, [this, way] {
                if (m_edits && session())
                    (session()->*way)();
                close_();
            });
            return button;
        };
        if (status.isGoneThere) {
            (void)add(tr("Put it back there"), u"editOverwrite"_s, &EditSession::overwrite);
            return;
        }
        (void)add(tr("Take theirs, drop mine"), u"editTake"_s, &EditSession::takeTheirs);
        (void)add(tr("Overwrite theirs"), u"editOverwrite"_s, &EditSession::overwrite);
        add(tr("Keep both"), u"editBoth"_s, &EditSession::keepBoth)->setDefault(true); // nothing is lost by it
    }

    void compared(const Result<EditDifference> &both)
    {
        if (!both) {
            m_note->setText(both.error().kind == ErrorKind::TooLarge ? tr("It is too large to be compared here.") : problemText(both.error()));
            return;
        }
        m_sizes = tr("%1 there, %2 here").arg(both->isGoneThere ? tr("nothing") : sizeText(quint64(both->theirs.size())), sizeText(quint64(both->mine.size())));
        inBackground(this, [both = *both] { return textDiff(both.theirs, both.mine); }, [this, isSame = both->theirs == both->mine && !both->isGoneThere](const TextDiff &diff) {
            m_diff = diff;
            if (isSame)
                m_note->setText(tr("Both are the same."));
            else if (diff.isBinary)
                m_note->setText(tr("These are bytes, not text: %1.").arg(m_sizes));
            else
                showLines();
        });
    }

    void showLines()
    {
        const ThemeColors &colors = themeColors();
        m_text->clear();
        QTextCursor cursor(m_text->document());
        cursor.beginEditBlock();
        const qsizetype count = std::min(m_diff.lines.size(), kMostLines);
        for (const DiffLine &line : m_diff.lines.first(count)) {
            QTextCharFormat format;
            QString mark = u"  "_s;
            switch (line.kind) {
            case DiffLine::Kind::Same: format.setForeground(colors.text); break;
            case DiffLine::Kind::Gone:
                format.setForeground(colors.danger);
                mark = u"− "_s;
                break;
            case DiffLine::Kind::New:
                format.setForeground(colors.running);
                mark = u"+ "_s;
                break;
            case DiffLine::Kind::Place:
                format.setForeground(colors.muted);
                mark.clear();
                break;
            }
            cursor.insertText((cursor.position() > 0 ? u"\n"_s : QString()) + mark + line.text.left(2000), format);
        }
        cursor.endEditBlock();
        m_text->moveCursor(QTextCursor::Start);
        m_note->setText(count < m_diff.lines.size() ? tr("%L1 lines gone, %L2 new; the first %L3 are shown. %4.").arg(m_diff.gone).arg(m_diff.added).arg(count).arg(m_sizes)
                                                   : tr("%L1 gone, %L2 new · %3").arg(m_diff.gone).arg(m_diff.added).arg(m_sizes));
    }

    QPointer<FileEdits> m_edits;
    QString m_id;
    QString m_sandbox;
    QString m_sizes;
    QLabel *m_note;
    QPlainTextEdit *m_text;
    TextDiff m_diff;
    bool m_isConflict = false;
};

} // namespace

void showEditDifference(QWidget *parent, FileEdits *edits, const QString &id)
{
    if (edits && edits->session(id))
        (new DifferenceDialog(parent, edits, id))->open();
}

} // namespace Sandpiper
