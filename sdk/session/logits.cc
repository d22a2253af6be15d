#include "sdk/session/logits.h"

#include <algorithm>
#include <cmath>

#include "sdk/base/error.h"
#include "sdk/base/utf8.h"

namespace handpick {

hp_status CheckLogits(const float* logits, size_t first, uint32_t count, const hp_column* recalled,
                      hp_error* error) {
  const float* end = logits + count;
  const float* bad = std::find_if(logits, end, [](float logit) { return !std::isfinite(logit); });
  if (bad == end) return HP_OK;
  const size_t row = first + static_cast<size_t>(bad - logits);
  const char* what = std::isnan(*bad) ? "NaN" : "infinite";
  if (recalled == nullptr) {
    return Fail(error, HP_NOT_FINITE,
                "candidate %zu: the model's logit is %s: a number of the request, or a weight, is "
                "too large for it",
                row, what);
  }
  if (recalled->type == HP_STRING) {
    const hp_string& id = recalled->strings[row];
    return Fail(error, HP_NOT_FINITE, "recommend: item '%.*s': the model's logit is %s",
                ShownSize(id), ShownData(id), what);
  }
  return Fail(error, HP_NOT_FINITE, "recommend: item %lld: the model's logit is %s",
              static_cast<long long>(recalled->integers[row]), what);
}

}  // namespace handpick
