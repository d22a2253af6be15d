// An app with an XNNPACK of its own beside the one in Handpick, of the same version and so with the
// same names: neither takes the other's functions, its state or its memory, whichever begins, and
// while both run.
//
//     two_xnnpacks_test BUNDLE.hpk        of a model with golden requests, in float32
//
// Each order is a process of its own, since XNNPACK is initialised once in a process.
#include <handpick/diagnostics.h>
#include <handpick/handpick.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "xnnpack.h"

namespace {

constexpr int kModels =
    20;  // Opened, asked and closed one after the other, while the app's operators run.

std::atomic<int> failures{0};

void Expect(bool condition, const char* what) {
  if (condition) return;
  if (++failures <= 10) std::fprintf(stderr, "FAILED: %s\n", what);
}

// Blocks that one of the two has. They come from one thread each, and go back to where they came
// from.
class Blocks {
 public:
  explicit Blocks(const char* name) : name_(name) {}
  void SetOwner(std::thread::id thread) { owner_ = thread; }

  void* Allocate(size_t bytes, size_t alignment) {
    Check(std::this_thread::get_id() == owner_, "allocated by another thread");
    void* block = nullptr;
    if (posix_memalign(&block, std::max(alignment, sizeof(void*)), std::max<size_t>(bytes, 1)) != 0)
      return nullptr;
    const std::lock_guard<std::mutex> lock(mutex_);
    live_.insert(block);
    ++allocated_;
    return block;
  }

  void Release(void* block) {
    if (block == nullptr) return;
    Check(std::this_thread::get_id() == owner_, "released by another thread");
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (live_.erase(block) == 0) {
        Check(false, "released a block of somebody else's");
        return;
      }
    }
    std::free(block);
  }

  size_t allocated() const { return allocated_; }
  size_t live() const { return live_.size(); }

 private:
  void Check(bool condition, const char* what) {
    if (condition) return;
    if (++failures <= 10) std::fprintf(stderr, "FAILED: %s: %s\n", name_, what);
  }

  const char* name_;
  std::thread::id owner_;
  std::mutex mutex_;
  std::set<void*> live_;
  size_t allocated_ = 0;
};

Blocks app_blocks("the app's memory");
Blocks handpick_blocks("Handpick's memory");

// ---- The app ----

void* AppAlignedAllocate(void*, size_t alignment, size_t size) {
  return app_blocks.Allocate(size, alignment);
}
void* AppAllocate(void*, size_t size) { return app_blocks.Allocate(size, 16); }
void* AppReallocate(void*, void*, size_t) {
  Expect(false, "XNNPACK reallocates: the test does not know how");
  return nullptr;
}
void AppRelease(void*, void* block) { app_blocks.Release(block); }

void InitialiseApp() {
  xnn_allocator allocator = {};
  allocator.allocate = AppAllocate;
  allocator.reallocate = AppReallocate;
  allocator.deallocate = AppRelease;
  allocator.aligned_allocate = AppAlignedAllocate;
  allocator.aligned_deallocate = AppRelease;
  Expect(xnn_initialize(&allocator) == xnn_status_success, "xnn_initialize");
}

// One dense layer: made, run, compared with a plain loop, deleted.
void RunApp(size_t seed) {
  constexpr size_t kRows = 5, kInputs = 37, kOutputs = 29;
  std::vector<float> weights(kOutputs * kInputs), bias(kOutputs), input(kRows * kInputs + 16),
      output(kRows * kOutputs);
  const auto number = [&seed] {
    seed = seed * 1103515245 + 12345;
    return static_cast<float>(seed / 65536 % 2001) / 1000 - 1;
  };
  for (float& x : weights) x = number();
  for (float& x : bias) x = number();
  for (float& x : input) x = number();
  xnn_operator_t layer = nullptr;
  Expect(xnn_create_fully_connected_nc_f32(kInputs, kOutputs, kInputs, kOutputs, weights.data(),
                                           bias.data(), -INFINITY, INFINITY, 0, nullptr, nullptr,
                                           &layer) == xnn_status_success,
         "the app's layer is made");
  Expect(xnn_reshape_fully_connected_nc_f32(layer, kRows, nullptr) == xnn_status_success,
         "the app's layer is shaped");
  Expect(xnn_setup_fully_connected_nc_f32(layer, input.data(), output.data()) == xnn_status_success,
         "the app's layer is set up");
  Expect(xnn_run_operator(layer, nullptr) == xnn_status_success, "the app's layer runs");
  Expect(xnn_delete_operator(layer) == xnn_status_success, "the app's layer is deleted");
  for (size_t row = 0; row < kRows; ++row) {
    for (size_t o = 0; o < kOutputs; ++o) {
      double sum = bias[o];
      for (size_t i = 0; i < kInputs; ++i)
        sum += double{weights[o * kInputs + i]} * input[row * kInputs + i];
      Expect(std::abs(output[row * kOutputs + o] - sum) < 1e-4, "the app's numbers");
    }
  }
}

// ---- Handpick ----

void* HandpickAllocate(void*, size_t bytes, size_t alignment) {
  return handpick_blocks.Allocate(bytes, alignment);
}
void HandpickRelease(void*, void* block, size_t) { handpick_blocks.Release(block); }

void RunHandpick(const char* bundle) {
  hp_allocator allocator = HP_ALLOCATOR_INIT;
  allocator.allocate = HandpickAllocate;
  allocator.release = HandpickRelease;
  hp_open_options options = HP_OPEN_OPTIONS_INIT;
  options.allocator = &allocator;
  hp_model* model = nullptr;
  hp_session* session = nullptr;
  hp_error error;
  const size_t before = handpick_blocks.allocated();
  if (hp_model_open_file(bundle, &options, &model, &error) != HP_OK ||
      hp_session_new(model, nullptr, &session, &error) != HP_OK) {
    Expect(false, error.message);
    return;
  }
  // Packed weights are the engine's, beside the model and the session.
  hp_model_info info = HP_MODEL_INFO_INIT;
  Expect(hp_model_get_info(model, &info) == HP_OK, "the model's info");
  Expect(info.engine_bytes > 0, "the bundle has a layer for the engine");
  Expect(handpick_blocks.allocated() > before + 2, "Handpick's engine takes Handpick's memory");
  float worst = 0;
  Expect(hp_session_check_goldens(session, &worst) == HP_OK, "golden requests");
  hp_session_free(session);
  hp_model_close(model);
}

// ---- Both ----

int Run(const char* bundle, bool app_first) {
  handpick_blocks.SetOwner(std::this_thread::get_id());
  std::mutex mutex;
  std::condition_variable changed;
  bool app_may_begin = app_first, app_runs = false;
  std::atomic<bool> app_may_end{false};
  std::thread app([&] {
    app_blocks.SetOwner(std::this_thread::get_id());
    {
      std::unique_lock<std::mutex> lock(mutex);
      changed.wait(lock, [&] { return app_may_begin; });
    }
    InitialiseApp();
    size_t runs = 0;
    for (; runs < 50 || !app_may_end; ++runs) {
      RunApp(runs + 1);
      const std::lock_guard<std::mutex> lock(mutex);
      app_runs = true;
      changed.notify_all();
    }
    Expect(app_blocks.allocated() > runs, "the app's XNNPACK takes the app's memory");
  });
  if (!app_first) RunHandpick(bundle);
  {
    std::unique_lock<std::mutex> lock(mutex);
    app_may_begin = true;
    changed.notify_all();
    changed.wait(lock, [&] { return app_runs; });
  }
  for (int i = 0; i < kModels; ++i) RunHandpick(bundle);
  app_may_end = true;
  app.join();
  Expect(handpick_blocks.allocated() > size_t{kModels}, "Handpick takes memory");
  Expect(handpick_blocks.live() == 0, "all of Handpick's memory is given back");
  Expect(app_blocks.live() == 0, "all of the app's memory is given back");
  return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s BUNDLE.hpk\n", argv[0]);
    return 2;
  }
  int result = 0;
  for (const bool app_first : {true, false}) {
    const pid_t child = fork();
    if (child == 0) _exit(Run(argv[1], app_first));
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 0) {
      std::fprintf(stderr, "FAILED with %s first (status %x)\n",
                   app_first ? "the app's XNNPACK" : "Handpick's", status);
      result = 1;
    }
  }
  return result;
}
