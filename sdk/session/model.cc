#include "sdk/session/model.h"

#include "sdk/base/error.h"
#include "sdk/bundle/load.h"
#include "sdk/session/layout.h"

namespace handpick {

Model::~Model() {
  for (const DenseOperator& dense : session_dense_) DestroyDense(dense);
  UnmapFile(file_);
}

hp_status Model::Open(const void* data, size_t size, bool pack, hp_error* error) {
  HP_TRY(LoadBundle(data, size, &memory_, &plan_, error));
  SessionLayout layout;
  hp_session_options options = HP_SESSION_OPTIONS_INIT;
  options.workers = 1;
  HP_TRY(MakeSessionLayout(plan_, options, &layout, error));
  plan_.info.session_bytes = layout.total;
  plan_.info.step_count =
      static_cast<uint32_t>(plan_.session_steps.size() + plan_.candidate_steps.size());
  return pack ? Pack(error) : HP_OK;
}

hp_status Model::Pack(hp_error* error) {
  const absl::Span<const Step> steps = plan_.session_steps;
  if (!memory_.NewArray(steps.size(), &session_dense_)) {
    return Fail(error, HP_OUT_OF_MEMORY, "no memory for %zu dense operators", steps.size());
  }
  for (size_t i = 0; i < steps.size(); ++i) {
    const bool recurs = steps[i].kind == StepKind::kRecurrence;
    if (steps[i].kind != StepKind::kDense && !recurs) continue;
    const Value& from = plan_.values[recurs ? steps[i].output : steps[i].inputs[0]];
    const Value& to = plan_.values[recurs ? steps[i].scratch : steps[i].output];
    HP_TRY(CreateDense(plan_.dense_weights[steps[i].weights], from.stride, to.stride,
                       memory_.allocator(), &engine_bytes_, &session_dense_[i], error));
  }
  return HP_OK;
}

}  // namespace handpick
