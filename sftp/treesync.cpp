#include "sftp/treesync.h"

#include "session/background.h"
#include "sftp/localdisk.h"
#include "sftp/sftpfilesystem.h"
#include "sftp/transferqueue.h"

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

using Action = SyncStep::Action;

constexpr qsizetype kMostAtOnce = 32;
constexpr qsizetype kMostFailures = 1000;

Error lost()
{
    return {ErrorKind::ConnectionLost, Layer::Sftp, {}, {}};
}

bool comes(const SyncStep &step)
{
    return step.action == Action::MakeFolder || step.action == Action::Copy || step.action == Action::Replace;
}

QList<SyncStep> stepsWhere(const SyncPlan &plan, auto condition)
{
    QList<SyncStep> steps;
    std::ranges::copy_if(plan.steps, std::back_inserter(steps), condition);
    return steps;
}

template <typename Work>
QFuture<Done> onDisk(Work work)
{
    auto promise = std::make_shared<QPromise<Done>>(); // of the pool, which ends it
    promise->start();
    const QFuture<Done> future = promise->future();
    diskPool()->start([promise, work = std::move(work)] {
        promise->addResult(work());
        promise->finish();
    });
    return future;
}

} // namespace

QString TreeSync::reasonAgainst(const FileSystem &source, const FileSystem &target)
{
    if (source.isLocal() && target.isLocal())
        return u"Both folders are on this computer. One side must be a sandbox or an SSH host."_s;
    if (!source.isLocal() && !target.isLocal())
        return u"From one sandbox to another is not built in yet. One side must be this computer."_s;
    const FileSystem &remote = source.isLocal() ? target : source;
    if (!qobject_cast<const SftpFileSystem *>(&remote))
        return u"Transfers need SFTP, which “%1” does not have."_s.arg(remote.displayName());
    return {};
}

TreeSync::TreeSync(const Places &places, const SyncPlan &plan, TransferQueue *queue, QObject *parent)
    : QObject(parent)
    , m_source(places.source)
    , m_target(places.target)
    , m_sourceRoot(places.sourceRoot)
    , m_targetRoot(places.targetRoot)
    , m_sandbox(places.sandbox)
    , m_sandboxName(places.sandboxName)
    , m_way(places.target && places.target->isLocal() ? TransferWay::Fetch : TransferWay::Send)
    , m_plan(plan)
    , m_queue(queue)
{
    connect(queue, &TransferQueue::changed, this, [this](qint64 id) {
        if (id == m_transfer && m_queue)
            emit progressed(m_queue->progress(id));
    });
    connect(queue, &TransferQueue::finished, this, &TreeSync::transferEnded);
}

TreeSync::~TreeSync() = default;

void TreeSync::start()
{
    if (!m_source || !m_target || !m_queue) {
        m_outcome.error = lost();
        return end();
    }
    // What the sources have in common must be a path by itself.
    m_source->realPath(m_sourceRoot).then(this, [this](const Result<FilePath> &real) {
        if (!real) {
            m_outcome.error = real.error();
            return end();
        }
        m_sourceRoot = *real;
        next();
    });
}

void TreeSync::cancel()
{
    m_outcome.isCancelled = true;
    if (m_transfer != 0 && m_queue)
        m_queue->cancel(m_transfer);
}

void TreeSync::next()
{
    const bool isClean = m_outcome.failed == 0 && !m_outcome.error && !m_outcome.isCancelled;
    m_phase = Phase(int(m_phase) + 1);
    switch (m_phase) {
    case Phase::Look: break;
    case Phase::Copy: return transfer(stepsWhere(m_plan, [](const SyncStep &step) { return comes(step) && !step.isLate; }));
    case Phase::Adjust: return adjust(stepsWhere(m_plan, [](const SyncStep &step) { return step.action == Action::Adjust; }));
    case Phase::Clear: {
        if (!isClean)
            break;
        Steps steps = stepsWhere(m_plan, [](const SyncStep &step) { return step.isLate && (step.action == Action::Remove || step.clears); });
        for (SyncStep &step : steps) {
            if (step.action == Action::Remove)
                continue;
            step.action = Action::Remove;
            step.type = kindOf(step.target);
        }
        return remove(steps);
    }
    case Phase::CopyLate: return transfer(stepsWhere(m_plan, [](const SyncStep &step) { return comes(step) && step.isLate; }));
    case Phase::Remove:
        if (isClean)
            return remove(stepsWhere(m_plan, [](const SyncStep &step) { return step.action == Action::Remove && !step.isLate; }));
        m_outcome.heldBack += qint64(stepsWhere(m_plan, [](const SyncStep &step) { return step.action == Action::Remove && !step.isLate; }).size());
        break;
    case Phase::Over: break;
    }
    if (m_phase == Phase::Clear) {
        m_outcome.heldBack += qint64(stepsWhere(m_plan, [](const SyncStep &step) { return step.isLate; }).size());
        m_phase = Phase::CopyLate;
        return next();
    }
    end();
}

// Transfers ------------------------------------------------------------------------------------------

void TreeSync::transfer(const Steps &steps)
{
    if (steps.isEmpty())
        return next();
    if (m_outcome.isCancelled || m_outcome.error || !m_queue) {
        m_outcome.heldBack += steps.size();
        return next();
    }
    emit began(steps);
    TransferWish wish;
    wish.way = m_way;
    wish.sandbox = m_sandbox;
    wish.sandboxName = m_sandboxName;
    wish.base = m_sourceRoot;
    for (const SyncStep &step : steps)
        wish.sources.append(m_sourceRoot.joined(step.path));
    wish.target = m_targetRoot;
    wish.onConflict = OnConflict::Overwrite; // what is there was compared
    m_transfer = m_queue->add(wish);
    emit transferAdded(m_transfer);
}

void TreeSync::transferEnded(qint64 id)
{
    if (id != m_transfer || !m_queue)
        return;
    m_transfer = 0;
    const TransferProgress progress = m_queue->progress(id);
    m_outcome.filesMoved += qint64(progress.filesMoved);
    m_outcome.bytesMoved += progress.bytesMoved;
    for (const TransferFailure &failure : progress.failures)
        fail(failure.path, failure.error);
    // It tells the first of them only.
    m_outcome.failed += std::max<qint64>(0, qint64(progress.filesFailed) - progress.failures.size());
    if (progress.state == TransferState::Cancelled)
        m_outcome.isCancelled = true;
    if (progress.state == TransferState::Failed)
        m_outcome.error = progress.error.value_or(lost());
    next();
}

// In the target --------------------------------------------------------------------------------------

void TreeSync::checkFolders(const Steps &steps, std::function<void()> then)
{
    if (!m_target) {
        m_outcome.error = lost();
        return next();
    }
    if (m_target->isLocal()) {
        if (m_tree)
            return then();
        return inBackground(
                diskPool(), this, [root = m_targetRoot] { return LocalTree::open(root); },
                [this, then = std::move(then)](const Result<std::shared_ptr<LocalTree>> &tree) {
                    if (!tree) {
                        m_outcome.error = tree.error();
                        return next();
                    }
                    m_tree = *tree;
                    then();
                });
    }
    m_target->realPath(m_targetRoot).then(this, [this, steps, then = std::move(then)](const Result<FilePath> &root) {
        if (!root) {
            m_outcome.error = root.error();
            return next();
        }
        m_realRoot = *root;
        m_checked.clear(); // it is long ago
        Steps folders;
        for (const SyncStep &step : steps) {
            SyncStep folder;
            folder.path = step.path.parent();
            if (!m_checked.contains(folder.path)) {
                m_checked.insert(folder.path, Done());
                folders.append(folder);
            }
        }
        const auto ask = [this](const SyncStep &folder) -> QFuture<Done> {
            if (!m_target)
                return QtFuture::makeReadyValueFuture(Done(std::unexpected(lost())));
            const FilePath wanted = folder.path.isEmpty() ? m_realRoot : m_realRoot.joined(folder.path);
            return m_target->realPath(there(folder.path)).then([wanted, path = folder.path](const Result<FilePath> &real) -> Done {
                if (!real)
                    return std::unexpected(real.error());
                return *real == wanted ? Done() : failure(ErrorKind::Conflict, Layer::Sftp, u"its folder is reached by a link now"_s, path.shown());
            });
        };
        forEach(folders, ask, [this](const SyncStep &folder, const Done &done) { m_checked.insert(folder.path, done); }, then);
    });
}

void TreeSync::forEach(const Steps &steps, std::function<QFuture<Done>(const SyncStep &)> work, std::function<void(const SyncStep &, const Done &)> told, std::function<void()> then)
{
    struct Round
    {
        Steps steps;
        qsizetype begun = 0;
        qsizetype done = 0;
        std::function<void(const std::shared_ptr<Round> &)> goOn;
    };
    const auto round = std::make_shared<Round>(Round{steps, 0, 0, {}}); // of all continuations; the last one frees it
    round->goOn = [this, work, told, then](const std::shared_ptr<Round> &self) {
        while (self->begun < self->steps.size() && self->begun - self->done < kMostAtOnce) {
            const SyncStep step = self->steps.at(self->begun++);
            work(step).then(this, [this, self, step, told, then](const Done &done) {
                told(step, done);
                if (++self->done == self->steps.size())
                    return then();
                // Not from here: an answer that is there at once would come from within the loop.
                if (self->begun < self->steps.size())
                    QMetaObject::invokeMethod(this, [self] { self->goOn(self); }, Qt::QueuedConnection);
            });
        }
    };
    if (steps.isEmpty())
        QMetaObject::invokeMethod(this, then, Qt::QueuedConnection);
    else
        round->goOn(round);
}

void TreeSync::adjust(const Steps &steps)
{
    if (steps.isEmpty() || m_outcome.isCancelled || m_outcome.error) {
        m_outcome.heldBack += steps.size();
        return next();
    }
    emit began(steps);
    checkFolders(steps, [this, steps] {
        const auto told = [this](const SyncStep &step, const Done &done) { done ? void(++m_outcome.adjusted) : fail(there(step.path), done.error()); };
        forEach(steps, [this](const SyncStep &step) { return adjustOne(step); }, told, [this] { next(); });
    });
}

QFuture<Done> TreeSync::adjustOne(const SyncStep &step)
{
    FileAttributes wanted;
    if (step.source.mode)
        wanted.mode = *step.source.mode & 0777;
    if (step.differences.testFlag(Difference::Time))
        wanted.times = step.source.times;
    if (m_tree)
        return onDisk([tree = m_tree, path = step.path, wanted] { return tree->adjust(path, wanted); });
    const Done checked = m_checked.value(step.path.parent());
    if (!checked || !m_target)
        return QtFuture::makeReadyValueFuture(checked ? Done(std::unexpected(lost())) : checked);
    const FilePath path = there(step.path);
    // It has no way to say that a link is not meant, so it is looked at.
    return m_target->stat(path, LinkPolicy::NoFollow)
            .then(this,
                  [this, path, wanted](const Result<FileAttributes> &found) -> QFuture<Done> {
                      Done answer;
                      if (!found)
                          answer = std::unexpected(found.error());
                      else if (found->type() == FileType::Link)
                          answer = failure(ErrorKind::Conflict, Layer::Sftp, u"it is a link now"_s, path.shown());
                      else if (!m_target)
                          answer = std::unexpected(lost());
                      return answer ? m_target->setAttributes(path, wanted) : QtFuture::makeReadyValueFuture(answer);
                  })
            .unwrap();
}

// Files first, then folders, the inner ones first.
void TreeSync::remove(const Steps &steps)
{
    if (steps.isEmpty())
        return next();
    emit began(steps);
    const auto depthOf = [](const SyncStep &step) { return step.type == FileType::Folder ? 1'000'000 - step.path.bytes().count('/') : 0; };
    Steps sorted = steps;
    std::ranges::stable_sort(sorted, {}, depthOf);
    m_removals.clear();
    for (const SyncStep &step : std::as_const(sorted)) {
        if (m_removals.isEmpty() || depthOf(m_removals.constLast().constFirst()) != depthOf(step))
            m_removals.append(Steps());
        m_removals.last().append(step);
    }
    checkFolders(steps, [this] { removeSome(); });
}

void TreeSync::removeSome()
{
    if (m_removals.isEmpty())
        return next();
    Steps steps;
    for (const SyncStep &step : m_removals.takeFirst()) {
        // The reason has been told.
        if (!m_notEmptied.contains(step.path) && !m_outcome.isCancelled)
            steps.append(step);
        else
            ++m_outcome.heldBack;
    }
    const auto told = [this](const SyncStep &step, const Done &done) {
        if (done || done.error().kind == ErrorKind::NotFound) {
            ++m_outcome.removed;
            return;
        }
        fail(there(step.path), done.error());
        for (FilePath above = step.path.parent(); !above.isEmpty(); above = above.parent())
            m_notEmptied.insert(above);
    };
    forEach(steps, [this](const SyncStep &step) { return removeOne(step); }, told, [this] { removeSome(); });
}

QFuture<Done> TreeSync::removeOne(const SyncStep &step)
{
    const bool isFolder = step.type == FileType::Folder;
    if (m_tree)
        return onDisk([tree = m_tree, path = step.path, isFolder] { return tree->remove(path, isFolder); });
    const Done checked = m_checked.value(step.path.parent());
    if (!checked || !m_target)
        return QtFuture::makeReadyValueFuture(checked ? Done(std::unexpected(lost())) : checked);
    return isFolder ? m_target->removeFolder(there(step.path)) : m_target->removeFile(there(step.path));
}

void TreeSync::fail(const FilePath &path, const Error &error)
{
    ++m_outcome.failed;
    if (m_outcome.failures.size() < kMostFailures)
        m_outcome.failures.append({path, error});
}

void TreeSync::end()
{
    m_phase = Phase::Over;
    // Whoever hears of it may delete us.
    QMetaObject::invokeMethod(this, [this] { emit finished(m_outcome); }, Qt::QueuedConnection);
}

} // namespace Sandpiper
