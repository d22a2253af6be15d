// The C API's updates: checks its arguments and calls the parts below.
#include "handpick/update.h"

#include "handpick/diagnostics.h"
#include "sdk/api/arguments.h"
#include "sdk/api/struct_size.h"
#include "sdk/base/error.h"
#include "sdk/base/model_memory.h"
#include "sdk/update/apply.h"
#include "sdk/update/store.h"

namespace handpick {
namespace {

// `allocator` is what `options->allocator` points to afterwards.
hp_status ReadOptions(const hp_update_options* given, hp_update_options* options,
                      hp_allocator* allocator, hp_error* error) {
  HP_TRY(ReadStruct(given, options, error));
  if (options->flags != 0) {
    return Fail(error, HP_INVALID_ARGUMENT, "update options have flags 0x%x, expected 0",
                options->flags);
  }
  *allocator = DefaultAllocator();
  if (options->allocator != nullptr) {
    HP_TRY(ReadStruct(options->allocator, allocator, error));
    if (allocator->allocate == nullptr || allocator->release == nullptr) {
      return NullArgument(error, "a function of the allocator");
    }
  }
  options->allocator = allocator;
  return HP_OK;
}

hp_status CheckGoldens(hp_model* model, hp_error* error) {
  hp_model_info info = HP_MODEL_INFO_INIT;
  HP_TRY(hp_model_get_info(model, &info));
  if (info.golden_count == 0) return HP_OK;
  hp_session* session;
  HP_TRY(hp_session_new(model, nullptr, &session, error));
  float worst;
  const hp_status status = hp_session_check_goldens(session, &worst);
  if (status != HP_OK && error != nullptr) *error = *hp_session_last_error(session);
  hp_session_free(session);
  return status;
}

hp_status Verify(const char* path, const hp_update_options& options, hp_error* error) {
  hp_open_options open = HP_OPEN_OPTIONS_INIT;
  open.allocator = options.allocator;
  open.public_keys = options.public_keys;
  open.public_keys_size = options.public_keys_size;
  hp_model* model;
  HP_TRY(hp_model_open_file(path, &open, &model, error));
  hp_status status = hp_model_check(model, error);
  if (status == HP_OK) status = CheckGoldens(model, error);
  hp_model_close(model);
  return status;
}

}  // namespace
}  // namespace handpick

using handpick::NullArgument;
using handpick::Succeed;

hp_status hp_update_apply(const char* old_path, const char* delta_path, const char* new_path,
                          const hp_update_options* options, hp_error* error) {
  Succeed(error);
  if (old_path == nullptr) return NullArgument(error, "old_path");
  if (delta_path == nullptr) return NullArgument(error, "delta_path");
  if (new_path == nullptr) return NullArgument(error, "new_path");
  hp_update_options read;
  hp_allocator allocator;
  HP_TRY(handpick::ReadOptions(options, &read, &allocator, error));
  if (read.public_keys != nullptr || read.public_keys_size != 0) {
    return handpick::Fail(error, HP_INVALID_ARGUMENT,
                          "hp_update_apply does not look at signatures: hp_store_install does");
  }
  return handpick::ApplyDelta(old_path, delta_path, new_path, read, error);
}

hp_status hp_update_verify(const char* path, const hp_update_options* options, hp_error* error) {
  Succeed(error);
  if (path == nullptr) return NullArgument(error, "path");
  hp_update_options read;
  hp_allocator allocator;
  HP_TRY(handpick::ReadOptions(options, &read, &allocator, error));
  return handpick::Verify(path, read, error);
}

hp_status hp_store_start(const char* folder, char* path, hp_store_report* report, hp_error* error) {
  Succeed(error);
  if (folder == nullptr) return NullArgument(error, "folder");
  if (path == nullptr) return NullArgument(error, "path");
  hp_store_report filled = HP_STORE_REPORT_INIT;
  HP_TRY(handpick::StartStore(folder, path, &filled, error));
  return report == nullptr ? HP_OK : handpick::WriteStruct(filled, report, error);
}

hp_status hp_store_confirm(const char* folder, hp_error* error) {
  Succeed(error);
  if (folder == nullptr) return NullArgument(error, "folder");
  return handpick::ConfirmStore(folder, error);
}

hp_status hp_store_install(const char* folder, const char* path, const hp_update_options* options,
                           hp_error* error) {
  Succeed(error);
  if (folder == nullptr) return NullArgument(error, "folder");
  if (path == nullptr) return NullArgument(error, "path");
  HP_TRY(hp_update_verify(path, options, error));
  return handpick::InstallInStore(folder, path, error);
}

hp_status hp_store_rollback(const char* folder, hp_error* error) {
  Succeed(error);
  if (folder == nullptr) return NullArgument(error, "folder");
  return handpick::RollBackStore(folder, error);
}
