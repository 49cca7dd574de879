// The dialog of properties; see ui/filedialogs.h.
#include "ui/filedialogs.h"

#include "ui/dialogkit.h"
#include "ui/filewords.h"

#include <QCheckBox>
#include <QCoreApplication>
#include <QDateTime>
#include <QFormLayout>
#include <QGridLayout>
#include <QLineEdit>
#include <QLocale>
#include <QPointer>
#include <QPushButton>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

class PropertiesDialog : public QDialog
{
    Q_DECLARE_TR_FUNCTIONS(Sandpiper::FileProperties)
public:
    PropertiesDialog(QWidget *parent, FileSystem *files, const QList<FilePath> &paths, const QString &owner, std::function<void()> changed)
        : QDialog(parent)
        , m_files(files)
        , m_paths(paths)
        , m_owner(owner)
        , m_changed(std::move(changed))
        , m_problem(makeText({}, TextTone::Danger, this))
        , m_octal(new QLineEdit(this))
        , m_apply(new QPushButton(tr("Apply"), this))
    {
        setAttribute(Qt::WA_DeleteOnClose);
        setObjectName(u"fileProperties"_s);
        setWindowTitle(tr("Properties"));
        setMinimumWidth(440);
        build();
        look();
    }

private:
    void build()
    {
        auto *layout = new QVBoxLayout(this);
        layout->setContentsMargins(24, 20, 24, 20);
        layout->setSpacing(12);
        layout->addWidget(makeTitle(m_paths.size() == 1 ? shownBytes(m_paths.constFirst().name()) : tr("%L1 files").arg(m_paths.size()), this));
        m_facts = new QFormLayout;
        m_facts->setHorizontalSpacing(16);
        m_facts->setVerticalSpacing(6);
        layout->addLayout(m_facts);

        auto *grid = new QGridLayout;
        grid->setHorizontalSpacing(16);
        grid->setVerticalSpacing(4);
        const QString who[] = {tr("Owner"), tr("Group"), tr("Others")};
        const QString what[] = {tr("Read"), tr("Write"), tr("Execute")};
        for (int column = 0; column < 3; ++column)
            grid->addWidget(makeText(what[column], TextTone::Muted, this), 0, column + 1);
        for (int row = 0; row < 3; ++row) {
            grid->addWidget(makeText(who[row], TextTone::Muted, this), row + 1, 0);
            for (int column = 0; column < 3; ++column)
                addBit(grid, row + 1, column + 1, 0400u >> (row * 3 + column), {}, tr("%1: %2").arg(who[row], what[column]));
        }
        addBit(grid, 1, 4, 04000, tr("Set user ID"), tr("Set user ID"));
        addBit(grid, 2, 4, 02000, tr("Set group ID"), tr("Set group ID"));
        addBit(grid, 3, 4, 01000, tr("Sticky"), tr("Sticky"));
        layout->addLayout(grid);
        auto *octal = new QHBoxLayout;
        m_octal->setObjectName(u"propertiesOctal"_s);
        m_octal->setAccessibleName(tr("Permissions as an octal number"));
        m_octal->setMaximumWidth(90);
        m_octal->setMaxLength(5);
        octal->addWidget(makeText(tr("As a number"), TextTone::Muted, this), 0);
        octal->addWidget(m_octal);
        octal->addStretch(1);
        layout->addLayout(octal);
        m_problem->hide();
        layout->addWidget(m_problem);
        auto *buttons = new QHBoxLayout;
        buttons->addStretch();
        auto *close = new QPushButton(tr("Close"), this);
        m_apply->setObjectName(u"propertiesApply"_s);
        m_apply->setEnabled(false);
        m_apply->setDefault(true);
        buttons->addWidget(close);
        buttons->addWidget(m_apply);
        layout->addLayout(buttons);
        connect(close, &QPushButton::clicked, this, &QDialog::reject);
        connect(m_apply, &QPushButton::clicked, this, [this] { apply(); });
        connect(m_octal, &QLineEdit::textEdited, this, [this](const QString &text) {
            const std::optional<quint32> mode = modeFromOctal(text);
            if (mode)
                setBoxes(*mode);
            m_apply->setEnabled(mode && canSet());
        });
    }

    void addBit(QGridLayout *grid, int row, int column, quint32 bit, const QString &text, const QString &name)
    {
        auto *box = new QCheckBox(text, this);
        box->setAccessibleName(name);
        grid->addWidget(box, row, column);
        m_boxes.append({bit, box});
        connect(box, &QCheckBox::clicked, this, [this] {
            quint32 mode = 0;
            for (const auto &[one, other] : std::as_const(m_boxes))
                mode |= other->isChecked() ? one : 0;
            m_octal->setText(octalText(mode));
            m_apply->setEnabled(canSet());
        });
    }

    void setBoxes(quint32 mode)
    {
        for (const auto &[bit, box] : std::as_const(m_boxes))
            box->setChecked(mode & bit);
    }

    [[nodiscard]] bool canSet() const { return m_files && m_files->can(FileAction::SetMode); }

    void fact(const QString &label, const QString &value)
    {
        if (value.isEmpty())
            return;
        QLabel *text = makeText(value, TextTone::Plain, this);
        text->setTextInteractionFlags(Qt::TextSelectableByMouse);
        m_facts->addRow(makeText(label, TextTone::Muted, this), text);
    }

    void look()
    {
        if (!m_files)
            return;
        const FilePath path = m_paths.constFirst();
        m_files->stat(path, LinkPolicy::NoFollow).then(this, [this, path](const Result<FileAttributes> &found) {
            if (!found)
                return tell(found.error());
            showFacts(path, *found);
        });
    }

    void showFacts(const FilePath &path, const FileAttributes &found)
    {
        if (m_paths.size() == 1) {
            fact(tr("Where"), path.parent().shown());
            fact(tr("Type"), typeWord(found.type()));
            if (found.size && !found.isFolder())
                fact(tr("Size"), tr("%1 (%L2 bytes)").arg(sizeText(*found.size)).arg(*found.size));
            if (found.times)
                fact(tr("Modified"), QLocale().toString(QDateTime::fromSecsSinceEpoch(found.times->modified), QLocale::LongFormat));
            if (found.times)
                fact(tr("Read"), QLocale().toString(QDateTime::fromSecsSinceEpoch(found.times->accessed), QLocale::LongFormat));
            if (found.owner)
                fact(tr("Owner"), tr("%1 (%2:%3)").arg(m_owner).arg(found.owner->user).arg(found.owner->group));
        }
        const quint32 mode = found.mode.value_or(0) & 07777;
        setBoxes(mode);
        m_octal->setText(octalText(mode));
        if (!canSet())
            tellWords(m_files ? m_files->reasonAgainst(FileAction::SetMode) : QString());
        if (found.type() == FileType::Link && m_paths.size() == 1 && m_files) {
            m_files->readLink(path).then(this, [this](const Result<FilePath> &target) {
                if (target)
                    fact(tr("Leads to"), target->shown());
            });
        }
    }

    void apply()
    {
        const std::optional<quint32> mode = modeFromOctal(m_octal->text());
        if (!mode || !m_files || m_left > 0)
            return;
        m_problem->hide();
        m_apply->setEnabled(false);
        m_left = int(m_paths.size());
        FileAttributes wish;
        wish.mode = *mode;
        for (const FilePath &path : std::as_const(m_paths)) {
            m_files->setAttributes(path, wish).then(this, [this](const Done &done) {
                if (!done)
                    tell(done.error());
                if (--m_left > 0)
                    return;
                m_changed();
                if (m_problem->isHidden())
                    accept();
            });
        }
    }

    void tell(const Error &error) { tellWords(problemText(error)); }
    void tellWords(const QString &words)
    {
        m_problem->setText(words);
        m_problem->setVisible(!words.isEmpty());
    }

    QPointer<FileSystem> m_files;
    QList<FilePath> m_paths;
    QString m_owner;
    std::function<void()> m_changed;
    QFormLayout *m_facts = nullptr;
    QLabel *m_problem;
    QLineEdit *m_octal;
    QPushButton *m_apply;
    QList<std::pair<quint32, QCheckBox *>> m_boxes;
    int m_left = 0;
};

} // namespace

void showFileProperties(QWidget *parent, FileSystem *files, const QList<FilePath> &paths, const QString &owner, std::function<void()> changed)
{
    (new PropertiesDialog(parent, files, paths, owner, std::move(changed)))->open();
}

} // namespace Sandpiper
