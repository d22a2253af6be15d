#include "sdk/kernels/row_stream.h"

namespace handpick {

RowStream::RowStream(absl::Span<const GatherSource> sources, uint32_t count, uint64_t turns) {
  for (const GatherSource& source : sources) {
    const Table& table = *source.table;
    if (table.row_bytes > kMaxRowBytes || source_count_ == kMaxSources) continue;
    sources_[source_count_++] = {table.rows, source.index, table.row_bytes};
  }
  if (source_count_ == 0 || count == 0 || turns == 0) return;
  count_ = count;
  rows_of_turn_ = static_cast<uint32_t>((uint64_t{count} * source_count_ + turns - 1) / turns);
}

}  // namespace handpick
