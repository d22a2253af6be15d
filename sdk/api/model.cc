// The C API's models: checks its arguments and calls the parts below.
#include <cstring>
#include <new>

#include "handpick/handpick.h"
#include "sdk/api/arguments.h"
#include "sdk/api/handles.h"
#include "sdk/base/error.h"
#include "sdk/bundle/mapped_file.h"
#include "sdk/features/resolve.h"
#include "sdk/recall/index.h"

namespace handpick {
namespace {

static_assert(alignof(hp_model) <= HP_ALIGNMENT, "memory is aligned enough");

hp_status NewModel(const hp_allocator* given, hp_model** model, hp_error* error) {
  hp_allocator allocator = DefaultAllocator();
  if (given != nullptr) {
    HP_TRY(ReadStruct(given, &allocator, error));
    if (allocator.allocate == nullptr || allocator.release == nullptr) {
      return NullArgument(error, "a function of the allocator");
    }
  }
  void* memory = allocator.allocate(allocator.opaque, sizeof(hp_model), HP_ALIGNMENT);
  if (memory == nullptr) return Fail(error, HP_OUT_OF_MEMORY, "no memory for a model");
  *model = new (memory) hp_model(&allocator);
  return HP_OK;
}

void DeleteModel(hp_model* model) {
  const hp_allocator allocator = model->model.allocator();
  model->~hp_model();
  allocator.release(allocator.opaque, model, sizeof(hp_model));
}

}  // namespace
}  // namespace handpick

using handpick::NullArgument;
using handpick::Succeed;

hp_status hp_model_open_buffer(const void* data, size_t size, const hp_allocator* allocator,
                               hp_model** model, hp_error* error) {
  Succeed(error);
  if (data == nullptr) return NullArgument(error, "data");
  if (model == nullptr) return NullArgument(error, "model");
  hp_model* opened = nullptr;
  HP_TRY(handpick::NewModel(allocator, &opened, error));
  const hp_status status = opened->model.Open(data, size, /*pack=*/true, error);
  if (status != HP_OK) {
    handpick::DeleteModel(opened);
    return status;
  }
  *model = opened;
  return HP_OK;
}

hp_status hp_model_open_file(const char* path, const hp_allocator* allocator, hp_model** model,
                             hp_error* error) {
  Succeed(error);
  if (path == nullptr) return NullArgument(error, "path");
  if (model == nullptr) return NullArgument(error, "model");
  handpick::MappedFile file;
  HP_TRY(handpick::MapFile(path, &file, error));
  const hp_status status = hp_model_open_buffer(file.data, file.size, allocator, model, error);
  if (status != HP_OK) {
    handpick::UnmapFile(file);
    return status;
  }
  (*model)->model.OwnFile(file);
  return HP_OK;
}

void hp_model_close(hp_model* model) {
  if (model != nullptr) handpick::DeleteModel(model);
}

hp_status hp_model_get_info(const hp_model* model, hp_model_info* info) {
  if (model == nullptr || info == nullptr) return HP_INVALID_ARGUMENT;
  hp_model_info filled = model->model.plan().info;
  filled.model_bytes = sizeof(hp_model) + model->model.model_bytes();
  filled.engine_bytes = model->model.engine_bytes();
  return handpick::WriteStruct(filled, info, nullptr);
}

hp_status hp_model_get_feature(const hp_model* model, uint32_t feature, hp_feature_info* info) {
  if (model == nullptr || info == nullptr) return HP_INVALID_ARGUMENT;
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
