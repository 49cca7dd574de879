#include "sftp/fileattributes.h"

namespace Sandpiper {

FileType FileAttributes::type() const
{
    switch (mode.value_or(0) & 0170000) {
    case 0100000: return FileType::File;
    case 0040000: return FileType::Folder;
    case 0120000: return FileType::Link;
    case 0010000: return FileType::Fifo;
    case 0140000: return FileType::Socket;
    case 0020000: return FileType::CharacterDevice;
    case 0060000: return FileType::BlockDevice;
    default: return FileType::Unknown;
    }
}

} // namespace Sandpiper
