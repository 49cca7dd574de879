#include "ui/preferencesdialog.h"

#include "session/background.h"
#include "session/errortext.h"
#include "session/networksetting.h"
#include "session/paths.h"
#include "ui/dialogkit.h"
#include "ui/style.h"
#include "ui/theme.h"

#include <QCheckBox>
#include <QComboBox>
#include <QCoreApplication>
#include <QDir>
#include <QFileDialog>
#include <QFontDatabase>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QScrollArea>
#include <QSpinBox>
#include <QStackedWidget>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int fieldWidth = 300;
constexpr qint64 largestCertificate = 256 << 10;

QString words(const char *text)
{
    return text ? QCoreApplication::translate("Preferences", text) : QString();
}

} // namespace

PreferencesDialog::PreferencesDialog(Preferences *preferences, QWidget *parent)
    : QDialog(parent)
    , m_preferences(preferences)
    , m_list(new QListWidget(this))
    , m_pages(new QStackedWidget(this))
{
    setObjectName(u"preferencesDialog"_s);
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Preferences"));
    m_list->setAccessibleName(tr("Pages"));
    m_list->setFixedWidth(184);
    m_list->setSpacing(1);
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->viewport()->setAutoFillBackground(false);
    const std::pair<SettingPage, QString> pages[] = {
        {SettingPage::Appearance, tr("Appearance")},
        {SettingPage::Terminal, tr("Terminal")},
        {SettingPage::Clipboard, tr("Copy and paste")},
        {SettingPage::Files, tr("Files")},
        {SettingPage::Closing, tr("Closing")},
        {SettingPage::Network, tr("Network")},
        {SettingPage::Notifications, tr("Notifications")},
    };
    for (const auto &[page, title] : pages) {
        auto *item = new QListWidgetItem(title, m_list);
        item->setSizeHint({0, Metrics::rowHeight + 2});
        m_pages->addWidget(makePage(page, title));
    }
    m_list->setCurrentRow(0);
    connect(m_list, &QListWidget::currentRowChanged, m_pages, &QStackedWidget::setCurrentIndex);

    auto *close = new QPushButton(tr("Close"), this);
    close->setDefault(true);
    connect(close, &QPushButton::clicked, this, &QDialog::accept);
    auto *buttons = new QHBoxLayout;
    buttons->setContentsMargins(24, 8, 24, 16);
    buttons->addWidget(makeText(tr("Changes hold at once."), TextTone::Muted, this), 1);
    buttons->addWidget(close);

    auto *right = new QVBoxLayout;
    right->setSpacing(0);
    right->addWidget(m_pages, 1);
    right->addLayout(buttons);
    auto *layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    auto *left = new QWidget(this);
    left->setAutoFillBackground(true);
    left->setBackgroundRole(QPalette::AlternateBase);
    auto *inLeft = new QVBoxLayout(left);
    inLeft->setContentsMargins(8, 16, 8, 8);
    inLeft->addWidget(m_list);
    layout->addWidget(left);
    auto *line = new QFrame(this);
    line->setFixedWidth(1);
    line->setAutoFillBackground(true);
    line->setBackgroundRole(QPalette::Mid);
    layout->addWidget(line);
    layout->addLayout(right, 1);
    resize(740, 620);
}

QWidget *PreferencesDialog::makePage(SettingPage page, const QString &title)
{
    auto *inside = new QWidget(this);
    auto *column = new QVBoxLayout(inside);
    column->setContentsMargins(24, 20, 24, 12);
    column->setSpacing(12);
    column->addWidget(makeTitle(title, inside));
    auto *form = new QFormLayout;
    form->setHorizontalSpacing(24);
    form->setVerticalSpacing(12);
    form->setLabelAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    form->setRowWrapPolicy(QFormLayout::DontWrapRows);
    for (const SettingRow &row : settingRows()) {
        if (row.page != page)
            continue;
        QWidget *field = makeField(row, inside);
        field->setObjectName(QLatin1StringView(row.key));
        auto *cell = new QVBoxLayout;
        cell->setSpacing(2);
        cell->addWidget(field, 0, Qt::AlignLeft);
        if (row.scope == SettingScope::Network) {
            QLabel *problem = makeText({}, TextTone::Danger, inside);
            problem->setObjectName(QLatin1StringView(row.key) + u"/problem"_s);
            cell->addWidget(problem);
            m_problems.insert(row.setting, problem);
            tell(row.setting, {});
        }
        if (row.hint) {
            QLabel *hint = makeText(words(row.hint), TextTone::Muted, inside);
            if (row.kind == SettingKind::Switch)
                hint->setContentsMargins(24, 0, 0, 0);
            cell->addWidget(hint);
        }
        if (row.kind == SettingKind::Switch) {
            form->addRow(cell);
        } else {
            field->setAccessibleName(words(row.label));
            auto *label = new QLabel(words(row.label), inside);
            label->setFixedHeight(Metrics::rowHeight);
            label->setBuddy(field);
            form->addRow(label, cell);
            if (row.needs) {
                const auto enable = [this, field, label, setting = row.setting] {
                    field->setEnabled(m_preferences->isOfUse(setting));
                    label->setEnabled(field->isEnabled());
                    tell(setting, {});
                };
                enable();
                connect(m_preferences, &Preferences::changed, field, [enable, needs = row.needs->setting](Setting changed) {
                    if (changed == needs)
                        enable();
                });
            }
        }
    }
    column->addLayout(form);
    column->addSpacing(8);
    auto *reset = new QPushButton(tr("Reset this page"), inside);
    reset->setAutoDefault(false);
    setQuiet(reset);
    connect(reset, &QPushButton::clicked, this, [this, page] { m_preferences->resetPage(page); });
    column->addWidget(reset, 0, Qt::AlignLeft);
    column->addStretch();
    auto *scroll = new QScrollArea(this);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidget(inside);
    return scroll;
}

QWidget *PreferencesDialog::makeField(const SettingRow &row, QWidget *parent)
{
    const Setting setting = row.setting;
    switch (row.kind) {
    case SettingKind::Switch: {
        auto *box = new QCheckBox(words(row.label), parent);
        box->setChecked(m_preferences->isOn(setting));
        connect(box, &QCheckBox::toggled, this, [this, setting](bool on) { m_preferences->set(setting, on); });
        connect(m_preferences, &Preferences::changed, box, [this, box, setting](Setting changed) {
            if (changed == setting)
                box->setChecked(m_preferences->isOn(setting));
        });
        return box;
    }
    case SettingKind::Number: {
        auto *box = new QSpinBox(parent);
        box->setRange(row.minimum, row.maximum);
        box->setSuffix(words(row.unit));
        box->setGroupSeparatorShown(true);
        box->setMinimumWidth(140);
        box->setSingleStep(row.maximum > 1000 ? 1000 : 1);
        box->setKeyboardTracking(false);
        box->setValue(m_preferences->number(setting));
        connect(box, &QSpinBox::valueChanged, this, [this, setting](int value) { m_preferences->set(setting, value); });
        connect(m_preferences, &Preferences::changed, box, [this, box, setting](Setting changed) {
            if (changed == setting)
                box->setValue(m_preferences->number(setting));
        });
        return box;
    }
    case SettingKind::Choice:
    case SettingKind::Font: {
        auto *box = new QComboBox(parent);
        box->setMinimumWidth(220);
        box->setMaxVisibleItems(16);
        box->view()->setTextElideMode(Qt::ElideRight);
        for (const SettingOption &option : row.options)
            box->addItem(words(option.label), option.value);
        if (setting == Setting::TerminalScheme) {
            for (const QString &scheme : TerminalView::colorSchemes())
                box->addItem(scheme, scheme);
        }
        if (row.kind == SettingKind::Font) {
            box->addItem(tr("The best one installed"), QString());
            for (const QString &family : QFontDatabase::families()) {
                if (QFontDatabase::isFixedPitch(family) && !QFontDatabase::isPrivateFamily(family))
                    box->addItem(family, family);
            }
        }
        const auto show = [this, box, setting] {
            box->setCurrentIndex(qMax(0, box->findData(m_preferences->text(setting))));
        };
        show();
        connect(box, &QComboBox::activated, this, [this, box, setting] { m_preferences->set(setting, box->currentData()); });
        connect(m_preferences, &Preferences::changed, box, [show, setting](Setting changed) {
            if (changed == setting)
                show();
        });
        return box;
    }
    case SettingKind::Text:
    case SettingKind::Password:
        return makeTextField(row, parent);
    case SettingKind::Certificate:
        return makeCertificateField(row, parent);
    case SettingKind::Stored:
        break;
    }
    Q_UNREACHABLE_RETURN(new QWidget(parent));
}

QWidget *PreferencesDialog::makeTextField(const SettingRow &row, QWidget *parent)
{
    const Setting setting = row.setting;
    const bool isPassword = row.kind == SettingKind::Password;
    auto *edit = new QLineEdit(parent);
    edit->setMinimumWidth(fieldWidth);
    edit->setMaxLength(4096);
    if (isPassword)
        edit->setEchoMode(QLineEdit::Password);
    const auto show = [this, edit, setting, isPassword] {
        if (isPassword) {
            edit->clear();
            edit->setPlaceholderText(m_preferences->isOn(setting) ? tr("Kept in the keychain") : QString());
        } else {
            edit->setText(m_preferences->text(setting));
            edit->setCursorPosition(0);
        }
        edit->setModified(false);
    };
    show();
    connect(edit, &QLineEdit::editingFinished, this, [this, edit, setting] {
        if (!edit->isModified())
            return;
        edit->setModified(false); // what is wrong stays to be mended, and is told once
        change(setting, edit->text());
    });
    connect(m_preferences, &Preferences::changed, edit, [this, show, edit, setting](Setting changed) {
        if (changed != setting || edit->isModified())
            return;
        show();
        tell(setting, {});
    });
    return edit;
}

QWidget *PreferencesDialog::makeCertificateField(const SettingRow &row, QWidget *parent)
{
    const Setting setting = row.setting;
    auto *field = new QWidget(parent);
    auto *name = new QLabel(field);
    name->setTextFormat(Qt::PlainText);
    name->setObjectName(u"authorityName"_s);
    name->setWordWrap(true);
    name->setMinimumHeight(Metrics::rowHeight);
    auto *choose = new QPushButton(tr("Choose a file…"), field);
    auto *remove = new QPushButton(tr("Remove"), field);
    for (QPushButton *button : {choose, remove})
        button->setAutoDefault(false);
    setQuiet(remove);
    auto *buttons = new QHBoxLayout;
    buttons->addWidget(choose);
    buttons->addWidget(remove);
    buttons->addStretch();
    auto *column = new QVBoxLayout(field);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(4);
    column->addWidget(name);
    column->addLayout(buttons);
    field->setMinimumWidth(fieldWidth);
    field->setFocusProxy(choose);
    const auto show = [this, name, remove, setting] {
        const QString authority = nameOfAuthority(m_preferences->value(setting).toByteArray());
        name->setText(authority.isEmpty() ? tr("None") : authority);
        remove->setVisible(!authority.isEmpty());
    };
    show();
    connect(choose, &QPushButton::clicked, this, [this, setting] { chooseCertificate(setting); });
    connect(remove, &QPushButton::clicked, this, [this, setting] { change(setting, QByteArray()); });
    connect(m_preferences, &Preferences::changed, field, [this, show, setting](Setting changed) {
        if (changed != setting)
            return;
        show();
        tell(setting, {});
    });
    return field;
}

void PreferencesDialog::chooseCertificate(Setting setting)
{
    auto *dialog = new QFileDialog(this, tr("Choose a certificate"), QDir::homePath(),
                                   tr("Certificates (*.pem *.crt *.cer);;All files (*)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    connect(dialog, &QFileDialog::fileSelected, this, [this, setting](const QString &file) {
        inBackground(this, [file] { return readFile(file, largestCertificate); }, [this, setting](const Result<QByteArray> &pem) {
            if (pem)
                change(setting, *pem);
            else
                tell(setting, errorText(pem.error()).sentence);
        });
    });
    dialog->open();
}

void PreferencesDialog::change(Setting setting, const QVariant &value)
{
    tell(setting, m_preferences->change(setting, value));
}

void PreferencesDialog::tell(Setting setting, const QString &problem)
{
    QLabel *label = m_problems.value(setting);
    if (!label)
        return;
    const QString text = problem.isEmpty() ? m_preferences->problemWith(setting) : problem;
    label->setText(text);
    label->setVisible(!text.isEmpty());
}

void PreferencesDialog::keyPressEvent(QKeyEvent *event)
{
    // What is wrong with what was typed must be seen: Enter takes it and closes nothing.
    const bool isEnter = event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter;
    if (!isEnter || !qobject_cast<QLineEdit *>(focusWidget()))
        QDialog::keyPressEvent(event);
}

} // namespace Sandpiper
