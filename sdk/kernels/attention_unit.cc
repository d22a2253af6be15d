#include "sdk/kernels/attention_unit.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sdk/kernels/attention_unit.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "sdk/kernels/attention_unit_scratch.h"
#include "sdk/kernels/panel_activate-inl.h"
#include "sdk/kernels/panel_dense-inl.h"
#include "sdk/kernels/panel_quantize-inl.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {
namespace {

// Sums as they are: what goes over them next is not cheap enough for their registers.
inline constexpr auto keep = [](uint32_t, VF sum) HWY_ATTR { return sum; };

// A sigmoid is in [0, 1]: its bytes need no extremes. With 254 levels 1/2 is one of them.
inline constexpr float kSigmoidLevels = 254;

// folded[j][k] = query_weights[j][k] + product_weights[j][k] key[k].
void Fold(const AttentionUnitWeights& weights, const float* HWY_RESTRICT key,
          float* HWY_RESTRICT folded) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  const uint32_t width = weights.query_width;
  for (uint32_t j = 0; j < weights.first_width; ++j) {
    const float* HWY_RESTRICT query = weights.query_weights + size_t{j} * width;
    const float* HWY_RESTRICT product = weights.product_weights + size_t{j} * width;
    float* HWY_RESTRICT to = folded + size_t{j} * width;
    uint32_t k = 0;
    for (; k + n <= width; k += n) {
      hn::StoreU(
          hn::MulAdd(hn::LoadU(d, product + k), hn::LoadU(d, key + k), hn::LoadU(d, query + k)), d,
          to + k);
    }
    for (; k < width; ++k) to[k] = query[k] + product[k] * key[k];
  }
}

// Calls whole(k) for vectors of a row, part(k) for the numbers behind them.
template <typename Whole, typename Part>
HWY_INLINE void ForEachNumber(uint32_t width, Whole whole, Part part) {
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(DF()));
  uint32_t k = 0;
  for (; k + n <= width; k += n) whole(k);
  for (; k < width; ++k) part(k);
}

// The folded matrix as int8 with a scale per output. Each number is made twice, for the largest of
// its row and to be rounded: in between, the scales of all rows are made at once, so that no row
// waits for its own.
void FoldInt8(const AttentionUnitWeights& weights, const float* HWY_RESTRICT key,
              int8_t* HWY_RESTRICT folded, float* HWY_RESTRICT scales,
              int32_t* HWY_RESTRICT row_sums) {
  const DF d;
  const DI di;
  const hn::Rebind<int8_t, DF> d8;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  const uint32_t width = weights.query_width;
  const uint32_t rows = weights.first_width;
  const auto vector = [&](uint32_t j, uint32_t k) HWY_ATTR {
    const size_t at = size_t{j} * width + k;
    return hn::MulAdd(hn::LoadU(d, weights.product_weights + at), hn::LoadU(d, key + k),
                      hn::LoadU(d, weights.query_weights + at));
  };
  const auto number = [&](uint32_t j, uint32_t k) HWY_ATTR {
    const size_t at = size_t{j} * width + k;
    return weights.query_weights[at] + weights.product_weights[at] * key[k];
  };
  for (uint32_t j = 0; j < rows; ++j) {
    VF most_vector = hn::Zero(d);
    float most = 0;
    ForEachNumber(
        width,
        [&](uint32_t k) HWY_ATTR { most_vector = hn::Max(most_vector, hn::Abs(vector(j, k))); },
        [&](uint32_t k) HWY_ATTR {
          const float x = number(j, k);
          const float size = x < 0 ? -x : x;
          most = size > most ? size : most;
        });
    const float vector_most = hn::ReduceMax(d, most_vector);
    scales[j] = vector_most > most ? vector_most : most;
  }
  const auto scale_of = [d](VF most) HWY_ATTR {
    return hn::IfThenElse(hn::Gt(most, hn::Zero(d)), hn::Div(most, hn::Set(d, 127.0f)),
                          hn::Set(d, 1.0f));
  };
  for (uint32_t j = 0; j < rows; j += n) {
    const uint32_t valid = rows - j < n ? rows - j : n;
    hn::StoreN(scale_of(hn::LoadN(d, scales + j, valid)), d, scales + j, valid);
  }
  for (uint32_t j = 0; j < rows; ++j) {
    int8_t* HWY_RESTRICT to = folded + size_t{j} * width;
    const float inverse = 1.0f / scales[j];
    const VF inverse_vector = hn::Set(d, inverse);
    VI sum_vector = hn::Zero(di);
    int32_t sum = 0;
    ForEachNumber(
        width,
        [&](uint32_t k) HWY_ATTR {
          const VI q = hn::NearestInt(hn::Mul(vector(j, k), inverse_vector));
          sum_vector = hn::Add(sum_vector, q);
          hn::StoreU(hn::DemoteTo(d8, q), d8, to + k);
        },
        [&](uint32_t k) HWY_ATTR {
          const float level = number(j, k) * inverse;
          const int32_t q = static_cast<int32_t>(level + (level < 0 ? -0.5f : 0.5f));
          sum += q;
          to[k] = static_cast<int8_t>(q);
        });
    row_sums[j] = sum + hn::ReduceSum(di, sum_vector);
  }
}

// Bytes of sigmoid(x), for a layer of int8 weights that follows.
void SigmoidToBytes(const float* x, uint32_t width, uint8_t* bytes, PanelShape shape) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  const VF levels = hn::Set(d, kSigmoidLevels);
  const VF half = hn::Set(d, kSigmoidLevels / 2 + kRoundToByte);
  for (uint32_t lane = 0; lane < shape.lanes; lane += n) {
    StoreBytes(width, bytes, shape.stride, lane, [&](uint32_t c) HWY_ATTR {
      const VF v = hn::Load(d, x + size_t{c} * shape.stride + lane);
      return hn::MulAdd(CenteredSigmoid<kCoarse>(v), levels, half);
    });
  }
}

// Scores of one panel for one event, from the first layer's sums in `work.hidden[0]`.
void FinishPanel(const AttentionUnitWeights& weights, const AttentionUnitWork& work, float* score,
                 PanelShape shape) {
  const Activation* activation = weights.first_activation;
  uint32_t width = weights.first_width;
  float* x = work.hidden[0];
  float* y = work.hidden[1];
  for (uint32_t i = 0; i < weights.layer_count; ++i) {
    const AttentionUnitLayer& layer = weights.layers[i];
    const bool last = i + 1 == weights.layer_count;
    float* to = last ? score : y;
    const auto start = [&](uint32_t j)
                           HWY_ATTR { return layer.bias != nullptr ? layer.bias[j] : 0.0f; };
    if (layer.floats != nullptr) {
      Activate(*activation, width, x, shape);
      DenseLayer(layer.floats, layer.in, layer.out, start, x, to, shape, keep);
    } else if (activation->kind == schema::ActivationKind::Sigmoid) {
      SigmoidToBytes(x, width, work.bytes, shape);
      Int8LayerOfUniform(layer.int8, layer.in, layer.out, start, work.bytes, 1 / kSigmoidLevels, 0,
                         to, shape);
    } else {
      Activate(*activation, width, x, shape);
      const Int8Panel bytes = {work.bytes, work.scale, work.zero_point};
      Quantize(x, width, bytes, shape);
      Int8Layer(layer.int8, layer.in, layer.out, start, bytes, to, shape, keep);
    }
    activation = layer.activation;
    width = layer.out;
    std::swap(x, y);
  }
  Activate(*activation, 1, score, shape);
}

}  // namespace

void AttentionUnit(const AttentionUnitWeights& weights, const AttentionUnitInput& input,
                   const EventRing& ring, uint32_t candidates, uint32_t stride, float* scores,
                   size_t score_panel, void* scratch) {
  const uint32_t panels = (candidates + stride - 1) / stride;
  AttentionUnitWork work;
  PlaceAttentionUnitWork(weights, stride, panels, static_cast<char*>(scratch), &work);
  const size_t query_bytes = Int8PanelBytes(weights.query_width, stride);
  if (weights.fold_int8) {
    for (uint32_t p = 0; p < panels; ++p) {
      QuantizeSymmetric(input.query + p * input.query_panel, weights.query_width,
                        work.query_bytes + p * query_bytes, work.query_scale + size_t{p} * stride,
                        ShapeOfPanel(candidates, p, stride));
    }
  }
  for (uint32_t e = 0; e < ring.count; ++e) {
    const uint32_t position = (ring.oldest + e) % ring.capacity;
    const float* key = input.key + position * input.key_stride;
    const float* key_row = input.key_row + position * input.key_row_stride;
    const auto start = [key_row](uint32_t j) HWY_ATTR { return key_row[j]; };
    if (weights.fold_int8) {
      FoldInt8(weights, key, work.fold_bytes, work.fold_scales, work.fold_sums);
    } else {
      Fold(weights, key, work.folded);
    }
    for (uint32_t p = 0; p < panels; ++p) {
      const PanelShape shape = ShapeOfPanel(candidates, p, stride);
      if (weights.fold_int8) {
        Int8LayerOfSymmetric({work.fold_bytes, work.fold_scales, work.fold_sums},
                             weights.query_width, weights.first_width, start,
                             work.query_bytes + p * query_bytes,
                             work.query_scale + size_t{p} * stride, work.hidden[0], shape);
      } else {
        DenseLayer(work.folded, weights.query_width, weights.first_width, start,
                   input.query + p * input.query_panel, work.hidden[0], shape, keep);
      }
      FinishPanel(weights, work, scores + p * score_panel + size_t{e} * stride, shape);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace handpick {

HWY_EXPORT(AttentionUnit);

void AttentionUnit(const AttentionUnitWeights& weights, const AttentionUnitInput& input,
                   const EventRing& ring, uint32_t candidates, uint32_t stride, float* scores,
                   size_t score_panel, void* scratch) {
  HWY_DYNAMIC_DISPATCH(AttentionUnit)
  (weights, input, ring, candidates, stride, scores, score_panel, scratch);
}

size_t AttentionUnitScratch(const AttentionUnitWeights& weights, uint32_t stride, uint32_t panels) {
  AttentionUnitWork work;
  return PlaceAttentionUnitWork(weights, stride, panels, nullptr, &work);
}

}  // namespace handpick
#endif  // HWY_ONCE
