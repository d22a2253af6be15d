#include "sdk/session/model.h"

#include <algorithm>

#include "sdk/base/error.h"
#include "sdk/bundle/check_integrity.h"
#include "sdk/bundle/limits.h"
#include "sdk/bundle/load.h"
#include "sdk/session/layout.h"
#include "sdk/session/rounded_plan.h"
#include "sdk/session/step_weights.h"

namespace handpick {

Model::~Model() {
  for (const RowLayer& layer : row_layers_) DestroyRowLayer(layer);
  ReleaseBytes(bytes_, memory_.allocator());
}

hp_status Model::Open(const BundleBytes& bytes, const OpenOptions& options, hp_error* error) {
  bytes_ = bytes;
  const uint64_t most = std::max(kMinMemory, kMaxMemoryPerByte * bytes.size);
  memory_.Limit(std::min(most, options.max_bytes));
  const hp_status status = Load(options, error);
  if (status == HP_OK || !memory_.over_limit()) return status;
  if (options.max_bytes < most) {
    return Fail(error, HP_OUT_OF_MEMORY,
                "the model takes more memory than max_model_bytes allows for its lists and packed "
                "weights, %llu bytes",
                static_cast<unsigned long long>(options.max_bytes));
  }
  return Fail(error, HP_BUNDLE_CORRUPT,
              "bundle of %zu bytes asks for more memory than a sound one of its size, %llu bytes",
              bytes.size, static_cast<unsigned long long>(most));
}

hp_status Model::Load(const OpenOptions& open, hp_error* error) {
  HP_TRY(LoadBundle(bytes_.data, bytes_.size, &memory_, &plan_, error));
  if (open.verify) {
    IntegrityCheck check(*plan_.hashes, bytes_.data, bytes_.size);
    HP_TRY(check.Next(UINT64_MAX, error));
  }
  plan_.info.copied_bytes = bytes_.copy == nullptr ? 0 : bytes_.size;
  if (open.preselect) HP_TRY(MakeRoundedPlan(plan_, &memory_, &rounded_plan_, error));
  HP_TRY(PlaceFolds(error));
  SessionLayout layout;
  hp_session_options options = HP_SESSION_OPTIONS_INIT;
  options.workers = 1;
  HP_TRY(MakeSessionLayout(*this, options, &layout, error));
  plan_.info.session_bytes = layout.total;
  plan_.info.step_count = static_cast<uint32_t>(plan_.steps.size());
  return open.pack ? Pack(error) : HP_OK;
}

hp_status Model::PlaceFolds(hp_error* error) {
  const size_t count = plan_.candidate_steps.size();
  for (size_t s = 0; s < count; ++s) {
    const uint64_t bytes = KeptFoldBytes(plan_, plan_.candidate_steps[s]);
    if (bytes == 0) continue;
    if (fold_offsets_.empty()) {
      if (!memory_.NewArray(count, &fold_offsets_)) {
        return Fail(error, HP_OUT_OF_MEMORY, "no memory for where the matrices of %zu steps lie",
                    count);
      }
      std::fill(fold_offsets_.begin(), fold_offsets_.end(), kNoFolds);
    }
    // More than can be addressed: then no session is laid out.
    fold_offsets_[s] = static_cast<size_t>(fold_bytes_);
    fold_bytes_ += bytes;
  }
  return HP_OK;
}

hp_status Model::Pack(hp_error* error) {
  const size_t count = plan_.dense_weights.size();
  if (!memory_.NewArray(count, &row_layers_)) {
    return Fail(error, HP_OUT_OF_MEMORY, "no memory for %zu dense layers", count);
  }
  const hp_allocator allocator = memory_.counted_allocator();
  const uint64_t most = std::max(kMinMemory / 2, kMaxPackedPerByte * bytes_.size);
  for (const Step& step : plan_.session_steps) {
    if (step.weights.empty()) continue;
    RowLayer& layer = row_layers_[step.weights[0]];
    if (layer.weights != nullptr) continue;
    HP_TRY(MakeRowLayer(plan_.dense_weights[step.weights[0]], allocator,
                        most - std::min(most, engine_bytes_), &engine_bytes_, &layer, error));
  }
  return HP_OK;
}

}  // namespace handpick
