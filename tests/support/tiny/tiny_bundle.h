// A bundle small enough to write by hand, with every operator and kind of feature: for tests of the
// runtime alone.
//
//   context:   user (identity, 5 rows, required), age (number, default 0.5)
//   history:   seen (identity, 4 rows; row 0 is padding), at most 3 events
//   candidate: item (list 10, 20, 30 -> rows 1 to 3, row 0 for others), tags (up to 3 of 6, mean),
//   name (strings "a", "b",
//              "c" -> rows 0 to 2, default "a"), price (two numbers, log1p of the clipped, default
//              0 0)
//   crossed:   user x tags (5 * 6 rows, sum)
//   catalog:   items 10, 20, 30: tags, price
//
//   deep = relu(W1 [item, tags, name, price] + (W0 [user, age, mean of seen]))
//   logit = W2 deep + sum of cross[user x tags]
#ifndef HANDPICK_TESTS_SUPPORT_TINY_TINY_BUNDLE_H_
#define HANDPICK_TESTS_SUPPORT_TINY_TINY_BUNDLE_H_

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "handpick/handpick.h"
#include "schema/bundle_generated.h"

namespace handpick::testing {

// Feature numbers of the tiny bundle.
enum TinyFeature : uint32_t { kUser, kAge, kSeen, kItem, kTags, kName, kPrice, kCross };

std::unique_ptr<schema::BundleT> MakeTinyBundle();

// The file's bytes, aligned to HP_ALIGNMENT, in memory that ends where they end: the address
// sanitizer sees every overstep.
class Bytes {
 public:
  explicit Bytes(const std::string& bytes) : size_(bytes.size()), data_(nullptr, &std::free) {
    void* memory = nullptr;
    if (posix_memalign(&memory, HP_ALIGNMENT, bytes.empty() ? 1 : bytes.size()) != 0) std::abort();
    data_.reset(memory);
    std::memcpy(memory, bytes.data(), bytes.size());
  }
  const void* data() const { return data_.get(); }
  size_t size() const { return size_; }

 private:
  size_t size_;
  std::unique_ptr<void, decltype(&std::free)> data_;
};

std::string Serialized(const schema::BundleT& bundle);

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_SUPPORT_TINY_TINY_BUNDLE_H_
