// The public header as C++, first in its file: it needs nothing before it.
#include <handpick/handpick.h>

// A later header may append to it, as an older caller's struct_size says what it has.
static_assert(sizeof(hp_session_options) == (sizeof(void*) == 8 ? 48 : 32), "options");
static_assert(offsetof(hp_session_options, recall_k) == (sizeof(void*) == 8 ? 32 : 20),
              "what a caller from before recall has");
static_assert(sizeof(hp_recall_options) == (sizeof(void*) == 8 ? 120 : 72), "recall options");
