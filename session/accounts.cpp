#include "session/accounts.h"
