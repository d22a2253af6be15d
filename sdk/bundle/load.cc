#include "sdk/bundle/load.h"

#include <cmath>

#include "flatbuffers/flatbuffers.h"
#include "schema/bundle_verifier.h"
#include "sdk/base/error.h"
#include "sdk/bundle/check_integrity.h"
#include "sdk/bundle/check_program.h"
#include "sdk/bundle/limits.h"
#include "sdk/bundle/loader.h"

namespace handpick {

hp_status Loader::Load() {
  const hp_status status = LoadParts();
  return no_memory_ ? NoMemory() : status;
}

const char* Loader::Keep(const flatbuffers::String* string) {
  if (string == nullptr || string->size() == 0) return "";
  absl::Span<const char> copy;
  // With the NUL behind it.
  no_memory_ |=
      !memory_.Copy(absl::Span<const char>(string->c_str(), size_t{string->size()} + 1), &copy);
  return copy.empty() ? "" : copy.data();
}

hp_status Loader::LoadParts() {
  HP_TRY(CheckNeeds());
  HP_TRY(Header());
  HP_TRY(Sequences());
  HP_TRY(Vocabularies());
  HP_TRY(Features());
  HP_TRY(Crosses());
  HP_TRY(Tables());
  HP_TRY(Dense());
  HP_TRY(Forests());
  HP_TRY(Values());
  HP_TRY(CatalogPart());
  HP_TRY(Slots());
  HP_TRY(Steps());
  HP_TRY(Recall());
  if (!plan_.has_model) return NoModel();
  HP_TRY(Outputs());
  HP_TRY(CompleteProgram(&plan_, steps_, &memory_, error_));
  return Goldens();
}

hp_status Loader::NoMemory() {
  return Fail(error_, HP_OUT_OF_MEMORY, "no memory to open the bundle");
}

hp_status Loader::Corrupt(const char* what, uint64_t value, uint64_t limit) {
  return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: %s is %llu, expected less than %llu", what,
              static_cast<unsigned long long>(value), static_cast<unsigned long long>(limit));
}

hp_status Loader::Bad(const char* thing, const char* name, const char* what) {
  return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: %s '%s': %s", thing, name, what);
}

hp_status Loader::CheckNeeds() {
  if (Size(bundle_.needs()) == 0) return HP_OK;
  // This runtime has nothing beyond its format's version.
  return Fail(error_, HP_BUNDLE_TOO_NEW,
              "bundle needs '%s', which this runtime (format %u.%u) does not have: update the app",
              Text(bundle_.needs()->Get(0)->name()), kFormatMajor, kFormatMinor);
}

hp_status Loader::Header() {
  hp_model_info& info = plan_.info;
  info.model_name = Keep(bundle_.model_name());
  info.model_version = Keep(bundle_.model_version());
  info.producer = bundle_.manifest() == nullptr ? "" : Keep(bundle_.manifest()->producer());
  info.format_major = bundle_.format_major();
  info.format_minor = bundle_.format_minor();
  // A recall index alone has no value to compute.
  plan_.has_model = bundle_.recall() == nullptr || Size(bundle_.values()) != 0;
  info.has_model = plan_.has_model ? 1 : 0;
  switch (bundle_.precision()) {
    case schema::Precision::Float32:
      info.precision = HP_PRECISION_F32;
      break;
    case schema::Precision::Int8:
      info.precision = HP_PRECISION_INT8;
      break;
    case schema::Precision::Float16:
      info.precision = HP_PRECISION_F16;
      break;
    default:
      if (plan_.has_model || bundle_.precision() != schema::Precision::Unknown) {
        return Corrupt("precision", static_cast<uint64_t>(bundle_.precision()), 4);
      }
      info.precision = HP_PRECISION_UNKNOWN;
      break;
  }
  if (bundle_.tile() == 0 || bundle_.tile() > kMaxTile) {
    return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: tile is %u, expected 1 to %u", bundle_.tile(),
                kMaxTile);
  }
  plan_.tile = bundle_.tile();
  info.tile = plan_.tile;
  if (!(bundle_.golden_tolerance() >= 0 && bundle_.golden_tolerance() <= kMaxGoldenTolerance)) {
    return Fail(error_, HP_BUNDLE_CORRUPT,
                "bundle: golden_tolerance is %g, expected 0 to %g: no difference would be found",
                static_cast<double>(bundle_.golden_tolerance()),
                static_cast<double>(kMaxGoldenTolerance));
  }
  plan_.golden_tolerance = bundle_.golden_tolerance();
  return HP_OK;
}

hp_status Loader::Sequences() {
  const size_t count = Size(bundle_.sequences());
  if (count > kMaxSequences) return Corrupt("number of sequences", count, kMaxSequences + 1);
  absl::Span<Sequence> out;
  if (!memory_.NewArray(count, &out)) return NoMemory();
  for (uint32_t i = 0; i < count; ++i) {
    const schema::Sequence& in = *bundle_.sequences()->Get(i);
    out[i] = {Keep(in.name()), in.max_events(), in.beyond_maximum()};
    if (in.max_events() == 0 || in.max_events() > kMaxHistory) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "bundle: sequence '%s' has max_events %u, expected 1 to %u", out[i].name,
                  in.max_events(), kMaxHistory);
    }
    if (uint64_t{plan_.tile} * in.max_events() > kMaxPairRows) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "bundle: a tile of %u candidates and %u events has too many pairs", plan_.tile,
                  in.max_events());
    }
    if (in.beyond_maximum() > schema::BeyondMaximum::MAX) {
      return Corrupt("beyond_maximum", static_cast<uint64_t>(in.beyond_maximum()), 2);
    }
  }
  plan_.sequences = out;
  plan_.info.max_history = plan_.MaxEvents();
  return HP_OK;
}

hp_status Loader::Outputs() {
  const size_t count = Size(bundle_.outputs());
  if (count == 0 || count > kMaxOutputs) {
    return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: it has %zu outputs, expected 1 to %u", count,
                kMaxOutputs);
  }
  absl::Span<Output> out;
  if (!memory_.NewArray(count, &out)) return NoMemory();
  for (uint32_t i = 0; i < count; ++i) {
    const schema::Output& in = *bundle_.outputs()->Get(i);
    out[i] = {Keep(in.name()), in.value(), in.task()};
    if (in.value() >= plan_.values.size()) {
      return Corrupt("an output's value", in.value(), plan_.values.size());
    }
    if (!IsKnown(in.task())) {
      return Corrupt("an output's task", static_cast<uint64_t>(in.task()),
                     static_cast<uint64_t>(schema::Task::MAX) + 1);
    }
  }
  plan_.outputs = out;
  plan_.info.output_count = count;
  return HP_OK;
}

hp_status Loader::NoModel() {
  if (steps_.empty() && Size(bundle_.outputs()) == 0 && Size(bundle_.goldens()) == 0) return HP_OK;
  return Fail(
      error_, HP_BUNDLE_CORRUPT,
      "bundle: it has no values, and %zu steps, %u outputs and %u golden requests, expected none",
      steps_.size(), Size(bundle_.outputs()), Size(bundle_.goldens()));
}

hp_status VerifyBundle(const void* data, size_t size, hp_error* error) {
  if (data == nullptr) return Fail(error, HP_INVALID_ARGUMENT, "bundle data is null");
  if (reinterpret_cast<uintptr_t>(data) % HP_ALIGNMENT != 0) {
    return Fail(error, HP_MISALIGNED, "bundle data is not aligned to %d bytes", HP_ALIGNMENT);
  }
  const auto* bytes = static_cast<const uint8_t*>(data);
  // Root offset and file identifier come first.
  constexpr size_t kSmallest = 16;
  if (size < kSmallest || !schema::BundleBufferHasIdentifier(bytes)) {
    return Fail(error, HP_NOT_A_BUNDLE,
                "%zu bytes do not begin as a Handpick bundle (identifier '%s')", size,
                schema::BundleIdentifier());
  }
  if (size > kMaxBundleBytes) {
    return Fail(error, HP_BUNDLE_CORRUPT, "bundle has %zu bytes, at most %llu are possible", size,
                static_cast<unsigned long long>(kMaxBundleBytes));
  }
  // A file of another major does not pass this one's verifier.
  schema::FormatVersion version;
  if (!schema::ReadFormatVersion(bytes, size, &version)) {
    return Fail(error, HP_BUNDLE_CORRUPT, "bundle of %zu bytes is damaged: it has no version",
                size);
  }
  if (version.major_version < kFormatMajor) {
    return Fail(
        error, HP_BUNDLE_TOO_OLD,
        "bundle has format %u.%u, this runtime opens %u.0 to %u.%u: convert the model again",
        version.major_version, version.minor_version, kFormatMajor, kFormatMajor, kFormatMinor);
  }
  if (version.major_version > kFormatMajor || version.minor_version > kFormatMinor) {
    return Fail(error, HP_BUNDLE_TOO_NEW,
                "bundle has format %u.%u, this runtime opens %u.0 to %u.%u: update the app",
                version.major_version, version.minor_version, kFormatMajor, kFormatMajor,
                kFormatMinor);
  }
  if (const char* problem = schema::BundleVerifier(bytes, size).Verify()) {
    return Fail(error, HP_BUNDLE_CORRUPT, "bundle of %zu bytes is damaged: %s", size, problem);
  }
  return HP_OK;
}

hp_status LoadBundle(const void* data, size_t size, ModelMemory* memory, Plan* plan,
                     hp_error* error) {
  HP_TRY(VerifyBundle(data, size, error));
  *plan = Plan{};
  plan->info.bundle_bytes = size;
  HP_TRY(LoadHashes(data, memory, &plan->hashes, error));
  plan->info.content_hash = plan->hashes->rest_hash;
  plan->info.key_id = plan->hashes->signature.key_id;
  return Loader(*schema::GetBundle(data), memory, plan, error).Load();
}

}  // namespace handpick
