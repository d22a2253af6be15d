// Writes a verified bundle down as a Plan, part by part. One file for each part: load_*.cc.
#ifndef HANDPICK_SDK_BUNDLE_LOADER_H_
#define HANDPICK_SDK_BUNDLE_LOADER_H_

#include <cstddef>
#include <cstdint>

#include "flatbuffers/flatbuffers.h"
#include "schema/bundle_generated.h"
#include "sdk/base/model_memory.h"
#include "sdk/program/plan.h"

namespace handpick {

template <typename T>
absl::Span<const T> View(const flatbuffers::Vector<T>* vector) {
  static_assert(FLATBUFFERS_LITTLEENDIAN,
                "bundles are used in place: little-endian processors only");
  if (vector == nullptr) return {};
  return absl::Span<const T>(vector->data(), vector->size());
}

template <typename T>
uint32_t Size(const flatbuffers::Vector<T>* vector) {
  return vector == nullptr ? 0 : vector->size();
}

inline const char* Text(const flatbuffers::String* string) {
  return string == nullptr ? "" : string->c_str();
}

// A value between the bounds of an enumeration's known values, but Unknown.
template <typename Enum>
bool IsKnown(Enum value) {
  return value > Enum::Unknown && value <= Enum::MAX;
}

// Used once. Errors are HP_BUNDLE_CORRUPT with what is wrong, or HP_OUT_OF_MEMORY.
class Loader {
 public:
  Loader(const schema::Bundle& bundle, ModelMemory* memory, Plan* plan, hp_error* error)
      : bundle_(bundle), memory_(*memory), plan_(*plan), error_(error) {}

  hp_status Load();

 private:
  // load.cc
  hp_status LoadParts();
  hp_status CheckNeeds();
  hp_status Header();
  hp_status Sequences();
  hp_status Outputs();
  hp_status NoModel();
  // load_features.cc
  hp_status CheckStrings(const char* thing, const char* name, const StringList& strings);
  hp_status Vocabularies();
  hp_status Features();
  hp_status LoadFeature(const schema::Feature& in, Feature* to);
  hp_status LoadTransforms(const schema::Feature& in, Feature* to);
  hp_status CheckLengths();
  hp_status CheckNames();
  hp_status CheckDefault(const Feature& feature);
  hp_status Crosses();
  hp_status Slots();
  // load_weights.cc
  hp_status CheckData(const char* thing, const char* name, schema::ElementType type, uint64_t rows,
                      uint64_t columns, uint64_t row_bytes,
                      const flatbuffers::Vector<uint8_t>* data);
  hp_status Tables();
  hp_status Dense();
  hp_status SumRows(DenseWeights* weights);
  hp_status Forests();
  hp_status LoadForest(const schema::Forest& in, Forest* to);
  // load_steps.cc
  hp_status Values();
  hp_status LoadBuffer(const schema::Buffer& buffer, Buffer* to);
  hp_status Steps();
  hp_status LoadStep(const schema::Step& in, Step* to);
  hp_status LoadLookups(const schema::Step& in, Step* to);
  hp_status LoadActivations(const schema::Step& in, Step* to);
  // load_catalog.cc
  hp_status CatalogPart();
  // load_recall.cc
  hp_status Recall();
  hp_status RecallFeature(const char* what, int32_t number, hp_side side, const RecallIndex& index,
                          uint32_t* to);
  // load_goldens.cc
  hp_status GoldenColumns(const flatbuffers::Vector<flatbuffers::Offset<schema::GoldenColumn>>* in,
                          uint32_t rows, hp_side side, uint32_t sequence, hp_batch* batch);
  hp_status GoldenColumn(const schema::GoldenColumn& column, uint32_t rows, hp_side side,
                         uint32_t sequence, hp_column* to);
  hp_status CountGoldenRows(uint32_t rows);
  hp_status Goldens();

  // Copies of what is read, or used as an index or a size, once the bundle is open: the file may be
  // written by then. Without memory an empty one, and Load() says so in the end.
  const char* Keep(const flatbuffers::String* string);
  template <typename T>
  absl::Span<const T> Keep(const flatbuffers::Vector<T>* vector) {
    absl::Span<const T> copy;
    no_memory_ |= !memory_.Copy(View(vector), &copy);
    return copy;
  }

  hp_status NoMemory();
  // An index `what` that should be below `limit`.
  hp_status Corrupt(const char* what, uint64_t value, uint64_t limit);
  hp_status Bad(const char* thing, const char* name, const char* what);

  const schema::Bundle& bundle_;
  ModelMemory& memory_;
  Plan& plan_;
  hp_error* error_;
  // plan_.features and plan_.steps, while they are being filled in.
  absl::Span<Feature> features_;
  absl::Span<Step> steps_;
  uint64_t golden_rows_ = 0;  // Of all golden requests.
  bool no_memory_ = false;
};

}  // namespace handpick

#endif  // HANDPICK_SDK_BUNDLE_LOADER_H_
