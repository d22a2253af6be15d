// An opened bundle with a recall index, a session of it, and an oracle beside them.
#ifndef HANDPICK_TESTS_SDK_RECALL_RECALL_SESSION_H_
#define HANDPICK_TESTS_SDK_RECALL_RECALL_SESSION_H_

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/handpick.h"
#include "tests/support/tiny/recall_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"
#include "tests/support/tiny/tiny_session.h"

namespace handpick::testing {

// Float32 rows: scores are sums in float, the oracle's in double; relative to the largest score.
inline constexpr double kFloatTolerance = 1e-5;
// Int8 rows: half a step of 127 in each of the two vectors.
inline constexpr double kInt8Tolerance = 0.02;

class RecallSession {
 public:
  explicit RecallSession(const RecallBundleOptions& options,
                         const hp_session_options& session = HP_SESSION_OPTIONS_INIT)
      : options_(options),
        made_(MakeRecallBundle(options)),
        model_(Serialized(*made_.bundle)),
        session_(model_.get(), session) {
    EXPECT_EQ(model_.status(), HP_OK) << model_.error().message;
    EXPECT_NE(session_.get(), nullptr) << session_.error().message;
    if (options.model) {
      EXPECT_EQ(hp_session_set_context(get(), Batch(1).Integers(kUser, {2}).get()), HP_OK);
    }
  }

  hp_session* get() const { return session_.get(); }
  const hp_model* model() const { return model_.get(); }
  const char* message() const { return session_.message(); }
  const RecallBundle& made() const { return made_; }
  const hp_item_id& id(size_t item) const { return made_.ids[item]; }
  const std::vector<float>& vector(size_t item) const { return made_.vectors[item]; }

  // As the index has it.
  std::vector<float> Stored(const std::vector<float>& vector) const {
    return options_.metric == schema::RecallMetric::Cosine ? Unit(vector) : vector;
  }

  void SetHistory(const std::vector<hp_item_id>& ids) {
    Batch batch(ids.size());
    if (!ids.empty()) Fill(kSeen, ids, &batch);
    ASSERT_EQ(hp_session_set_history(get(), batch.get()), HP_OK) << message();
  }
  void SetHistoryOfItems(const std::vector<uint32_t>& items) {
    std::vector<hp_item_id> ids;
    for (const uint32_t item : items) ids.push_back(id(item));
    SetHistory(ids);
  }
  static void Fill(uint32_t feature, const std::vector<hp_item_id>& ids, Batch* batch) {
    std::vector<int64_t> integers;
    std::vector<std::string> texts;
    for (const hp_item_id& id : ids) {
      integers.push_back(id.integer);
      texts.push_back(Text(id));
    }
    if (!ids.empty() && ids[0].string.data != nullptr) {
      batch->Strings(feature, texts);
    } else {
      batch->Integers(feature, integers);
    }
  }

  std::vector<hp_recalled> Recall(const hp_recall_options& options,
                                  hp_status expected = HP_OK) const {
    std::vector<hp_recalled> items(options.k);
    size_t count = 0;
    EXPECT_EQ(hp_session_recall(get(), &options, items.data(), &count), expected) << message();
    if (expected != HP_OK) count = 0;
    EXPECT_LE(count, options.k);
    items.resize(count);
    return items;
  }

  hp_recall_report Report() const {
    hp_recall_report report = HP_RECALL_REPORT_INIT;
    EXPECT_EQ(hp_session_get_recall_report(get(), &report), HP_OK);
    return report;
  }

  // Items of the index, but for those.
  std::vector<OracleItem> OracleItems(const std::set<std::string>& without = {}) const {
    std::vector<OracleItem> items;
    for (size_t i = 0; i < made_.ids.size(); ++i) {
      if (without.count(Text(id(i))) == 0) items.push_back({id(i), vector(i)});
    }
    return items;
  }

  // That `found` are the best k of `items`, in order.
  void ExpectBest(const std::vector<hp_recalled>& found, size_t k,
                  const std::vector<std::vector<float>>& users,
                  const std::vector<OracleItem>& items) const {
    const std::vector<OracleHit> expected = OracleRecall(options_.metric, users, items);
    ASSERT_EQ(found.size(), std::min(k, expected.size()));
    double scale = 1e-30;
    for (const OracleHit& hit : expected) scale = std::max(scale, std::fabs(hit.score));
    const double tolerance =
        scale * (options_.type == schema::ElementType::Float32 ? kFloatTolerance : kInt8Tolerance);
    std::set<std::string> seen;
    for (size_t i = 0; i < found.size(); ++i) {
      SCOPED_TRACE(i);
      EXPECT_TRUE(seen.insert(Text(found[i].id)).second) << "twice";
      EXPECT_NEAR(found[i].score, expected[i].score, tolerance);
      double own = HUGE_VAL;
      for (const OracleHit& hit : expected) {
        if (Text(hit.id) == Text(found[i].id)) own = hit.score;
      }
      EXPECT_NEAR(found[i].score, own, tolerance) << Text(found[i].id);
      if (i == 0) continue;
      EXPECT_GE(found[i - 1].score, found[i].score);
      if (found[i - 1].score == found[i].score) {
        if (found[i].id.string.data == nullptr) {
          EXPECT_LT(found[i - 1].id.integer, found[i].id.integer);
        } else {
          EXPECT_LT(Text(found[i - 1].id), Text(found[i].id));
        }
      }
    }
  }

 private:
  RecallBundleOptions options_;
  RecallBundle made_;
  OpenModel model_;
  OpenSession session_;
};

inline hp_recall_options RecallOptions(size_t k, hp_user_vector user = HP_USER_MEAN) {
  hp_recall_options options = HP_RECALL_OPTIONS_INIT;
  options.k = k;
  options.user = user;
  return options;
}

inline hp_recall_options VectorOptions(size_t k, const std::vector<float>& vector) {
  hp_recall_options options = RecallOptions(k, HP_USER_VECTOR);
  options.vector = vector.data();
  options.vector_size = vector.size();
  return options;
}

inline std::vector<std::string> Texts(const std::vector<hp_recalled>& items) {
  std::vector<std::string> texts;
  for (const hp_recalled& item : items) texts.push_back(Text(item.id));
  return texts;
}

// Sum of weights * vectors / sum of weights.
inline std::vector<float> Mean(const std::vector<std::vector<float>>& vectors,
                               const std::vector<double>& weights = {}) {
  std::vector<double> sums(vectors[0].size());
  double total = 0;
  for (size_t v = 0; v < vectors.size(); ++v) {
    const double weight = weights.empty() ? 1 : weights[v];
    total += weight;
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += weight * double{vectors[v][i]};
  }
  std::vector<float> mean;
  for (const double sum : sums) mean.push_back(static_cast<float>(sum / total));
  return mean;
}

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_SDK_RECALL_RECALL_SESSION_H_
