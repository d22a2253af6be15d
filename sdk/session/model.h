// An opened bundle: the plan, and the dense layers over rows. Immutable after Open.
#ifndef HANDPICK_SDK_SESSION_MODEL_H_
#define HANDPICK_SDK_SESSION_MODEL_H_

#include <cstddef>
#include <cstdint>

#include "sdk/base/model_memory.h"
#include "sdk/bundle/mapped_file.h"
#include "sdk/kernels/row_engine.h"
#include "sdk/program/plan.h"

namespace handpick {

inline constexpr size_t kNoFolds = SIZE_MAX;

class Model {
 public:
  explicit Model(const hp_allocator* allocator) : memory_(allocator) {}
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  struct OpenOptions {
    bool pack = true;
    bool verify = false;
    bool preselect = false;
    uint64_t max_bytes = UINT64_MAX;
  };

  // Loads and verifies the bundle; with `pack`, makes the dense layers too (without: only plan()
  // may be used). The model releases the bytes when it is destroyed, also after an error.
  // Takes at most `max_bytes` from the allocator (HP_OUT_OF_MEMORY), and at most kMaxMemoryPerByte
  // for each byte of the bundle, or kMinMemory (HP_BUNDLE_CORRUPT). `verify`: compares the hashes.
  // `preselect`: makes the rounded plan, where it wins something.
  hp_status Open(const BundleBytes& bytes, const OpenOptions& options, hp_error* error);

  const BundleBytes& bytes() const { return bytes_; }

  const Plan& plan() const { return plan_; }
  // The same with rounded layers (session/rounded_plan.h). Null: there is none.
  const Plan* rounded_plan() const { return rounded_plan_; }
  // The layer of a session step that has weights. Candidate steps have none: their kernels read
  // weights as they lie in the bundle.
  const RowLayer& row_layer(const Step& step) const { return row_layers_[step.weights[0]]; }
  // Bytes of the matrices that a session keeps for attention units (KeptFoldBytes), unit after
  // unit.
  uint64_t fold_bytes() const { return fold_bytes_; }
  // Where those of a candidate step begin among them. kNoFolds: none are kept.
  size_t FoldOffset(const Step& step) const {
    if (fold_offsets_.empty()) return kNoFolds;
    return fold_offsets_[static_cast<size_t>(&step - plan_.candidate_steps.data())];
  }
  uint64_t model_bytes() const { return memory_.total_bytes(); }
  uint64_t engine_bytes() const { return engine_bytes_; }
  const hp_allocator& allocator() const { return memory_.allocator(); }

 private:
  hp_status Load(const OpenOptions& options, hp_error* error);
  hp_status PlaceFolds(hp_error* error);
  hp_status Pack(hp_error* error);

  ModelMemory memory_;
  BundleBytes bytes_;
  Plan plan_ = {};
  const Plan* rounded_plan_ = nullptr;
  absl::Span<size_t> fold_offsets_;  // By candidate step; empty: none keeps any.
  uint64_t fold_bytes_ = 0;
  // By dense weights: several steps may have the same. Not made for those that none of them has.
  absl::Span<RowLayer> row_layers_;
  uint64_t engine_bytes_ = 0;
};

}  // namespace handpick

#endif  // HANDPICK_SDK_SESSION_MODEL_H_
