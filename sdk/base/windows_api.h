// windows.h without what no code here asks for, and without its macros min and max.
#ifndef HANDPICK_SDK_BASE_WINDOWS_API_H_
#define HANDPICK_SDK_BASE_WINDOWS_API_H_

#if !defined(WIN32_LEAN_AND_MEAN)
#define WIN32_LEAN_AND_MEAN
#endif
#if !defined(NOMINMAX)
#define NOMINMAX
#endif
#include <windows.h>

#endif  // HANDPICK_SDK_BASE_WINDOWS_API_H_
