#include "converter/reference/candidate_values.h"

#include <algorithm>

#include "converter/reference/double_kernels.h"
#include "schema/bundle_generated.h"

namespace handpick::converter::reference {

void ValueRows::Resize(size_t rows, size_t row_width) {
  count = rows;
  width = row_width;
  stride = PaddedColumns(row_width);
  numbers.resize(count * stride);
}

CandidateValues::CandidateValues(const Graph& graph, const std::vector<Domain>& domains,
                                 const std::vector<uint32_t>& sequences,
                                 const ResolvedRequest& request, size_t candidate)
    : graph_(graph),
      domains_(domains),
      sequences_(sequences),
      request_(request),
      candidate_(candidate),
      events_(std::max<size_t>(graph.sequences.size(), 1)),
      rows_(graph.values.size()) {
  for (size_t s = 0; s < graph.sequences.size(); ++s) {
    const Sequence& sequence = graph.sequences[s];
    Events& events = events_[s];
    // The oldest events beyond the model's maximum are dropped.
    events.last = s < request.event_counts.size() ? request.event_counts[s] : 0;
    events.first = events.last - std::min<size_t>(events.last, sequence.max_events);
    // States that are carried on follow from the events before those that are left as well.
    events.computed = sequence.beyond_maximum == schema::BeyondMaximum::Carry ? 0 : events.first;
  }
}

size_t CandidateValues::RowOfSide(uint32_t feature, size_t event) const {
  switch (graph_.features->features[feature]->side) {
    case schema::Side::History:
      return event;
    case schema::Side::Candidate:
      return candidate_;
    default:
      return 0;
  }
}

}  // namespace handpick::converter::reference
