// The C API's models: checks its arguments and calls the parts below.
#include <cstring>
#include <new>

#include "handpick/handpick.h"
#include "sdk/api/arguments.h"
#include "sdk/api/call.h"
#include "sdk/api/handles.h"
#include "sdk/api/open_options.h"
#include "sdk/base/error.h"
#include "sdk/base/model_memory.h"
#include "sdk/bundle/mapped_file.h"
#include "sdk/features/resolve.h"
#include "sdk/recall/index.h"

namespace handpick {

hp_status ReadKeys(const uint8_t* bytes, size_t size, PublicKeys* keys, hp_error* error) {
  if ((bytes == nullptr) != (size == 0) || size % HP_PUBLIC_KEY_SIZE != 0) {
    return Fail(error, HP_INVALID_ARGUMENT,
                "public_keys_size is %zu, expected %d for each of public_keys", size,
                HP_PUBLIC_KEY_SIZE);
  }
  keys->bytes = bytes;
  keys->size = size;
  return HP_OK;
}

hp_status ReadOpenOptions(const hp_open_options* given, OpenOptions* read, hp_error* error) {
  hp_open_options options;
  HP_TRY(ReadStruct(given, &options, error));
  if ((options.flags & ~uint32_t{HP_OPEN_COPY | HP_OPEN_VERIFY | HP_OPEN_PRESELECT}) != 0) {
    return Fail(error, HP_INVALID_ARGUMENT,
                "open options have flags 0x%x, expected HP_OPEN_COPY, HP_OPEN_VERIFY, "
                "HP_OPEN_PRESELECT, several or 0",
                options.flags);
  }
  HP_TRY(ReadKeys(options.public_keys, options.public_keys_size, &read->keys, error));
  read->flags = options.flags;
  read->model.preselect = (options.flags & HP_OPEN_PRESELECT) != 0;
  read->model.verify = (options.flags & HP_OPEN_VERIFY) != 0;
  if (options.max_model_bytes != 0) read->model.max_bytes = options.max_model_bytes;
  read->allocator = DefaultAllocator();
  if (options.allocator == nullptr) return HP_OK;
  HP_TRY(ReadStruct(options.allocator, &read->allocator, error));
  if (read->allocator.allocate == nullptr || read->allocator.release == nullptr) {
    return NullArgument(error, "a function of the allocator");
  }
  return HP_OK;
}

namespace {

static_assert(alignof(hp_model) <= HP_ALIGNMENT, "memory is aligned enough");

void DeleteModel(hp_model* model) {
  const hp_allocator allocator = model->model.allocator();
  model->~hp_model();
  allocator.release(allocator.opaque, model, sizeof(hp_model));
}

// Opens the bytes that read(copy, &bytes) brings.
template <typename Read>
hp_status OpenModel(const hp_open_options* given, const Read& read, hp_model** model,
                    hp_error* error) {
  OpenOptions options;
  HP_TRY(ReadOpenOptions(given, &options, error));
  const hp_allocator& allocator = options.allocator;
  Model::OpenOptions& open = options.model;
  if (open.max_bytes < sizeof(hp_model)) {
    return Fail(error, HP_OUT_OF_MEMORY, "max_model_bytes is less than %zu, the smallest model",
                sizeof(hp_model));
  }
  open.max_bytes -= sizeof(hp_model);
  void* memory = allocator.allocate(allocator.opaque, sizeof(hp_model), HP_ALIGNMENT);
  if (memory == nullptr) return Fail(error, HP_OUT_OF_MEMORY, "no memory for a model");
  hp_model* opened = new (memory) hp_model(&allocator);
  BundleBytes bytes;
  const CopyTo copy = {(options.flags & HP_OPEN_COPY) != 0, &allocator, open.max_bytes};
  hp_status status = read(copy, &bytes);
  if (bytes.copy != nullptr) open.max_bytes -= bytes.size;
  if (status == HP_OK && options.keys.size != 0) {
    status = CheckSignature(bytes.data, bytes.size, options.keys, error);
    if (status != HP_OK) ReleaseBytes(bytes, allocator);
  }
  if (status == HP_OK) status = opened->model.Open(bytes, open, error);
  if (status != HP_OK) {
    DeleteModel(opened);
    return status;
  }
  EnterModel(opened);
  *model = opened;
  return HP_OK;
}

}  // namespace
}  // namespace handpick

using handpick::NullArgument;
using handpick::Succeed;

hp_status hp_model_open_file(const char* path, const hp_open_options* options, hp_model** model,
                             hp_error* error) {
  Succeed(error);
  if (model == nullptr) return NullArgument(error, "model");
  *model = nullptr;
  if (path == nullptr) return NullArgument(error, "path");
  return handpick::OpenModel(
      options,
      [&](const handpick::CopyTo& copy, handpick::BundleBytes* bytes) {
        return handpick::ReadFile(path, copy, bytes, error);
      },
      model, error);
}

hp_status hp_model_open_fd(int fd, int64_t offset, int64_t length, const hp_open_options* options,
                           hp_model** model, hp_error* error) {
  Succeed(error);
  if (model == nullptr) return NullArgument(error, "model");
  *model = nullptr;
  return handpick::OpenModel(
      options,
      [&](const handpick::CopyTo& copy, handpick::BundleBytes* bytes) {
        return handpick::ReadDescriptor(fd, offset, length, copy, bytes, error);
      },
      model, error);
}

hp_status hp_model_open_buffer(const void* data, size_t size, const hp_open_options* options,
                               hp_model** model, hp_error* error) {
  Succeed(error);
  if (model == nullptr) return NullArgument(error, "model");
  *model = nullptr;
  if (data == nullptr) return NullArgument(error, "data");
  return handpick::OpenModel(
      options,
      [&](const handpick::CopyTo& copy, handpick::BundleBytes* bytes) {
        if (copy.always) return handpick::CopyBuffer(data, size, copy, bytes, error);
        bytes->data = data;
        bytes->size = size;
        return HP_OK;
      },
      model, error);
}

void hp_model_retain(hp_model* model) {
  if (model == nullptr || handpick::CheckModel(model, nullptr) != HP_OK) return;
  model->owners.fetch_add(1, std::memory_order_relaxed);
}

void hp_model_close(hp_model* model) {
  if (model == nullptr || handpick::CheckModel(model, nullptr) != HP_OK) return;
  if (model->owners.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  handpick::LeaveModel(model);
  handpick::DeleteModel(model);
}

hp_status hp_model_get_info(const hp_model* model, hp_model_info* info) {
  if (model == nullptr || info == nullptr) return HP_INVALID_ARGUMENT;
  HP_TRY(handpick::CheckModel(model, nullptr));
  hp_model_info filled = model->model.plan().info;
  filled.model_bytes = sizeof(hp_model) + model->model.model_bytes();
  filled.engine_bytes = model->model.engine_bytes();
  filled.session_bytes += handpick::kSessionCheckBytes;
  return handpick::WriteStruct(filled, info, nullptr);
}

hp_status hp_model_get_feature(const hp_model* model, uint32_t feature, hp_feature_info* info) {
  if (model == nullptr || info == nullptr) return HP_INVALID_ARGUMENT;
  HP_TRY(handpick::CheckModel(model, nullptr));
  const handpick::Plan& plan = model->model.plan();
  if (feature >= plan.features.size()) return HP_UNKNOWN_FEATURE;
  const handpick::Feature& of = plan.features[feature];
  hp_feature_info filled = HP_FEATURE_INFO_INIT;
  filled.name = of.name;
  filled.side = of.side;
  filled.type = of.type;
  filled.value_types = handpick::ValueTypes(of);
  filled.max_values = of.max_values;
  filled.dimension = of.dimension;
  filled.optional = of.optional || of.type == HP_FEATURE_LENGTH || of.catalog_column >= 0 ? 1 : 0;
  filled.is_catalog_key = feature == plan.catalog.key_feature ? 1 : 0;
  if (of.side == HP_SIDE_HISTORY) {
    filled.sequence = plan.sequences[of.sequence].name;
    filled.max_events = plan.sequences[of.sequence].max_events;
  }
  return handpick::WriteStruct(filled, info, nullptr);
}

hp_status hp_model_find_feature(const hp_model* model, hp_side side, const char* name,
                                uint32_t* feature) {
  if (model == nullptr || name == nullptr || feature == nullptr) return HP_INVALID_ARGUMENT;
  HP_TRY(handpick::CheckModel(model, nullptr));
  const handpick::Plan& plan = model->model.plan();
  for (uint32_t i = 0; i < plan.features.size(); ++i) {
    if (plan.features[i].side == side && std::strcmp(plan.features[i].name, name) == 0) {
      *feature = i;
      return HP_OK;
    }
  }
  return HP_UNKNOWN_FEATURE;
}

hp_status hp_model_get_output(const hp_model* model, uint32_t output, hp_output_info* info) {
  if (model == nullptr || info == nullptr) return HP_INVALID_ARGUMENT;
  HP_TRY(handpick::CheckModel(model, nullptr));
  static_assert(
      static_cast<int>(handpick::schema::Task::Binary) == HP_TASK_BINARY &&
          static_cast<int>(handpick::schema::Task::Regression) == HP_TASK_REGRESSION &&
          static_cast<int>(handpick::schema::Task::Probability) == HP_TASK_PROBABILITY &&
          static_cast<int>(handpick::schema::Task::LogProbability) == HP_TASK_LOG_PROBABILITY,
      "the same numbers");
  const handpick::Plan& plan = model->model.plan();
  if (output >= plan.outputs.size()) return HP_UNKNOWN_OUTPUT;
  hp_output_info filled = HP_OUTPUT_INFO_INIT;
  filled.task = static_cast<hp_task>(plan.outputs[output].task);
  filled.name = plan.outputs[output].name;
  return handpick::WriteStruct(filled, info, nullptr);
}

hp_status hp_model_find_output(const hp_model* model, const char* name, uint32_t* output) {
  if (model == nullptr || name == nullptr || output == nullptr) return HP_INVALID_ARGUMENT;
  HP_TRY(handpick::CheckModel(model, nullptr));
  const handpick::Plan& plan = model->model.plan();
  for (uint32_t i = 0; i < plan.outputs.size(); ++i) {
    if (std::strcmp(plan.outputs[i].name, name) == 0) {
      *output = i;
      return HP_OK;
    }
  }
  return HP_UNKNOWN_OUTPUT;
}

hp_status hp_model_get_recall_info(const hp_model* model, hp_recall_info* info) {
  if (model == nullptr || info == nullptr) return HP_INVALID_ARGUMENT;
  HP_TRY(handpick::CheckModel(model, nullptr));
  const handpick::RecallIndex* index = model->model.plan().recall;
  if (index == nullptr) return HP_NO_RECALL;
  static_assert(
      static_cast<int>(handpick::schema::RecallMetric::Cosine) == HP_RECALL_COSINE &&
          static_cast<int>(handpick::schema::RecallMetric::InnerProduct) ==
              HP_RECALL_INNER_PRODUCT &&
          static_cast<int>(handpick::schema::RecallMetric::Euclidean) == HP_RECALL_EUCLIDEAN,
      "the same numbers");
  static_assert(HP_NO_FEATURE == handpick::kNone, "the same number");
  hp_recall_info filled = HP_RECALL_INFO_INIT;
  filled.metric = static_cast<hp_recall_metric>(index->metric);
  filled.dimension = index->rows.dimension;
  filled.item_count = index->rows.count;
  filled.id_type = index->ids.are_strings ? HP_STRING : HP_INT64;
  filled.history_feature = index->history_feature;
  filled.candidate_feature = index->candidate_feature;
  filled.has_user_vector = index->user_value == handpick::kNone ? 0 : 1;
  filled.probes = index->probes;
  filled.measured_k = index->measured_k;
  filled.measured_recall = index->measured_recall;
  return handpick::WriteStruct(filled, info, nullptr);
}
