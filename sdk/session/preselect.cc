// Ranking in two passes: rounded logits of all candidates, exact ones of those that may be among
// the best.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "sdk/base/error.h"
#include "sdk/kernels/top_k.h"
#include "sdk/session/session.h"

namespace handpick {

// If each rounded logit is within the margin of the exact one: of the k candidates whose rounded
// logits are best, the exact ones are at least the k-th of those less a margin. So the k-th best
// exact logit is, too, and whoever has one as large a rounded one that is a margin less at most. In
// later rounds `top` holds exact logits, and one margin is enough. Comparing is exact: floats are
// compared with doubles, and rounding a bound to a double doesn't pass a number that is one.
hp_status Session::RankPreselected(const hp_batch& candidates, uint32_t output, double margin,
                                   TopK* top) {
  HP_TRY(BeginScoring(candidates));
  ++state_.counters.preselections;
  const auto score_all = [&] {
    top->Clear();
    return Score(candidates, output,
                 [top](size_t candidate, float logit) { top->Add(candidate, logit); });
  };
  const size_t of_output = output * size_t{state_.layout.share};
  for (size_t first = 0; first < candidates.row_count;) {
    Round round;
    HP_TRY(ScoreRound(first, candidates.row_count, Pass::kRounded, &round));
    double least = top->Bound() - margin;
    if (first == 0) {
      for (uint32_t w = 0; w < round.workers; ++w) {
        const Share share = round.ShareOf(w);
        const float* logits = LogitsOf(w) + of_output;
        for (size_t i = share.first; i < share.end; ++i) top->Add(i, logits[i - share.first]);
      }
      least = top->Bound() - 2 * margin;
      top->Clear();
    }
    for (uint32_t w = 0; w < round.workers; ++w) Select(w, round.ShareOf(w), output, least);
    const hp_status status = RunRound(round, Pass::kSelected);
    if (status == HP_NOT_FINITE) return score_all();  // And name the candidate by its row.
    HP_TRY(status);
    double worst = 0;
    for (uint32_t w = 0; w < round.workers; ++w) {
      const float* logits = LogitsOf(w) + of_output;
      const uint32_t count = WorkerAt(w)->selected;
      state_.counters.preselected += count;
      for (uint32_t i = 0; i < count; ++i) {
        const Selected& selected = SelectedOf(w)[i];
        top->Add(selected.index, logits[i]);
        const double off = std::fabs(double{logits[i]} - double{selected.logit});
        // That of a rounded logit that is no number, too.
        if (!(off <= worst)) worst = std::isnan(off) ? INFINITY : off;
      }
    }
    state_.counters.preselect_error = std::max(state_.counters.preselect_error, worst);
    if (worst > margin) {
      ++state_.counters.margin_violations;
      return score_all();
    }
    first = round.end;
  }
  return HP_OK;
}

void Session::Select(uint32_t index, const Share& share, uint32_t output, double least) {
  const float* logits = LogitsOf(index) + output * size_t{state_.layout.share};
  Selected* selected = SelectedOf(index);
  uint32_t count = 0;
  for (size_t i = share.first; i < share.end; ++i) {
    const float logit = logits[i - share.first];
    // Of infinite ones and NaN nothing is known.
    if (logit < least && std::isfinite(logit)) continue;
    selected[count++] = {i, logit};
  }
  WorkerAt(index)->selected = count;
}

}  // namespace handpick
