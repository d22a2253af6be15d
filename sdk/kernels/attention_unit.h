// The activation unit: how much each event of the history matters to each candidate.
//
// Zhou et al., Deep Interest Network for Click-Through Rate Prediction, KDD 2018, section 4.3, with
// the first layer over [q, k, q - k, q * k] written as (A + C) q + (B - C) k + D (q * k), which is
//   M_k q + (B - C) k   with   M_k = (A + C) + D diag(k):
// one matrix for each event, which may be kept as long as the event is, and nothing but one dense
// layer for each candidate and event.
#ifndef HANDPICK_SDK_KERNELS_ATTENTION_UNIT_H_
#define HANDPICK_SDK_KERNELS_ATTENTION_UNIT_H_

#include <cstddef>
#include <cstdint>

#include "sdk/kernels/matrix.h"
#include "sdk/kernels/panel.h"
#include "sdk/program/plan.h"

namespace handpick {

struct AttentionUnitLayer {
  Matrix matrix;
  const Activation* activation;
};

struct AttentionUnitWeights {
  Matrix query;    // A + C: [first width, query width], without bias.
  Matrix product;  // D: the same.
  // The folded matrix may be rounded to int8 per output, and the query per candidate: done where
  // the processor has quick products of 8 or 7 bits.
  bool fold_int8;
  const Activation* first_activation;
  // The layers behind the first; the last has one output. Input of int8 layers is rounded where the
  // processor multiplies whole numbers faster (see dense_panels.h).
  const AttentionUnitLayer* layers;
  uint32_t layer_count;
};

struct AttentionUnitInput {
  const float* query;  // Panels, `query_panel` numbers apart.
  size_t query_panel;
  const float* key;  // [capacity, query width], rows `key_stride` numbers apart.
  size_t key_stride;
  const float* key_row;  // (B - C) k + bias: [capacity, first width], `key_row_stride` apart.
  size_t key_row_stride;
  // What FoldAttentionEvents() made, or null: then each event's matrix is made when it is needed,
  // and has the same bits.
  const char* folds;
};

// Bytes of an event's matrix M, a multiple of HP_ALIGNMENT; may depend on the processor.
size_t AttentionFoldBytes(const AttentionUnitWeights& weights);

// Makes the matrices of a ring's events: each stands at its event's position, AttentionFoldBytes()
// apart. key: as in AttentionUnitInput. `scratch`: as of AttentionUnit, for any panels.
void FoldAttentionEvents(const AttentionUnitWeights& weights, const float* key, size_t key_stride,
                         const EventRing& ring, char* folds, void* scratch);

// Bytes of scratch that AttentionUnit needs for panels of `stride` lanes, `panels` of them.
size_t AttentionUnitScratch(const AttentionUnitWeights& weights, uint32_t stride, uint32_t panels);

// scores[panel][e][lane] for the first `candidates` candidates: score panels are `score_panel`
// numbers apart, events `stride` numbers. `scratch` is aligned to 64 bytes. Thread-safe for
// different scratch; allocates nothing.
void AttentionUnit(const AttentionUnitWeights& weights, const AttentionUnitInput& input,
                   const EventRing& ring, uint32_t candidates, uint32_t stride, float* scores,
                   size_t score_panel, void* scratch);

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_ATTENTION_UNIT_H_
