// The C API's diagnostics: checks its arguments and calls the parts below.
#include "handpick/diagnostics.h"

#include "sdk/api/arguments.h"
#include "sdk/api/handles.h"
#include "sdk/base/error.h"
#include "sdk/bundle/check_integrity.h"
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
  return handpick::CheckIntegrity(model->model.bytes().data, model->model.bytes().size, error);
}

hp_status hp_bundle_inspect(const void* data, size_t size, hp_model_info* info, hp_error* error) {
  Succeed(error);
  if (data == nullptr) return NullArgument(error, "data");
  if (info == nullptr) return NullArgument(error, "info");
  handpick::Model model(nullptr);
  handpick::BundleBytes bytes;
  bytes.data = data;
  bytes.size = size;
  HP_TRY(model.Open(bytes, /*pack=*/false, error));
  return WriteStruct(model.plan().info, info, error);
}

hp_status hp_session_check_goldens(hp_session* session, float* worst) {
  if (session == nullptr) return HP_INVALID_ARGUMENT;
  return session->session.CheckGoldens(worst);
}

hp_status hp_session_get_counters(const hp_session* session, hp_session_counters* counters) {
  if (session == nullptr || counters == nullptr) return HP_INVALID_ARGUMENT;
  return WriteStruct(session->session.counters(), counters, nullptr);
}

hp_status hp_session_set_profile(hp_session* session, const hp_profile* profile) {
  if (session == nullptr) return HP_INVALID_ARGUMENT;
  if (profile == nullptr) return session->session.SetProfile(HP_PROFILE_INIT);
  hp_error* error = session->session.error();
  hp_profile read;
  HP_TRY(handpick::ReadStruct(profile, &read, error));
  if (read.clock == nullptr) return NullArgument(error, "the profile's clock");
  if (read.steps == nullptr) return NullArgument(error, "the profile's array of steps");
  return session->session.SetProfile(read);
}
