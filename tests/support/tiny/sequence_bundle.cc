#include "tests/support/tiny/sequence_bundle.h"

#include <utility>

#include "schema/format.h"
#include "tests/support/tiny/bundle_parts.h"

namespace handpick::testing {
namespace {

using schema::OperatorKind;

enum Layers : uint32_t { kGates, kState, kKey, kQuery, kProduct, kScore, kEvolve, kHead };

const schema::StepT& StepOfKind(const schema::BundleT& bundle, OperatorKind kind) {
  for (const auto& step : bundle.steps) {
    if (step->kind == kind) return *step;
  }
  std::abort();
}

const schema::ActivationT& Unit(const schema::BundleT& bundle) {
  for (const auto& step : bundle.steps) {
    if (step->kind == OperatorKind::Add || step->kind == OperatorKind::AttentionUnit) {
      return *step->activations[0];
    }
  }
  std::abort();
}

using Vector = std::vector<double>;

Vector Floats(const std::vector<uint8_t>& bytes, size_t first, size_t count) {
  std::vector<float> floats(count);
  std::memcpy(floats.data(), bytes.data() + 4 * first, 4 * count);
  return Vector(floats.begin(), floats.end());
}

Vector Row(const schema::BundleT& bundle, size_t table, size_t row) {
  return Floats(bundle.tables[table]->data, row * 4, 4);
}

Vector Apply(const schema::BundleT& bundle, Layers layer, const Vector& x) {
  const schema::DenseWeightsT& dense = *bundle.dense_weights[layer];
  Vector y(dense.output_width);
  for (size_t o = 0; o < y.size(); ++o) {
    y[o] = dense.bias.empty() ? 0 : dense.bias[o];
    const bool int8 = dense.type == schema::ElementType::Int8PerRow;
    Vector row(x.size());
    if (!int8) row = Floats(dense.data, o * x.size(), x.size());
    for (size_t i = 0; int8 && i < x.size(); ++i) {
      row[i] = double{dense.scales[o]} * static_cast<int8_t>(dense.data[o * x.size() + i]);
    }
    for (size_t i = 0; i < x.size(); ++i) y[o] += row[i] * x[i];
  }
  return y;
}

double Logistic(double x) { return 1 / (1 + std::exp(-x)); }

Vector CellStep(schema::RecurrentCell cell, const Vector& gates, const Vector& state_gates,
                double a, const std::vector<float>& bias, const Vector& h) {
  const size_t width = h.size();
  Vector next(width);
  for (size_t i = 0; i < width; ++i) {
    const auto input = [&](size_t g) {
      const double gate = gates[g * width + i];
      return cell == schema::RecurrentCell::AttentionInputGru ? a * gate + bias[g * width + i]
                                                              : gate;
    };
    const double r = Logistic(input(0) + state_gates[i]);
    const double z = Logistic(input(1) + state_gates[width + i]);
    const double n = std::tanh(input(2) + r * state_gates[2 * width + i]);
    switch (cell) {
      case schema::RecurrentCell::AttentionGru:
        next[i] = (1 - a) * h[i] + a * n;
        break;
      case schema::RecurrentCell::AttentionUpdateGru:
        next[i] = (1 - a * z) * h[i] + a * z * n;
        break;
      default:
        next[i] = (1 - z) * n + z * h[i];
        break;
    }
  }
  return next;
}

}  // namespace

std::unique_ptr<schema::BundleT> MakeSequenceBundle(schema::RecurrentCell cell) {
  auto bundle = std::make_unique<schema::BundleT>();
  schema::BundleT* b = bundle.get();
  b->format_major = schema::kFormatMajor;
  b->model_name = "sequence";
  b->precision = schema::Precision::Float32;
  b->sequences.push_back(Sequence("history", 4));
  b->tile = 8;
  b->vocabularies.push_back(Identity(3));
  b->vocabularies.push_back(Identity(6));
  auto user = Feature("user", Side::Context, FeatureType::Categorical, 0);
  user->optional = true;
  user->default_rows = {0};
  b->features.push_back(std::move(user));
  b->features.push_back(Feature("item", Side::History, FeatureType::Categorical, 1));
  b->features.push_back(Feature("item", Side::Candidate, FeatureType::Categorical, 1));
  b->tables.push_back(Table("user", 3, 4, false, 1));
  b->tables.push_back(Table("item", 6, 4, false, 2));
  b->dense_weights.push_back(
      Dense("gates", 4, 12, false, cell != schema::RecurrentCell::AttentionInputGru, 3));
  b->dense_weights.push_back(Dense("state", 4, 12, false, true, 5));
  b->dense_weights.push_back(Dense("key", 4, 3, false, false, 7));
  b->dense_weights.push_back(Dense("query", 4, 3, false, true, 8));
  b->dense_weights.push_back(Dense("product", 4, 3, false, false, 10));
  b->dense_weights.push_back(Dense("score", 3, 1, false, true, 11));
  b->dense_weights.push_back(Dense("evolve", 4, 12, false, true, 13));
  b->dense_weights.push_back(Dense("head", 12, 1, false, true, 15));

  const auto value = [&](const char* name, Domain domain, uint32_t width, uint32_t offset) {
    return AddValue(b, name, AddBuffer(b, domain, width, offset), 0, width);
  };
  const uint32_t u = value("u", Domain::Context, 4, 0);
  const uint32_t uu = value("u * u", Domain::Context, 4, 64);
  const uint32_t k = value("k", Domain::History, 4, 0);
  const uint32_t gates = value("gates", Domain::History, 12, 16);
  const uint32_t s = value("s", Domain::History, 4, 64);
  const uint32_t key = value("key", Domain::History, 3, 112);
  const uint32_t q = value("q", Domain::Candidate, 4, 0);
  const uint32_t query = value("query", Domain::Candidate, 3, 16);
  const uint32_t sum = value("sum", Domain::Candidate, 4, 28);
  const uint32_t squares = value("squares", Domain::Candidate, 4, 44);
  const uint32_t input = AddBuffer(b, Domain::Candidate, 12, 108);
  const uint32_t interest = AddValue(b, "interest", input, 0, 4);
  const uint32_t evolved = AddValue(b, "evolved", input, 4, 4);
  const uint32_t pairs = AddValue(b, "pairs", input, 8, 4);
  const uint32_t all = AddValue(b, "input", input, 0, 12);
  const uint32_t logit = value("logit", Domain::Candidate, 1, 156);
  const uint32_t product = value("product", Domain::Pair, 4, 0);
  const uint32_t part = value("part", Domain::Pair, 3, 16);
  const uint32_t unit = value("unit", Domain::Pair, 3, 0);
  const uint32_t score = value("score", Domain::Pair, 1, 28);
  const uint32_t attention = value("attention", Domain::Pair, 1, 32);

  AddEmbedding(b, "u", kSequenceUser, 0, u);
  AddStep(b, "u * u", OperatorKind::Multiply, {u, u}, uu);
  AddEmbedding(b, "k", kSequenceEvent, 1, k);
  AddDense(b, "gates", {k}, kGates, gates);
  // For AttentionInputGru the gates lack their bias; the formula of this GRU is then the one
  // without.
  schema::StepT* state = AddStep(b, "s", OperatorKind::Recurrence, {gates}, s);
  state->cell = schema::RecurrentCell::Gru;
  state->weights = {kState};
  AddDense(b, "key", {k}, kKey, key);

  AddEmbedding(b, "q", kSequenceItem, 1, q);
  AddDense(b, "query", {q}, kQuery, query);
  AddStep(b, "product", OperatorKind::Multiply, {q, k}, product);
  AddDense(b, "part", {product}, kProduct, part);
  schema::ActivationT* dice =
      AddActivation(AddStep(b, "unit", OperatorKind::Add, {part, query, key}, unit),
                    schema::ActivationKind::Dice);
  dice->alpha = SomeFloats(3, 20);
  dice->scale = SomeFloats(3, 21);
  dice->shift = SomeFloats(3, 22);
  AddDense(b, "score", {unit}, kScore, score);
  AddStep(b, "attention", OperatorKind::SoftmaxOverHistory, {score}, attention);
  schema::StepT* pool =
      AddStep(b, "interest", OperatorKind::WeightedPool, {attention, s}, interest);
  pool->numbers = {0.5f, -0.5f, 0.25f, 1};
  schema::StepT* evolution =
      AddStep(b, "evolved", OperatorKind::AttentionRecurrence, {gates, attention}, evolved);
  evolution->cell = cell;
  if (cell == schema::RecurrentCell::AttentionInputGru) evolution->numbers = SomeFloats(12, 23);
  evolution->weights = {kEvolve};
  const auto embedding_sum = [&](const char* name, uint32_t addend, bool squared, uint32_t output) {
    schema::StepT* step = AddStep(b, name, OperatorKind::EmbeddingSum, {addend}, output);
    step->lookups.push_back(Lookup(kSequenceItem, 1));
    step->squared = squared;
  };
  embedding_sum("sum", u, false, sum);
  embedding_sum("squares", uu, true, squares);
  AddStep(b, "pairs", OperatorKind::BiInteraction, {sum, squares}, pairs);
  AddDense(b, "logit", {all}, kHead, logit);
  b->outputs.push_back(Output("score", logit));
  return bundle;
}

void FuseSequenceUnit(bool int8, schema::BundleT* bundle) {
  const schema::StepT& sum = StepNamed(bundle, "unit");
  auto unit = std::make_unique<schema::StepT>();
  unit->name = "score";
  unit->kind = OperatorKind::AttentionUnit;
  unit->operands = {StepNamed(bundle, "q").output, StepNamed(bundle, "product").operands[1],
                    sum.operands[2]};
  unit->weights = {kQuery, kProduct, kScore};
  unit->activations.push_back(std::make_unique<schema::ActivationT>(*sum.activations[0]));
  unit->activations.push_back(std::make_unique<schema::ActivationT>());
  unit->output = StepNamed(bundle, "score").output;
  auto& steps = bundle->steps;
  for (const char* name : {"query", "product", "part", "unit", "score"}) {
    steps.erase(steps.begin() + static_cast<ptrdiff_t>(IndexOfStep(*bundle, name)));
  }
  steps.insert(steps.begin() + static_cast<ptrdiff_t>(IndexOfStep(*bundle, "q")) + 1,
               std::move(unit));
  bundle->dense_weights[kKey]->bias = std::exchange(bundle->dense_weights[kQuery]->bias, {});
  if (int8) {
    // The layer behind the first in 8 bits lets a processor round the first one's matrix.
    schema::DenseWeightsT& score = *bundle->dense_weights[kScore];
    const std::vector<float> bias = std::move(score.bias);
    bundle->dense_weights[kScore] = Dense("score", 3, 1, true, false, 11);
    bundle->dense_weights[kScore]->bias = bias;
  }
}

double SequenceLogit(const schema::BundleT& bundle, uint32_t user,
                     const std::vector<int64_t>& events, uint32_t item) {
  const schema::StepT& evolution = StepOfKind(bundle, OperatorKind::AttentionRecurrence);
  const schema::ActivationT& dice = Unit(bundle);
  const Vector u = Row(bundle, 0, user);
  const Vector q = Row(bundle, 1, item);
  std::vector<Vector> gates;
  std::vector<Vector> states;
  Vector scores;
  Vector h(4, 0.0);
  for (const int64_t event : events) {
    const Vector k = Row(bundle, 1, static_cast<size_t>(event));
    gates.push_back(Apply(bundle, kGates, k));
    h = CellStep(schema::RecurrentCell::Gru, gates.back(), Apply(bundle, kState, h), 0, {}, h);
    states.push_back(h);
    Vector products(4);
    for (size_t i = 0; i < 4; ++i) products[i] = q[i] * k[i];
    const Vector from_query = Apply(bundle, kQuery, q);
    const Vector from_key = Apply(bundle, kKey, k);
    Vector unit = Apply(bundle, kProduct, products);
    for (size_t i = 0; i < 3; ++i) {
      const double x = unit[i] + from_query[i] + from_key[i];
      const double p = Logistic(dice.scale[i] * x + dice.shift[i]);
      unit[i] = p * x + (1 - p) * dice.alpha[i] * x;
    }
    scores.push_back(Apply(bundle, kScore, unit)[0]);
  }
  double total = 0;
  for (const double score : scores) total += std::exp(score);
  Vector interest(4, 0.0);
  if (events.empty()) interest = {0.5, -0.5, 0.25, 1};
  Vector evolved(4, 0.0);
  for (size_t e = 0; e < events.size(); ++e) {
    const double attention = std::exp(scores[e]) / total;
    for (size_t i = 0; i < 4; ++i) interest[i] += attention * states[e][i];
    evolved = CellStep(evolution.cell, gates[e], Apply(bundle, kEvolve, evolved), attention,
                       evolution.numbers, evolved);
  }
  Vector input = interest;
  input.insert(input.end(), evolved.begin(), evolved.end());
  for (size_t i = 0; i < 4; ++i) input.push_back(u[i] * q[i]);
  return Apply(bundle, kHead, input)[0];
}

}  // namespace handpick::testing
