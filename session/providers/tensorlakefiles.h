// The files of a sandbox by Tensorlake's file API, and what our own gateway adds to it: "name_hex" beside a name that
// is not text. GUI thread.
#pragma once

#include "session/httpclient.h"
#include "session/providers/tensorlakejson.h"
#include "session/vendorfiles.h"

#include <memory>

namespace Sandpiper {

class TensorlakeFiles : public VendorFiles
{
    Q_OBJECT
public:
    struct Limits
    {
        std::chrono::milliseconds silence{60'000};  // without a byte, while we have something to send or wait for
        std::chrono::milliseconds landing{300'000}; // from the last byte of a file to the word that it is there
        qint64 listBytes = 64 << 20;
    };
    TensorlakeFiles(std::shared_ptr<const TensorlakeContext> context, const HttpClient::Options &http, const Sandbox &sandbox, const Limits &limits);
    TensorlakeFiles(std::shared_ptr<const TensorlakeContext> context, const HttpClient::Options &http, const Sandbox &sandbox);
    ~TensorlakeFiles() override;

    [[nodiscard]] QList<QByteArray> startFolders() const override;
    [[nodiscard]] QFuture<Result<QList<VendorFileEntry>>> list(const QByteArray &path) override;
    [[nodiscard]] std::unique_ptr<VendorFileReader> read(const QByteArray &path) override;
    [[nodiscard]] std::unique_ptr<VendorFileWriter> write(const QByteArray &path, std::optional<qint64> size) override;
    [[nodiscard]] QFuture<Done> remove(const QByteArray &path) override;

private:
    [[nodiscard]] Result<HttpRequest> request(HttpRequest::Verb verb, const QString &what, const QByteArray &path) const;

    std::shared_ptr<const TensorlakeContext> m_context; // shared with the provider
    HttpClient::Options m_options;
    std::shared_ptr<HttpClient> m_http; // shared with the streams, which may outlive this
    Sandbox m_sandbox;
    Limits m_limits;
};

// Protocol: no listing. Entries without a name are left out; what else is wrong with one is missing in it. Pure.
[[nodiscard]] Result<QList<VendorFileEntry>> tensorlakeListing(const QByteArray &body);

} // namespace Sandpiper
