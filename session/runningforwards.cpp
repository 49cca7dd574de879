#include "session/runningforwards.h"

#include "session/paths.h"

#include <QCoreApplication>
#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QLocalServer>
#include <QLocalSocket>
#include <QPointer>
#include <QPromise>
#include <QRandomGenerator>
#include <QTimer>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {
namespace {

constexpr auto kPatience = 2s;
constexpr qint64 kMostQuestion = 64;
constexpr qint64 kMostAnswer = 1 << 20;
constexpr qsizetype kMostSockets = 1000;
constexpr QByteArrayView kList = "list\n";
constexpr QByteArrayView kStop = "stop\n";
constexpr QByteArrayView kStopping = "stopping\n";

std::optional<RunningForwards> fromLine(const QByteArray &line, const QString &socket)
{
    const QJsonObject all = QJsonDocument::fromJson(line).object();
    if (!all.value(u"name"_s).isString() || !all.value(u"forwards"_s).isArray())
        return std::nullopt;
    RunningForwards forwards;
    forwards.name = all.value(u"name"_s).toString();
    forwards.target = all.value(u"target"_s).toString();
    forwards.process = all.value(u"process"_s).toInteger();
    forwards.state = all.value(u"state"_s).toString();
    forwards.socket = socket;
    for (const QJsonValue &value : all.value(u"forwards"_s).toArray()) {
        const QJsonObject one = value.toObject();
        forwards.forwards.append({one.value(u"forward"_s).toString(), one.value(u"at"_s).toString(), one.value(u"state"_s).toString(), one.value(u"error"_s).toString(),
                                  one.value(u"connections"_s).toInteger(), one.value(u"sent"_s).toInteger(), one.value(u"received"_s).toInteger()});
    }
    return forwards;
}

// One question to one socket, and the line that comes back; none: nobody serves it, or not in time. Deletes itself.
class Question : public QObject
{
public:
    using Then = std::function<void(std::optional<QByteArray> line, bool isDead)>;
    Question(const QString &path, QByteArrayView question, Then then)
        : m_then(std::move(then))
    {
        connect(&m_socket, &QLocalSocket::connected, this, [this, question] { m_socket.write(question.data(), question.size()); });
        connect(&m_socket, &QLocalSocket::readyRead, this, [this] {
            if (m_socket.canReadLine())
                finish(m_socket.readLine(kMostAnswer), false);
            else if (m_socket.bytesAvailable() >= kMostAnswer)
                finish({}, false);
        });
        connect(&m_socket, &QLocalSocket::disconnected, this, [this] { finish({}, false); });
        connect(&m_socket, &QLocalSocket::errorOccurred, this, [this](QLocalSocket::LocalSocketError error) { finish({}, error == QLocalSocket::ConnectionRefusedError); });
        QTimer::singleShot(kPatience, this, [this] { finish({}, false); });
        QMetaObject::invokeMethod(this, [this, path] { m_socket.connectToServer(path); }, Qt::QueuedConnection);
    }

private:
    void finish(const std::optional<QByteArray> &line, bool isDead)
    {
        if (!m_then)
            return;
        std::exchange(m_then, nullptr)(line, isDead);
        m_socket.disconnect(this);
        deleteLater();
    }

    QLocalSocket m_socket;
    Then m_then;
};

} // namespace

ForwardsTeller::ForwardsTeller(const QString &folder, std::function<RunningForwards()> look, QObject *parent)
    : QObject(parent)
    , m_look(std::move(look))
    , m_server(std::make_unique<QLocalServer>())
{
    m_server->setSocketOptions(QLocalServer::UserAccessOption);
    connect(m_server.get(), &QLocalServer::newConnection, this, &ForwardsTeller::greet);
    if (!folder.isEmpty())
        m_server->listen(u"%1/%2-%3"_s.arg(folder).arg(QCoreApplication::applicationPid()).arg(QRandomGenerator::global()->generate()));
}

ForwardsTeller::~ForwardsTeller() = default;

bool ForwardsTeller::isListening() const
{
    return m_server->isListening();
}

void ForwardsTeller::greet()
{
    while (QLocalSocket *socket = m_server->nextPendingConnection()) {
        connect(socket, &QLocalSocket::readyRead, this, [this, socket] { answer(socket); });
        connect(socket, &QLocalSocket::disconnected, socket, &QObject::deleteLater);
        QTimer::singleShot(kPatience, socket, &QLocalSocket::abort);
    }
}

void ForwardsTeller::answer(QLocalSocket *socket)
{
    if (!socket->canReadLine()) {
        if (socket->bytesAvailable() > kMostQuestion)
            socket->abort();
        return;
    }
    const QByteArray question = socket->readLine(kMostQuestion);
    if (question == kList) {
        socket->write(QJsonDocument(toJson(m_look())).toJson(QJsonDocument::Compact) + '\n');
    } else if (question == kStop) {
        socket->write(kStopping.data(), kStopping.size());
        socket->flush();
        QMetaObject::invokeMethod(this, &ForwardsTeller::stopWished, Qt::QueuedConnection);
    }
    socket->disconnectFromServer();
}

QJsonObject toJson(const RunningForwards &forwards)
{
    const auto orNull = [](const QString &text) { return text.isEmpty() ? QJsonValue() : QJsonValue(text); };
    QJsonArray each;
    for (const RunningForward &one : forwards.forwards)
        each.append(QJsonObject{{u"forward"_s, one.forward}, {u"at"_s, orNull(one.at)}, {u"state"_s, one.state}, {u"error"_s, orNull(one.error)},
                                {u"connections"_s, one.connections}, {u"sent"_s, one.sent}, {u"received"_s, one.received}});
    return {{u"name"_s, forwards.name}, {u"target"_s, forwards.target}, {u"process"_s, forwards.process}, {u"state"_s, forwards.state}, {u"forwards"_s, each}};
}

RunningForward runningForward(const ForwardSpec &spec, const ForwardStatus &status, const ForwardTraffic &traffic)
{
    const bool listens = status.state == ForwardStatus::State::Listening;
    const bool hasFailed = status.state == ForwardStatus::State::Failed;
    return {forwardArgument(spec),
            listens ? forwardEndText(status.at) : QString(),
            listens ? u"listening"_s : hasFailed ? u"failed"_s : u"waiting"_s,
            hasFailed ? status.error.detail : QString(),
            traffic.open.size(),
            traffic.sent,
            traffic.received};
}

QString runningForwardsFolder()
{
    const QString runtime = runtimeFolder();
    const QString folder = runtime + u"/forwards"_s;
    return !runtime.isEmpty() && makePrivateFolder(folder) ? folder : QString();
}

QFuture<QList<RunningForwards>> findRunningForwards(const QString &folder)
{
    struct Search
    {
        QPromise<QList<RunningForwards>> promise;
        QList<RunningForwards> found;
        qsizetype left = 0;
    };
    const auto search = std::make_shared<Search>();
    search->promise.start();
    QStringList names = folder.isEmpty() ? QStringList() : QDir(folder).entryList(QDir::System | QDir::Hidden | QDir::NoDotAndDotDot);
    names = names.first(std::min(names.size(), kMostSockets));
    search->left = names.size() + 1;
    const auto settled = [search] {
        if (--search->left > 0)
            return;
        std::ranges::sort(search->found, {}, [](const RunningForwards &one) { return std::pair(one.name, one.process); });
        search->promise.addResult(search->found);
        search->promise.finish();
    };
    for (const QString &name : std::as_const(names)) {
        const QString path = folder + u'/' + name;
        new Question(path, kList, [search, settled, path](const std::optional<QByteArray> &line, bool isDead) {
            const std::optional<RunningForwards> forwards = line ? fromLine(*line, path) : std::nullopt;
            if (forwards)
                search->found.append(*forwards);
            else if (isDead) // its process was killed
                QFile::remove(path);
            settled();
        });
    }
    settled();
    return search->promise.future();
}

QFuture<Done> stopRunningForwards(const RunningForwards &forwards)
{
    const auto promise = std::make_shared<QPromise<Done>>();
    promise->start();
    new Question(forwards.socket, kStop, [promise, name = forwards.name](const std::optional<QByteArray> &line, bool) {
        promise->addResult(line == kStopping ? Done() : Done(failure(ErrorKind::NotFound, Layer::Ssh, u"these forwards do not run any more"_s, name)));
        promise->finish();
    });
    return promise->future();
}

} // namespace Sandpiper
