// Opening reads nothing of what grows with the number of items: what a phone does not ask for stays
// on its disk.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "flatbuffers/flatbuffers.h"
#include "gtest/gtest.h"
#include "handpick/handpick.h"
#include "schema/bundle_generated.h"
#include "tests/support/tiny/recall_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace handpick {
namespace {

// A bundle's bytes in pages of their own, some of which cannot be read: touching one ends the test.
class GuardedBytes {
 public:
  explicit GuardedBytes(const std::string& bytes)
      : size_(bytes.size()),
        data_(static_cast<uint8_t*>(
            mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    std::memcpy(data_, bytes.data(), size_);
  }
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;
  ~GuardedBytes() { munmap(data_, size_); }

  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  size_t guarded() const { return guarded_; }

  // The pages that hold nothing but elements of `vector`.
  template <typename T>
  void Guard(const flatbuffers::Vector<T>* vector) {
    const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
    const auto begin = reinterpret_cast<uintptr_t>(vector->Data());
    const uintptr_t first = (begin + page - 1) / page * page;
    const uintptr_t end = (begin + vector->size() * sizeof(T)) / page * page;
    ASSERT_GT(end, first) << "fewer than a page";
    ASSERT_EQ(mprotect(reinterpret_cast<void*>(first), end - first, PROT_NONE), 0);
    guarded_ += end - first;
  }

 private:
  const size_t size_;
  uint8_t* const data_;
  size_t guarded_ = 0;
};

TEST(LargeIndexTest, OpeningReadsNothingThatGrowsWithTheItems) {
  testing::RecallBundleOptions options;
  options.model = false;
  options.items = 20000;
  options.dimension = 64;
  options.type = schema::ElementType::Int8PerRow;
  options.ids = testing::Ids::kIntegers;
  options.parameters.hash.family = schema::HashFamily::Hyperplane;
  options.parameters.hash.tables = 2;
  options.parameters.hash.functions = 12;
  GuardedBytes bytes(testing::Serialized(*testing::MakeRecallBundle(options).bundle));
  const schema::RecallIndex& index = *schema::GetBundle(bytes.data())->recall();
  bytes.Guard(index.rows());
  bytes.Guard(index.scale_codes());
  bytes.Guard(index.items());
  bytes.Guard(index.item_ids());
  ASSERT_EQ(index.tables()->size(), 2u);
  for (const schema::RecallTable* table : *index.tables()) {
    if (table->positions() != nullptr && table->positions()->size() > 0) {
      bytes.Guard(table->positions());
    }
    bytes.Guard(table->bucket_begins());
  }
  // All of the index but hash functions and ends of arrays within a page.
  EXPECT_GT(bytes.guarded(), 20000u * (64 + 8));

  hp_model* model = nullptr;
  hp_error error;
  ASSERT_EQ(hp_model_open_buffer(bytes.data(), bytes.size(), nullptr, &model, &error), HP_OK)
      << error.message;
  hp_model_info info = HP_MODEL_INFO_INIT;
  ASSERT_EQ(hp_model_get_info(model, &info), HP_OK);
  EXPECT_EQ(info.recall_items, 20000u);
  // Beside the bundle's own bytes.
  EXPECT_LT(info.model_bytes + info.engine_bytes, 16384u);
  hp_model_close(model);
}

}  // namespace
}  // namespace handpick
