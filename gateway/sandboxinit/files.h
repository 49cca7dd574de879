// The file API's work inside the sandbox: in its mount namespace and as its user, so that what a path means and who
// may touch it is decided by the kernel, as for every process there.
//
//   read, list   standard output: u8 Wire::FileStatus; where Good, the bytes (list: JSON), and exit status 0
//                once all of it was written; else a text for people
//   write        standard input: pieces, u32 length + bytes, and length 0 as the end; an end of input before that
//                leaves what was there. Standard output, at the end or as soon as it has failed: u8 Wire::FileStatus
//   remove       standard output: u8 Wire::FileStatus
#pragma once

#include <string>

namespace Sandpiper {

// In a process of its own, whose standard input and output it uses. Answers the exit status.
[[nodiscard]] int doFileWork(const std::string &verb, const std::string &path);
[[nodiscard]] bool isFileWork(const std::string &verb);

} // namespace Sandpiper
