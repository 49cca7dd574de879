#include "app/cli/transferparts.h"

#include "app/cli/fsparts.h"
#include "session/comeback.h"
#include "session/errortext.h"
#include "session/sshlink.h"
#include "sftp/sftpfilesystem.h"
#include "sftp/vendorfilesystem.h"

#include <QDir>
#include <QFile>
#include <QJsonObject>
#include <QLocale>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr quint64 kMostRate = quint64(1) << 40; // a TiB each second

void whenItRuns(const Target &target, QObject *context, const std::function<void(const Result<Sandbox> &)> &then)
{
    const auto decide = [then](const Result<Sandbox> &found) {
        const Decision decision = afterFinding(found);
        then(decision.move == NextMove::Connect ? found : Result<Sandbox>(std::unexpected(decision.error)));
    };
    if (!target.provider)
        QMetaObject::invokeMethod(context, [decide, sandbox = target.sandbox] { decide(sandbox); }, Qt::QueuedConnection);
    else
        target.provider->find(target.sandbox.id.id).then(context, decide);
}

} // namespace

QString fileSizeText(quint64 bytes)
{
    return QLocale::c().formattedDataSize(qint64(bytes), 1, QLocale::DataSizeIecFormat);
}

CliResult<quint64> parseRate(const QString &text)
{
    static const QString units = u"KMG"_s;
    QString digits = text;
    int shift = 0;
    if (const qsizetype unit = text.isEmpty() ? -1 : units.indexOf(text.back().toUpper()); unit >= 0) {
        shift = 10 * int(unit + 1);
        digits.chop(1);
    }
    bool isNumber = false;
    const quint64 number = digits.toULongLong(&isNumber);
    if (!isNumber || number == 0 || number > kMostRate >> shift)
        return mistyped(u"--limit takes a number of bytes, also as 500K, 20M or 1G"_s);
    return number << shift;
}

CliResult<FilePath> parseLocalPath(const QByteArray &text)
{
    const QByteArray absolute = text.startsWith('/') ? text : QFile::encodeName(QDir::currentPath()) + '/' + text;
    const Result<FilePath> path = FilePath::fromBytes(absolute);
    if (text.isEmpty() || !path)
        return mistyped(u"a path here must not be empty"_s);
    return *path;
}

std::optional<Error> reasonAgainstSftp(const Target &target)
{
    const Sandbox &sandbox = target.sandbox;
    if (!sandbox.ssh)
        return Error{ErrorKind::Unsupported, Layer::Sftp, sandbox.capabilities.reasonAgainst(Capability::Sftp), sandbox.displayName()};
    if (target.signIn.choice.withoutSftp)
        return Error{ErrorKind::Unsupported, Layer::Sftp, u"SFTP is switched off for it in “Log in as…”"_s, sandbox.displayName()};
    return std::nullopt;
}

std::optional<Error> reasonAgainstFiles(const Target &target)
{
    const bool hasVendors = !target.sandbox.ssh && target.provider && target.provider->makeFiles(target.sandbox);
    return hasVendors ? std::nullopt : reasonAgainstSftp(target);
}

TransferLinkMaker linkMakerFor(const Target &target, PromptHandler *prompts)
{
    return [target, prompts](const SandboxId &, QObject *context, std::function<void(Result<std::unique_ptr<SshLink>>)> then) {
        whenItRuns(target, context, [target, prompts, then](const Result<Sandbox> &found) {
            if (!found)
                return then(std::unexpected(found.error()));
            if (!found->ssh)
                return then(failure(ErrorKind::Unsupported, Layer::Sftp, {}, found->displayName()));
            then(std::make_unique<SshLink>(linkOptionsFor(*found, target.signIn), prompts));
        });
    };
}

void openFiles(const Target &target, PromptHandler *prompts, QObject *context, std::function<void(Result<OpenedFiles>)> then)
{
    whenItRuns(target, context, [target, prompts, then](const Result<Sandbox> &found) {
        if (!found)
            return then(std::unexpected(found.error()));
        OpenedFiles opened;
        if (found->ssh) {
            opened.link = std::make_unique<SshLink>(linkOptionsFor(*found, target.signIn), prompts);
            opened.files = std::make_unique<SftpFileSystem>(opened.link.get(), found->displayName());
        } else if (std::unique_ptr<VendorFiles> files = target.provider ? target.provider->makeFiles(*found) : nullptr) {
            opened.files = std::make_unique<VendorFileSystem>(std::move(files), found->displayName());
        } else {
            return then(failure(ErrorKind::Unsupported, Layer::Sftp, found->capabilities.reasonAgainst(Capability::Sftp), found->displayName()));
        }
        then(std::move(opened));
    });
}

QString progressLine(const TransferProgress &progress)
{
    if (progress.isVerifying)
        return u"Comparing: %1 of %2 files are the same"_s.arg(progress.filesVerified).arg(progress.filesMoved);
    const QString part = progress.isScanned && progress.bytes > 0 ? u"%1 %  "_s.arg(int(100.0 * double(progress.bytesMoved) / double(progress.bytes)), 3) : QString();
    const QString left = progress.isScanned && progress.bytesPerSecond > 1
            ? u", %1 s left"_s.arg(qint64(double(progress.bytes - std::min(progress.bytes, progress.bytesMoved)) / progress.bytesPerSecond) + 1)
            : QString();
    return u"%1%2 of %3 files, %4 of %5, %6/s%7"_s.arg(part)
            .arg(progress.filesMoved)
            .arg(progress.files)
            .arg(fileSizeText(progress.bytesMoved), fileSizeText(progress.bytes), fileSizeText(quint64(progress.bytesPerSecond)), left);
}

QJsonArray failuresJson(const QList<TransferFailure> &failures)
{
    QJsonArray array;
    for (const TransferFailure &failure : failures) {
        QJsonObject one{{u"error"_s, errorText(failure.error).sentence}, {u"kind"_s, nameOf(failure.error.kind)}};
        addFsBytes(one, u"path"_s, failure.path.bytes());
        array.append(one);
    }
    return array;
}

} // namespace Sandpiper
