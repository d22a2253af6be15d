// Requests that a model could get, made up from what its bundle says about its features.
#ifndef HANDPICK_CONVERTER_BENCH_RANDOM_REQUESTS_H_
#define HANDPICK_CONVERTER_BENCH_RANDOM_REQUESTS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/request/features.h"
#include "converter/request/raw_values.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

// Makes requests with every feature that an app gives. Ids are any of the vocabulary's, all equally
// likely (hashed ones: any integer); lists have between one id and as many as they may have;
// numbers are those of the bundle's golden requests if there are any, else such as the feature's
// transform was made for. With a catalog, candidates are its items, named by the key, and features
// that it has are left out.
class RequestMaker {
 public:
  // All three must outlive this; the bundle and its lookups were checked. `catalog` null: none.
  RequestMaker(const schema::Bundle& bundle, const FeatureSet& features,
               const schema::CatalogT* catalog);

  // The same seed gives the same request on every machine. Errors: a numeric feature for which no
  // number was found that its transform takes.
  absl::StatusOr<Request> Make(uint64_t seed, size_t candidates, size_t events) const;

 private:
  const FeatureSet& features_;
  const schema::CatalogT* catalog_;
  std::vector<size_t> max_events_;                         // By sequence.
  std::map<size_t, std::vector<RawCell>> golden_numbers_;  // By feature.
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_BENCH_RANDOM_REQUESTS_H_
