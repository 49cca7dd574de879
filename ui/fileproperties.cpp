// The dialog of properties; see ui/filedialogs.h.
#include "ui/filedialogs.h"

#include "sftp/treeattributes.h"
#include "ui/dialogkit.h"
#include "ui/filewords.h"
#include "ui/permissionboxes.h"
#include "ui/theme.h"

#include <QCheckBox>
#include <QComboBox>
#include <QCoreApplication>
#include <QDateTimeEdit>
#include <QFormLayout>
#include <QLineEdit>
#include <QLocale>
#include <QPlainTextEdit>
#include <QPointer>
#include <QPushButton>
#include <QRegularExpressionValidator>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

class PropertiesDialog : public QDialog
{
    Q_DECLARE_TR_FUNCTIONS(Sandpiper::FileProperties)
public:
    PropertiesDialog(QWidget *parent, FileSystem *files, const QList<FilePath> &paths, std::function<void()> changed)
        : QDialog(parent)
        , m_files(files)
        , m_paths(paths)
        , m_changed(std::move(changed))
        , m_boxes(new PermissionBoxes(this))
        , m_user(makeNumber(u"propertiesUser"_s, tr("Owner, as a number")))
        , m_group(makeNumber(u"propertiesGroup"_s, tr("Group, as a number")))
        , m_userName(makeText({}, TextTone::Muted, this))
        , m_groupName(makeText({}, TextTone::Muted, this))
        , m_setsTime(new QCheckBox(tr("Set the time"), this))
        , m_time(new QDateTimeEdit(this))
        , m_inside(new QCheckBox(tr("Also for everything in it"), this))
        , m_execute(new QComboBox(this))
        , m_problem(makeText({}, TextTone::Danger, this))
        , m_failures(new QPlainTextEdit(this))
        , m_progress(makeText({}, TextTone::Muted, this))
        , m_close(new QPushButton(tr("Close"), this))
        , m_apply(new QPushButton(tr("Apply"), this))
    {
        setAttribute(Qt::WA_DeleteOnClose);
        setObjectName(u"fileProperties"_s);
        setWindowTitle(tr("Properties"));
        setMinimumWidth(460);
        build();
        look();
    }

private:
    QLineEdit *makeNumber(const QString &name, const QString &spoken)
    {
        auto *edit = new QLineEdit(this);
        edit->setObjectName(name);
        edit->setAccessibleName(spoken);
        edit->setMaximumWidth(110);
        edit->setValidator(new QRegularExpressionValidator(QRegularExpression(u"[0-9]{1,10}"_s), edit));
        connect(edit, &QLineEdit::textEdited, this, [this] { updateApply(); });
        return edit;
    }

    void build()
    {
        auto *layout = new QVBoxLayout(this);
        layout->setContentsMargins(24, 20, 24, 20);
        layout->setSpacing(12);
        layout->addWidget(makeTitle(m_paths.size() == 1 ? shownBytes(m_paths.constFirst().name()).left(200) : tr("%L1 files and folders").arg(m_paths.size()), this));
        m_facts = new QFormLayout;
        m_facts->setHorizontalSpacing(16);
        m_facts->setVerticalSpacing(6);
        layout->addLayout(m_facts);
        layout->addWidget(m_boxes);

        auto *form = new QFormLayout;
        form->setHorizontalSpacing(16);
        form->setVerticalSpacing(8);
        const auto row = [&](const QString &label, QWidget *field, QLabel *name) {
            auto *line = new QHBoxLayout;
            line->addWidget(field);
            line->setSpacing(8);
            line->addWidget(name, 1);
            form->addRow(makeText(label, TextTone::Muted, this), line);
        };
        row(tr("Owner"), m_user, m_userName);
        row(tr("Group"), m_group, m_groupName);
        auto *time = new QHBoxLayout;
        m_setsTime->setObjectName(u"propertiesSetsTime"_s);
        m_time->setObjectName(u"propertiesTime"_s);
        m_time->setAccessibleName(tr("Modified"));
        m_time->setDisplayFormat(u"yyyy-MM-dd HH:mm:ss"_s);
        m_time->setCalendarPopup(true);
        m_time->setFixedHeight(Metrics::rowHeight);
        m_time->setEnabled(false);
        time->addWidget(m_setsTime);
        time->addWidget(m_time);
        time->addStretch(1);
        form->addRow(makeText(tr("Modified"), TextTone::Muted, this), time);
        layout->addLayout(form);

        m_inside->setObjectName(u"propertiesInside"_s);
        m_execute->setObjectName(u"propertiesExecute"_s);
        m_execute->setAccessibleName(tr("Execute, for files in it"));
        using Execute = AttributeChange::Execute;
        m_execute->setMinimumWidth(300);
        m_execute->addItem(tr("Execute: files that have it already"), int(Execute::WhereItIs));
        m_execute->addItem(tr("Execute: files as folders"), int(Execute::AsFolders));
        m_execute->addItem(tr("Execute: files keep theirs"), int(Execute::Leave));
        auto *inside = new QVBoxLayout;
        inside->setSpacing(6);
        inside->addWidget(m_inside);
        auto *indented = new QHBoxLayout;
        indented->setContentsMargins(24, 0, 0, 0);
        indented->addWidget(m_execute);
        indented->addStretch(1);
        inside->addLayout(indented);
        layout->addLayout(inside);
        m_inside->hide();
        m_execute->hide();

        m_failures->setReadOnly(true);
        m_failures->setObjectName(u"propertiesFailures"_s);
        m_failures->setAccessibleName(tr("What could not be changed"));
        m_failures->setLineWrapMode(QPlainTextEdit::NoWrap);
        m_failures->setFixedHeight(96);
        m_problem->setObjectName(u"propertiesProblem"_s);
        for (QWidget *quiet : {static_cast<QWidget *>(m_problem), static_cast<QWidget *>(m_failures)}) {
            quiet->hide();
            layout->addWidget(quiet);
        }
        auto *buttons = new QHBoxLayout;
        buttons->addWidget(m_progress, 1);
        m_apply->setObjectName(u"propertiesApply"_s);
        m_apply->setEnabled(false);
        m_apply->setDefault(true);
        buttons->addWidget(m_close);
        buttons->addWidget(m_apply);
        layout->addLayout(buttons);
        connect(m_close, &QPushButton::clicked, this, [this] { m_work ? stop() : reject(); });
        connect(m_apply, &QPushButton::clicked, this, [this] { apply(); });
        connect(m_boxes, &PermissionBoxes::changed, this, [this] { updateApply(); });
        connect(m_inside, &QCheckBox::toggled, this, [this](bool on) {
            m_execute->setEnabled(on);
            updateApply();
        });
        connect(m_setsTime, &QCheckBox::toggled, this, [this](bool on) {
            m_time->setEnabled(on);
            updateApply();
        });
        m_execute->setEnabled(false);
    }

    void fact(const QString &label, const QString &value)
    {
        if (value.isEmpty())
            return;
        QLabel *text = makeText(value, TextTone::Plain, this);
        text->setTextInteractionFlags(Qt::TextSelectableByMouse);
        m_facts->addRow(makeText(label, TextTone::Muted, this), text);
    }

    // Looking ------------------------------------------------------------------------------------

    void look()
    {
        if (!m_files)
            return;
        m_left = m_paths.size();
        for (const FilePath &path : std::as_const(m_paths)) {
            m_files->stat(path, LinkPolicy::NoFollow).then(this, [this, path](const Result<FileAttributes> &found) {
                if (!found || found->type() != FileType::Link || !m_files)
                    return looked(path, found, found);
                // What is set is set of what it leads to.
                m_files->stat(path).then(this, [this, path, itself = *found](const Result<FileAttributes> &target) { looked(path, itself, target); });
            });
        }
    }

    void looked(const FilePath &path, const Result<FileAttributes> &itself, const Result<FileAttributes> &target)
    {
        if (target)
            m_targets.append({path, itself->isFolder(), *target});
        else
            tellWords(problemText(target.error()));
        if (itself && m_paths.size() == 1)
            showFacts(path, *itself);
        if (--m_left == 0)
            showValues();
    }

    void showFacts(const FilePath &path, const FileAttributes &found)
    {
        fact(tr("Where"), path.parent().shown());
        fact(tr("Type"), typeWord(found.type()));
        if (found.size && !found.isFolder())
            fact(tr("Size"), tr("%1 (%L2 bytes)").arg(sizeText(*found.size)).arg(*found.size));
        if (found.times)
            fact(tr("Modified"), QLocale().toString(QDateTime::fromSecsSinceEpoch(found.times->modified), QLocale::LongFormat));
        if (found.times)
            fact(tr("Read"), QLocale().toString(QDateTime::fromSecsSinceEpoch(found.times->accessed), QLocale::LongFormat));
        if (found.type() == FileType::Link && m_files) {
            m_files->readLink(path).then(this, [this](const Result<FilePath> &target) {
                if (target)
                    fact(tr("Leads to"), target->shown());
            });
        }
    }

    void showValues()
    {
        QList<quint32> modes;
        QList<quint32> users;
        QList<quint32> groups;
        quint64 bytes = 0;
        bool hasFolder = false;
        for (const TreeWork::Target &target : std::as_const(m_targets)) {
            const FileAttributes &found = target.attributes;
            modes.append(found.mode.value_or(0));
            if (found.owner) {
                users.append(found.owner->user);
                groups.append(found.owner->group);
            }
            hasFolder = hasFolder || target.isFolder;
            bytes += target.isFolder ? 0 : found.size.value_or(0);
            if (found.times)
                m_time->setDateTime(QDateTime::fromSecsSinceEpoch(found.times->modified));
        }
        if (m_paths.size() > 1)
            fact(tr("Size"), hasFolder ? tr("%1, without what is in folders").arg(sizeText(bytes)) : sizeText(bytes));
        m_boxes->setModes(modes);
        m_inside->setVisible(hasFolder);
        m_execute->setVisible(hasFolder);
        showNumber(m_user, users);
        showNumber(m_group, groups);
        allow(m_boxes, FileAction::SetMode);
        for (QWidget *field : {m_user, m_group})
            allow(field, FileAction::SetOwner);
        allow(m_setsTime, FileAction::SetTimes);
        if (m_files && !m_files->can(FileAction::SetMode) && m_problem->isHidden())
            tellWords(m_files->reasonAgainst(FileAction::SetMode));
        if (!m_files || users.isEmpty())
            return;
        m_files->ownerNames(users, groups).then(this, [this, user = commonOf(users), group = commonOf(groups)](const Result<OwnerNames> &names) {
            if (names && user)
                m_userName->setText(shownBytes(names->users.value(*user)));
            if (names && group)
                m_groupName->setText(shownBytes(names->groups.value(*group)));
        });
    }

    void allow(QWidget *field, FileAction action)
    {
        const QString reason = m_files ? m_files->reasonAgainst(action) : QString();
        field->setEnabled(reason.isEmpty() && !m_targets.isEmpty());
        field->setToolTip(reason);
    }

    static std::optional<quint32> commonOf(const QList<quint32> &numbers)
    {
        const bool isOne = !numbers.isEmpty() && std::ranges::all_of(numbers, [&](quint32 one) { return one == numbers.constFirst(); });
        return isOne ? std::optional(numbers.constFirst()) : std::nullopt;
    }

    void showNumber(QLineEdit *edit, const QList<quint32> &numbers)
    {
        const std::optional<quint32> common = commonOf(numbers);
        edit->setText(common ? QString::number(*common) : QString());
        edit->setPlaceholderText(common || numbers.isEmpty() ? QString() : tr("differ"));
        edit->setModified(false);
    }

    // Setting ------------------------------------------------------------------------------------

    static std::optional<quint32> numberIn(const QLineEdit *edit)
    {
        bool isNumber = false;
        const quint32 number = edit->text().toUInt(&isNumber);
        // The last one means "as it is" to chown.
        return edit->isModified() && isNumber && number != UINT32_MAX ? std::optional(number) : std::nullopt;
    }

    [[nodiscard]] AttributeChange wanted() const
    {
        AttributeChange change;
        change.user = numberIn(m_user);
        change.group = numberIn(m_group);
        if (m_setsTime->isChecked())
            change.modified = quint32(std::clamp<qint64>(m_time->dateTime().toSecsSinceEpoch(), 0, UINT32_MAX));
        change.execute = AttributeChange::Execute(m_execute->currentData().toInt());
        // Bits that nobody has touched stay; where nothing else is wished for a tree, it is to have what is shown.
        PermissionBoxes::Bits bits = m_boxes->touched();
        const bool isElse = change.user || change.group || change.modified || (bits.set | bits.clear) != 0;
        if (m_inside->isChecked() && !isElse)
            bits = m_boxes->all();
        change.set = bits.set;
        change.clear = bits.clear;
        return change;
    }

    void updateApply()
    {
        const AttributeChange change = wanted();
        const bool isSomething = change.user || change.group || change.modified || (change.set | change.clear) != 0;
        m_apply->setEnabled(isSomething && m_boxes->isValid() && m_files && !m_work && !m_targets.isEmpty());
    }

    void apply()
    {
        if (!m_files || m_work)
            return;
        tellWords({});
        m_failures->hide();
        m_work = std::make_unique<TreeAttributes>(m_files, m_targets, wanted(), m_inside->isChecked() ? TreeAttributes::Reach::Trees : TreeAttributes::Reach::Chosen);
        connect(m_work.get(), &TreeWork::progressed, this, [this](qint64 done) { m_progress->setText(tr("%L1 so far").arg(done)); });
        connect(m_work.get(), &TreeWork::finished, this, [this](const TreeWork::Outcome &outcome) { applied(outcome); });
        m_close->setText(tr("Stop"));
        m_progress->setText(tr("Changing…"));
        updateApply();
        m_work->start();
    }

    void applied(const TreeWork::Outcome &outcome)
    {
        m_work.release()->deleteLater(); // it is what speaks
        if (outcome.failed == 0) {
            m_changed();
            return accept();
        }
        ended(tr("%L1 done, %L2 failed").arg(outcome.done).arg(outcome.failed));
        tellWords(outcome.failed == 1 ? problemText(outcome.errors.constFirst()) : tr("%L1 could not be changed:").arg(outcome.failed));
        QStringList lines;
        for (const Error &error : outcome.errors)
            lines.append(problemText(error));
        m_failures->setPlainText(lines.join(u'\n'));
        m_failures->setVisible(outcome.failed > 1);
    }

    void stop()
    {
        const qint64 done = m_work->outcome().done;
        m_work.reset();
        ended(tr("Stopped after %L1").arg(done));
    }

    void ended(const QString &words)
    {
        m_close->setText(tr("Close"));
        m_progress->setText(words);
        updateApply();
        m_changed();
    }

    void tellWords(const QString &words)
    {
        m_problem->setText(words);
        m_problem->setVisible(!words.isEmpty());
    }

    QPointer<FileSystem> m_files;
    QList<FilePath> m_paths;
    std::function<void()> m_changed;
    QFormLayout *m_facts = nullptr;
    PermissionBoxes *m_boxes;
    QLineEdit *m_user;
    QLineEdit *m_group;
    QLabel *m_userName;
    QLabel *m_groupName;
    QCheckBox *m_setsTime;
    QDateTimeEdit *m_time;
    QCheckBox *m_inside;
    QComboBox *m_execute;
    QLabel *m_problem;
    QPlainTextEdit *m_failures;
    QLabel *m_progress;
    QPushButton *m_close;
    QPushButton *m_apply;
    qsizetype m_left = 0;
    QList<TreeWork::Target> m_targets;
    std::unique_ptr<TreeAttributes> m_work;
};

} // namespace

void showFileProperties(QWidget *parent, FileSystem *files, const QList<FilePath> &paths, std::function<void()> changed)
{
    (new PropertiesDialog(parent, files, paths, std::move(changed)))->open();
}

} // namespace Sandpiper
