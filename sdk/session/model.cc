#include "sdk/session/model.h"

#include "sdk/base/error.h"
#include "sdk/bundle/load.h"
#include "sdk/session/layout.h"

namespace handpick {

Model::~Model() {
  for (const RowLayer& layer : row_layers_) DestroyRowLayer(layer);
  UnmapFile(file_);
}

hp_status Model::Open(const void* data, size_t size, bool pack, hp_error* error) {
  HP_TRY(LoadBundle(data, size, &memory_, &plan_, error));
  data_ = data;
  size_ = size;
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
