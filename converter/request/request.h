// Reads requests: one JSON object per line, as schema/request.schema.json says.
//
//   {"context":{"user_id":12,"age":0.3},"history":{"movie_id":[5,9]},"candidates":{"movie_id":[1,2,3]},
//    "logits":[...],"labels":[...]}
//
// Of a model with several outputs, "outputs":{"ctr":[...],"cvr":[...]} has the logits by output,
// and "labels" may be such an object too. "tags":{"country":"DE"} is for `evaluate` alone.
//
// A history or candidate feature is an array with one entry per row; an entry of a multi-valued
// feature or of a numeric vector is an array itself. Names are looked up among `features` by side;
// types are checked against the feature's.
#ifndef HANDPICK_CONVERTER_REQUEST_REQUEST_H_
#define HANDPICK_CONVERTER_REQUEST_REQUEST_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/request/features.h"
#include "converter/request/raw_values.h"

namespace handpick::converter {

// The keys of a request, as in schema/request.schema.json.
const std::vector<std::string>& RequestKeys();

// Names that are no feature's: an error, or left out, since they are of another model.
enum class UnknownFeatures { kRefuse, kLeaveOut };

// Parses one line; `where` ("requests.jsonl:12") starts every message.
absl::StatusOr<Request> ParseRequest(const std::string& line, const FeatureSet& features,
                                     const std::string& where,
                                     UnknownFeatures unknown = UnknownFeatures::kRefuse);

// Reads a whole file of requests; blank lines are skipped. `where`, if it is given, gets the place
// of each ("requests.jsonl:12").
absl::StatusOr<std::vector<Request>> ReadRequests(
    const std::string& path, const FeatureSet& features,
    UnknownFeatures unknown = UnknownFeatures::kRefuse, std::vector<std::string>* where = nullptr);

// Reads a catalog: one JSON object per line and item, {"movie_id":1,"genres":[3,7],"year":1995}.
// The result has the shape of the candidates of one request. Names that are no feature's are
// errors, or go into `unknown`, if it is given, with what the first item that has them is called
// ("c.jsonl:1").
absl::StatusOr<Request> ReadCatalog(const std::string& path, const FeatureSet& features,
                                    std::map<std::string, std::string>* unknown = nullptr);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_REQUEST_REQUEST_H_
