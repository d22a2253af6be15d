// The features of a draft: from what the user says of them, golden requests, and tables.
#ifndef HANDPICK_CONVERTER_DRAFT_FEATURES_H_
#define HANDPICK_CONVERTER_DRAFT_FEATURES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "converter/draft/choice.h"
#include "converter/draft/golden_text.h"
#include "converter/io/json.h"

namespace handpick::converter {

// How a feature's table is called that is not named after it.
struct DraftFeature {
  Json json;              // As in the spec, with questions.
  std::string side;       // "": not known; crossed features have none.
  std::string type;       // As in a spec; "": not known.
  std::string table;      // Of a feature with ids.
  int64_t dimension = 1;  // Numbers.
  // Ids whose table is asked for, so that their width is not known.
  bool has_open_table = false;
  bool is_pooled = false;  // Ids or numbers of which there are several a row of the deep input.

  bool HasTable() const {
    return type == "categorical" || type == "multi_categorical" || type == "crossed";
  }
  bool IsNumeric() const { return type == "numeric"; }
};

struct DraftFeatures {
  std::vector<DraftFeature> features;
  std::vector<Choice> choices;  // Below "/features".
  std::vector<std::string> facts;
  bool is_complete = true;  // No question is left among them.
  bool has_given_order = false;

  // What a list of a spec calls a feature: its name, with the side before it where that is needed.
  std::string Reference(size_t feature) const;
};

// `given`: features as a spec has them, of which anything but the name may be left out. `rows`: of
// each table that the archive has; `tables`: the same tables in its order. `pads`: whether the
// layout's row 0 is padding.
DraftFeatures FeaturesOf(const Json& given, const GoldenText* goldens,
                         const std::map<std::string, int64_t>& rows,
                         const std::vector<std::string>& tables, bool pads, bool is_history_pooled);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_DRAFT_FEATURES_H_
