// A way to the files of a sandbox, over a connection of its own or without one.
#pragma once

#include "sftp/filesystem.h"

namespace Sandpiper {

class SshLink;

struct OpenedFiles // what lies below goes last
{
    std::unique_ptr<SshLink> link; // not connected yet; null: files needs none
    std::unique_ptr<FileSystem> files;
};

} // namespace Sandpiper
