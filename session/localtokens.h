// PTY tokens of This computer lie beside its gateway's own key, 0600 in the state folder: whoever can
// read the one can read the other. So its tabs come back where there is no keychain. GUI thread.
#pragma once

#include "session/keychain.h"

namespace Sandpiper {

// Keeps the tokens of This computer's shells in `file` (stateFolder()/gateway/pty_tokens.json where
// none is given), everything else in `inner`, which is taken over. Other programs of this user may
// write the file at the same time. A file that cannot be read counts as empty.
[[nodiscard]] std::unique_ptr<Keychain> withLocalTokens(std::unique_ptr<Keychain> inner, const QString &file = {});

} // namespace Sandpiper
