// A recall index on its own, outside of a bundle: to measure, and for tests.
#ifndef HANDPICK_CONVERTER_RECALL_LOADED_INDEX_H_
#define HANDPICK_CONVERTER_RECALL_LOADED_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "schema/bundle_generated.h"
#include "sdk/recall/index.h"
#include "sdk/recall/search.h"

namespace handpick::converter {

// Bytes of a bundle and the runtime's view of them. Movable; not copied.
class LoadedRecallIndex {
 public:
  // Writes `index` down as a bundle would have it, and opens that as the runtime does.
  static absl::StatusOr<LoadedRecallIndex> Load(const schema::RecallIndexT& index);

  // The same from bytes that were written down: a FlatBuffer whose root is a schema::RecallIndex.
  static absl::StatusOr<LoadedRecallIndex> FromBytes(absl::Span<const uint8_t> bytes);

  const RecallIndex& index() const { return *index_; }
  absl::Span<const uint8_t> bytes() const { return {memory_.get(), bytes_}; }

  // Makes it an index of so many probes, 1 to its buckets or cells; not for one without either.
  void set_probes(uint32_t probes) { index_->probes = probes; }
  // Of a plane, 0 to kMaxDeviations.
  void set_deviations(float deviations) { index_->plane.deviations = deviations; }

  // Asks with memory of its own; an error of the runtime becomes a status.
  absl::StatusOr<std::vector<RecallHit>> Search(const RecallQuery& query,
                                                RecallWork* work = nullptr);

 private:
  struct Free {
    void operator()(uint8_t* memory) const;
  };
  using Memory = std::unique_ptr<uint8_t[], Free>;

  static Memory Allocate(size_t bytes);

  size_t bytes_ = 0;
  Memory memory_;
  std::unique_ptr<RecallIndex> index_;
  size_t scratch_bytes_ = 0;
  Memory scratch_;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECALL_LOADED_INDEX_H_
