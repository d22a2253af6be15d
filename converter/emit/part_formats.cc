#include "converter/emit/part_formats.h"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "converter/graph/weights.h"
#include "schema/bundle_generated.h"
#include "schema/operators.h"

namespace handpick::converter {
namespace {

// Who adds a value says in CurrentFormatMinors in which minor it came.
static_assert(static_cast<int>(schema::ElementType::MAX) == 4, "minor of the new element type?");
static_assert(static_cast<int>(schema::OperatorKind::MAX) == 25, "minor of the new operator?");
static_assert(static_cast<int>(schema::ActivationKind::MAX) == 6, "minor of the new activation?");
static_assert(static_cast<int>(schema::RecurrentCell::MAX) == 8, "minor of the new cell?");
static_assert(static_cast<int>(schema::Combiner::MAX) == 3, "minor of the new combiner?");
static_assert(static_cast<int>(schema::FeatureType::MAX) == 5, "minor of the new feature type?");
static_assert(static_cast<int>(schema::VocabularyKind::MAX) == 4, "minor of the new vocabulary?");
static_assert(static_cast<int>(schema::TransformKind::MAX) == 3, "minor of the new transform?");
static_assert(static_cast<int>(schema::Task::MAX) == 4, "minor of the new task?");

constexpr size_t kMostNamed = 12;

class PartLister {
 public:
  PartLister(const schema::BundleT& bundle, const FormatMinors& minors)
      : bundle_(bundle), minors_(minors) {}

  std::vector<NamedPart> List() {
    for (const auto& table : bundle_.tables) {
      Add(absl::StrCat("table '", table->name, "' (", ElementTypeName(table->type), " rows)"),
          {minors_.element_types[static_cast<int>(table->type)]});
    }
    for (const auto& layer : bundle_.dense_weights) {
      Add(absl::StrCat("layer '", layer->name, "' (", ElementTypeName(layer->type), " weights)"),
          {minors_.element_types[static_cast<int>(layer->type)]});
    }
    for (const auto& step : bundle_.steps) AddStep(*step);
    for (const auto& feature : bundle_.features) AddFeature(*feature);
    for (const auto& output : bundle_.outputs) {
      Add(absl::StrCat("output '", output->name, "' (", schema::EnumNameTask(output->task), ")"),
          {minors_.tasks[static_cast<int>(output->task)]});
    }
    for (const auto& forest : bundle_.forests) {
      Add(absl::StrCat("trees '", forest->name, "'"),
          {minors_.operators[static_cast<int>(schema::OperatorKind::Forest)]});
    }
    constexpr uint32_t kNever = std::numeric_limits<uint32_t>::max();
    for (const auto& need : bundle_.needs) Add(absl::StrCat("'", need->name, "'"), {kNever});
    return std::move(parts_);
  }

 private:
  // Of the newest of what it has.
  void Add(std::string name, std::initializer_list<uint32_t> minors) {
    parts_.push_back({std::move(name), {bundle_.format_major, std::max(minors)}});
  }

  void AddStep(const schema::StepT& step) {
    const schema::OperatorRow* const row = schema::FindOperator(step.kind);
    uint32_t minor = minors_.operators[static_cast<int>(step.kind)];
    minor = std::max(minor, minors_.cells[static_cast<int>(step.cell)]);
    minor = std::max(minor, minors_.combiners[static_cast<int>(step.combiner)]);
    for (const auto& activation : step.activations) {
      minor = std::max(minor, minors_.activations[static_cast<int>(activation->kind)]);
    }
    for (const auto& lookup : step.lookups) {
      minor = std::max(minor, minors_.combiners[static_cast<int>(lookup->combiner)]);
    }
    Add(absl::StrCat("operator '", row == nullptr ? "unknown" : row->name, "' of step '", step.name,
                     "'"),
        {minor});
  }

  void AddFeature(const schema::FeatureT& feature) {
    uint32_t minor = minors_.feature_types[static_cast<int>(feature.type)];
    const bool takes_ids = feature.type == schema::FeatureType::Categorical ||
                           feature.type == schema::FeatureType::MultiCategorical;
    if (takes_ids) {
      const schema::VocabularyT& vocabulary = *bundle_.vocabularies[feature.vocabulary];
      minor = std::max(minor, minors_.vocabularies[static_cast<int>(vocabulary.kind)]);
    }
    for (const auto& transform : feature.transforms) {
      minor = std::max(minor, minors_.transforms[static_cast<int>(transform->kind)]);
    }
    Add(absl::StrCat("feature '", feature.name, "'"), {minor});
  }

  const schema::BundleT& bundle_;
  const FormatMinors& minors_;
  std::vector<NamedPart> parts_;
};

std::string Text(const FormatOfPart& format) {
  return absl::StrCat(format.major_version, ".", format.minor_version);
}

}  // namespace

const FormatMinors& CurrentFormatMinors() {
  static const FormatMinors minors;
  return minors;
}

std::vector<NamedPart> FormatsOfParts(const schema::BundleT& bundle, const FormatMinors& minors) {
  return PartLister(bundle, minors).List();
}

absl::Status CheckOpensIn(const FormatOfPart& oldest, const schema::BundleT& bundle,
                          const FormatMinors& minors) {
  const FormatOfPart own = {bundle.format_major, bundle.format_minor};
  const std::string does_not = absl::StrCat("a runtime of format ", Text(oldest),
                                            " does not open the bundle, of format ", Text(own));
  if (own.major_version < oldest.major_version) {
    return absl::FailedPreconditionError(
        absl::StrCat(does_not, ": it opens ", oldest.major_version, ".x alone"));
  }
  std::vector<NamedPart> newer = FormatsOfParts(bundle, minors);
  newer.erase(std::remove_if(newer.begin(), newer.end(),
                             [&](const NamedPart& part) { return !(oldest < part.format); }),
              newer.end());
  if (newer.empty() && !(oldest < own)) return absl::OkStatus();
  std::string message = does_not;
  if (newer.empty()) absl::StrAppend(&message, ", though no part of it is newer");
  for (size_t i = 0; i < std::min(newer.size(), kMostNamed); ++i) {
    const uint32_t minor = newer[i].format.minor_version;
    absl::StrAppend(&message, "\n  ", newer[i].name, " needs ",
                    minor == std::numeric_limits<uint32_t>::max() ? "a runtime that has it"
                                                                  : Text(newer[i].format));
  }
  if (newer.size() > kMostNamed) {
    absl::StrAppend(&message, "\n  and ", newer.size() - kMostNamed, " more parts");
  }
  return absl::FailedPreconditionError(message);
}

}  // namespace handpick::converter
