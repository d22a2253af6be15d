#include "sdk/kernels/row_stream.h"

namespace handpick {

RowStream::RowStream(absl::Span<const GatherSource> sources, uint32_t count, uint64_t turns) {
  for (const GatherSource& source : sources) {
    const Table& table = *source.table;
    const size_t element = table.floats != nullptr ? sizeof(float) : sizeof(int8_t);
    if (table.dimension * element > kMaxRowBytes || source_count_ == kMaxSources) continue;
    Source& to = sources_[source_count_++];
    to.index = source.index;
    to.row_bytes = table.dimension * element;
    if (table.floats != nullptr) {
      to.rows = reinterpret_cast<const char*>(table.floats);
      to.scales = to.rows;
      to.scale_bytes = 0;
    } else {
      to.rows = reinterpret_cast<const char*>(table.bytes);
      to.scales = reinterpret_cast<const char*>(table.scales);
      to.scale_bytes = sizeof(float);
    }
  }
  if (source_count_ == 0 || count == 0 || turns == 0) return;
  count_ = count;
  rows_of_turn_ = static_cast<uint32_t>((uint64_t{count} * source_count_ + turns - 1) / turns);
}

}  // namespace handpick
