// The public header as C++, first in its file: it needs nothing before it.
#include <handpick/handpick.h>

// A later header may append to it, as an older caller's struct_size says what it has.
static_assert(sizeof(hp_open_options) == (sizeof(void*) == 8 ? 40 : 32), "opening");
static_assert(sizeof(hp_session_options) == (sizeof(void*) == 8 ? 40 : 32), "options");
static_assert(sizeof(hp_recall_options) == (sizeof(void*) == 8 ? 128 : 80), "recall options");
