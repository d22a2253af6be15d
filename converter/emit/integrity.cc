#include "converter/emit/integrity.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <vector>

#include "schema/integrity.h"
#include "schema/limits.h"
#include "schema/zeroed_ranges.h"

namespace handpick::converter {

using schema::ByteRange;

std::vector<ByteRange> BlobsOf(const uint8_t* file) {
  const schema::Bundle& bundle = *schema::GetBundle(file);
  const schema::Integrity* integrity = bundle.integrity();
  const size_t most =
      integrity == nullptr || integrity->blobs() == nullptr ? 0 : integrity->blobs()->size();
  std::vector<ByteRange> blobs;
  const auto add = [&](const flatbuffers::Vector<uint8_t>* data) {
    if (data == nullptr || data->size() == 0) return;
    blobs.push_back({static_cast<uint64_t>(data->data() - file), data->size()});
  };
  if (bundle.tables() != nullptr) {
    for (const auto* table : *bundle.tables()) add(table->data());
  }
  if (bundle.dense_weights() != nullptr) {
    for (const auto* dense : *bundle.dense_weights()) add(dense->data());
  }
  if (bundle.forests() != nullptr) {
    for (const auto* forest : *bundle.forests()) add(forest->nodes());
  }
  if (bundle.recall() != nullptr) {
    add(bundle.recall()->rows());
    if (bundle.recall()->plane() != nullptr) add(bundle.recall()->plane()->codes());
  }
  std::stable_sort(blobs.begin(), blobs.end(),
                   [](const ByteRange& a, const ByteRange& b) { return a.size > b.size; });
  if (blobs.size() > most) blobs.resize(most);
  std::sort(blobs.begin(), blobs.end(),
            [](const ByteRange& a, const ByteRange& b) { return a.offset < b.offset; });
  return blobs;
}

size_t CountBlobs(const schema::BundleT& bundle, size_t tables) {
  size_t count = tables;
  if (bundle.recall != nullptr) {
    count += !bundle.recall->rows.empty();
    count += bundle.recall->plane != nullptr && !bundle.recall->plane->codes.empty();
  }
  for (const auto& dense : bundle.dense_weights) count += !dense->data.empty();
  for (const auto& forest : bundle.forests) count += !forest->nodes.empty();
  return std::min<size_t>(count, schema::kMaxBlobs);
}

void WriteHashes(uint8_t* file, size_t size, const std::vector<schema::BlobHash>& rows) {
  const schema::Bundle& bundle = *schema::GetBundle(file);
  const auto* hashes = bundle.integrity()->blobs();
  const std::vector<ByteRange> blobs = BlobsOf(file);
  std::map<uint64_t, uint64_t> known;  // Hashes by offset.
  for (const schema::BlobHash& of_rows : rows) known[of_rows.offset()] = of_rows.xxh3();
  for (size_t i = 0; i < blobs.size(); ++i) {
    const auto found = known.find(blobs[i].offset);
    const schema::BlobHash hash(blobs[i].offset, blobs[i].size,
                                found != known.end()
                                    ? found->second
                                    : schema::HashOfBytes(file + blobs[i].offset, blobs[i].size));
    const auto* at = reinterpret_cast<const uint8_t*>(hashes->Get(static_cast<uint32_t>(i)));
    std::memcpy(file + (at - file), &hash, sizeof(hash));
  }
  const schema::ZeroedRanges zeros = schema::ZeroedRangesOf(file, bundle);
  const uint64_t rest = schema::HashOfRest(file, size, blobs.data(), blobs.size(), zeros);
  std::memcpy(file + zeros.rest_hash.offset, &rest, sizeof(rest));
}

}  // namespace handpick::converter
