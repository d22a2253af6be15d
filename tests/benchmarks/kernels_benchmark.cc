// The kernels of the runtime, one by one, over the shapes of the standard workloads. Names:
//
//     dense/<storage>/<in>x<out>/<n>  a layer over panels of n candidates, operands in the cache;
//                                     storage: f32, f16, int8
//     dense/<storage>:f32/<in>x<out>/<n>/<target>
//                                     the same in turns with floats, on an instruction set:
//                                     `ratio` is the median of the quotients of their times
//     xnnpack/f32|int8/<in>x<out>     the same layer, 48 rows of XNNPACK's
//     row/<type>/<in>x<out>           a layer over one row by our kernel, beside XNNPACK in float32
//     activate/<name>/<width>         in place, over a panel
//     gather/<type>/<width>           random rows of a table of 100,000, 48 of them
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
#include "hwy/base.h"
#include "hwy/targets.h"
#include "schema/table_rows.h"
#include "sdk/base/model_memory.h"
#include "sdk/kernels/attention_recurrence.h"
#include "sdk/kernels/attention_unit.h"
#include "sdk/kernels/dense_panels.h"
#include "sdk/kernels/panel.h"
#include "sdk/kernels/recurrent.h"
#include "sdk/kernels/row_engine.h"
#include "sdk/kernels/row_kernel.h"
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

constexpr struct {
  const char* name;
  schema::ElementType type;
} kTypes[] = {{"f32", schema::ElementType::Float32},
              {"f16", schema::ElementType::Float16},
              {"int8", schema::ElementType::Int8PerRow}};

// Of layers over context and events: DIEN's gates, towers, and two that are small.
constexpr uint32_t kRowShapes[][2] = {{64, 192}, {256, 128}, {128, 64},
                                      {16, 8},   {80, 40},   {512, 256}};
// Of layers whose storage is compared.
constexpr uint32_t kComparedShapes[][2] = {{256, 128}, {128, 64}, {64, 192},
                                           {80, 40},   {40, 1},   {512, 256}};

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
const Activation kRelu = {schema::ActivationKind::Relu, {}, {}, {}};
const Activation kSigmoid = {schema::ActivationKind::Sigmoid, {}, {}, {}};

using schema::ElementType;

struct Storage {
  const char* name;
  ElementType type;
};
constexpr Storage kStorages[] = {{"f32", ElementType::Float32},
                                 {"f16", ElementType::Float16},
                                 {"int8", ElementType::Int8PerRow}};

// A layer's weights of any storage.
struct Layer {
  Layer(ElementType storage, uint32_t in_width, uint32_t out_width)
      : type(storage),
        in(in_width),
        out(out_width),
        floats(Floats(size_t{in} * out, 0.1f)),
        halves(size_t{in} * out),
        bytes(Bytes(size_t{in} * out)),
        scales(Floats(out, 0.01f)),
        row_sums(out),
        bias(Floats(out)) {
    for (uint32_t j = 0; j < out; ++j) {
      scales[j] = std::fabs(scales[j]) + 0.001f;
      for (uint32_t k = 0; k < in; ++k) row_sums[j] += bytes[size_t{j} * in + k];
    }
    for (size_t i = 0; i < size_t{in} * out; ++i) {
      halves[i] = static_cast<uint16_t>(0x2000 + i * 7919 % 0x1000);
    }
  }
  Matrix matrix() const {
    const void* data = floats.get();
    if (type == ElementType::Float16) data = halves.get();
    if (type == ElementType::Int8PerRow) data = bytes.get();
    return {type, in, out, data, scales.get(), row_sums.get(), bias.get()};
  }

  ElementType type;
  uint32_t in;
  uint32_t out;
  Array<float> floats;
  Array<uint16_t> halves;
  Array<int8_t> bytes;
  Array<float> scales;
  Array<int32_t> row_sums;
  Array<float> bias;
};

// A layer with panels to work on.
struct LayerOfPanels {
  LayerOfPanels(ElementType type, uint32_t in, uint32_t out, uint32_t candidates)
      : layer(type, in, out),
        grid{candidates, kLanes, 1},
        x(Floats(size_t{grid.panels()} * in * kLanes)),
        y(size_t{grid.panels()} * out * kLanes),
        scratch(DensePanelsScratch(layer.matrix(), kLanes, grid.panels())) {}

  void Run() const {
    DensePanels(layer.matrix(), nullptr, kRelu, {x.get(), size_t{layer.in} * kLanes, 0},
                {y.get(), size_t{layer.out} * kLanes, 0}, grid, scratch.get());
  }

  Layer layer;
  PanelGrid grid;
  Array<float> x;
  Array<float> y;
  Array<char> scratch;
};

double Products(double rows, double in, double out) { return rows * in * out; }

void BenchDense(benchmark::State& state, ElementType type, uint32_t in, uint32_t out,
                uint32_t candidates) {
  const LayerOfPanels layer(type, in, out, candidates);
  Done done;
  (type == ElementType::Int8PerRow ? done.int8_multiply_accumulates : done.multiply_accumulates) =
      Products(candidates, in, out);
  GatedLoop(state, kCalls, done, [&] { layer.Run(); });
}

// In turns, so that both run at the machine's speed of the moment.
void BenchAgainstFloats(benchmark::State& state, ElementType type, uint32_t in, uint32_t out,
                        uint32_t candidates, int64_t target) {
  hwy::SetSupportedTargetsForTest(target);
  const LayerOfPanels floats(ElementType::Float32, in, out, candidates);
  const LayerOfPanels other(type, in, out, candidates);
  const size_t calls = CallsFor(1e-4, [&] { floats.Run(); });
  const auto seconds = [&](const LayerOfPanels& layer) {
    const double start = converter::ThreadSeconds();
    for (size_t call = 0; call < calls; ++call) layer.Run();
    return converter::ThreadSeconds() - start;
  };
  std::vector<double> ratios;
  for (auto _ : state) {
    const double of_floats = seconds(floats);
    const double of_other = seconds(other);
    ratios.push_back(of_other / of_floats);
    state.SetIterationTime(of_other / static_cast<double>(calls));
  }
  std::nth_element(ratios.begin(), ratios.begin() + ratios.size() / 2, ratios.end());
  state.counters["ratio"] = ratios[ratios.size() / 2];
  hwy::SetSupportedTargetsForTest(0);
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
  const Layer weights(ElementType::Int8PerRow, in, out);
  const Array<float> bias = Floats(out);
  const Array<int8_t> x = Bytes(size_t{in} * kLanes + XNN_EXTRA_BYTES);
  const Array<float> y(size_t{out} * kLanes);
  std::vector<xnn_quantization_params> parameters(kLanes + XNN_EXTRA_QUANTIZATION_PARAMS,
                                                  {1, 0.01f});
  xnn_operator_t layer = nullptr;
  Check(xnn_initialize(nullptr));
  Check(xnn_create_fully_connected_nc_qd8_f32_qc8w(in, out, in, out, weights.scales.get(),
                                                   weights.bytes.get(), bias.get(), -INFINITY,
                                                   INFINITY, 0, nullptr, nullptr, &layer));
  Check(xnn_reshape_fully_connected_nc_qd8_f32_qc8w(layer, kLanes, nullptr));
  Check(xnn_setup_fully_connected_nc_qd8_f32_qc8w(layer, x.get(), y.get(), parameters.data()));
  GatedLoop(state, kCalls, {0, Products(kLanes, in, out)},
            [&] { Check(xnn_run_operator(layer, nullptr)); });
  xnn_delete_operator(layer);
}

// Each sample runs the two one after the other, so that both meet the same machine: "times" is the
// median of how many times as fast our kernel was.
void BenchRow(benchmark::State& state, schema::ElementType type, uint32_t in, uint32_t out) {
  const Array<float> floats = Floats(size_t{in} * out, 0.1f);
  const Array<uint16_t> halves(size_t{in} * out);
  const Array<int8_t> bytes = Bytes(size_t{in} * out);
  for (size_t i = 0; i < size_t{in} * out; ++i) {
    halves.get()[i] = hwy::BitCastScalar<uint16_t>(hwy::F16FromF32(floats.get()[i]));
  }
  const Array<float> scales = Floats(out);
  const Array<float> bias = Floats(out);
  const Array<float> x = Floats(in + XNN_EXTRA_BYTES / sizeof(float));
  const Array<float> y(out);
  const DenseWeights of_xnnpack = {"row",        in,      out,        schema::ElementType::Float32,
                                   floats.get(), nullptr, bias.get(), nullptr};
  DenseWeights ours = of_xnnpack;
  ours.type = type;
  if (type == schema::ElementType::Float16) ours.data = halves.get();
  if (ours.int8()) {
    ours.data = bytes.get();
    ours.scales = scales.get();
  }
  RowLayer layer = {};
  uint64_t engine_bytes = 0;
  hp_error error = {};
  if (MakeRowLayer(of_xnnpack, DefaultAllocator(), UINT64_MAX, &engine_bytes, &layer, &error) !=
      HP_OK) {
    state.SkipWithError(error.message);
    return;
  }
  const auto run_ours = [&] { MultiplyRow(ours, x.get(), y.get()); };
  const auto run_xnnpack = [&] { RunRowLayer(layer, x.get(), y.get()); };
  const size_t calls = CallsFor(2e-4, run_xnnpack);
  std::vector<double> of_ours, of_engine, times;
  const auto measure = [&](auto run) {
    const double start = converter::ThreadSeconds();
    for (size_t call = 0; call < calls; ++call) run();
    return (converter::ThreadSeconds() - start) / static_cast<double>(calls);
  };
  for (auto _ : state) {
    of_ours.push_back(measure(run_ours));
    of_engine.push_back(measure(run_xnnpack));
    times.push_back(of_engine.back() / of_ours.back());
    state.SetIterationTime(of_ours.back());
  }
  DestroyRowLayer(layer);
  const auto median = [](std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
    return values[values.size() / 2];
  };
  state.counters["p50_us"] = 1e6 * median(of_ours);
  state.counters["xnnpack_us"] = 1e6 * median(of_engine);
  state.counters["times"] = median(times);
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

void BenchGather(benchmark::State& state, schema::ElementType type, uint32_t width) {
  constexpr uint32_t kRows = 100000;
  const size_t row_bytes = schema::TableRowBytes(type, width);
  // Zeros: what the numbers are does not matter to the time.
  const Array<uint8_t> stored(kRows * row_bytes);
  const Table table = {kRows, width, type, stored.get(), row_bytes};
  // Other rows in each call, as other requests have.
  std::mt19937_64 random(1);
  std::vector<uint32_t> index(1 << 16);
  for (uint32_t& row : index) row = static_cast<uint32_t>(random() % kRows);
  uint32_t at = 0;
  const Array<float> rows(size_t{width} * kLanes);
  GatedLoop(state, kCalls, {}, [&] {
    const GatherSource source = {&table, index.data()};
    GatherRows({&source, 1}, {at, kLanes, static_cast<uint32_t>(index.size()), 0, width},
               {rows.get(), nullptr, width, false});
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
  const ElementType type = int8 ? ElementType::Int8PerRow : ElementType::Float32;
  const Layer of_query(ElementType::Float32, kQuery, kFirst);
  const Layer product(ElementType::Float32, kQuery, kFirst);
  const Layer second(type, kFirst, kSecond);
  const Layer head(ElementType::Float32, kSecond, 1);
  const AttentionUnitLayer layers[] = {{second.matrix(), &kSigmoid}, {head.matrix(), &kLinear}};
  const AttentionUnitWeights weights = {of_query.matrix(), product.matrix(), int8,
                                        &kSigmoid,         layers,           2};
  const uint32_t panels = (candidates + kLanes - 1) / kLanes;
  const Array<float> query = Floats(size_t{panels} * kQuery * kLanes);
  const Array<float> key = Floats(kEvents * kQuery);
  const Array<float> key_row = Floats(kEvents * kFirst);
  const Array<float> scores(size_t{panels} * kEvents * kLanes);
  const Array<char> scratch(AttentionUnitScratch(weights, kLanes, panels));
  const Array<char> folds(kEvents * AttentionFoldBytes(weights));
  const AttentionUnitInput input = {query.get(),   kQuery * kLanes, key.get(),  kQuery,
                                    key_row.get(), kFirst,          folds.get()};
  const EventRing ring = {0, kEvents, kEvents};
  FoldAttentionEvents(weights, key.get(), kQuery, ring, folds.get(), scratch.get());
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
  const Layer layer(int8 ? ElementType::Int8PerRow : ElementType::Float32, kWidth, 3 * kWidth);
  const AttentionRecurrenceWeights weights = {schema::RecurrentCell::AttentionUpdateGru,
                                              layer.matrix(), nullptr};
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
    Register("xnnpack/f32/" + name, [=](State& state) { BenchXnnpack(state, in, out); });
    Register("xnnpack/int8/" + name, [=](State& state) { BenchXnnpackInt8(state, in, out); });
    for (const Storage& storage : kStorages) {
      Register(absl::StrCat("dense/", storage.name, "/", name, "/", kLanes),
               [=](State& state) { BenchDense(state, storage.type, in, out, kLanes); });
    }
  }
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    for (const auto& shape : kComparedShapes) {
      const uint32_t in = shape[0], out = shape[1];
      for (const uint32_t candidates : {1u, 48u, 96u, 240u}) {
        for (const Storage& storage : {kStorages[1], kStorages[2]}) {
          Register(absl::StrCat("dense/", storage.name, ":f32/", in, "x", out, "/", candidates, "/",
                                hwy::TargetName(target)),
                   [=](State& state) {
                     BenchAgainstFloats(state, storage.type, in, out, candidates, target);
                   });
        }
      }
    }
  }
  for (const auto& [name, type] : kTypes) {
    for (const auto& shape : kRowShapes) {
      const uint32_t in = shape[0], out = shape[1];
      Register(absl::StrCat("row/", name, "/", in, "x", out),
               [type = type, in, out](State& state) { BenchRow(state, type, in, out); });
    }
  }
  static const float kAlpha[] = {0.25f};
  static auto* const kDiceNumbers = new std::vector<float>(256, 0.5f);
  const absl::Span<const float> dice(*kDiceNumbers);
  const struct {
    const char* name;
    Activation activation;
  } activations[] = {
      {"relu", kRelu},
      {"prelu", {schema::ActivationKind::Prelu, kAlpha, {}, {}}},
      {"sigmoid", kSigmoid},
      {"tanh", {schema::ActivationKind::Tanh, {}, {}, {}}},
      {"dice", {schema::ActivationKind::Dice, dice.first(80), dice.first(80), dice.first(80)}}};
  for (const auto& [name, activation] : activations) {
    Register(absl::StrCat("activate/", name, "/80"),
             [a = activation](State& state) { BenchActivate(state, a, 80); });
  }
  for (const auto& [name, type] : kTypes) {
    for (const uint32_t width : {1u, 16u, 32u, 64u}) {
      Register(absl::StrCat("gather/", name, "/", width),
               [type = type, width](State& state) { BenchGather(state, type, width); });
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
