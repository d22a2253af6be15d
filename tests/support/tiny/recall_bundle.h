// Bundles with a recall index, with a model beside it or without, and what tests of recall need.
#ifndef HANDPICK_TESTS_SUPPORT_TINY_RECALL_BUNDLE_H_
#define HANDPICK_TESTS_SUPPORT_TINY_RECALL_BUNDLE_H_

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "converter/recall/builder.h"
#include "handpick/handpick.h"
#include "schema/bundle_generated.h"

namespace handpick::testing {

enum class Ids {
  kNumbers,         // Item i has the id i. No catalog.
  kIntegers,        // 1000 + 7 i, in the index; a catalog of every second item.
  kStrings,         // "item-1000" and so on, likewise.
  kCatalog,         // The same integers: the catalog's.
  kCatalogStrings,  // The same strings: the catalog's.
};

struct RecallBundleOptions {
  uint32_t items = 100;
  uint32_t dimension = 16;
  schema::RecallMetric metric = schema::RecallMetric::Cosine;
  schema::ElementType type = schema::ElementType::Float32;
  Ids ids = Ids::kCatalog;
  bool model = true;  // Beside the index.
  converter::RecallParameters parameters;
  uint32_t probes = 1;
  uint64_t seed = 1;
  // The item before has the same vector: 0 never, 2 every second item.
  uint32_t twin_every = 0;
  // Whether ids that the model does not know have a row.
  bool candidates_out_of_vocabulary = true;
  bool events_out_of_vocabulary = true;
  // A value of the tiny bundle that is the model's vector of the user: "user" of dimension 4,
  // "seen" of 3, or "context" of 8, which is user, age and seen side by side.
  const char* user_value = nullptr;
};

// The tiny bundle's model and features (see tiny_bundle.h), with these changes: at most 8 events;
// `seen` and `item` take the ids above; the catalog has, for item i,
//   tags   {i % 6, (i * i + 1) % 6}, none where i is a multiple of 5
//   price  i % 50 and i % 7, through the transform
//   name   "a", "b", "c" by i % 3
struct RecallBundle {
  std::unique_ptr<schema::BundleT> bundle;
  std::vector<std::vector<float>> vectors;  // By item, as the index was given them.
  std::vector<hp_item_id> ids;              // By item. Strings live in `texts`.
  std::vector<std::string> texts;
};

RecallBundle MakeRecallBundle(const RecallBundleOptions& options);

std::vector<float> RandomVector(uint32_t dimension, uint64_t seed);

// An overlay in memory of exactly the size that the library asks for.
class OpenOverlay {
 public:
  OpenOverlay(const hp_model* model, uint32_t max_items) : memory_(nullptr, &std::free) {
    size_t bytes = 0;
    if (hp_recall_overlay_memory_size(model, max_items, &bytes, &error_) != HP_OK) return;
    void* memory = nullptr;
    if (posix_memalign(&memory, HP_ALIGNMENT, bytes) != 0) return;
    memory_.reset(memory);
    std::memset(memory, 0xA8, bytes);
    hp_recall_overlay_create(model, max_items, memory, bytes, &overlay_, &error_);
  }

  hp_recall_overlay* get() const { return overlay_; }
  hp_error* error() { return &error_; }

  hp_status Add(const hp_item_id& id, const std::vector<float>& vector) {
    return hp_recall_overlay_add(overlay_, &id, vector.data(), vector.size(), &error_);
  }
  hp_status Remove(const hp_item_id& id) {
    return hp_recall_overlay_remove(overlay_, &id, &error_);
  }
  hp_status Hide(const hp_item_id& id) { return hp_recall_overlay_hide(overlay_, &id, &error_); }
  hp_status Show(const hp_item_id& id) { return hp_recall_overlay_show(overlay_, &id, &error_); }

 private:
  std::unique_ptr<void, decltype(&std::free)> memory_;
  hp_recall_overlay* overlay_ = nullptr;
  hp_error error_ = {};
};

inline hp_item_id IntegerId(int64_t id) { return {id, {nullptr, 0}}; }
inline hp_item_id StringId(const char* text) { return {0, {text, std::strlen(text)}}; }

// One word for an id of either type.
std::string Text(const hp_item_id& id);

// ---- An oracle that looks at everything, in double ----

struct OracleItem {
  hp_item_id id;
  std::vector<float> vector;
};

struct OracleHit {
  hp_item_id id;
  double score;
};

double OracleScore(schema::RecallMetric metric, const std::vector<float>& user,
                   const std::vector<float>& item);

// All of `items` by the best of their scores for `users`, best first, equal ones by id.
std::vector<OracleHit> OracleRecall(schema::RecallMetric metric,
                                    const std::vector<std::vector<float>>& users,
                                    const std::vector<OracleItem>& items);

// The vector of length 1, as an index for cosine keeps it.
std::vector<float> Unit(const std::vector<float>& vector);

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_SUPPORT_TINY_RECALL_BUNDLE_H_
