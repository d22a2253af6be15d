#include "converter/recall/loaded_index.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "absl/status/status.h"
#include "flatbuffers/flatbuffers.h"

namespace handpick::converter {

void LoadedRecallIndex::Free::operator()(uint8_t* memory) const { std::free(memory); }

LoadedRecallIndex::Memory LoadedRecallIndex::Allocate(size_t bytes) {
  const size_t rounded = std::max<size_t>(1, (bytes + HP_ALIGNMENT - 1) / HP_ALIGNMENT);
  void* memory = std::aligned_alloc(HP_ALIGNMENT, rounded * HP_ALIGNMENT);
  if (memory == nullptr) throw std::bad_alloc();
  return Memory(static_cast<uint8_t*>(memory));
}

absl::StatusOr<LoadedRecallIndex> LoadedRecallIndex::Load(const schema::RecallIndexT& index) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(schema::RecallIndex::Pack(builder, &index));
  return FromBytes({builder.GetBufferPointer(), builder.GetSize()});
}

absl::StatusOr<LoadedRecallIndex> LoadedRecallIndex::FromBytes(absl::Span<const uint8_t> bytes) {
  LoadedRecallIndex loaded;
  loaded.bytes_ = bytes.size();
  loaded.memory_ = Allocate(bytes.size());
  std::memcpy(loaded.memory_.get(), bytes.data(), bytes.size());
  flatbuffers::Verifier verifier(loaded.memory_.get(), bytes.size());
  if (!verifier.VerifyBuffer<schema::RecallIndex>(nullptr)) {
    return absl::InvalidArgumentError("recall index: FlatBuffers verification failed");
  }
  loaded.index_ = std::make_unique<RecallIndex>();
  hp_error error;
  const auto* root = flatbuffers::GetRoot<schema::RecallIndex>(loaded.memory_.get());
  if (OpenRecallIndex(*root, loaded.index_.get(), &error) != HP_OK) {
    return absl::InvalidArgumentError(error.message);
  }
  return loaded;
}

absl::StatusOr<std::vector<RecallHit>> LoadedRecallIndex::Search(const RecallQuery& query,
                                                                 RecallWork* work) {
  const size_t needed = RecallScratchBytes(*index_, query.probes);
  if (needed > scratch_bytes_) {
    scratch_ = Allocate(needed);
    scratch_bytes_ = needed;
  }
  std::vector<RecallHit> hits(std::min<size_t>(query.k, index_->rows.count));
  size_t count = 0;
  hp_error error;
  if (SearchRecallIndex(*index_, query, {scratch_.get(), scratch_bytes_}, hits.data(), &count, work,
                        &error) != HP_OK) {
    return absl::InvalidArgumentError(error.message);
  }
  hits.resize(count);
  return hits;
}

}  // namespace handpick::converter
