// The format of runtimes that know a part of a bundle first: which parts an older one would miss.
#ifndef HANDPICK_CONVERTER_EMIT_PART_FORMATS_H_
#define HANDPICK_CONVERTER_EMIT_PART_FORMATS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "schema/bundle_enums_generated.h"

namespace handpick::schema {
struct BundleT;
}

namespace handpick::converter {

struct FormatOfPart {
  uint32_t major_version = 0;
  uint32_t minor_version = 0;

  friend bool operator<(const FormatOfPart& a, const FormatOfPart& b) {
    return a.major_version != b.major_version ? a.major_version < b.major_version
                                              : a.minor_version < b.minor_version;
  }
};

// The minor of the current major in which each value of an enumeration came, by its number.
struct FormatMinors {
  uint32_t element_types[static_cast<int>(schema::ElementType::MAX) + 1] = {};
  uint32_t operators[static_cast<int>(schema::OperatorKind::MAX) + 1] = {};
  uint32_t activations[static_cast<int>(schema::ActivationKind::MAX) + 1] = {};
  uint32_t cells[static_cast<int>(schema::RecurrentCell::MAX) + 1] = {};
  uint32_t combiners[static_cast<int>(schema::Combiner::MAX) + 1] = {};
  uint32_t feature_types[static_cast<int>(schema::FeatureType::MAX) + 1] = {};
  uint32_t vocabularies[static_cast<int>(schema::VocabularyKind::MAX) + 1] = {};
  uint32_t transforms[static_cast<int>(schema::TransformKind::MAX) + 1] = {};
  uint32_t tasks[static_cast<int>(schema::Task::MAX) + 1] = {};
};

// Of this version. All are of 2.0 so far.
const FormatMinors& CurrentFormatMinors();

struct NamedPart {
  std::string name;  // "table 'deep.movie_id' (int4 rows)"
  FormatOfPart format;
};

// Every part of a bundle that a runtime must know to open it: tables, layers, steps with their
// operators, features, outputs, the catalog, and what `needs` names, which a runtime of no format
// has (the largest number).
std::vector<NamedPart> FormatsOfParts(const schema::BundleT& bundle,
                                      const FormatMinors& minors = CurrentFormatMinors());

// An error if a runtime of the format `oldest` does not open the bundle, with the parts that it
// does not know.
absl::Status CheckOpensIn(const FormatOfPart& oldest, const schema::BundleT& bundle,
                          const FormatMinors& minors = CurrentFormatMinors());

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EMIT_PART_FORMATS_H_
