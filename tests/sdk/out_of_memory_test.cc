// An allocator that fails at its k-th call, for every k: an error, no leak, no handle.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "handpick/handpick.h"
#include "tests/support/test_files.h"
#include "tests/support/tiny/sequence_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"
#include "tests/support/tiny/tiny_session.h"
#include "tests/support/tiny/two_sequences.h"

namespace handpick {
namespace {

using testing::Bytes;
using testing::MakeSequenceBundle;
using testing::MakeTinyBundle;
using testing::Serialized;

// Gives blocks until `allowed` were given; the leak checker sees what is not given back, and so
// does `blocks`.
struct Allocator {
  int allowed = 0;
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

// Opens and makes two sessions; `least`: how many allocations that takes at least.
void ExpectErrors(const Open& open, int least) {
  for (int allowed = 0; allowed < 1000; ++allowed) {
    SCOPED_TRACE("allocation " + std::to_string(allowed));
    Allocator memory;
    memory.allowed = allowed;
    const hp_allocator allocator = memory.get();
    hp_open_options options = HP_OPEN_OPTIONS_INIT;
    options.allocator = &allocator;
    auto* model = reinterpret_cast<hp_model*>(uintptr_t{64});
    hp_session* sessions[2] = {reinterpret_cast<hp_session*>(uintptr_t{64}), nullptr};
    hp_error error = {};
    hp_status status = open(options, &model, &error);
    if (status != HP_OK) {
      ASSERT_EQ(model, nullptr);
    } else {
      for (hp_session*& session : sessions) {
        status = hp_session_new(model, nullptr, &session, &error);
        if (status == HP_OK) continue;
        ASSERT_EQ(session, nullptr);
        break;
      }
      hp_model_close(model);
    }
    ASSERT_EQ(status, memory.failed ? HP_OUT_OF_MEMORY : HP_OK) << error.message;
    if (memory.failed) {
      ASSERT_EQ(error.status, HP_OUT_OF_MEMORY);
      ASSERT_STRNE(error.message, "");
    }
    if (sessions[0] != reinterpret_cast<hp_session*>(uintptr_t{64})) hp_session_free(sessions[0]);
    hp_session_free(sessions[1]);
    ASSERT_EQ(memory.blocks, 0);
    if (!memory.failed) {
      EXPECT_GE(allowed + 2, least);
      return;
    }
  }
  FAIL() << "never opened";
}

class OutOfMemoryTest : public ::testing::TestWithParam<const char*> {
 protected:
  OutOfMemoryTest() : serialized_(Serialized(*Make(GetParam()))), bytes_(serialized_) {}

  static std::unique_ptr<schema::BundleT> Make(const std::string& name) {
    if (name == "Tiny") return MakeTinyBundle();
    if (name == "Sequence") return MakeSequenceBundle(schema::RecurrentCell::AttentionUpdateGru);
    return testing::MakeTwoSequencesBundle();
  }

  const std::string serialized_;
  const Bytes bytes_;
};

TEST_P(OutOfMemoryTest, OfABuffer) {
  ExpectErrors(
      [&](const hp_open_options& options, hp_model** model, hp_error* error) {
        return hp_model_open_buffer(bytes_.data(), bytes_.size(), &options, model, error);
      },
      10);
}

TEST_P(OutOfMemoryTest, OfABufferThatIsCopied) {
  ExpectErrors(
      [&](hp_open_options options, hp_model** model, hp_error* error) {
        options.flags = HP_OPEN_COPY;
        return hp_model_open_buffer(bytes_.data(), bytes_.size(), &options, model, error);
      },
      11);
}

TEST_P(OutOfMemoryTest, OfAFileAndOfAPartOfOne) {
  const std::string path = ::testing::TempDir() + "/out_of_memory.hpk";
  WriteText(path, "!" + serialized_);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  ExpectErrors([&](const hp_open_options& options, hp_model** model,
                   hp_error* error) { return hp_model_open_fd(fd, 1, -1, &options, model, error); },
               11);
  close(fd);
  WriteText(path, serialized_);
  for (const uint32_t flags : {uint32_t{0}, uint32_t{HP_OPEN_COPY}}) {
    ExpectErrors(
        [&](hp_open_options options, hp_model** model, hp_error* error) {
          options.flags = flags;
          return hp_model_open_file(path.c_str(), &options, model, error);
        },
        10);
  }
  unlink(path.c_str());
}

INSTANTIATE_TEST_SUITE_P(Bundles, OutOfMemoryTest,
                         ::testing::Values("Tiny", "Sequence", "TwoSequences"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace handpick
