/* Prints them, an id and a score a line: print_top_ten BUNDLE */
#include <stdio.h>
#if defined(_WIN32)
#include <windows.h>
/* After it. */
#include <shellapi.h>
#endif

#include "tests/packages/top_ten.h"

#if defined(_WIN32)
/* The arguments of main are in the system's code page. The SDK's paths are UTF-8. */
static const char* path_argument(void) {
  static char path[4096];
  int count = 0;
  wchar_t** const arguments = CommandLineToArgvW(GetCommandLineW(), &count);
  if (arguments == NULL || count != 2) return "";
  WideCharToMultiByte(CP_UTF8, 0, arguments[1], -1, path, sizeof(path), NULL, NULL);
  return path;
}
#endif

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const char* path = argv[1];
#if defined(_WIN32)
  path = path_argument();
#endif
  int64_t ids[kTopTen];
  float scores[kTopTen];
  char message[512];
  if (top_ten("no such file.hpk", ids, scores, message) == 0) return 1;
  if (top_ten(path, ids, scores, message) != 0) {
    fprintf(stderr, "print_top_ten: %s\n", message);
    return 1;
  }
  for (int i = 0; i < kTopTen; ++i) printf("%lld %.6f\n", (long long)ids[i], (double)scores[i]);
  return 0;
}
