#include "sdk/base/checked.h"
#include "sdk/base/error.h"
#include "sdk/bundle/limits.h"
#include "sdk/bundle/loader.h"

namespace handpick {

hp_status Loader::Values() {
  const size_t buffer_count = Size(bundle_.buffers());
  if (buffer_count > kMaxBuffers) {
    return Corrupt("number of buffers", buffer_count, kMaxBuffers + 1);
  }
  absl::Span<Buffer> buffers;
  if (!memory_.NewArray(buffer_count, &buffers)) return NoMemory();
  for (uint32_t i = 0; i < buffer_count; ++i) {
    HP_TRY(LoadBuffer(*bundle_.buffers()->Get(i), &buffers[i]));
  }
  plan_.buffers = buffers;
  if (Size(bundle_.values()) > kMaxValueCount) {
    return Corrupt("number of values", Size(bundle_.values()), kMaxValueCount + 1);
  }
  absl::Span<Value> out;
  if (!memory_.NewArray(Size(bundle_.values()), &out)) return NoMemory();
  for (uint32_t i = 0; i < out.size(); ++i) {
    const schema::Value& in = *bundle_.values()->Get(i);
    if (in.buffer() >= buffer_count) {
      return Corrupt("a value's buffer", in.buffer(), buffer_count);
    }
    const Buffer& buffer = plan_.buffers[in.buffer()];
    if (in.width() == 0 || in.column() > buffer.width || in.width() > buffer.width - in.column()) {
      return Bad("value", Text(in.name()), "its columns are not in its buffer");
    }
    out[i] = {buffer.place, RegionOf(buffer.place), in.buffer(),
              in.width(),   buffer.offset,          in.column(),
              buffer.width};
  }
  plan_.values = out;
  return HP_OK;
}

hp_status Loader::LoadBuffer(const schema::Buffer& buffer, Buffer* to) {
  if (!IsKnown(buffer.domain())) {
    return Corrupt("a buffer's domain", static_cast<uint64_t>(buffer.domain()), 5);
  }
  const size_t sequences = schema::HasEvents(buffer.domain()) ? plan_.sequences.size() : 1;
  if (buffer.sequence() >= sequences) {
    return Corrupt("a buffer's sequence", buffer.sequence(), sequences);
  }
  if (buffer.width() == 0 || buffer.width() > kMaxWidth) {
    return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: a buffer's width is %u, expected 1 to %u",
                buffer.width(), kMaxWidth);
  }
  *to = Buffer{{buffer.domain(), buffer.sequence()}, buffer.width(), buffer.offset()};
  const uint32_t alignment = buffer.domain() == schema::Domain::Context ? 64 : 4;
  const uint64_t end = uint64_t{buffer.offset()} + sizeof(float) * uint64_t{buffer.width()};
  if (buffer.offset() % alignment != 0 || end > kMaxRowBytes) {
    return Fail(error_, HP_BUNDLE_CORRUPT,
                "bundle: a buffer lies at byte %u of a row, expected a multiple of %u that ends "
                "below %u",
                buffer.offset(), alignment, kMaxRowBytes);
  }
  uint32_t& row_bytes = plan_.value_row_bytes[RegionOf(to->place)];
  if (end > row_bytes) row_bytes = static_cast<uint32_t>(end);
  return HP_OK;
}

hp_status Loader::Steps() {
  const size_t count = Size(bundle_.steps());
  if (count > kMaxSteps) return Corrupt("number of steps", count, kMaxSteps + 1);
  if (!memory_.NewArray(count, &steps_)) return NoMemory();
  size_t references = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const schema::Step& in = *bundle_.steps()->Get(i);
    HP_TRY(LoadStep(in, &steps_[i]));
    references += steps_[i].operands.size() + steps_[i].lookups.size() + steps_[i].features.size() +
                  steps_[i].weights.size() + steps_[i].activations.size();
    if (references > kMaxReferences) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "bundle: its steps refer to more than %u values, tables, features and weights",
                  kMaxReferences);
    }
  }
  plan_.steps = steps_;
  return HP_OK;
}

hp_status Loader::LoadStep(const schema::Step& in, Step* to) {
  to->kind = in.kind();
  to->name = Keep(in.name());
  to->output = in.output();
  to->operands = Keep(in.operands());
  to->features = Keep(in.features());
  to->weights = Keep(in.weights());
  to->combiner = in.combiner();
  to->empty_value = in.empty_value();
  to->squared = in.squared();
  to->cell = in.cell();
  to->numbers = View(in.numbers());
  to->forest = in.forest();
  to->sequence = kNone;
  HP_TRY(LoadLookups(in, to));
  return LoadActivations(in, to);
}

hp_status Loader::LoadLookups(const schema::Step& in, Step* to) {
  if (Size(in.lookups()) > kMaxReferences) {
    return Bad("step", to->name, "has too many lookups");
  }
  absl::Span<Lookup> lookups;
  if (!memory_.NewArray(Size(in.lookups()), &lookups)) return NoMemory();
  for (uint32_t i = 0; i < lookups.size(); ++i) {
    const schema::EmbeddingLookup& lookup = *in.lookups()->Get(i);
    lookups[i] = {lookup.feature(), lookup.table(), lookup.combiner(), lookup.empty_value()};
  }
  to->lookups = lookups;
  return HP_OK;
}

hp_status Loader::LoadActivations(const schema::Step& in, Step* to) {
  if (Size(in.activations()) > kMaxAttentionLayers + 1) {
    return Bad("step", to->name, "has too many activations");
  }
  absl::Span<Activation> activations;
  if (!memory_.NewArray(Size(in.activations()), &activations)) return NoMemory();
  for (uint32_t i = 0; i < activations.size(); ++i) {
    const schema::Activation& activation = *in.activations()->Get(i);
    activations[i] = {activation.kind(), View(activation.alpha()), View(activation.scale()),
                      View(activation.shift())};
  }
  to->activations = activations;
  return HP_OK;
}

}  // namespace handpick
