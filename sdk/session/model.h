// An opened bundle: the plan, and the engine's operators with packed weights. Immutable after Open.
#ifndef HANDPICK_SDK_SESSION_MODEL_H_
#define HANDPICK_SDK_SESSION_MODEL_H_

#include "sdk/base/model_memory.h"
#include "sdk/bundle/mapped_file.h"
#include "sdk/kernels/dense_engine.h"
#include "sdk/program/plan.h"

namespace handpick {

class Model {
 public:
  explicit Model(const hp_allocator* allocator) : memory_(allocator) {}
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // Loads and verifies the bundle; with `pack`, makes the dense operators too (without: only plan()
  // may be used).
  hp_status Open(const void* data, size_t size, bool pack, hp_error* error);

  // The model unmaps `file` when it is destroyed.
  void OwnFile(const MappedFile& file) { file_ = file; }

  const Plan& plan() const { return plan_; }
  // The operator of a dense or recurrent step of the session program. Candidate steps have none:
  // their kernels read weights as they lie in the bundle.
  const DenseOperator& dense(const Step& step) const {
    return session_dense_[&step - plan_.session_steps.data()];
  }
  uint64_t model_bytes() const { return memory_.total_bytes(); }
  uint64_t engine_bytes() const { return engine_bytes_; }
  const hp_allocator& allocator() const { return memory_.allocator(); }

 private:
  hp_status Pack(hp_error* error);

  ModelMemory memory_;
  MappedFile file_;
  Plan plan_ = {};
  absl::Span<DenseOperator>
      session_dense_;  // By step; `engine` is null for steps that are not dense.
  uint64_t engine_bytes_ = 0;
};

}  // namespace handpick

#endif  // HANDPICK_SDK_SESSION_MODEL_H_
