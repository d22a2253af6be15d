// Which slices a request belongs to.
#ifndef HANDPICK_CONVERTER_EVALUATION_SLICES_H_
#define HANDPICK_CONVERTER_EVALUATION_SLICES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/request/features.h"
#include "converter/request/raw_values.h"

namespace handpick::converter {

// One way to tell requests apart: a tag, a feature of the context, or the length of the history.
class Slicer {
 public:
  // "country": a tag of that name if the request has one, else the context feature. "history": the
  // number of events of the first sequence, in ranges from 0, 1, 5, 20 and 50 on; "history:1:10":
  // in ranges from 0, 1 and 10 on. Errors: a feature that is numeric or of another side.
  static absl::StatusOr<Slicer> Parse(const std::string& text, const FeatureSet& features);

  // "country=DE", "history=5-19"; "country=(none)" when the request does not say.
  std::string SliceOf(const Request& request) const;

 private:
  std::string name_;
  bool is_history_ = false;
  std::vector<uint64_t> starts_;
  size_t feature_ = SIZE_MAX;
};

// A tag or a context feature's value as text; "" when the request does not say.
std::string FieldOf(const Request& request, const std::string& tag, size_t feature);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EVALUATION_SLICES_H_
