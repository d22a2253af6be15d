/* The diagnostics header, first in its file: it needs nothing before it. */
#include <handpick/diagnostics.h>

/* And something that is defined here, for pedants. */
typedef hp_session_counters counters_of_session;
