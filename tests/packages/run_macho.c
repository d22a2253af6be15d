/* Runs `top_ten` of a macOS library on Linux, of the same processor: maps the segments, adjusts
 * addresses, binds what the library asks for to functions here, and calls it. So that the code that
 * goes to Apple's systems is run at all where there is none.
 *
 *     run_macho LIBRARY BUNDLE     prints an id and a score a line
 *
 * Serves libraries with LC_DYLD_INFO_ONLY, without thread-local variables and initialisers, as the
 * packages are.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/packages/top_ten.h"

static void die(const char* what, const char* which) {
  fprintf(stderr, "run_macho: %s %s\n", what, which);
  exit(1);
}

/* ---- What macOS has, and Linux has otherwise ---- */

static uint64_t stack_guard = 0x1234;
static FILE* standard_error;

static void stack_damaged(void) { die("the stack", "was written over"); }

static void print_and_die(FILE* file, const char* format) {
  (void)file;
  die("the library says", format);
}

static int* error_number(void) { return &errno; }

static int open_file(const char* path, int flags) {
  (void)flags; /* Read only; other numbers than here. */
  return open(path, O_RDONLY);
}

static long system_value(int name) {
  return name == 29 ? sysconf(_SC_PAGESIZE) : -1; /* 29: macOS's _SC_PAGESIZE. */
}

/* Asked for features of the processor by name: it has none but those that every one has. */
static int no_system_value(void) { return -1; }

/* sysname, nodename, release, version, machine; Highway asks which release it is. */
static int name_system(char* names) {
  memset(names, 0, 5 * 256);
  strcpy(names + 2 * 256, "22.1.0");
  return 0;
}

static void fill_pattern(char* memory, const char* pattern, size_t size) {
  for (size_t i = 0; i < size; ++i) memory[i] = pattern[i % 16];
}

static void zero(void* memory, size_t size) { memset(memory, 0, size); }

static int compare(const void* a, const void* b) {
  const uint32_t x = *(const uint32_t*)a, y = *(const uint32_t*)b;
  return (x > y) - (x < y);
}

/* libc++'s std::sort of uint32_t. */
static void sort(uint32_t* first, uint32_t* last, void* less) {
  (void)less;
  qsort(first, (size_t)(last - first), sizeof(*first), compare);
}

/* A list of arguments is another thing in Apple's calls for arm64: there the format alone is kept.
 */
#if defined(__x86_64__)
#define print_list vsnprintf
#define print_text snprintf
#else
static int print_list(char* text, size_t size, const char* format) {
  return snprintf(text, size, "%s", format);
}
#define print_text print_list
#endif

#define SAME(name) \
  { "_" #name, (void*)(uintptr_t)&name }

static const struct {
  const char* name;
  void* address;
} kKnown[] = {
    SAME(close),
    SAME(exp2),
    SAME(exp2f),
    SAME(expf),
    SAME(free),
    SAME(fsync),
    SAME(log),
    SAME(log1p),
    SAME(log1pf),
    SAME(logf),
    SAME(lseek),
    SAME(malloc),
    SAME(memcmp),
    SAME(memcpy),
    SAME(memmove),
    SAME(memset),
    SAME(mmap),
    SAME(munmap),
    SAME(pread),
    SAME(powf),
    SAME(pow),
    SAME(posix_memalign),
    SAME(read),
    SAME(remove),
    SAME(rename),
    SAME(strcat),
    SAME(strcmp),
    SAME(strcpy),
    SAME(strerror),
    SAME(strlen),
    SAME(strncmp),
    SAME(qsort),
    SAME(write),
    {"___bzero", (void*)&zero},
    {"___error", (void*)&error_number},
    {"___stack_chk_fail", (void*)&stack_damaged},
    {"___stack_chk_guard", &stack_guard},
    {"___stderrp", &standard_error},
    {"__ZNSt3__16__sortIRNS_6__lessIjjEEPjEEvT0_S5_T_", (void*)&sort},
    {"_abort", (void*)&abort},
    {"_bzero", (void*)&zero},
    {"_fprintf", (void*)&print_and_die},
    {"_memset_pattern16", (void*)&fill_pattern},
    {"_open", (void*)&open_file},
    {"_snprintf", (void*)&print_text},
    {"_sysconf", (void*)&system_value},
    {"_sysctlbyname", (void*)&no_system_value},
    {"_uname", (void*)&name_system},
    {"_vsnprintf", (void*)&print_list},
    {"dyld_stub_binder", (void*)&abort}, /* All is bound before. */
};

static void* find(const char* name) {
  for (size_t i = 0; i < sizeof(kKnown) / sizeof(kKnown[0]); ++i)
    if (strcmp(kKnown[i].name, name) == 0) return kKnown[i].address;
  die("the library asks for", name);
  return NULL;
}

/* ---- The file: <mach-o/loader.h> ---- */

enum { kSegment = 0x19, kSymbols = 0x2, kFixups = 0x80000022u, kMaxSegments = 8 };

typedef struct header {
  uint32_t magic, cpu, kind, type, commands, command_bytes, flags, none;
} header;
typedef struct segment {
  uint32_t command, bytes;
  char name[16];
  uint64_t address, size, offset, file_size;
  uint32_t most, first, sections, flags;
} segment;
typedef struct symbols {
  uint32_t command, bytes, offset, count, strings, string_bytes;
} symbols;
typedef struct symbol {
  uint32_t name;
  uint8_t type, section;
  uint16_t description;
  uint64_t value;
} symbol;
typedef struct fixups {
  uint32_t command, bytes, rebase, rebase_bytes, bind, bind_bytes, weak, weak_bytes, lazy,
      lazy_bytes;
  uint32_t exported, exported_bytes;
} fixups;

static uint8_t* base;
static uint64_t starts[kMaxSegments];

static uint64_t read_number(const uint8_t** at) {
  uint64_t number = 0;
  for (int shift = 0;; shift += 7) {
    const uint8_t byte = *(*at)++;
    number |= (uint64_t)(byte & 0x7F) << shift;
    if (byte < 0x80) return number;
  }
}

/* REBASE_OPCODE_*: addresses inside the library. */
static void rebase(const uint8_t* at, const uint8_t* end) {
  uint64_t where = 0;
  while (at < end) {
    const uint8_t immediate = *at & 15, code = *at++ >> 4;
    uint64_t count = 0, skip = 0;
    switch (code) {
      case 0:
        return;
      case 1:
        continue;
      case 2:
        where = starts[immediate] + read_number(&at);
        continue;
      case 3:
        where += read_number(&at);
        continue;
      case 4:
        where += immediate * 8u;
        continue;
      case 5:
        count = immediate;
        break;
      case 6:
        count = read_number(&at);
        break;
      case 7:
        count = 1;
        skip = read_number(&at);
        break;
      case 8:
        count = read_number(&at);
        skip = read_number(&at);
        break;
      default:
        die("unknown", "rebase opcode");
    }
    for (; count > 0; --count, where += 8 + skip) *(uint64_t*)(base + where) += (uint64_t)base;
  }
}

/* BIND_OPCODE_*: addresses of functions and data of others. Lists of lazy ones have an end after
 * each. */
static void bind(const uint8_t* at, const uint8_t* end) {
  uint64_t where = 0;
  int64_t addend = 0;
  const char* name = "";
  while (at < end) {
    const uint8_t immediate = *at & 15, code = *at++ >> 4;
    uint64_t count = 0, skip = 0;
    switch (code) {
      case 0:
      case 1:
      case 3:
      case 5:
        continue;
      case 2:
        read_number(&at);
        continue;
      case 4:
        name = (const char*)at;
        at += strlen(name) + 1;
        continue;
      case 6: {
        int shift = 0;
        uint8_t byte;
        addend = 0;
        do {
          byte = *at++;
          addend |= (int64_t)(byte & 0x7F) << shift;
          shift += 7;
        } while (byte >= 0x80);
        if ((byte & 0x40) != 0 && shift < 64) addend |= -((int64_t)1 << shift);
        continue;
      }
      case 7:
        where = starts[immediate] + read_number(&at);
        continue;
      case 8:
        where += read_number(&at);
        continue;
      case 9:
        count = 1;
        break;
      case 10:
        count = 1;
        skip = read_number(&at);
        break;
      case 11:
        count = 1;
        skip = immediate * 8u;
        break;
      case 12:
        count = read_number(&at);
        skip = read_number(&at);
        break;
      default:
        die("unknown", "bind opcode");
    }
    for (; count > 0; --count, where += 8 + skip)
      *(uint64_t*)(base + where) = (uint64_t)find(name) + (uint64_t)addend;
  }
}

static const uint8_t* read_file(const char* path) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) die("cannot open", path);
  fseek(file, 0, SEEK_END);
  const size_t size = (size_t)ftell(file);
  uint8_t* bytes = malloc(size);
  rewind(file);
  if (bytes == NULL || fread(bytes, 1, size, file) != size) die("cannot read", path);
  fclose(file);
  return bytes;
}

/* The address of an exported function. */
static void* load(const char* path, const char* wanted) {
  const uint8_t* file = read_file(path);
  const header* head = (const header*)file;
  if (head->magic != 0xFEEDFACF) die("no library of one processor:", path);
  uint64_t end = 0;
  const fixups* fixup = NULL;
  const symbols* table = NULL;
  for (int pass = 0; pass < 2; ++pass) {
    const uint8_t* at = file + sizeof(header);
    int count = 0;
    for (uint32_t i = 0; i < head->commands; ++i, at += ((const symbols*)at)->bytes) {
      const segment* part = (const segment*)at;
      if (part->command == kSymbols) table = (const symbols*)at;
      if (part->command == kFixups) fixup = (const fixups*)at;
      if (part->command != kSegment) continue;
      if (pass == 0) {
        if (count == kMaxSegments) die("too many segments:", path);
        starts[count++] = part->address;
        if (part->address + part->size > end) end = part->address + part->size;
      } else {
        memcpy(base + part->address, file + part->offset, part->file_size);
      }
    }
    if (pass > 0) break;
    base = mmap(NULL, end, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) die("no memory for", path);
  }
  if (fixup == NULL || table == NULL) die("no symbols, or no LC_DYLD_INFO_ONLY:", path);
  rebase(file + fixup->rebase, file + fixup->rebase + fixup->rebase_bytes);
  bind(file + fixup->bind, file + fixup->bind + fixup->bind_bytes);
  bind(file + fixup->lazy, file + fixup->lazy + fixup->lazy_bytes);
  __builtin___clear_cache((char*)base, (char*)base + end);
  const symbol* symbol_at = (const symbol*)(file + table->offset);
  for (uint32_t i = 0; i < table->count; ++i)
    if (symbol_at[i].section != 0 &&
        strcmp((const char*)file + table->strings + symbol_at[i].name, wanted) == 0)
      return base + symbol_at[i].value;
  die("the library has no", wanted);
  return NULL;
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  standard_error = stderr;
  int (*function)(const char*, int64_t*, float*, char*);
  *(void**)&function = load(argv[1], "_top_ten");
  int64_t ids[kTopTen];
  float scores[kTopTen];
  char message[512];
  if (function(argv[2], ids, scores, message) != 0) die("top_ten:", message);
  for (int i = 0; i < kTopTen; ++i) printf("%lld %.6f\n", (long long)ids[i], (double)scores[i]);
  return 0;
}
