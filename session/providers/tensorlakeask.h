// How the provider asks: one request, one future. Included by the provider's own files only.
#pragma once

#include "session/address.h"
#include "session/providers/tensorlakeprovider.h"

#include <QFutureWatcher>
#include <QPromise>

namespace Sandpiper {

template <typename T>
QFuture<Result<T>> TensorlakeProvider::ask(HttpClient *http, const Result<HttpRequest> &wanted, TensorlakePlane plane, Read<T> read)
{
    // Shared by the two lambdas below, whichever runs.
    auto promise = std::make_shared<QPromise<Result<T>>>();
    promise->start();
    const Result<HttpRequest> request = checked(wanted);
    if (!request) {
        promise->addResult(std::unexpected(request.error()));
        promise->finish();
        return promise->future();
    }
    HttpCall *call = http->send(*request);
    auto *watcher = new QFutureWatcher<Result<T>>(call);
    connect(watcher, &QFutureWatcherBase::canceled, call, &HttpCall::cancel);
    watcher->setFuture(promise->future());
    const QString subject = request->subject.isEmpty() ? hostText(request->url) : request->subject;
    connect(call, &HttpCall::finished, call, [promise, read, plane, subject](const Result<HttpReply> &reply) {
        Result<T> answer = !reply ? Result<T>(std::unexpected(reply.error()))
                : reply->isSuccess() ? read(*reply)
                                     : Result<T>(std::unexpected(tensorlakeError(*reply, plane, subject)));
        // A gateway time-out of the server's can carry the sandbox that is still on its way.
        if (plane == TensorlakePlane::Create && reply && reply->status == 504) {
            if (Result<T> made = read(*reply); made)
                answer = std::move(made);
        }
        if (!answer && answer.error().subject.isEmpty())
            answer.error().subject = subject;
        promise->addResult(std::move(answer));
        promise->finish();
    });
    return promise->future();
}

} // namespace Sandpiper
