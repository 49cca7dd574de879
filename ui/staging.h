// Files of a sandbox, brought into a private folder of this computer so that other programs can have them. GUI thread.
#pragma once

#include "sftp/transferqueue.h"
#include "ui/carriedfiles.h"

#include <QPointer>

namespace Sandpiper {

class Staging : public QObject
{
    Q_OBJECT
public:
    // folder: below it each staging has one of its own, 0700. queue is borrowed and may go.
    Staging(TransferQueue *queue, const CarriedFiles &files, const QString &folder, QObject *parent = nullptr);
    // What has not been handed over is removed, with what is half.
    ~Staging() override;
    void start();

    [[nodiscard]] bool isReady() const { return m_isReady; }
    [[nodiscard]] double fraction() const; // 0 to 1
    // Where they are on this computer, once ready.
    [[nodiscard]] CarriedFiles files() const;
    // From here on they are the taker's: they stay until clean().
    void handOver() { m_isHandedOver = true; }

    // Removes what earlier starts of the program have left there.
    static void clean(const QString &folder);

signals:
    void progressed();
    void ready();
    void failed(const Sandpiper::Error &error);

private:
    void look();
    QPointer<TransferQueue> m_queue;
    CarriedFiles m_wanted;
    QString m_folder;
    qint64 m_id = 0; // of the transfer; 0: none
    bool m_isReady = false;
    bool m_isHandedOver = false;
};

} // namespace Sandpiper
