// A model's features, and all rows of a source.
#ifndef HANDPICK_TESTS_CONVERTER_ROWS_ROWS_TESTING_H_
#define HANDPICK_TESTS_CONVERTER_ROWS_ROWS_TESTING_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/request/request.h"
#include "converter/rows/source.h"
#include "converter/spec/feature_set.h"
#include "converter/spec/spec.h"
#include "gtest/gtest.h"

namespace handpick::converter {

inline const FeatureSet& RowsFeatures() {
  static const FeatureSet* const kSet = [] {
    const auto spec = ParseSpec(R"({
      "model":{"name":"m","kind":"wide_deep"},"history":{"max_events":4},"features":[
        {"name":"user","side":"context","type":"categorical","vocabulary":{"kind":"list","values":["ann","bob, \"x\""]}},
        {"name":"age","side":"context","type":"numeric"},
        {"name":"item","side":"history","type":"categorical","vocabulary":{"kind":"identity","size":9}},
        {"name":"topics","side":"history","type":"multi_categorical","max_values":2,
         "vocabulary":{"kind":"identity","size":9}},
        {"name":"item","side":"candidate","type":"categorical","vocabulary":{"kind":"identity","size":9}},
        {"name":"tags","side":"candidate","type":"multi_categorical","max_values":2,
         "vocabulary":{"kind":"identity","size":9}},
        {"name":"place","side":"candidate","type":"numeric","dimension":2},
        {"name":"word","side":"candidate","type":"categorical","vocabulary":{"kind":"hash","buckets":9}}],
      "wide":{"features":["user"]}})",
                                "s.json");
    EXPECT_TRUE(spec.ok()) << spec.status();
    return new FeatureSet(*BuildFeatureSet(*spec));
  }();
  return *kSet;
}

struct SomeRows {
  std::vector<std::string> texts;
  std::vector<std::string> where;
};

inline absl::StatusOr<SomeRows> AllRows(const std::string& path, const RowHeader& header = {}) {
  auto source = OpenRows(path, "", header, {{&RowsFeatures()}, false});
  if (!source.ok()) return source.status();
  SomeRows rows;
  for (;;) {
    std::string text, where;
    const absl::StatusOr<bool> more = (*source)->Next(&text, &where);
    if (!more.ok()) return more.status();
    if (!*more) return rows;
    // What comes out is a request.
    const auto request = ParseRequest(text, RowsFeatures(), where);
    EXPECT_TRUE(request.ok()) << request.status() << "\n" << text;
    rows.texts.push_back(text);
    rows.where.push_back(where);
  }
}

inline RowHeader HeaderOf(const std::string& json) {
  const absl::StatusOr<RowHeader> header = ParseRowHeader(json, "map.json");
  EXPECT_TRUE(header.ok()) << header.status();
  return *header;
}

}  // namespace handpick::converter

#endif  // HANDPICK_TESTS_CONVERTER_ROWS_ROWS_TESTING_H_
