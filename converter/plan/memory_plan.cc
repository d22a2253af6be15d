#include "converter/plan/memory_plan.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/graph/infer_domains.h"
#include "converter/io/status_macros.h"
#include "converter/plan/arena.h"

namespace handpick::converter {
namespace {

// What the runtime takes; see sdk/bundle/limits.h.
constexpr uint64_t kMostRowBytes = uint64_t{1} << 28;
constexpr uint32_t kMostTile = 1u << 16;
constexpr uint64_t kMostPairRows = uint64_t{1} << 26;

// Candidates go through in panels of 48 (sdk/kernels/panel.h): tiles are whole panels.
constexpr uint32_t kPanel = 48;
constexpr uint32_t kLargestTile = 5 * kPanel;
// Without a history, most of a tile's work is layers, which read their weights for each panel
// anyway, and embedding rows, of which all but the first tile's are fetched while layers are
// computed (sdk/kernels/row_stream.h): smaller tiles leave fewer rows to wait for.
constexpr uint32_t kLargestTileWithoutHistory = 2 * kPanel;
// What candidates of a tile need stays in a phone's second cache.
constexpr uint64_t kTileBytes = 256 * 1024;
// With activation units, a matrix is made for each event and tile: larger tiles make fewer.
constexpr uint64_t kAttentionTileBytes = 640 * 1024;
constexpr uint32_t kSmallestTile = 16;

class Planner {
 public:
  explicit Planner(const Graph& graph)
      : graph_(graph), domains_(InferDomains(graph)), sequences_(InferSequences(graph)) {
    plan_.places.resize(graph.values.size());
    has_place_.resize(graph.values.size(), false);
  }

  absl::StatusOr<MemoryPlan> Plan(uint32_t tile) {
    MakeBuffers();
    FindLifetimes();
    for (const Domain domain : {Domain::Context(), Domain::Candidate()}) {
      HP_RETURN_IF_ERROR(PlaceBuffers(domain, 0));
    }
    for (uint32_t s = 0; s < graph_.sequences.size(); ++s) {
      HP_RETURN_IF_ERROR(PlaceBuffers(Domain::History(), s));
      HP_RETURN_IF_ERROR(PlaceBuffers(Domain::Pair(), s));
    }
    if (tile > kMostTile) {
      return absl::InvalidArgumentError(
          absl::StrCat("tile is ", tile, ", expected at most ", kMostTile));
    }
    plan_.tile = tile != 0 ? tile : ChooseTile();
    if (uint64_t{plan_.tile} * graph_.max_history() > kMostPairRows) {
      return absl::InvalidArgumentError(absl::StrCat("tile ", plan_.tile, " times a history of ",
                                                     graph_.max_history(), " is more than ",
                                                     kMostPairRows, ", expected a smaller tile"));
    }
    return std::move(plan_);
  }

 private:
  void Place(ValueId value, uint32_t buffer, uint32_t column) {
    plan_.places[value] = {buffer, column};
    has_place_[value] = true;
  }

  // Of the value's domain and sequence.
  uint32_t AddBuffer(ValueId value) {
    PlannedBuffer buffer;
    buffer.domain = domains_[value];
    buffer.sequence = buffer.domain.has_event() ? sequences_[value] : 0;
    buffer.width = graph_.WidthOf(value);
    plan_.buffers.push_back(buffer);
    return static_cast<uint32_t>(plan_.buffers.size() - 1);
  }

  // Readers come after what they read, so walking backwards meets a concatenation before its parts.
  void MakeBuffers() {
    for (size_t i = graph_.nodes.size(); i-- > 0;) {
      const Node& node = graph_.nodes[i];
      if (node.op.Is(kSlice)) continue;
      if (!has_place_[node.output]) {
        Place(node.output, AddBuffer(node.output), 0);
      }
      if (!node.op.Is(kConcat)) continue;
      ValuePlace place = plan_.places[node.output];
      for (ValueId part : node.inputs) {
        Place(part, place.buffer, place.column);
        place.column += graph_.WidthOf(part);
      }
    }
    // For readers of bundles, in the order of the steps.
    const uint32_t last = static_cast<uint32_t>(plan_.buffers.size()) - 1;
    std::reverse(plan_.buffers.begin(), plan_.buffers.end());
    for (ValuePlace& place : plan_.places) place.buffer = last - place.buffer;
    for (const Node& node : graph_.nodes) {
      const auto* slice = node.op.As(kSlice);
      if (slice == nullptr) continue;
      const ValuePlace whole = plan_.places[node.inputs[0]];
      Place(node.output, whole.buffer, whole.column + slice->column);
    }
  }

  void FindLifetimes() {
    arena_.resize(plan_.buffers.size());
    std::vector<bool> in_use(plan_.buffers.size(), false);
    const auto use_buffer = [&](uint32_t buffer, size_t step) {
      if (!in_use[buffer]) arena_[buffer].first_step = step;
      in_use[buffer] = true;
      arena_[buffer].last_step = step;
    };
    const auto use = [&](ValueId value, size_t step) {
      use_buffer(plan_.places[value].buffer, step);
    };
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      for (ValueId input : graph_.nodes[i].inputs) use(input, i);
      use(graph_.nodes[i].output, i);
    }
    const size_t end = graph_.nodes.size();
    for (const ValueId output : graph_.OutputValues()) use(output, end);
    for (size_t b = 0; b < plan_.buffers.size(); ++b) {
      const PlannedBuffer& buffer = plan_.buffers[b];
      // What a session keeps is read at any later time.
      if (!buffer.domain.has_candidate()) {
        arena_[b].first_step = 0;
        arena_[b].last_step = end;
      }
      arena_[b].bytes = sizeof(float) * uint64_t{buffer.width};
      arena_[b].alignment = buffer.domain == Domain::Context() ? 64 : 4;
    }
  }

  absl::Status PlaceBuffers(Domain domain, uint32_t sequence) {
    std::vector<size_t> members;
    std::vector<ArenaBuffer> arena;
    uint64_t side_by_side = 0;
    for (size_t b = 0; b < plan_.buffers.size(); ++b) {
      if (plan_.buffers[b].domain != domain || plan_.buffers[b].sequence != sequence) continue;
      members.push_back(b);
      arena.push_back(arena_[b]);
      side_by_side += arena_[b].bytes + arena_[b].alignment;
    }
    if (side_by_side > kMostRowBytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the model's ", DomainName(domain), " values take ", side_by_side,
                       " bytes a row, at most ", kMostRowBytes, " are possible"));
    }
    const std::vector<uint64_t> offsets = PlanArena(arena);
    for (size_t i = 0; i < members.size(); ++i) {
      plan_.buffers[members[i]].offset = static_cast<uint32_t>(offsets[i]);
    }
    return absl::OkStatus();
  }

  uint32_t ChooseTile() const {
    uint64_t pair_bytes = 0;
    for (uint32_t s = 0; s < graph_.sequences.size(); ++s) {
      pair_bytes += plan_.RowBytes(Domain::Pair(), s) * graph_.sequences[s].max_events;
    }
    const uint64_t bytes = std::max<uint64_t>(plan_.RowBytes(Domain::Candidate()) + pair_bytes, 1);
    const uint64_t most = (pair_bytes > 0 ? kAttentionTileBytes : kTileBytes) / bytes;
    const uint32_t largest = graph_.max_history() == 0 ? kLargestTileWithoutHistory : kLargestTile;
    if (most >= largest) return largest;
    if (most >= kPanel) return static_cast<uint32_t>(most / kPanel * kPanel);
    return most >= 2 * kSmallestTile ? 2 * kSmallestTile : kSmallestTile;
  }

  const Graph& graph_;
  const std::vector<Domain> domains_;
  const std::vector<uint32_t> sequences_;
  std::vector<bool> has_place_;
  std::vector<ArenaBuffer> arena_;  // By buffer.
  MemoryPlan plan_;
};

}  // namespace

uint64_t MemoryPlan::RowBytes(Domain domain, uint32_t sequence) const {
  uint64_t bytes = 0;
  for (const PlannedBuffer& buffer : buffers) {
    if (buffer.domain != domain || buffer.sequence != sequence) continue;
    bytes = std::max<uint64_t>(bytes, buffer.offset + sizeof(float) * uint64_t{buffer.width});
  }
  return bytes;
}

absl::StatusOr<MemoryPlan> PlanMemory(const Graph& graph, uint32_t tile) {
  return Planner(graph).Plan(tile);
}

}  // namespace handpick::converter
