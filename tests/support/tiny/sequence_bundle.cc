#include "tests/support/tiny/sequence_bundle.h"

#include <algorithm>
#include <utility>

#include "tests/support/tiny/bundle_parts.h"

namespace handpick::testing {
namespace {

enum Layers : uint32_t { kGates, kState, kKey, kQuery, kProduct, kScore, kEvolve, kHead };

const schema::AttentionRecurrenceT& Evolution(const schema::BundleT& bundle) {
  for (const auto& step : bundle.candidate_program->steps) {
    if (step->op.type == schema::Operator::AttentionRecurrence)
      return *step->op.AsAttentionRecurrence();
  }
  std::abort();
}

const schema::ActivationT& Unit(const schema::BundleT& bundle) {
  for (const auto& step : bundle.candidate_program->steps) {
    if (step->op.type == schema::Operator::Add) return *step->op.AsAdd()->activation;
    if (step->op.type == schema::Operator::AttentionUnit) {
      return *step->op.AsAttentionUnit()->activation;
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
    const Vector row = Floats(dense.data, o * x.size(), x.size());
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
  b->format_major = 1;
  b->model_name = "sequence";
  b->task = schema::Task::Binary;
  b->precision = schema::Precision::Float32;
  b->max_history = 4;
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

  constexpr auto kFloat = schema::BufferType::Float32;
  const auto value = [&](const char* name, Domain domain, uint32_t width, uint32_t offset) {
    return AddValue(b, name, AddBuffer(b, domain, kFloat, width, offset), 0, width);
  };
  b->region_row_bytes = {192, 124, 188, 36};
  const uint32_t u = value("u", Domain::Context, 4, 0);
  const uint32_t uu = value("u * u", Domain::Context, 4, 64);
  const uint32_t scratch = value("state.scratch", Domain::Context, 12, 128);
  const uint32_t k = value("k", Domain::History, 4, 0);
  const uint32_t gates = value("gates", Domain::History, 12, 16);
  const uint32_t s = value("s", Domain::History, 4, 64);
  const uint32_t key = value("key", Domain::History, 3, 112);
  const uint32_t q = value("q", Domain::Candidate, 4, 0);
  const uint32_t query = value("query", Domain::Candidate, 3, 16);
  const uint32_t sum = value("sum", Domain::Candidate, 4, 28);
  const uint32_t squares = value("squares", Domain::Candidate, 4, 44);
  const uint32_t input = AddBuffer(b, Domain::Candidate, kFloat, 12, 108);
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

  b->session_program = std::make_unique<schema::ProgramT>();
  schema::ProgramT* session = b->session_program.get();
  AddStep(session, "u", Domain::Context, 1, Embed(kSequenceUser, 0, u));
  schema::MultiplyT square;
  square.a = u;
  square.b = u;
  square.output = uu;
  AddStep(session, "u * u", Domain::Context, 1, std::move(square));
  AddStep(session, "k", Domain::History, 0, Embed(kSequenceEvent, 1, k));
  AddStep(session, "gates", Domain::History, 0, Layer(k, kGates, gates));
  schema::RecurrenceT state;
  state.gates = gates;
  state.weights = kState;
  state.scratch = scratch;
  state.output = s;
  // For AttentionInputGru the gates lack their bias; the formula of this GRU is then the one
  // without.
  AddStep(session, "s", Domain::History, 0, std::move(state));
  AddStep(session, "key", Domain::History, 0, Layer(k, kKey, key));

  b->candidate_program = std::make_unique<schema::ProgramT>();
  schema::ProgramT* candidate = b->candidate_program.get();
  AddStep(candidate, "q", Domain::Candidate, 0, Embed(kSequenceItem, 1, q));
  AddStep(candidate, "query", Domain::Candidate, 0, Layer(q, kQuery, query));
  schema::MultiplyT multiply;
  multiply.a = q;
  multiply.b = k;
  multiply.output = product;
  AddStep(candidate, "product", Domain::Pair, 0, std::move(multiply));
  AddStep(candidate, "part", Domain::Pair, 0, Layer(product, kProduct, part));
  schema::AddT add;
  add.inputs = {part, query, key};
  add.activation = std::make_unique<schema::ActivationT>();
  add.activation->kind = schema::ActivationKind::Dice;
  add.activation->alpha = SomeFloats(3, 20);
  add.activation->scale = SomeFloats(3, 21);
  add.activation->shift = SomeFloats(3, 22);
  add.output = unit;
  AddStep(candidate, "unit", Domain::Pair, 0, std::move(add));
  AddStep(candidate, "score", Domain::Pair, 0, Layer(unit, kScore, score));
  schema::SoftmaxOverHistoryT softmax;
  softmax.input = score;
  softmax.output = attention;
  AddStep(candidate, "attention", Domain::Pair, 0, std::move(softmax));
  schema::WeightedPoolT pool;
  pool.weights = attention;
  pool.values = s;
  pool.empty_value = {0.5f, -0.5f, 0.25f, 1};
  pool.output = interest;
  AddStep(candidate, "interest", Domain::Candidate, 0, std::move(pool));
  schema::AttentionRecurrenceT evolution;
  evolution.cell = cell;
  evolution.gates = gates;
  evolution.attention = attention;
  if (cell == schema::RecurrentCell::AttentionInputGru) evolution.input_bias = SomeFloats(12, 23);
  evolution.weights = kEvolve;
  evolution.output = evolved;
  AddStep(candidate, "evolved", Domain::Candidate, 0, std::move(evolution));
  const auto embedding_sum = [&](const char* name, uint32_t addend, bool squared, uint32_t output) {
    schema::EmbeddingSumT op;
    op.lookups.push_back(Lookup(kSequenceItem, 1));
    op.addend = static_cast<int32_t>(addend);
    op.squared = squared;
    op.output = output;
    AddStep(candidate, name, Domain::Candidate, 0, std::move(op));
  };
  embedding_sum("sum", u, false, sum);
  embedding_sum("squares", uu, true, squares);
  schema::BiInteractionT bi_interaction;
  bi_interaction.sum = sum;
  bi_interaction.squares = squares;
  bi_interaction.output = pairs;
  AddStep(candidate, "pairs", Domain::Candidate, 0, std::move(bi_interaction));
  AddStep(candidate, "logit", Domain::Candidate, 0, Layer(all, kHead, logit));
  b->logit = logit;
  return bundle;
}

void FuseSequenceUnit(bool int8, schema::BundleT* bundle) {
  auto& steps = bundle->candidate_program->steps;
  const auto find = [&](const char* name) {
    return std::find_if(steps.begin(), steps.end(),
                        [&](const auto& step) { return step->name == name; });
  };
  schema::AttentionUnitT op;
  op.query = (*find("q"))->op.AsEmbedding()->output;
  op.key = (*find("product"))->op.AsMultiply()->b;
  op.key_row = (*find("unit"))->op.AsAdd()->inputs[2];
  op.query_weights = kQuery;
  op.product_weights = kProduct;
  op.folded_type = int8 ? schema::ElementType::Int8PerRow : schema::ElementType::Float32;
  op.activation = std::move((*find("unit"))->op.AsAdd()->activation);
  op.layers.push_back(std::make_unique<schema::AttentionLayerT>());
  op.layers[0]->weights = kScore;
  op.output = (*find("score"))->op.AsDense()->output;
  for (const char* name : {"query", "product", "part", "unit", "score"}) steps.erase(find(name));
  auto step = std::make_unique<schema::StepT>();
  step->name = "score";
  step->domain = Domain::Pair;
  step->op.Set(std::move(op));
  steps.insert(std::next(find("q")), std::move(step));
  bundle->dense_weights[kKey]->bias = std::exchange(bundle->dense_weights[kQuery]->bias, {});
  bundle->format_minor = 1;
}

double SequenceLogit(const schema::BundleT& bundle, uint32_t user,
                     const std::vector<int64_t>& events, uint32_t item) {
  const schema::AttentionRecurrenceT& evolution = Evolution(bundle);
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
                       evolution.input_bias, evolved);
  }
  Vector input = interest;
  input.insert(input.end(), evolved.begin(), evolved.end());
  for (size_t i = 0; i < 4; ++i) input.push_back(u[i] * q[i]);
  return Apply(bundle, kHead, input)[0];
}

}  // namespace handpick::testing
