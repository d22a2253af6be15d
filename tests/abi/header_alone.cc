// The public header as C++, first in its file: it needs nothing before it.
#include <handpick/handpick.h>

static_assert(sizeof(hp_session_options) == 8, "options");
