// The C API's diagnostics: checks its arguments and calls the parts below.
#include "handpick/diagnostics.h"

#include <new>

#include "schema/bundle_generated.h"
#include "sdk/api/arguments.h"
#include "sdk/api/call.h"
#include "sdk/api/handles.h"
#include "sdk/api/open_options.h"
#include "sdk/base/error.h"
#include "sdk/bundle/load.h"
#include "sdk/session/model.h"

using handpick::NullArgument;
using handpick::Succeed;
using handpick::WriteStruct;

hp_status hp_get_build_info(hp_build_info* info) {
  if (info == nullptr) return HP_INVALID_ARGUMENT;
  hp_build_info filled = HP_BUILD_INFO_INIT;
  filled.version = "0.1.0";
  filled.format_major = handpick::kFormatMajor;
  filled.format_minor = handpick::kFormatMinor;
#if defined(NDEBUG)
  filled.build_type = "optimized";
#else
  filled.build_type = "debug";
#endif
#if defined(__x86_64__)
  filled.architecture = "x86-64";
#elif defined(__aarch64__)
  filled.architecture = "arm64";
#elif defined(__arm__)
  filled.architecture = "armv7";
#elif defined(__i386__)
  filled.architecture = "x86";
#else
  filled.architecture = "unknown";
#endif
  return WriteStruct(filled, info, nullptr);
}

hp_status hp_model_check(const hp_model* model, hp_error* error) {
  Succeed(error);
  if (model == nullptr) return NullArgument(error, "model");
  HP_TRY(handpick::CheckModel(model, error));
  hp_check check(model->model);
  int done;
  return check.Next(UINT64_MAX, &done, error);
}

hp_status hp_check_new(const hp_model* model, hp_check** check, hp_error* error) {
  Succeed(error);
  if (check == nullptr) return NullArgument(error, "check");
  *check = nullptr;
  if (model == nullptr) return NullArgument(error, "model");
  const hp_allocator& allocator = model->model.allocator();
  void* memory = allocator.allocate(allocator.opaque, sizeof(hp_check), HP_ALIGNMENT);
  if (memory == nullptr) {
    return handpick::Fail(error, HP_OUT_OF_MEMORY, "no memory for a check of %zu bytes",
                          sizeof(hp_check));
  }
  *check = new (memory) hp_check(model->model);
  return HP_OK;
}

hp_status hp_check_new_signed(const hp_model* model, const uint8_t* public_keys,
                              size_t public_keys_size, hp_check** check, hp_error* error) {
  HP_TRY(hp_check_new(model, check, error));
  handpick::PublicKeys keys;
  hp_status status = public_keys == nullptr
                         ? NullArgument(error, "public_keys")
                         : handpick::ReadKeys(public_keys, public_keys_size, &keys, error);
  if (status == HP_OK) status = (*check)->CheckSignature(keys, error);
  if (status == HP_OK) return HP_OK;
  hp_check_free(*check);
  *check = nullptr;
  return status;
}

hp_status hp_check_next(hp_check* check, uint64_t bytes, int* done, hp_error* error) {
  Succeed(error);
  if (done != nullptr) *done = 0;
  if (check == nullptr) return NullArgument(error, "check");
  if (done == nullptr) return NullArgument(error, "done");
  return check->Next(bytes == 0 ? UINT64_MAX : bytes, done, error);
}

void hp_check_free(hp_check* check) {
  if (check == nullptr) return;
  const hp_allocator allocator = check->model.allocator();
  allocator.release(allocator.opaque, check, sizeof(hp_check));
}

hp_status hp_bundle_inspect(const void* data, size_t size, hp_model_info* info, hp_error* error) {
  return hp_bundle_inspect_with(data, size, nullptr, info, error);
}

hp_status hp_bundle_inspect_with(const void* data, size_t size, const hp_open_options* options,
                                 hp_model_info* info, hp_error* error) {
  Succeed(error);
  if (data == nullptr) return NullArgument(error, "data");
  if (info == nullptr) return NullArgument(error, "info");
  handpick::OpenOptions open;
  HP_TRY(handpick::ReadOpenOptions(options, &open, error));
  if (open.keys.size != 0) HP_TRY(handpick::CheckSignature(data, size, open.keys, error));
  open.model.pack = false;
  handpick::Model model(&open.allocator);
  handpick::BundleBytes bytes;
  bytes.data = data;
  bytes.size = size;
  HP_TRY(model.Open(bytes, open.model, error));
  hp_model_info filled = model.plan().info;
  // The model's own copies of these end with it.
  const auto& bundle = *handpick::schema::GetBundle(data);
  filled.model_name = bundle.model_name()->c_str();
  if (bundle.model_version() != nullptr) filled.model_version = bundle.model_version()->c_str();
  if (bundle.manifest() != nullptr && bundle.manifest()->producer() != nullptr) {
    filled.producer = bundle.manifest()->producer()->c_str();
  }
  filled.session_bytes += handpick::kSessionCheckBytes;
  return WriteStruct(filled, info, error);
}

hp_status hp_session_check_goldens(hp_session* session, float* worst) {
  const handpick::SessionCall call(session);
  HP_TRY(call.status());
  return session->session.CheckGoldens(worst);
}

hp_status hp_session_get_counters(const hp_session* session, hp_session_counters* counters) {
  const handpick::SessionCall call(session);
  HP_TRY(call.status());
  if (counters == nullptr) return HP_INVALID_ARGUMENT;
  return WriteStruct(session->session.counters(), counters, nullptr);
}

hp_status hp_session_set_profile(hp_session* session, const hp_profile* profile) {
  const handpick::SessionCall call(session);
  HP_TRY(call.status());
  if (profile == nullptr) return session->session.SetProfile(HP_PROFILE_INIT);
  hp_error* error = session->session.error();
  hp_profile read;
  HP_TRY(handpick::ReadStruct(profile, &read, error));
  if (read.clock == nullptr) return NullArgument(error, "the profile's clock");
  if (read.steps == nullptr) return NullArgument(error, "the profile's array of steps");
  return session->session.SetProfile(read);
}
