// Where `--resume` keeps what a transfer has done, for the next time the same is asked for: a journal for each wish, in
// our state folder.
#pragma once

#include "app/cli/clierror.h"
#include "session/filedescriptor.h"
#include "sftp/transfer.h"

namespace Sandpiper {

class KeptTransfer
{
public:
    // By what goes where; how (policy, speed, connections) does not count. An error where another process is at it. What
    // nobody has come back to for two months is removed.
    [[nodiscard]] static CliResult<KeptTransfer> open(const TransferWish &wish);
    [[nodiscard]] QString journal() const { return m_file; }
    // All of it is done. When nobody has the journal open any more.
    void forget();

private:
    KeptTransfer(QString file, FileDescriptor lock)
        : m_file(std::move(file))
        , m_lock(std::move(lock))
    {
    }

    QString m_file;
    FileDescriptor m_lock; // held for as long as this lives
};

} // namespace Sandpiper
