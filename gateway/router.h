// Which function answers which method and path. Pure.
#pragma once

#include "gateway/httpconnection.h"

#include <QStringList>

#include <functional>

namespace Sandpiper {

class Router
{
public:
    // arguments: the decoded path segments where the pattern has "{}".
    using Function = std::function<void(HttpExchange *exchange, const QStringList &arguments)>;

    // pattern: "/sandboxes/{}/suspend".
    void add(const QByteArray &method, const QByteArray &pattern, Function function);

    struct Match
    {
        const Function *function = nullptr; // null: none
        QStringList arguments;
        bool pathKnown = false; // with function null: another method would do
    };
    [[nodiscard]] Match find(const QByteArray &method, const QByteArray &path) const;

private:
    struct Route
    {
        QByteArray method;
        QByteArrayList segments;
        Function function;
    };
    QList<Route> m_routes;
};

} // namespace Sandpiper
