#include "app/cli/commands.h"
#include "app/cli/json.h"
#include "app/cli/output.h"
#include "session/paths.h"

#include <QJsonArray>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

void LsCommand::start(const QStringList &arguments)
{
    QCommandLineParser parser;
    parser.addOptions({{u"json"_s, u"One JSON document."_s},
                       {u"account"_s, u"Only this one."_s, u"ACCOUNT"_s},
                       {u"all"_s, u"Terminated ones too."_s},
                       {u"label"_s, u"Only those with this label; more than one: with all of them."_s, u"LABEL"_s}});
    if (!parse(parser, u"ls"_s, arguments))
        return;
    if (!parser.positionalArguments().isEmpty())
        return usage(u"ls takes no arguments, but --account, --all and --label"_s);
    m_json = parser.isSet(u"json"_s);
    m_all = parser.isSet(u"all"_s);
    for (const QString &label : parser.values(u"label"_s)) {
        const QStringList read = labelsFromText(label);
        if (read.size() != 1 || !checkAnnotation({false, {}, read, {}}))
            return usage(u"--label must be one label, such as prod"_s);
        m_labels += read;
    }
    if (m_json || !m_labels.isEmpty()) {
        m_annotations = std::make_unique<Annotations>(configFolder() + u"/annotations.json"_s);
        if (const std::optional<Error> error = m_annotations->loadError())
            sayError(*error);
    }
    const QString account = parser.value(u"account"_s);
    directory()->load(Directory::Gateway::FindOnly).then(this, [this, account] {
        ask(account, m_all ? SandboxProvider::ListScope::WithHistory : SandboxProvider::ListScope::Live);
    });
}

void LsCommand::ask(const QString &account, SandboxProvider::ListScope scope)
{
    if (!account.isEmpty()) {
        if (const auto entry = directory()->entry(account); !entry)
            return fail(entry.error());
    }
    m_waiting = 1;
    for (const auto &entry : directory()->entries()) {
        if (!account.isEmpty() && account != entry->account.name && account != entry->account.id)
            continue;
        if (!entry->provider) {
            // A gateway that does not run is the ordinary state of things, not a failure.
            if (entry->error.kind != ErrorKind::NotFound || !account.isEmpty()) {
                sayError(entry->error);
                m_failed = true;
            }
            continue;
        }
        ++m_waiting;
        entry->provider->list(scope).then(this, [this, name = entry->account.name](const Result<QList<Sandbox>> &sandboxes) {
            if (!sandboxes) {
                sayError(sandboxes.error());
                m_failed = true;
            } else {
                for (const Sandbox &sandbox : *sandboxes) {
                    const Annotation annotation = m_annotations ? m_annotations->of(sandbox.id) : Annotation();
                    if (std::ranges::all_of(m_labels, [&annotation](const QString &label) { return annotation.hasLabel(label); }))
                        m_rows << Row{name, sandbox, annotation};
                }
            }
            show();
        });
    }
    show();
}

void LsCommand::show()
{
    if (--m_waiting > 0)
        return;
    std::stable_sort(m_rows.begin(), m_rows.end(), [](const Row &a, const Row &b) { return a.account < b.account; });
    if (m_json) {
        QJsonArray array;
        for (const Row &row : m_rows)
            array << sandboxJson(row.account, row.sandbox, row.annotation);
        printJson(QJsonDocument(array));
    } else if (!m_rows.isEmpty()) {
        QList<QStringList> rows;
        for (const Row &row : m_rows)
            rows << QStringList{row.account, row.sandbox.name.isEmpty() ? u"–"_s : row.sandbox.name, row.sandbox.id.id,
                                row.sandbox.stateText, row.sandbox.createdAt.toLocalTime().toString(u"yyyy-MM-dd HH:mm"_s)};
        printTable({u"ACCOUNT"_s, u"NAME"_s, u"ID"_s, u"STATUS"_s, u"CREATED"_s}, rows);
    } else if (!m_failed && !m_labels.isEmpty()) {
        say(u"no sandbox has the label %1"_s.arg(m_labels.join(u" and "_s)));
    } else if (!m_failed) {
        say(u"no sandboxes; 'sandpiper-cli create NAME' makes one"_s);
    }
    finishLater(m_failed ? ExitFailed : ExitOk);
}

} // namespace Sandpiper
