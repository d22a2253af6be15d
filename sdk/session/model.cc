#include "sdk/session/model.h"

#include "sdk/base/error.h"
#include "sdk/bundle/load.h"
#include "sdk/session/layout.h"

namespace handpick {

Model::~Model() {
  for (const RowLayer& layer : row_layers_) DestroyRowLayer(layer);
  ReleaseBytes(bytes_, memory_.allocator());
}

hp_status Model::Open(const BundleBytes& bytes, bool pack, hp_error* error) {
  bytes_ = bytes;
  HP_TRY(LoadBundle(bytes.data, bytes.size, &memory_, &plan_, error));
  plan_.info.copied_bytes = bytes.copy == nullptr ? 0 : bytes.size;
  SessionLayout layout;
  hp_session_options options = HP_SESSION_OPTIONS_INIT;
  options.workers = 1;
  HP_TRY(MakeSessionLayout(plan_, options, &layout, error));
  plan_.info.session_bytes = layout.total;
  plan_.info.step_count = static_cast<uint32_t>(plan_.steps.size());
  return pack ? Pack(error) : HP_OK;
}

hp_status Model::Pack(hp_error* error) {
  const absl::Span<const Step> steps = plan_.session_steps;
  if (!memory_.NewArray(steps.size(), &row_layers_)) {
    return Fail(error, HP_OUT_OF_MEMORY, "no memory for %zu dense layers", steps.size());
  }
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].weights.empty()) continue;
    HP_TRY(MakeRowLayer(plan_.dense_weights[steps[i].weights[0]], memory_.allocator(),
                        &engine_bytes_, &row_layers_[i], error));
  }
  return HP_OK;
}

}  // namespace handpick
