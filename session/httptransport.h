// Parts of the HTTP client that know Qt's network classes, apart from the flow of a call.
#pragma once

#include "session/error.h"
#include "session/transport.h"

#include <QIODevice>
#include <QNetworkReply>

namespace Sandpiper {

// A body that cannot be rewound. QNetworkAccessManager sends a request again by itself when the peer
// closes before it answers, unless it cannot read the body a second time.
class OneWayBody : public QIODevice
{
public:
    OneWayBody(const QByteArray &bytes, QObject *parent)
        : QIODevice(parent)
        , m_bytes(bytes)
    {
        open(ReadOnly | Unbuffered);
    }
    bool isSequential() const override { return true; }
    bool seek(qint64) override { return false; } // the base class would log the attempt
    qint64 bytesAvailable() const override { return m_bytes.size() - m_position; }
    bool atEnd() const override { return bytesAvailable() == 0; }

protected:
    qint64 readData(char *data, qint64 maxSize) override
    {
        const qint64 count = qMin(maxSize, m_bytes.size() - m_position);
        if (count == 0)
            return -1;
        memcpy(data, m_bytes.constData() + m_position, size_t(count));
        m_position += count;
        return count;
    }
    qint64 writeData(const char *, qint64) override { return -1; }

private:
    QByteArray m_bytes;
    qint64 m_position = 0;
};

// Printable ASCII: nothing that could begin another header.
[[nodiscard]] bool isHeaderText(QByteArrayView text);

// Everything below HTTP that can go wrong. reached: how far the attempt came.
[[nodiscard]] Error transportError(QNetworkReply::NetworkError code, const QString &text, const QString &subject,
                                   Layer reached);

// What went wrong at the proxy, in the words that session/proxyhandshake has for it. Empty: nothing did.
[[nodiscard]] QString proxyTrouble(QNetworkReply::NetworkError code, const ProxySetting &proxy);

} // namespace Sandpiper
