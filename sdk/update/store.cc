#include "sdk/update/store.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "sdk/base/error.h"
#include "sdk/update/apply.h"

namespace handpick {
namespace {

// What the file "state" says. 0: none.
struct State {
  uint64_t current = 0;
  uint64_t previous = 0;
  uint64_t rejected = 0;
  uint32_t trial = 0;   // 1: `current` was not confirmed yet.
  uint32_t starts = 0;  // With it, while it was a trial.
};

constexpr char kFormat[] = "handpick store 1\ncurrent %016" PRIx64 "\nprevious %016" PRIx64
                           "\nrejected %016" PRIx64 "\ntrial %" PRIx32 "\nstarts %" PRIx32 "\n";
constexpr size_t kStateSize = 256;

size_t Print(const State& state, char (&text)[kStateSize]) {
  return static_cast<size_t>(std::snprintf(text, sizeof(text), kFormat, state.current,
                                           state.previous, state.rejected, state.trial,
                                           state.starts));
}

// Reads a label and the hexadecimal number behind it.
uint64_t Take(const char* label, const char** at) {
  const size_t size = std::strlen(label);
  if (std::strncmp(*at, label, size) == 0) *at += size;
  uint64_t number = 0;
  for (;; ++*at) {
    const char c = **at;
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return number;
    number = number << 4 | static_cast<uint64_t>(digit);
  }
}

hp_status TooLong(hp_error* error) {
  return Fail(error, HP_INVALID_ARGUMENT, "a path of the store has more than %zu bytes",
              PathText::kSize);
}

hp_status BundlePath(const char* folder, uint64_t hash, PathText* path, hp_error* error) {
  char name[32];
  std::snprintf(name, sizeof(name), "/%016" PRIx64 ".hpk", hash);
  return path->Set(folder, name) ? HP_OK : TooLong(error);
}

hp_status ReadState(const char* folder, State* state, hp_error* error) {
  PathText path;
  if (!path.Set(folder, "/state")) return TooLong(error);
  *state = State();
  if (!Exists(path.text())) return HP_OK;
  OpenFile file;
  HP_TRY(file.OpenToRead(path.text(), error));
  uint64_t size;
  HP_TRY(file.Size(&size, error));
  char text[kStateSize] = {};
  char again[kStateSize] = {};
  if (size < kStateSize) {
    HP_TRY(file.ReadAt(0, text, static_cast<size_t>(size), error));
    const char* at = text;
    state->current = Take("handpick store 1\ncurrent ", &at);
    state->previous = Take("\nprevious ", &at);
    state->rejected = Take("\nrejected ", &at);
    state->trial = static_cast<uint32_t>(Take("\ntrial ", &at));
    state->starts = static_cast<uint32_t>(Take("\nstarts ", &at));
    // What would be written in its place tells whether all of it was read.
    Print(*state, again);
  }
  if (size >= kStateSize || std::strcmp(text, again) != 0 || state->current == 0) {
    return Fail(error, HP_STORE_CORRUPT,
                "'%s' is not what a store has there: empty the folder and install again",
                path.text());
  }
  return HP_OK;
}

hp_status WriteState(const char* folder, const State& state, hp_error* error) {
  PathText path, partial;
  if (!path.Set(folder, "/state") || !partial.Set(folder, "/state.partial")) return TooLong(error);
  char text[kStateSize];
  const size_t size = Print(state, text);
  OpenFile file;
  HP_TRY(file.CreateNew(partial.text(), error));
  HP_TRY(file.Write(text, size, error));
  HP_TRY(file.Sync(error));
  file.Close();
  return RenameFile(partial.text(), path.text(), error);
}

// Removes a bundle that a state does not name.
void Forget(const char* folder, uint64_t hash, const State& state) {
  PathText path;
  if (hash == 0 || hash == state.current || hash == state.previous) return;
  if (BundlePath(folder, hash, &path, nullptr) == HP_OK) RemoveFile(path.text());
}

hp_status NoBundle(const char* folder, const char* which, hp_error* error) {
  return Fail(error, HP_NO_BUNDLE, "store '%s' has no %s", folder, which);
}

// The one before takes the place of the current one.
hp_status FallBack(const char* folder, State* state, hp_error* error) {
  const uint64_t left = state->current;
  state->current = state->previous;
  state->previous = 0;
  state->rejected = left;
  state->trial = 0;
  state->starts = 0;
  HP_TRY(WriteState(folder, *state, error));
  Forget(folder, left, *state);
  return HP_OK;
}

}  // namespace

hp_status StartStore(const char* folder, char* path, hp_store_report* report, hp_error* error) {
  State state;
  HP_TRY(ReadState(folder, &state, error));
  if (state.current == 0) return NoBundle(folder, "bundle", error);
  report->outcome = state.trial != 0 ? HP_STORE_TRIAL : HP_STORE_CONFIRMED;
  if (state.trial != 0 && state.starts > 0 && state.previous != 0) {
    HP_TRY(FallBack(folder, &state, error));
    report->outcome = HP_STORE_FELL_BACK;
  } else if (state.trial != 0) {
    // Before the app does anything with it.
    state.starts = 1;
    HP_TRY(WriteState(folder, state, error));
  }
  PathText bundle;
  HP_TRY(BundlePath(folder, state.current, &bundle, error));
  static_assert(PathText::kSize == HP_STORE_PATH, "the same paths");
  std::memcpy(path, bundle.text(), HP_STORE_PATH);
  report->current = state.current;
  report->previous = state.previous;
  report->rejected = state.rejected;
  return HP_OK;
}

hp_status ConfirmStore(const char* folder, hp_error* error) {
  State state;
  HP_TRY(ReadState(folder, &state, error));
  if (state.current == 0) return NoBundle(folder, "bundle", error);
  if (state.trial == 0) return HP_OK;
  // Installed since the start: nobody has tried it yet.
  if (state.starts == 0) return HP_OK;
  state.trial = 0;
  state.starts = 0;
  return WriteState(folder, state, error);
}

hp_status InstallInStore(const char* folder, const char* path, hp_error* error) {
  State state;
  HP_TRY(ReadState(folder, &state, error));
  char buffer[4096];
  uint64_t hash;
  HP_TRY(HashFile(path, buffer, sizeof(buffer), &hash, error));
  PathText bundle;
  HP_TRY(BundlePath(folder, hash, &bundle, error));
  // Who downloaded it may not have: after a loss of power, the state would name an empty file.
  HP_TRY(SyncFile(path, error));
  HP_TRY(RenameFile(path, bundle.text(), error));
  if (hash == state.current) return HP_OK;
  State next = state;
  // A trial that nobody confirmed is nothing to fall back to, unless there is nothing else.
  if (state.trial == 0 || state.previous == 0) next.previous = state.current;
  next.current = hash;
  next.trial = 1;
  next.starts = 0;
  HP_TRY(WriteState(folder, next, error));
  Forget(folder, state.current, next);
  Forget(folder, state.previous, next);
  return HP_OK;
}

hp_status RollBackStore(const char* folder, hp_error* error) {
  State state;
  HP_TRY(ReadState(folder, &state, error));
  if (state.current == 0 || state.previous == 0) return NoBundle(folder, "bundle before", error);
  return FallBack(folder, &state, error);
}

}  // namespace handpick
