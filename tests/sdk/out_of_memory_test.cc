// An allocator that fails at its k-th call, for every k: an error, no leak, no handle.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "handpick/update.h"
#include "tests/support/test_files.h"
#include "tests/support/tiny/recall_bundle.h"
#include "tests/support/tiny/sequence_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"
#include "tests/support/tiny/tiny_session.h"
#include "tests/support/tiny/two_sequences.h"

namespace handpick {
namespace {

using testing::Bytes;
using testing::MakeRecallBundle;
using testing::MakeSequenceBundle;
using testing::MakeTinyBundle;
using testing::Serialized;

// More than anything here asks for.
constexpr int kPlenty = 100000;

// Gives blocks until `allowed` were given; the leak checker sees what is not given back, and so
// does `blocks`.
struct Allocator {
  int allowed = kPlenty;
  int blocks = 0;
  bool failed = false;

  hp_allocator get() {
    hp_allocator allocator = HP_ALLOCATOR_INIT;
    allocator.opaque = this;
    allocator.allocate = [](void* opaque, size_t bytes, size_t alignment) -> void* {
      auto* of = static_cast<Allocator*>(opaque);
      if (of->allowed == 0) {
        of->failed = true;
        return nullptr;
      }
      --of->allowed;
      ++of->blocks;
      return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    };
    allocator.release = [](void* opaque, void* memory, size_t) {
      --static_cast<Allocator*>(opaque)->blocks;
      std::free(memory);
    };
    return allocator;
  }
};

using Open = std::function<hp_status(const hp_open_options&, hp_model**, hp_error*)>;

// Opens, makes two sessions and a check. No more is tried after a failure, and all is given back.
hp_status OpenAndMakeSessions(const Open& open, Allocator* memory, hp_error* error) {
  const hp_allocator allocator = memory->get();
  hp_open_options options = HP_OPEN_OPTIONS_INIT;
  options.allocator = &allocator;
  auto* model = reinterpret_cast<hp_model*>(uintptr_t{64});
  hp_status status = open(options, &model, error);
  if (status != HP_OK) {
    EXPECT_EQ(model, nullptr);
    return status;
  }
  std::vector<hp_session*> sessions;
  while (status == HP_OK && sessions.size() < 2) {
    auto* session = reinterpret_cast<hp_session*>(uintptr_t{64});
    status = hp_session_new(model, nullptr, &session, error);
    EXPECT_EQ(session == nullptr, status != HP_OK);
    sessions.push_back(session);
  }
  auto* check = reinterpret_cast<hp_check*>(uintptr_t{64});
  if (status == HP_OK) {
    status = hp_check_new(model, &check, error);
    EXPECT_EQ(check == nullptr, status != HP_OK);
    hp_check_free(check);
  }
  hp_model_close(model);
  for (hp_session* session : sessions) hp_session_free(session);
  return status;
}

// Something that is done with an allocator's memory, and the status that it has when there is
// enough.
struct Work {
  std::function<hp_status(Allocator*, hp_error*)> run;
  hp_status done = HP_OK;
};

Work OpeningAndSessions(const Open& open) {
  return {[open](Allocator* memory, hp_error* error) {
    return OpenAndMakeSessions(open, memory, error);
  }};
}

// With all memory that is wanted: how many allocations that takes.
int Allocations(const Work& work) {
  Allocator memory;
  hp_error error = {};
  EXPECT_EQ(work.run(&memory, &error), work.done) << error.message;
  EXPECT_EQ(memory.blocks, 0);
  return kPlenty - memory.allowed;
}
int Allocations(const Open& open) { return Allocations(OpeningAndSessions(open)); }

// One allocation fewer than are needed, two fewer, down to none: each time an error. So that no
// allocation was left out, there are as many as without an error.
void ExpectErrors(const Work& work) {
  const int needed = Allocations(work);
  ASSERT_GE(needed, 3) << "a model and its parts";
  for (int allowed = 0; allowed <= needed; ++allowed) {
    SCOPED_TRACE("allocation " + std::to_string(allowed));
    Allocator memory;
    memory.allowed = allowed;
    hp_error error = {};
    const hp_status status = work.run(&memory, &error);
    ASSERT_EQ(memory.failed, allowed < needed);
    ASSERT_EQ(status, memory.failed ? HP_OUT_OF_MEMORY : work.done) << error.message;
    ASSERT_EQ(error.status, status);
    ASSERT_EQ(error.message[0] != '\0', status != HP_OK);
    ASSERT_EQ(memory.blocks, 0);
  }
}
void ExpectErrors(const Open& open) { ExpectErrors(OpeningAndSessions(open)); }

class OutOfMemoryTest : public ::testing::TestWithParam<const char*> {
 protected:
  OutOfMemoryTest() : serialized_(Serialized(*Make(GetParam()))), bytes_(serialized_) {}

  static std::unique_ptr<schema::BundleT> Make(const std::string& name) {
    if (name == "Tiny") return MakeTinyBundle();
    if (name == "Recall") return MakeRecallBundle(testing::RecallBundleOptions{}).bundle;
    if (name == "Sequence") return MakeSequenceBundle(schema::RecurrentCell::AttentionUpdateGru);
    return testing::MakeTwoSequencesBundle();
  }

  Open OpenBuffer(uint32_t flags) const {
    return [this, flags](hp_open_options options, hp_model** model, hp_error* error) {
      options.flags = flags;
      return hp_model_open_buffer(bytes_.data(), bytes_.size(), &options, model, error);
    };
  }

  const std::string serialized_;
  const Bytes bytes_;
};

TEST_P(OutOfMemoryTest, OfABuffer) { ExpectErrors(OpenBuffer(0)); }

TEST_P(OutOfMemoryTest, OfABufferThatIsCopied) {
  ExpectErrors(OpenBuffer(HP_OPEN_COPY));
  EXPECT_EQ(Allocations(OpenBuffer(HP_OPEN_COPY)), Allocations(OpenBuffer(0)) + 1);
}

TEST_P(OutOfMemoryTest, OfAFileAndOfAPartOfOne) {
  const std::string path = ::testing::TempDir() + "/out_of_memory.hpk";
  WriteText(path, "!" + serialized_);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  // What begins at no multiple of 64 bytes is copied.
  const Open part = [&](const hp_open_options& options, hp_model** model, hp_error* error) {
    return hp_model_open_fd(fd, 1, -1, &options, model, error);
  };
  ExpectErrors(part);
  EXPECT_EQ(Allocations(part), Allocations(OpenBuffer(0)) + 1);
  close(fd);
  WriteText(path, serialized_);
  for (const uint32_t flags : {uint32_t{0}, uint32_t{HP_OPEN_COPY}}) {
    ExpectErrors([&](hp_open_options options, hp_model** model, hp_error* error) {
      options.flags = flags;
      return hp_model_open_file(path.c_str(), &options, model, error);
    });
  }
  unlink(path.c_str());
}

TEST_P(OutOfMemoryTest, OfInspectingABuffer) {
  ExpectErrors(Work{[this](Allocator* memory, hp_error* error) {
    const hp_allocator allocator = memory->get();
    hp_open_options options = HP_OPEN_OPTIONS_INIT;
    options.allocator = &allocator;
    hp_model_info info = HP_MODEL_INFO_INIT;
    return hp_bundle_inspect_with(bytes_.data(), bytes_.size(), &options, &info, error);
  }});
}

// As far as the hashes, which these bundles do not have.
TEST_P(OutOfMemoryTest, OfVerifyingAnUpdate) {
  const std::string path = ::testing::TempDir() + "/out_of_memory.hpk";
  WriteText(path, serialized_);
  ExpectErrors(Work{[&](Allocator* memory, hp_error* error) {
                      const hp_allocator allocator = memory->get();
                      hp_update_options options = HP_UPDATE_OPTIONS_INIT;
                      options.allocator = &allocator;
                      return hp_update_verify(path.c_str(), &options, error);
                    },
                    HP_NO_HASHES});
  unlink(path.c_str());
}

INSTANTIATE_TEST_SUITE_P(Bundles, OutOfMemoryTest,
                         ::testing::Values("Tiny", "Recall", "Sequence", "TwoSequences"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace handpick
