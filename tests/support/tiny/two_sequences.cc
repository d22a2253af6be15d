#include "tests/support/tiny/two_sequences.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "schema/format.h"
#include "tests/support/tiny/bundle_parts.h"

namespace handpick::testing {
namespace {

using schema::OperatorKind;
using Vector = std::vector<double>;

enum Layers : uint32_t {
  kValueLayer,
  kScoreLayer,
  kRowLayer,
  kHiddenLayer,
  kClickLayer,
  kSpendLayer
};
enum Tables : uint32_t { kUserTable, kItemTable, kProductTable };
enum Sequences : uint32_t { kClicks, kPurchases };

constexpr uint32_t kDimension = 4;  // Of each table.

Vector Floats(const std::vector<uint8_t>& bytes, size_t first, size_t count) {
  std::vector<float> floats(count);
  std::memcpy(floats.data(), bytes.data() + 4 * first, 4 * count);
  return Vector(floats.begin(), floats.end());
}

Vector Row(const schema::BundleT& bundle, Tables table, int64_t row) {
  return Floats(bundle.tables[table]->data, static_cast<size_t>(row) * kDimension, kDimension);
}

Vector Apply(const schema::BundleT& bundle, Layers layer, const Vector& x) {
  const schema::DenseWeightsT& dense = *bundle.dense_weights[layer];
  const Vector weights = Floats(dense.data, 0, dense.output_width * x.size());
  Vector y(dense.output_width);
  for (size_t o = 0; o < y.size(); ++o) {
    y[o] = dense.bias.empty() ? 0 : dense.bias[o];
    for (size_t i = 0; i < x.size(); ++i) y[o] += weights[o * x.size() + i] * x[i];
  }
  return y;
}

void Append(const Vector& from, Vector* to) { to->insert(to->end(), from.begin(), from.end()); }

void Rectify(Vector* x) {
  for (double& v : *x) v = v > 0 ? v : 0;
}

std::unique_ptr<schema::FeatureT> OfSequence(Sequences sequence, const char* name, FeatureType type,
                                             uint32_t vocabulary = 0) {
  auto feature = Feature(name, Side::History, type, vocabulary);
  feature->sequence = sequence;
  return feature;
}

void AddFeatures(schema::BundleT* bundle) {
  bundle->vocabularies.push_back(Identity(3));
  bundle->vocabularies.push_back(Identity(6));
  bundle->vocabularies.push_back(Identity(5));
  auto user = Feature("user", Side::Context, FeatureType::Categorical, 0);
  user->optional = true;
  user->default_rows = {0};
  bundle->features.push_back(std::move(user));
  auto clicked = OfSequence(kClicks, "item", FeatureType::Categorical, 1);
  clicked->padding_row = 0;
  bundle->features.push_back(std::move(clicked));
  bundle->features.push_back(OfSequence(kClicks, "dwell", FeatureType::Numeric));
  bundle->features.push_back(OfSequence(kPurchases, "product", FeatureType::Categorical, 2));
  auto price = OfSequence(kPurchases, "price", FeatureType::Numeric);
  price->dimension = 2;
  price->optional = true;
  price->default_numbers = {0, 0};
  price->transforms.push_back(std::make_unique<schema::TransformT>());
  price->transforms[0]->kind = schema::TransformKind::Log1p;
  bundle->features.push_back(std::move(price));
  bundle->features.push_back(Feature("item", Side::Candidate, FeatureType::Categorical, 1));
}

void AddWeights(schema::BundleT* bundle) {
  bundle->tables.push_back(Table("user", 3, kDimension, false, 1));
  bundle->tables.push_back(Table("item", 6, kDimension, false, 2));
  bundle->tables.push_back(Table("product", 5, kDimension, false, 3));
  bundle->dense_weights.push_back(Dense("value", 6, 4, false, true, 4));
  bundle->dense_weights.push_back(Dense("score", 4, 1, false, true, 6));
  bundle->dense_weights.push_back(Dense("row", 9, 5, false, true, 8));
  bundle->dense_weights.push_back(Dense("hidden", 8, 5, false, false, 10));
  bundle->dense_weights.push_back(Dense("click", 5, 1, false, true, 12));
  bundle->dense_weights.push_back(Dense("spend", 5, 1, false, true, 14));
}

}  // namespace

std::unique_ptr<schema::BundleT> MakeTwoSequencesBundle() {
  auto bundle = std::make_unique<schema::BundleT>();
  schema::BundleT* b = bundle.get();
  b->format_major = schema::kFormatMajor;
  b->model_name = "two sequences";
  b->precision = schema::Precision::Float32;
  b->sequences.push_back(Sequence("clicks", kMaxClicks));
  b->sequences.push_back(Sequence("purchases", kMaxPurchases));
  b->tile = 8;
  AddFeatures(b);
  AddWeights(b);

  const uint32_t context = AddBuffer(b, Domain::Context, 9, 0);
  const uint32_t u = AddValue(b, "u", context, 0, 4);
  const uint32_t taste = AddValue(b, "taste", context, 4, 5);
  const uint32_t both = AddValue(b, "u, taste", context, 0, 9);
  const uint32_t row = AddValue(b, "row", AddBuffer(b, Domain::Context, 5, 64), 0, 5);
  const uint32_t click = AddBuffer(b, Domain::History, 5, 0, kClicks);
  const uint32_t clicked = AddValue(b, "clicked", click, 0, 4);
  const uint32_t dwell = AddValue(b, "dwell", click, 4, 1);
  const uint32_t c = AddValue(b, "c", click, 0, 5);
  const uint32_t purchase = AddBuffer(b, Domain::History, 6, 0, kPurchases);
  const uint32_t bought = AddValue(b, "bought", purchase, 0, 4);
  const uint32_t price = AddValue(b, "price", purchase, 4, 2);
  const uint32_t p = AddValue(b, "p", purchase, 0, 6);
  const uint32_t v = AddValue(b, "v", AddBuffer(b, Domain::History, 4, 24, kPurchases), 0, 4);
  const auto pair = [&](const char* name, uint32_t width, uint32_t offset) {
    return AddValue(b, name, AddBuffer(b, Domain::Pair, width, offset, kPurchases), 0, width);
  };
  const uint32_t product = pair("product", 4, 0);
  const uint32_t score = pair("score", 1, 16);
  const uint32_t attention = pair("attention", 1, 20);
  const uint32_t input = AddBuffer(b, Domain::Candidate, 8, 0);
  const uint32_t interest = AddValue(b, "interest", input, 0, 4);
  const uint32_t q = AddValue(b, "q", input, 4, 4);
  const uint32_t all = AddValue(b, "interest, q", input, 0, 8);
  const auto candidate = [&](const char* name, uint32_t width, uint32_t offset) {
    return AddValue(b, name, AddBuffer(b, Domain::Candidate, width, offset), 0, width);
  };
  const uint32_t hidden = candidate("hidden", 5, 32);
  const uint32_t click_logit = candidate("click", 1, 52);
  const uint32_t spend_logit = candidate("spend", 1, 56);

  AddEmbedding(b, "u", kBuyer, kUserTable, u);
  AddEmbedding(b, "clicked", kClickedItem, kItemTable, clicked);
  AddNumeric(b, "dwell", kClickDwell, dwell);
  schema::StepT* pool = AddStep(b, "taste", OperatorKind::PoolHistory, {c}, taste);
  pool->features = {kClickedItem};
  pool->combiner = Combiner::Mean;
  AddDense(b, "row", {both}, kRowLayer, row);
  AddEmbedding(b, "bought", kBoughtProduct, kProductTable, bought);
  AddNumeric(b, "price", kBoughtPrice, price);
  AddActivation(AddDense(b, "v", {p}, kValueLayer, v), schema::ActivationKind::Relu);

  AddEmbedding(b, "q", kOfferedItem, kItemTable, q);
  AddStep(b, "product", OperatorKind::Multiply, {q, v}, product);
  AddDense(b, "score", {product}, kScoreLayer, score);
  AddStep(b, "attention", OperatorKind::SoftmaxOverHistory, {score}, attention);
  AddStep(b, "interest", OperatorKind::WeightedPool, {attention, v}, interest)->numbers = {
      0.5f, -0.5f, 0.25f, 1};
  AddActivation(AddDense(b, "hidden", {all, row}, kHiddenLayer, hidden),
                schema::ActivationKind::Relu);
  AddDense(b, "click", {hidden}, kClickLayer, click_logit);
  AddDense(b, "spend", {hidden}, kSpendLayer, spend_logit);
  b->outputs.push_back(Output("click", click_logit));
  b->outputs.push_back(Output("spend", spend_logit));
  b->outputs.back()->task = schema::Task::Regression;
  return bundle;
}

std::array<double, 2> TwoSequencesLogits(const schema::BundleT& bundle, uint32_t user,
                                         const std::vector<Click>& clicks,
                                         const std::vector<Purchase>& purchases, uint32_t item) {
  Vector taste(5, 0.0);
  double counted = 0;
  for (const Click& click : clicks) {
    if (click.item == 0) continue;
    Vector c = Row(bundle, kItemTable, click.item);
    c.push_back(double{click.dwell});
    for (size_t i = 0; i < 5; ++i) taste[i] += c[i];
    ++counted;
  }
  for (double& t : taste) t /= counted == 0 ? 1 : counted;
  Vector context = Row(bundle, kUserTable, user);
  Append(taste, &context);
  const Vector row = Apply(bundle, kRowLayer, context);

  const Vector q = Row(bundle, kItemTable, item);
  std::vector<Vector> values;
  Vector weights;
  double total = 0;
  for (const Purchase& purchase : purchases) {
    Vector p = Row(bundle, kProductTable, purchase.product);
    for (const float number : purchase.price) p.push_back(std::log1p(double{number}));
    Vector v = Apply(bundle, kValueLayer, p);
    Rectify(&v);
    Vector product(4);
    for (size_t i = 0; i < 4; ++i) product[i] = q[i] * v[i];
    weights.push_back(std::exp(Apply(bundle, kScoreLayer, product)[0]));
    total += weights.back();
    values.push_back(std::move(v));
  }
  Vector input(4, 0.0);
  if (purchases.empty()) input = {0.5, -0.5, 0.25, 1};
  for (size_t e = 0; e < values.size(); ++e) {
    for (size_t i = 0; i < 4; ++i) input[i] += weights[e] / total * values[e][i];
  }
  Append(q, &input);
  Vector hidden = Apply(bundle, kHiddenLayer, input);
  for (size_t i = 0; i < hidden.size(); ++i) hidden[i] += row[i];
  Rectify(&hidden);
  return {Apply(bundle, kClickLayer, hidden)[0], Apply(bundle, kSpendLayer, hidden)[0]};
}

}  // namespace handpick::testing
