#include "converter/emit/bundle_image.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/emit/integrity.h"
#include "converter/io/status_macros.h"
#include "schema/integrity.h"
#include "xxhash.h"

namespace handpick::converter {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using flatbuffers::Vector;

// What Bundle::Pack does, step by step, so that the files are the same byte for byte; but places of
// rows are left empty.
class Packer {
 public:
  // `row_bytes`: of each table.
  Packer(const std::vector<uint64_t>& row_bytes, FlatBufferBuilder* builder)
      : row_bytes_(row_bytes), builder_(*builder) {}

  Offset<schema::Bundle> Pack(const schema::BundleT& bundle) {
    // All fields by name: one more in the schema does not compile.
    const auto& [format_major, format_minor, needs, model_name, model_version, precision, manifest,
                 features, vocabularies, tables, dense_weights, sequences, tile, buffers, values,
                 steps, outputs, catalog, goldens, golden_tolerance, recall, integrity, signature,
                 forests] = bundle;
    // The order of the calls is that of the file, from its end.
    const auto of_needs = Each(needs);
    const auto of_name = builder_.CreateString(model_name);
    const auto of_version = model_version.empty() ? 0 : builder_.CreateString(model_version);
    const auto of_manifest = One(manifest);
    const auto of_features = Each(features);
    const auto of_vocabularies = Each(vocabularies);
    const auto of_tables = Tables(tables);
    const auto of_dense = Each(dense_weights);
    const auto of_sequences = Each(sequences);
    const auto of_buffers = Each(buffers);
    const auto of_values = Each(values);
    const auto of_steps = Each(steps);
    const auto of_outputs = Each(outputs);
    const auto of_catalog = One(catalog);
    const auto of_goldens = Each(goldens);
    const auto of_recall = One(recall);
    const auto of_integrity = One(integrity);
    const auto of_signature = One(signature);
    const auto of_forests = Each(forests);
    return schema::CreateBundle(builder_, format_major, format_minor, of_needs, of_name, of_version,
                                precision, of_manifest, of_features, of_vocabularies, of_tables,
                                of_dense, of_sequences, tile, of_buffers, of_values, of_steps,
                                of_outputs, of_catalog, of_goldens, golden_tolerance, of_recall,
                                of_integrity, of_signature, of_forests);
  }

 private:
  template <typename ObjectT>
  Offset<typename ObjectT::TableType> One(const std::unique_ptr<ObjectT>& object) {
    if (object == nullptr) return 0;
    return ObjectT::TableType::Pack(builder_, object.get());
  }

  template <typename ObjectT>
  Offset<Vector<Offset<typename ObjectT::TableType>>> Each(
      const std::vector<std::unique_ptr<ObjectT>>& objects) {
    if (objects.empty()) return 0;
    std::vector<Offset<typename ObjectT::TableType>> packed;
    packed.reserve(objects.size());
    for (const auto& object : objects) packed.push_back(One(object));
    return builder_.CreateVector(packed);
  }

  Offset<Vector<Offset<schema::EmbeddingTable>>> Tables(
      const std::vector<std::unique_ptr<schema::EmbeddingTableT>>& tables) {
    if (tables.empty()) return 0;
    std::vector<Offset<schema::EmbeddingTable>> packed;
    for (size_t i = 0; i < tables.size(); ++i) {
      const auto& [name, row_count, dimension, type, data] = *tables[i];
      (void)data;
      const auto of_name = builder_.CreateString(name);
      const auto size = static_cast<size_t>(row_bytes_[i]);
      builder_.ForceVectorAlignment(size, sizeof(uint8_t), kRowsAlignment);
      Offset<Vector<uint8_t>> of_rows = 0;
      uint8_t* unused = nullptr;
      if (size > 0) of_rows = builder_.CreateUninitializedVector<uint8_t>(size, &unused);
      packed.push_back(
          schema::CreateEmbeddingTable(builder_, of_name, row_count, dimension, type, of_rows));
    }
    return builder_.CreateVector(packed);
  }

  static constexpr size_t kRowsAlignment = 64;

  const std::vector<uint64_t>& row_bytes_;
  FlatBufferBuilder& builder_;
};

}  // namespace

absl::StatusOr<std::vector<BundleImage::RowsApart>> BundleImage::RowsOf(
    const schema::BundleT& bundle, const std::vector<std::shared_ptr<const TableData>>& tables) {
  if (!tables.empty() && tables.size() != bundle.tables.size()) {
    return absl::InternalError(
        absl::StrCat("rows of ", tables.size(), " tables for a bundle of ", bundle.tables.size()));
  }
  std::vector<RowsApart> rows;
  for (size_t i = 0; i < bundle.tables.size(); ++i) {
    const std::vector<uint8_t>& data = bundle.tables[i]->data;
    if (!data.empty() || tables.empty()) {
      rows.push_back({0, data.size(), data.data(), nullptr});
    } else {
      const TableData& table = *tables[i];
      rows.push_back({0, table.byte_count(), table.bytes(), &table});
    }
  }
  return rows;
}

absl::StatusOr<BundleImage> BundleImage::Make(
    const schema::BundleT& bundle, const std::vector<std::shared_ptr<const TableData>>& tables,
    uint64_t most_bytes) {
  HP_ASSIGN_OR_RETURN(const std::vector<RowsApart> rows, RowsOf(bundle, tables));
  std::vector<uint64_t> row_bytes;
  uint64_t all_row_bytes = 0;
  for (const RowsApart& of_table : rows) {
    row_bytes.push_back(of_table.size);
    all_row_bytes += BigBytesOfRows(of_table.size);
  }
  const uint64_t bytes = BigBytes(bundle) + all_row_bytes;
  HP_RETURN_IF_ERROR(CheckBundleSize(bytes, most_bytes));
  BundleImage image;
  image.has_hashes_ = bundle.integrity != nullptr;
  if (image.has_hashes_) {
    // Room for the hashes, which are of the finished bytes.
    size_t with_rows = 0;
    for (const RowsApart& of_table : rows) with_rows += of_table.size > 0;
    bundle.integrity->blobs.assign(CountBlobs(bundle, with_rows), schema::BlobHash());
    bundle.integrity->rest = std::make_unique<schema::Hash>();
  }
  // A buffer that grows is copied, places of rows and all: it is made large enough, since what is
  // never touched costs nothing.
  const size_t small_bytes = (1 << 16) + static_cast<size_t>(all_row_bytes / 16);
  FlatBufferBuilder builder(static_cast<size_t>(bytes) + small_bytes);
  schema::FinishBundleBuffer(builder, Packer(row_bytes, &builder).Pack(bundle));
  image.buffer_ = builder.Release();
  uint8_t* const file = image.buffer_.data();

  std::set<uint64_t> blobs;
  for (const schema::ByteRange& blob : BlobsOf(file)) blobs.insert(blob.offset);
  for (size_t i = 0; i < rows.size(); ++i) {
    RowsApart of_table = rows[i];
    if (of_table.size == 0) continue;
    const auto* at = schema::GetBundle(file)->tables()->Get(static_cast<uint32_t>(i))->data();
    of_table.offset = static_cast<uint64_t>(at->data() - file);
    if (image.has_hashes_ && blobs.count(of_table.offset) == 0) {
      // Among the smallest of very many arrays: hashed with the rest, and so in one piece with it.
      const auto copy = [file](uint64_t offset, absl::string_view block) {
        std::memcpy(file + offset, block.data(), block.size());
        return absl::OkStatus();
      };
      HP_RETURN_IF_ERROR(WriteRows(of_table, copy).status());
    } else {
      image.rows_.push_back(of_table);
    }
  }
  std::sort(image.rows_.begin(), image.rows_.end(),
            [](const RowsApart& a, const RowsApart& b) { return a.offset < b.offset; });
  return image;
}

absl::StatusOr<uint64_t> BundleImage::WriteRows(const RowsApart& rows, Sink sink) {
  const auto hash = std::make_unique<XXH3_state_t>();
  XXH3_64bits_reset(hash.get());
  const auto write = [&](uint64_t at, const uint8_t* bytes, uint64_t size) {
    XXH3_64bits_update(hash.get(), bytes, static_cast<size_t>(size));
    return sink(rows.offset + at,
                absl::string_view(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size)));
  };
  if (rows.bytes != nullptr) {
    for (uint64_t at = 0; at < rows.size; at += kBlockBytes) {
      HP_RETURN_IF_ERROR(write(at, rows.bytes + at, std::min(kBlockBytes, rows.size - at)));
    }
    return XXH3_64bits_digest(hash.get());
  }
  const uint64_t row_bytes = rows.table->row_bytes();
  const uint64_t row_count = rows.size / row_bytes;
  const uint64_t rows_at_once = std::max<uint64_t>(1, kBlockBytes / row_bytes);
  std::vector<uint8_t> block(static_cast<size_t>(std::min(rows_at_once, row_count) * row_bytes));
  for (uint64_t row = 0; row < row_count; row += rows_at_once) {
    const uint64_t count = std::min(rows_at_once, row_count - row);
    rows.table->CopyRows(row, count, block.data());
    HP_RETURN_IF_ERROR(write(row * row_bytes, block.data(), count * row_bytes));
  }
  return XXH3_64bits_digest(hash.get());
}

absl::Status BundleImage::Write(Sink sink, std::vector<PlacedRows>* placed) {
  const std::vector<PlacedRows> before = std::exchange(*placed, {});
  std::vector<PlacedRows> now;
  std::vector<schema::BlobHash> hashes;
  for (const RowsApart& rows : rows_) {
    const auto there = std::find_if(before.begin(), before.end(), [&](const PlacedRows& other) {
      return other.offset == rows.offset && other.size == rows.size &&
             other.source == rows.source();
    });
    if (there != before.end()) {
      now.push_back(*there);
    } else {
      HP_ASSIGN_OR_RETURN(const uint64_t hash, WriteRows(rows, sink));
      now.push_back({rows.offset, rows.size, rows.source(), hash});
    }
    hashes.emplace_back(rows.offset, rows.size, now.back().hash);
  }
  if (has_hashes_) WriteHashes(buffer_.data(), buffer_.size(), hashes);
  uint64_t at = 0;
  const auto write_until = [&](uint64_t end) -> absl::Status {
    while (at < end) {
      const uint64_t count = std::min(kBlockBytes, end - at);
      const auto* bytes = reinterpret_cast<const char*>(buffer_.data() + at);
      HP_RETURN_IF_ERROR(sink(at, absl::string_view(bytes, static_cast<size_t>(count))));
      at += count;
    }
    return absl::OkStatus();
  };
  for (const RowsApart& rows : rows_) {
    HP_RETURN_IF_ERROR(write_until(rows.offset));
    at = rows.offset + rows.size;
  }
  HP_RETURN_IF_ERROR(write_until(buffer_.size()));
  *placed = std::move(now);
  return absl::OkStatus();
}

}  // namespace handpick::converter
