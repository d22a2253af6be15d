"""The static library is one object that shows the functions of the headers alone, shares nothing with other libraries of a
program, asks for the C library alone, and runs nothing when the program starts.

    static_library.py ARCHIVE HEADER...
"""

import re
import subprocess
import sys

# The compiler's own helpers, for what the processor has no instruction for; every compiler brings them.
HELPERS = re.compile(r"__aeabi_\w+|__(popcount|ctz|clz)[sd]i2|__(u?div|u?mod|float|fix)\w*[sdt]i\d?\w*|__aarch64_\w+|_GLOBAL_OFFSET_TABLE_")
# What is asked of the C library. Somebody else's function among them would be the app's copy of something.
C_LIBRARY = set("""
__errno_location __memcpy_chk __memmove_chk __memset_chk __snprintf_chk __vsnprintf_chk __stack_chk_fail __stack_chk_guard
abort aligned_alloc calloc free malloc posix_memalign realloc qsort bsearch
close fsync rename remove write fstat fstat64 lseek lseek64 mmap mmap64 munmap open open64 pread pread64 read syscall sysconf getauxval
exp exp2 log1p logf sqrt sqrtf nearbyint nearbyintf lrintf floorf fmaf fmodf powf
memchr memcmp memcpy memmove memset snprintf strchr strcmp strerror strlen strncmp strncpy strtol vsnprintf
pthread_mutex_lock pthread_mutex_unlock pthread_once sched_yield opendir readdir closedir readlink access getpagesize
fopen fclose fread fgets fscanf sscanf __isoc99_sscanf __isoc99_fscanf __ctype_b_loc
""".split())


def run(*command):
  return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main(archive, headers):
  failures = []

  def expect(condition, message):
    if not condition:
      failures.append(message)

  declared = set()
  for header in headers:
    with open(header, encoding="utf-8") as file:
      declared |= set(re.findall(r"HP_API [^(]*?\b(hp_\w+)\(", file.read()))
  expect(len(declared) > 25, f"the headers declare {len(declared)} functions")

  members = run("ar", "t", archive).split()
  expect(len(members) == 1, f"has {len(members)} objects")

  shown, asked = set(), set()
  for line in run("readelf", "-sW", archive).splitlines():
    fields = line.split()
    if len(fields) < 8 or not fields[0].rstrip(":").isdigit() or fields[4] == "LOCAL":
      continue
    expect(fields[4] == "GLOBAL", f"{fields[7]} is {fields[4]}: another library's may take its place")
    (asked if fields[6] == "UND" else shown).add(fields[7])
  expect(shown == declared, f"shown but not declared: {sorted(shown - declared)}; "
                            f"declared but not shown: {sorted(declared - shown)}")
  foreign = sorted(name for name in asked if name not in C_LIBRARY and not HELPERS.fullmatch(name))
  expect(asked and not foreign, f"asked for, and not of the C library: {foreign}")

  sections = run("readelf", "-SW", archive)
  # "G" among the flags, or a section of kind GROUP: a linker keeps one of several.
  expect(not re.search(r"\] \S+\s+GROUP\s", sections), "has sections that are merged with those of other objects")
  # An object without that section asks for a stack that can be executed, and the whole program gets one.
  stack = re.search(r"\.note\.GNU-stack\s+PROGBITS\s+(?:\w+\s+){4}(\w*?)\s*\d+\s+\d+\s+\d+$", sections, re.MULTILINE)
  expect(stack is not None and "X" not in stack.group(1), "asks for an executable stack")
  for name in (".init_array", ".ctors", ".preinit_array"):
    expect(f" {name}" not in sections, f"has {name}: runs code when the program starts")

  for failure in failures:
    print("FAILED:", failure)
  return 1 if failures else 0


if __name__ == "__main__":
  sys.exit(main(sys.argv[1], sys.argv[2:]))
