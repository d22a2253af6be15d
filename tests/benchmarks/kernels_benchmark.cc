// The kernels of the runtime, one by one, over the shapes of the standard workloads. Names:
//
//     dense/f32/<in>x<out>            a layer over a panel of 48 candidates, operands in the cache
//     dense/int8/<in>x<out>           the same, the input's rounding not included
//     xnnpack/f32|int8/<in>x<out>     the same layer, 48 rows of XNNPACK's
//     activate/<name>/<width>         in place, over a panel
//     quantize/<width>                a panel to bytes
//     gather/<f32|int8>/<width>       random rows of a table of 100,000, 48 of them
//     transpose/<width>               48 rows into a panel
//     softmax/<events>, pool/<events>x<width>
//     unit/<f32|int8>/<candidates>    an activation unit of 80-40-1 over 50 events of 64
//     augru/<f32|int8>/<candidates>   AUGRU of 64 over 50 events
//     gru/<width>                     the element-wise part of one step for one event
//     top_k/<k>                       of 1000 scores
//
//     bazel run //tests/benchmarks:kernels_benchmark -- --benchmark_filter=dense
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "hwy/aligned_allocator.h"
#include "sdk/kernels/attention_recurrence.h"
#include "sdk/kernels/attention_unit.h"
#include "sdk/kernels/panel.h"
#include "sdk/kernels/recurrent.h"
#include "sdk/kernels/top_k.h"
#include "tests/benchmarks/gated_loop.h"
#include "xnnpack.h"

namespace handpick::benchmarks {
namespace {

constexpr uint32_t kLanes = kMaxPanelLanes;
constexpr PanelShape kPanel = {kLanes, kLanes};
constexpr uint32_t kEvents = 50;
constexpr size_t kCalls = 0;  // In one sample: as many as the clock needs.
constexpr int kSamples = 200;

// Of layers: {inputs, outputs}. Wide & deep, NFM, DIN's and DIEN's units, gates and towers.
constexpr uint32_t kShapes[][2] = {{128, 256}, {256, 128}, {128, 64},  {64, 128}, {64, 80},
                                   {80, 40},   {40, 1},    {128, 200}, {200, 80}, {64, 192}};

// Aligned memory with values.
template <typename T>
class Array {
 public:
  explicit Array(size_t count) : values_(hwy::AllocateAligned<T>(std::max<size_t>(count, 1))) {
    std::fill_n(values_.get(), count, T{});
  }
  T* get() const { return values_.get(); }
  T& operator[](size_t i) { return values_[i]; }

 private:
  hwy::AlignedFreeUniquePtr<T[]> values_;
};

// Numbers in [-scale, scale].
Array<float> Floats(size_t count, float scale = 1) {
  std::mt19937_64 random(count);
  Array<float> values(count);
  for (size_t i = 0; i < count; ++i) {
    values[i] = scale * (static_cast<float>(random() >> 40) * 0x1p-23f - 1);
  }
  return values;
}

Array<int8_t> Bytes(size_t count) {
  std::mt19937_64 random(count);
  Array<int8_t> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<int8_t>(random() % 255);
  return values;
}

const Activation kLinear = {schema::ActivationKind::Linear, {}, {}, {}};
const Activation kSigmoid = {schema::ActivationKind::Sigmoid, {}, {}, {}};

// An int8 layer's weights, or an int8 panel, with what goes with them.
struct Int8Layer {
  Int8Layer(uint32_t in, uint32_t out)
      : data(Bytes(size_t{in} * out)), scales(Floats(out, 0.01f)), row_sums(out) {
    for (uint32_t j = 0; j < out; ++j) {
      scales[j] = std::fabs(scales[j]) + 0.001f;
      for (uint32_t k = 0; k < in; ++k) row_sums[j] += data[size_t{j} * in + k];
    }
  }
  Int8Weights weights() const { return {data.get(), scales.get(), row_sums.get()}; }

  Array<int8_t> data;
  Array<float> scales;
  Array<int32_t> row_sums;
};

struct Int8Input {
  explicit Int8Input(uint32_t width)
      : bytes(Int8PanelBytes(width, kLanes)), scale(kLanes), zero_point(kLanes) {
    const Array<float> x = Floats(size_t{width} * kLanes);
    QuantizePanel(x.get(), width, panel(), kPanel);
  }
  Int8Panel panel() const { return {bytes.get(), scale.get(), zero_point.get()}; }

  Array<uint8_t> bytes;
  Array<float> scale;
  Array<float> zero_point;
};

double Products(double rows, double in, double out) { return rows * in * out; }

void BenchDense(benchmark::State& state, uint32_t in, uint32_t out) {
  const Array<float> weights = Floats(size_t{in} * out, 0.1f);
  const Array<float> bias = Floats(out);
  const Array<float> x = Floats(size_t{in} * kLanes);
  const Array<float> y(size_t{out} * kLanes);
  GatedLoop(state, kCalls, {Products(kLanes, in, out), 0}, [&] {
    DensePanel(weights.get(), in, out, {bias.get(), nullptr}, kLinear, x.get(), y.get(), kPanel);
  });
}

void BenchDenseInt8(benchmark::State& state, uint32_t in, uint32_t out) {
  const Int8Layer layer(in, out);
  const Int8Input x(in);
  const Array<float> bias = Floats(out);
  const Array<float> y(size_t{out} * kLanes);
  GatedLoop(state, kCalls, {0, Products(kLanes, in, out)}, [&] {
    DensePanelInt8(layer.weights(), in, out, {bias.get(), nullptr}, kLinear, x.panel(), y.get(),
                   kPanel);
  });
}

void Check(xnn_status status) {
  if (status == xnn_status_success) return;
  std::cerr << "kernels_benchmark: XNNPACK fails with status " << status << "\n";
  std::exit(1);
}

void BenchXnnpack(benchmark::State& state, uint32_t in, uint32_t out) {
  const Array<float> weights = Floats(size_t{in} * out, 0.1f);
  const Array<float> bias = Floats(out);
  const Array<float> x = Floats(size_t{in} * kLanes + XNN_EXTRA_BYTES);
  const Array<float> y(size_t{out} * kLanes);
  xnn_operator_t layer = nullptr;
  Check(xnn_initialize(nullptr));
  Check(xnn_create_fully_connected_nc_f32(in, out, in, out, weights.get(), bias.get(), -INFINITY,
                                          INFINITY, 0, nullptr, nullptr, &layer));
  Check(xnn_reshape_fully_connected_nc_f32(layer, kLanes, nullptr));
  Check(xnn_setup_fully_connected_nc_f32(layer, x.get(), y.get()));
  GatedLoop(state, kCalls, {Products(kLanes, in, out), 0},
            [&] { Check(xnn_run_operator(layer, nullptr)); });
  xnn_delete_operator(layer);
}

void BenchXnnpackInt8(benchmark::State& state, uint32_t in, uint32_t out) {
  const Int8Layer weights(in, out);
  const Array<float> bias = Floats(out);
  const Array<int8_t> x = Bytes(size_t{in} * kLanes + XNN_EXTRA_BYTES);
  const Array<float> y(size_t{out} * kLanes);
  std::vector<xnn_quantization_params> parameters(kLanes + XNN_EXTRA_QUANTIZATION_PARAMS,
                                                  {1, 0.01f});
  xnn_operator_t layer = nullptr;
  Check(xnn_initialize(nullptr));
  Check(xnn_create_fully_connected_nc_qd8_f32_qc8w(in, out, in, out, weights.scales.get(),
                                                   weights.data.get(), bias.get(), -INFINITY,
                                                   INFINITY, 0, nullptr, nullptr, &layer));
  Check(xnn_reshape_fully_connected_nc_qd8_f32_qc8w(layer, kLanes, nullptr));
  Check(xnn_setup_fully_connected_nc_qd8_f32_qc8w(layer, x.get(), y.get(), parameters.data()));
  GatedLoop(state, kCalls, {0, Products(kLanes, in, out)},
            [&] { Check(xnn_run_operator(layer, nullptr)); });
  xnn_delete_operator(layer);
}

void PerElement(benchmark::State& state, double elements) {
  state.counters["ns/element"] = 1e3 * state.counters["p50_us"] / elements;
}

void BenchActivate(benchmark::State& state, const Activation& activation, uint32_t width) {
  const Array<float> y = Floats(size_t{width} * kLanes, 4);
  const Array<float> work(size_t{width} * kLanes);
  // Restored each time, or repeated activations would end where nothing moves.
  GatedLoop(state, kCalls, {}, [&] {
    std::copy_n(y.get(), size_t{width} * kLanes, work.get());
    ActivatePanel(activation, width, work.get(), kPanel);
  });
  PerElement(state, width * kLanes);
}

void BenchQuantize(benchmark::State& state, uint32_t width) {
  const Array<float> x = Floats(size_t{width} * kLanes);
  const Int8Input out(width);
  GatedLoop(state, kCalls, {}, [&] { QuantizePanel(x.get(), width, out.panel(), kPanel); });
  PerElement(state, width * kLanes);
}

void BenchGather(benchmark::State& state, bool int8, uint32_t width) {
  constexpr uint32_t kRows = 100000;
  const Array<float> floats = Floats(int8 ? 0 : size_t{kRows} * width);
  const Array<int8_t> bytes = Bytes(int8 ? size_t{kRows} * width : 0);
  const Array<float> scales = Floats(kRows);
  const Table table = {kRows, width, int8 ? nullptr : floats.get(), int8 ? bytes.get() : nullptr,
                       int8 ? scales.get() : nullptr};
  // Other rows in each call, as other requests have.
  std::mt19937_64 random(1);
  std::vector<uint32_t> index(1 << 16);
  for (uint32_t& row : index) row = static_cast<uint32_t>(random() % kRows);
  uint32_t at = 0;
  const Array<float> rows(size_t{width} * kLanes);
  GatedLoop(state, kCalls, {}, [&] {
    const GatherSource source = {&table, index.data()};
    GatherRows({&source, 1}, {at, kLanes, static_cast<uint32_t>(index.size()), 0, width},
               {rows.get(), nullptr, false});
    at = (at + kLanes) % static_cast<uint32_t>(index.size() - kLanes);
  });
  state.counters["ns/row"] = 1e3 * state.counters["p50_us"] / kLanes;
}

void BenchTranspose(benchmark::State& state, uint32_t width) {
  const Array<float> rows = Floats(size_t{width} * kLanes);
  const Array<float> out(size_t{width} * kLanes);
  GatedLoop(state, kCalls, {}, [&] {
    TransposeIntoPanel(rows.get(), width, kLanes, width, false, out.get(), kPanel);
  });
  PerElement(state, width * kLanes);
}

void BenchSoftmax(benchmark::State& state, uint32_t events) {
  const Array<float> in = Floats(size_t{events} * kLanes, 3);
  const Array<float> out(size_t{events} * kLanes);
  GatedLoop(state, kCalls, {}, [&] { SoftmaxPanel(in.get(), events, out.get(), kPanel); });
  PerElement(state, events * kLanes);
}

void BenchPool(benchmark::State& state, uint32_t events, uint32_t width) {
  const Array<float> weights = Floats(size_t{events} * kLanes);
  const Array<float> values = Floats(size_t{events} * width);
  const Array<float> out(size_t{width} * kLanes);
  GatedLoop(state, kCalls, {Products(kLanes, events, width), 0}, [&] {
    std::fill_n(out.get(), size_t{width} * kLanes, 0.0f);
    AddWeightedRows(weights.get(), values.get(), width, events, width, out.get(), kPanel);
  });
}

// The unit of w3_din and w4_dien.
void BenchUnit(benchmark::State& state, bool int8, uint32_t candidates) {
  constexpr uint32_t kQuery = 64, kFirst = 80, kSecond = 40;
  const Array<float> query_weights = Floats(kFirst * kQuery, 0.1f);
  const Array<float> product_weights = Floats(kFirst * kQuery, 0.1f);
  const Array<float> second = Floats(kSecond * kFirst, 0.1f);
  const Array<float> head = Floats(kSecond, 0.1f);
  const Array<float> bias = Floats(kSecond);
  const Int8Layer second_int8(kFirst, kSecond);
  const AttentionUnitLayer layers[] = {
      {kFirst, kSecond, int8 ? nullptr : second.get(), int8 ? second_int8.weights() : Int8Weights{},
       bias.get(), &kSigmoid},
      {kSecond, 1, head.get(), {}, bias.get(), &kLinear}};
  const AttentionUnitWeights weights = {
      kQuery, kFirst, query_weights.get(), product_weights.get(), int8, &kSigmoid, layers, 2};
  const uint32_t panels = (candidates + kLanes - 1) / kLanes;
  const Array<float> query = Floats(size_t{panels} * kQuery * kLanes);
  const Array<float> key = Floats(kEvents * kQuery);
  const Array<float> key_row = Floats(kEvents * kFirst);
  const Array<float> scores(size_t{panels} * kEvents * kLanes);
  const Array<char> scratch(AttentionUnitScratch(weights, kLanes, panels));
  const AttentionUnitInput input = {query.get(), kQuery * kLanes, key.get(),
                                    kQuery,      key_row.get(),   kFirst};
  const EventRing ring = {0, kEvents, kEvents};
  const double first_products = Products(candidates, kEvents * kQuery, kFirst);
  const double second_products = Products(candidates, kEvents * kFirst, kSecond);
  Done done;
  (int8 ? done.int8_multiply_accumulates : done.multiply_accumulates) =
      first_products + second_products;
  done.multiply_accumulates += Products(candidates, kEvents, kSecond);
  GatedLoop(state, 1, done, [&] {
    AttentionUnit(weights, input, ring, candidates, kLanes, scores.get(), kEvents * kLanes,
                  scratch.get());
  });
}

void BenchAugru(benchmark::State& state, bool int8, uint32_t candidates) {
  constexpr uint32_t kWidth = 64;
  const Array<float> floats = Floats(3 * kWidth * kWidth, 0.1f);
  const Int8Layer bytes(kWidth, 3 * kWidth);
  const Array<float> bias = Floats(3 * kWidth, 0.1f);
  AttentionRecurrenceWeights weights = {};
  weights.cell = schema::RecurrentCell::AttentionUpdateGru;
  weights.width = kWidth;
  weights.floats = int8 ? nullptr : floats.get();
  if (int8) weights.int8 = bytes.weights();
  weights.bias = bias.get();
  const Array<float> gates = Floats(kEvents * 3 * kWidth);
  const Array<float> attention = Floats(kEvents * kLanes);
  for (uint32_t i = 0; i < kEvents * kLanes; ++i) attention.get()[i] = 1.0f / kEvents;
  const Array<float> panel_state(kWidth * kLanes);
  const Array<char> scratch(AttentionRecurrenceScratch(weights, kLanes));
  const EventRing ring = {0, kEvents, kEvents};
  Done done;
  (int8 ? done.int8_multiply_accumulates : done.multiply_accumulates) =
      Products(candidates, kEvents * kWidth, 3 * kWidth);
  GatedLoop(state, 1, done, [&] {
    for (uint32_t first = 0, panel = 0; first < candidates; first += kLanes, ++panel) {
      AttentionRecurrence(weights, gates.get(), 3 * kWidth, ring, attention.get(),
                          panel_state.get(), ShapeOfPanel(candidates, panel, kLanes),
                          scratch.get());
    }
  });
}

void BenchGru(benchmark::State& state, uint32_t width) {
  const Array<float> gates = Floats(3 * width);
  const Array<float> state_gates = Floats(3 * width);
  const Array<float> before = Floats(width);
  const Array<float> after(width);
  GatedLoop(state, kCalls, {},
            [&] { GruStep(gates.get(), state_gates.get(), before.get(), after.get(), width); });
  PerElement(state, width);
}

void BenchTopK(benchmark::State& state, size_t k) {
  constexpr size_t kScores = 1000;
  const Array<float> logits = Floats(kScores);
  std::vector<hp_ranked> ranked(k);
  GatedLoop(state, kCalls, {}, [&] {
    TopK top(ranked.data(), k);
    for (size_t i = 0; i < kScores; ++i) top.Add(i, logits.get()[i]);
    benchmark::DoNotOptimize(top.Finish());
  });
  PerElement(state, kScores);
}

template <typename F>
void Register(const std::string& name, F f) {
  benchmark::RegisterBenchmark(name.c_str(), f)
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond)
      ->Iterations(kSamples);
}

int RegisterAll() {
  using State = benchmark::State;
  for (const auto& shape : kShapes) {
    const uint32_t in = shape[0], out = shape[1];
    const std::string name = absl::StrCat(in, "x", out);
    Register("dense/f32/" + name, [=](State& state) { BenchDense(state, in, out); });
    Register("xnnpack/f32/" + name, [=](State& state) { BenchXnnpack(state, in, out); });
    Register("dense/int8/" + name, [=](State& state) { BenchDenseInt8(state, in, out); });
    Register("xnnpack/int8/" + name, [=](State& state) { BenchXnnpackInt8(state, in, out); });
  }
  static const float kAlpha[] = {0.25f};
  static auto* const kDiceNumbers = new std::vector<float>(256, 0.5f);
  const absl::Span<const float> dice(*kDiceNumbers);
  const struct {
    const char* name;
    Activation activation;
  } activations[] = {
      {"relu", {schema::ActivationKind::Relu, {}, {}, {}}},
      {"prelu", {schema::ActivationKind::Prelu, kAlpha, {}, {}}},
      {"sigmoid", kSigmoid},
      {"tanh", {schema::ActivationKind::Tanh, {}, {}, {}}},
      {"dice", {schema::ActivationKind::Dice, dice.first(80), dice.first(80), dice.first(80)}}};
  for (const auto& [name, activation] : activations) {
    Register(absl::StrCat("activate/", name, "/80"),
             [a = activation](State& state) { BenchActivate(state, a, 80); });
  }
  for (const uint32_t width : {64u, 80u, 256u}) {
    Register(absl::StrCat("quantize/", width), [=](State& state) { BenchQuantize(state, width); });
  }
  for (const bool int8 : {false, true}) {
    for (const uint32_t width : {1u, 16u, 32u, 64u}) {
      Register(absl::StrCat("gather/", int8 ? "int8" : "f32", "/", width),
               [=](State& state) { BenchGather(state, int8, width); });
    }
  }
  for (const uint32_t width : {16u, 64u}) {
    Register(absl::StrCat("transpose/", width),
             [=](State& state) { BenchTranspose(state, width); });
  }
  for (const uint32_t events : {10u, 50u, 200u}) {
    Register(absl::StrCat("softmax/", events), [=](State& state) { BenchSoftmax(state, events); });
    Register(absl::StrCat("pool/", events, "x64"),
             [=](State& state) { BenchPool(state, events, 64); });
  }
  for (const bool int8 : {false, true}) {
    for (const uint32_t candidates : {1u, 48u, 200u}) {
      const std::string name = absl::StrCat(int8 ? "int8" : "f32", "/", candidates);
      Register("unit/" + name, [=](State& state) { BenchUnit(state, int8, candidates); });
      Register("augru/" + name, [=](State& state) { BenchAugru(state, int8, candidates); });
    }
  }
  Register("gru/64", [](State& state) { BenchGru(state, 64); });
  for (const size_t k : {size_t{1}, size_t{10}, size_t{100}}) {
    Register(absl::StrCat("top_k/", k), [=](State& state) { BenchTopK(state, k); });
  }
  return 0;
}

[[maybe_unused]] const int kRegistered = RegisterAll();

}  // namespace
}  // namespace handpick::benchmarks
