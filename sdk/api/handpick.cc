// The C API: checks its arguments and calls the parts below.
#include "handpick/handpick.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>

#include "sdk/api/handles.h"
#include "sdk/base/error.h"
#include "sdk/bundle/load.h"
#include "sdk/features/resolve.h"
#include "sdk/kernels/top_k.h"
#include "sdk/session/layout.h"
#include "sdk/session/model.h"
#include "sdk/session/session.h"

namespace handpick {
namespace {

static_assert(sizeof(hp_session) == sizeof(Session), "the layout counts a Session");
static_assert(alignof(hp_model) <= HP_ALIGNMENT && alignof(hp_session) <= HP_ALIGNMENT,
              "memory is aligned enough");

hp_status NewModel(const hp_allocator* allocator, hp_model** model, hp_error* error) {
  if (allocator != nullptr && (allocator->allocate == nullptr || allocator->release == nullptr)) {
    return NullArgument(error, "a function of the allocator");
  }
  const hp_allocator from = allocator != nullptr ? *allocator : DefaultAllocator();
  void* memory = from.allocate(from.user, sizeof(hp_model), HP_ALIGNMENT);
  if (memory == nullptr) return Fail(error, HP_OUT_OF_MEMORY, "no memory for a model");
  *model = new (memory) hp_model(&from);
  return HP_OK;
}

void DeleteModel(hp_model* model) {
  const hp_allocator allocator = model->model.allocator();
  model->~hp_model();
  allocator.release(allocator.user, model, sizeof(hp_model));
}

// More threads than a phone has cores.
constexpr uint32_t kMaxWorkers = 64;

// Options as they count: of a caller with an older header, whose struct has fewer fields, the
// others are the defaults.
hp_status ReadOptions(const hp_session_options* given, hp_session_options* options,
                      hp_error* error) {
  *options = HP_SESSION_OPTIONS_INIT;
  if (given != nullptr) {
    constexpr size_t kSmallest = offsetof(hp_session_options, workers);
    if (given->struct_size < kSmallest) {
      return Fail(error, HP_INVALID_ARGUMENT,
                  "session options have struct_size %u, expected at least %zu", given->struct_size,
                  kSmallest);
    }
    std::memcpy(options, given, std::min<size_t>(given->struct_size, sizeof(*options)));
  }
  if (options->workers == 0) options->workers = 1;
  if (options->workers > kMaxWorkers) {
    return Fail(error, HP_INVALID_ARGUMENT,
                "session options ask for %u workers, expected at most %u", options->workers,
                kMaxWorkers);
  }
  if (options->workers > 1 && options->parallel_for == nullptr) {
    return Fail(error, HP_INVALID_ARGUMENT,
                "session options ask for %u workers and have no parallel_for", options->workers);
  }
  return HP_OK;
}

hp_status Layout(const hp_model* model, const hp_session_options& options, SessionLayout* layout,
                 hp_error* error) {
  return MakeSessionLayout(model->model.plan(), options, layout, error);
}

}  // namespace
}  // namespace handpick

using handpick::Fail;
using handpick::NullArgument;
using handpick::Succeed;

const char* hp_status_text(hp_status status) {
  switch (status) {
    case HP_OK:
      return "ok";
    case HP_INVALID_ARGUMENT:
      return "invalid argument";
    case HP_UNKNOWN_FEATURE:
      return "unknown feature";
    case HP_WRONG_TYPE:
      return "wrong type";
    case HP_MISSING_FEATURE:
      return "missing feature";
    case HP_DUPLICATE_FEATURE:
      return "feature given twice";
    case HP_UNKNOWN_ID:
      return "id is not in the vocabulary";
    case HP_NOT_FINITE:
      return "number is not finite";
    case HP_TOO_MANY_VALUES:
      return "too many values";
    case HP_UNKNOWN_ITEM:
      return "item is not in the catalog";
    case HP_CONTEXT_NOT_SET:
      return "context is not set";
    case HP_DUPLICATE_ITEM:
      return "item is there already";
    case HP_OUT_OF_MEMORY:
      return "out of memory";
    case HP_MEMORY_TOO_SMALL:
      return "memory is too small";
    case HP_MISALIGNED:
      return "memory is misaligned";
    case HP_OVERLAY_FULL:
      return "overlay is full";
    case HP_FILE_ERROR:
      return "file error";
    case HP_NOT_A_BUNDLE:
      return "not a bundle";
    case HP_BUNDLE_TOO_NEW:
      return "bundle is too new";
    case HP_BUNDLE_CORRUPT:
      return "bundle is damaged";
    case HP_GOLDEN_MISMATCH:
      return "golden request does not hold";
    case HP_UNSUPPORTED:
      return "not supported on this processor";
    case HP_NO_MODEL:
      return "bundle has no model";
    case HP_NO_RECALL:
      return "bundle has no recall index";
    case HP_INTERNAL:
      return "internal error";
  }
  return "unknown status";
}

void hp_get_build_info(hp_build_info* info) {
  info->version = "0.1.0";
  info->format_major = handpick::kFormatMajor;
  info->format_minor = handpick::kFormatMinor;
#if defined(NDEBUG)
  info->build_type = "optimized";
#else
  info->build_type = "debug";
#endif
#if defined(__x86_64__)
  info->architecture = "x86-64";
#elif defined(__aarch64__)
  info->architecture = "arm64";
#elif defined(__arm__)
  info->architecture = "armv7";
#elif defined(__i386__)
  info->architecture = "x86";
#else
  info->architecture = "unknown";
#endif
}

hp_status hp_bundle_inspect(const void* data, size_t size, hp_bundle_info* info, hp_error* error) {
  Succeed(error);
  if (info == nullptr) return NullArgument(error, "info");
  handpick::Model model(nullptr);
  HP_TRY(model.Open(data, size, /*pack=*/false, error));
  *info = model.plan().info;
  return HP_OK;
}

hp_status hp_model_open_buffer(const void* data, size_t size, const hp_allocator* allocator,
                               hp_model** model, hp_error* error) {
  Succeed(error);
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
  info->bundle = model->model.plan().info;
  info->model_bytes = sizeof(hp_model) + model->model.model_bytes();
  info->engine_bytes = model->model.engine_bytes();
  return HP_OK;
}

hp_status hp_model_get_feature(const hp_model* model, uint32_t feature, hp_feature_info* info) {
  if (model == nullptr || info == nullptr) return HP_INVALID_ARGUMENT;
  const handpick::Plan& plan = model->model.plan();
  if (feature >= plan.features.size()) return HP_UNKNOWN_FEATURE;
  const handpick::Feature& of = plan.features[feature];
  info->name = of.name;
  info->side = of.side;
  info->type = of.type;
  info->value_types = handpick::ValueTypes(of);
  info->max_values = of.max_values;
  info->dimension = of.dimension;
  info->optional = of.optional || of.type == HP_FEATURE_LENGTH || of.catalog_column >= 0 ? 1 : 0;
  info->is_catalog_key = feature == plan.catalog.key_feature ? 1 : 0;
  return HP_OK;
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

hp_status hp_session_memory_size(const hp_model* model, const hp_session_options* options,
                                 size_t* bytes, hp_error* error) {
  Succeed(error);
  if (model == nullptr) return NullArgument(error, "model");
  if (bytes == nullptr) return NullArgument(error, "bytes");
  hp_session_options read;
  handpick::SessionLayout layout;
  HP_TRY(handpick::ReadOptions(options, &read, error));
  HP_TRY(handpick::Layout(model, read, &layout, error));
  *bytes = layout.total;
  return HP_OK;
}

hp_status hp_session_create(const hp_model* model, const hp_session_options* options, void* memory,
                            size_t bytes, hp_session** session, hp_error* error) {
  Succeed(error);
  if (model == nullptr) return NullArgument(error, "model");
  if (memory == nullptr) return NullArgument(error, "memory");
  if (session == nullptr) return NullArgument(error, "session");
  hp_session_options read;
  handpick::SessionLayout layout;
  HP_TRY(handpick::ReadOptions(options, &read, error));
  HP_TRY(handpick::Layout(model, read, &layout, error));
  if (bytes < layout.total) {
    return Fail(error, HP_MEMORY_TOO_SMALL, "session memory has %zu bytes, %zu are needed", bytes,
                layout.total);
  }
  if (reinterpret_cast<uintptr_t>(memory) % HP_ALIGNMENT != 0) {
    return Fail(error, HP_MISALIGNED, "session memory is not aligned to %d bytes", HP_ALIGNMENT);
  }
  std::memset(memory, 0, layout.total);
  *session = new (memory)
      hp_session(model->model, layout, handpick::Threads{read.parallel_for, read.parallel_user});
  return HP_OK;
}

const hp_error* hp_session_last_error(const hp_session* session) {
  return session->session.error();
}

hp_status hp_session_set_context(hp_session* session, const hp_batch* context) {
  if (session == nullptr) return HP_INVALID_ARGUMENT;
  if (context == nullptr) return NullArgument(session->session.error(), "context");
  return session->session.SetContext(*context);
}

hp_status hp_session_append_events(hp_session* session, const hp_batch* events) {
  if (session == nullptr) return HP_INVALID_ARGUMENT;
  if (events == nullptr) return NullArgument(session->session.error(), "events");
  return session->session.AppendEvents(*events);
}

hp_status hp_session_set_history(hp_session* session, const hp_batch* events) {
  if (session == nullptr) return HP_INVALID_ARGUMENT;
  if (events == nullptr) return NullArgument(session->session.error(), "events");
  return session->session.SetHistory(*events);
}

hp_status hp_session_score(hp_session* session, const hp_batch* candidates, float* scores,
                           float* logits) {
  if (session == nullptr) return HP_INVALID_ARGUMENT;
  if (candidates == nullptr) return NullArgument(session->session.error(), "candidates");
  const handpick::Plan& plan = session->session.model().plan();
  return session->session.Score(*candidates, [&](size_t candidate, float logit) {
    if (logits != nullptr) logits[candidate] = logit;
    if (scores != nullptr) scores[candidate] = handpick::ScoreOf(plan, logit);
  });
}

hp_status hp_session_rank(hp_session* session, const hp_batch* candidates, size_t k,
                          hp_ranked* ranked, size_t* count) {
  if (session == nullptr) return HP_INVALID_ARGUMENT;
  hp_error* error = session->session.error();
  if (candidates == nullptr) return NullArgument(error, "candidates");
  if (count == nullptr) return NullArgument(error, "count");
  if (ranked == nullptr && k != 0) return NullArgument(error, "ranked");
  const handpick::Plan& plan = session->session.model().plan();
  handpick::TopK top(ranked, k);
  HP_TRY(session->session.Score(*candidates,
                                [&](size_t candidate, float logit) { top.Add(candidate, logit); }));
  *count = top.Finish();
  for (size_t i = 0; i < *count; ++i) ranked[i].score = handpick::ScoreOf(plan, ranked[i].logit);
  return HP_OK;
}

void hp_session_get_counters(const hp_session* session, hp_session_counters* counters) {
  *counters = session->session.counters();
}

hp_status hp_session_set_profile(hp_session* session, const hp_profile* profile) {
  if (session == nullptr) return HP_INVALID_ARGUMENT;
  if (profile == nullptr) return session->session.SetProfile(HP_PROFILE_INIT);
  hp_error* error = session->session.error();
  if (profile->struct_size < sizeof(hp_profile)) {
    return Fail(error, HP_INVALID_ARGUMENT, "a profile has struct_size %u, expected %zu",
                profile->struct_size, sizeof(hp_profile));
  }
  if (profile->clock == nullptr) return NullArgument(error, "the profile's clock");
  if (profile->steps == nullptr) return NullArgument(error, "the profile's array of steps");
  return session->session.SetProfile(*profile);
}

hp_status hp_session_check_goldens(hp_session* session, float* worst) {
  if (session == nullptr) return HP_INVALID_ARGUMENT;
  return session->session.CheckGoldens(worst);
}
