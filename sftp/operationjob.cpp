// Operations of one answer: mostly one request, a second one where the first leaves a question open.
#include "session/sshmessages.h"
#include "session/sshwire.h"
#include "sftp/sftpjob.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

QString subjectOf(const SftpOperation &operation)
{
    return std::visit(Overloaded{
                              [](const SftpDo::Rename &wish) { return wish.from.shown(); },
                              [](const SftpDo::HomeFolder &wish) { return shownBytes(wish.user); },
                              [](const SftpDo::Symlink &wish) { return wish.link.shown(); },
                              [](const SftpDo::Hardlink &wish) { return wish.link.shown(); },
                              [](const SftpDo::Copy &wish) { return wish.from.shown(); },
                              [](const SftpDo::OwnerNames &) { return QString(); },
                              [](const auto &wish) { return wish.path.shown(); },
                      },
                      operation);
}

SftpRequest extended(SftpExtension extension)
{
    SftpRequest request(SftpType::Extended);
    request.string(nameOf(extension));
    return request;
}

class OperationJob : public SftpJob
{
public:
    OperationJob(SftpJobHost &host, int id, const SftpOperation &operation)
        : SftpJob(host, id, subjectOf(operation))
        , m_operation(operation)
    {
    }

    void start() override
    {
        std::visit([this](const auto &wish) { run(wish); }, m_operation);
    }

private:
    // True where it is offered; else the operation has ended with that.
    [[nodiscard]] bool needs(SftpExtension extension)
    {
        if (server().has(extension))
            return true;
        fail({ErrorKind::Unsupported, Layer::Sftp, u"the server does not offer %1"_s.arg(QString::fromLatin1(nameOf(extension))), {}});
        return false;
    }

    // The other way, where a server offers what it then does not know.
    [[nodiscard]] bool isMissing(SftpExtension extension, const Result<SftpReply> &reply)
    {
        const auto *status = reply ? std::get_if<SftpStatus>(&reply->body) : nullptr;
        if (!status || !status->is(SftpStatusCode::Unsupported))
            return false;
        host().protocol().withdraw(extension);
        return true;
    }

    void askDone(SftpRequest request)
    {
        ask(std::move(request), [this](const Result<SftpReply> &reply) { endWith(reply); });
    }

    void endWith(const Result<SftpReply> &reply)
    {
        const Done done = expectOk(reply);
        done ? end(SftpValue()) : fail(done.error());
    }

    void askNew(SftpRequest request, const FilePath &path)
    {
        ask(std::move(request), [this, path](const Result<SftpReply> &reply) {
            const Done done = expectOk(reply);
            done ? end(SftpValue()) : failNew(done.error(), path);
        });
    }

    void askPath(SftpRequest request)
    {
        ask(std::move(request), [this](const Result<SftpReply> &reply) {
            const Result<QList<FileEntry>> names = expect<QList<FileEntry>>(reply);
            if (!names)
                return fail(names.error());
            if (names->isEmpty())
                return fail({ErrorKind::Protocol, Layer::Sftp, u"an answer without a path"_s, {}});
            const Result<FilePath> path = FilePath::fromBytes(names->constFirst().name);
            if (!path)
                return fail({ErrorKind::Protocol, Layer::Sftp, u"an answer with a path that cannot be: "_s + path.error().detail, {}});
            end(SftpValue(*path));
        });
    }

    void run(const SftpDo::Stat &wish)
    {
        SftpRequest request(wish.links == LinkPolicy::Follow ? SftpType::Stat : SftpType::Lstat);
        request.string(wish.path.onTheWire());
        ask(std::move(request), [this](const Result<SftpReply> &reply) {
            const Result<FileAttributes> found = expect<FileAttributes>(reply);
            found ? end(SftpValue(*found)) : fail(found.error());
        });
    }

    void run(const SftpDo::Set &wish)
    {
        if (wish.links == LinkPolicy::Follow)
            return askDone(std::move(SftpRequest(SftpType::Setstat).string(wish.path.onTheWire()).attributes(wish.attributes)));
        if (needs(SftpExtension::Lsetstat))
            askDone(std::move(extended(SftpExtension::Lsetstat).string(wish.path.onTheWire()).attributes(wish.attributes)));
    }

    void run(const SftpDo::MakeFolder &wish)
    {
        FileAttributes attributes;
        attributes.mode = wish.mode;
        askNew(std::move(SftpRequest(SftpType::Mkdir).string(wish.path.onTheWire()).attributes(attributes)), wish.path);
    }

    void run(const SftpDo::RemoveFile &wish) { askDone(std::move(SftpRequest(SftpType::Remove).string(wish.path.onTheWire()))); }
    void run(const SftpDo::RemoveFolder &wish) { askDone(std::move(SftpRequest(SftpType::Rmdir).string(wish.path.onTheWire()))); }

    void run(const SftpDo::Rename &wish)
    {
        if (wish.policy == RenamePolicy::Keep || !server().has(SftpExtension::PosixRename))
            return plainRename(wish);
        ask(std::move(extended(SftpExtension::PosixRename).string(wish.from.onTheWire()).string(wish.to.onTheWire())),
            [this, wish](const Result<SftpReply> &reply) { isMissing(SftpExtension::PosixRename, reply) ? plainRename(wish) : endWith(reply); });
    }

    // Where nothing may be replaced it is looked at first: some servers replace with it, and do not say so.
    void plainRename(const SftpDo::Rename &wish)
    {
        if (wish.policy == RenamePolicy::Replace)
            return askRename(wish);
        askWhetherThere(wish.to, [this, wish](const Result<bool> &there) {
            if (!there)
                return fail(there.error());
            *there ? fail({ErrorKind::Conflict, Layer::Sftp, {}, wish.to.shown()}) : askRename(wish);
        });
    }

    // Removing what is there first would leave a moment in which neither is.
    void askRename(const SftpDo::Rename &wish)
    {
        askNew(std::move(SftpRequest(SftpType::Rename).string(wish.from.onTheWire()).string(wish.to.onTheWire())), wish.to);
    }

    void run(const SftpDo::RealPath &wish) { askPath(std::move(SftpRequest(SftpType::Realpath).string(wish.path.onTheWire()))); }
    void run(const SftpDo::ReadLink &wish) { askPath(std::move(SftpRequest(SftpType::Readlink).string(wish.path.onTheWire()))); }

    void run(const SftpDo::ExpandPath &wish)
    {
        if (needs(SftpExtension::ExpandPath))
            askPath(std::move(extended(SftpExtension::ExpandPath).string(wish.path.onTheWire())));
    }

    void run(const SftpDo::HomeFolder &wish)
    {
        // That of whoever is logged in is where relative paths begin.
        if (wish.user.isEmpty() && !server().has(SftpExtension::HomeDirectory))
            return askPath(std::move(SftpRequest(SftpType::Realpath).string(".")));
        if (needs(SftpExtension::HomeDirectory))
            askPath(std::move(extended(SftpExtension::HomeDirectory).string(wish.user)));
    }

    void run(const SftpDo::Symlink &wish)
    {
        const bool isTargetFirst = server().symlinkOrder() == SymlinkOrder::TargetFirst;
        const FilePath &first = isTargetFirst ? wish.target : wish.link;
        const FilePath &second = isTargetFirst ? wish.link : wish.target;
        askNew(std::move(SftpRequest(SftpType::Symlink).string(first.onTheWire()).string(second.onTheWire())), wish.link);
    }

    void run(const SftpDo::Hardlink &wish)
    {
        if (needs(SftpExtension::Hardlink))
            askNew(std::move(extended(SftpExtension::Hardlink).string(wish.existing.onTheWire()).string(wish.link.onTheWire())), wish.link);
    }

    void run(const SftpDo::Space &wish)
    {
        if (server().has(SftpExtension::Statvfs))
            return askSpace(std::move(extended(SftpExtension::Statvfs).string(wish.path.onTheWire())));
        if (!needs(SftpExtension::Fstatvfs))
            return;
        ask(std::move(SftpRequest(SftpType::Open).string(wish.path.onTheWire()).number(SftpOpen::Read).attributes({})), [this](const Result<SftpReply> &reply) {
            if (opened(reply))
                askSpace(std::move(extended(SftpExtension::Fstatvfs).string(handle())));
        });
    }

    void askSpace(SftpRequest request)
    {
        ask(std::move(request), [this](const Result<SftpReply> &reply) {
            const Result<SftpExtendedReply> body = expect<SftpExtendedReply>(reply);
            if (!body)
                return fail(body.error());
            QByteArrayView rest = body->bytes;
            QList<quint64> v;
            if (!takeSftpLongs(rest, v, 11))
                return fail({ErrorKind::Protocol, Layer::Sftp, u"a truncated answer"_s, {}});
            end(SftpValue(FileSystemSpace{v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10]}));
        });
    }

    void run(const SftpDo::Sync &wish)
    {
        if (!needs(SftpExtension::Fsync))
            return;
        ask(std::move(SftpRequest(SftpType::Open).string(wish.path.onTheWire()).number(SftpOpen::Read).attributes({})), [this](const Result<SftpReply> &reply) {
            if (!opened(reply))
                return;
            askDone(std::move(extended(SftpExtension::Fsync).string(handle())));
        });
    }

    void run(const SftpDo::Copy &) {} // has a job of its own

    void run(const SftpDo::OwnerNames &wish)
    {
        if (!needs(SftpExtension::UsersGroupsById))
            return;
        const auto packed = [](const QList<quint32> &ids) {
            QByteArray bytes;
            for (const quint32 id : ids)
                bytes += SshWire::number(id);
            return bytes;
        };
        ask(std::move(extended(SftpExtension::UsersGroupsById).string(packed(wish.users)).string(packed(wish.groups))),
            [this, wish](const Result<SftpReply> &reply) {
                const Result<SftpExtendedReply> body = expect<SftpExtendedReply>(reply);
                if (!body)
                    return fail(body.error());
                QByteArrayView rest = body->bytes;
                OwnerNames names;
                if (!takeNames(rest, wish.users, names.users) || !takeNames(rest, wish.groups, names.groups))
                    return fail({ErrorKind::Protocol, Layer::Sftp, u"a truncated answer"_s, {}});
                end(SftpValue(names));
            });
    }

    // As many strings as ids, in one string; an empty one is not known.
    [[nodiscard]] static bool takeNames(QByteArrayView &rest, const QList<quint32> &ids, QMap<quint32, QByteArray> &names)
    {
        QByteArrayView packed;
        if (!SshWire::takeString(rest, packed))
            return false;
        for (const quint32 id : ids) {
            QByteArrayView name;
            if (!SshWire::takeString(packed, name))
                return false;
            if (!name.isEmpty() && name.size() <= 256)
                names.insert(id, name.toByteArray());
        }
        return true;
    }

    SftpOperation m_operation;
};

} // namespace

std::unique_ptr<SftpJob> makeOperationJob(SftpJobHost &host, int id, const SftpOperation &operation)
{
    if (const auto *copy = std::get_if<SftpDo::Copy>(&operation))
        return makeCopyJob(host, id, *copy);
    return std::make_unique<OperationJob>(host, id, operation);
}

} // namespace Sandpiper
