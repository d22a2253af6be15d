#include "converter/emit/bundle_image.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/emit/integrity.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using flatbuffers::Vector;

struct Rows {
  const uint8_t* bytes = nullptr;
  uint64_t size = 0;
};

absl::StatusOr<std::vector<Rows>> RowsOf(
    const schema::BundleT& bundle, const std::vector<std::shared_ptr<const TableData>>& tables) {
  if (!tables.empty() && tables.size() != bundle.tables.size()) {
    return absl::InternalError(
        absl::StrCat("rows of ", tables.size(), " tables for a bundle of ", bundle.tables.size()));
  }
  std::vector<Rows> rows;
  for (size_t i = 0; i < bundle.tables.size(); ++i) {
    const std::vector<uint8_t>& data = bundle.tables[i]->data;
    if (!data.empty() || tables.empty()) {
      rows.push_back({data.data(), data.size()});
    } else {
      rows.push_back({tables[i]->bytes(), tables[i]->byte_count()});
    }
  }
  return rows;
}

// What Bundle::Pack does, step by step, so that the files are the same byte for byte; but places of
// rows are left empty.
class Packer {
 public:
  Packer(const std::vector<Rows>& rows, FlatBufferBuilder* builder)
      : rows_(rows), builder_(*builder) {}

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
      const auto size = static_cast<size_t>(rows_[i].size);
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

  const std::vector<Rows>& rows_;
  FlatBufferBuilder& builder_;
};

}  // namespace

absl::StatusOr<BundleImage> BundleImage::Make(
    const schema::BundleT& bundle, const std::vector<std::shared_ptr<const TableData>>& tables,
    uint64_t most_bytes) {
  HP_ASSIGN_OR_RETURN(const std::vector<Rows> rows, RowsOf(bundle, tables));
  uint64_t row_bytes = 0;
  for (const Rows& of_table : rows) row_bytes += BigBytesOfRows(of_table.size);
  const uint64_t bytes = BigBytes(bundle) + row_bytes;
  HP_RETURN_IF_ERROR(CheckBundleSize(bytes, most_bytes));
  if (bundle.integrity != nullptr) {
    // Room for the hashes, which are of the finished bytes.
    size_t with_rows = 0;
    for (const Rows& of_table : rows) with_rows += of_table.size > 0;
    bundle.integrity->blobs.assign(CountBlobs(bundle, with_rows), schema::BlobHash());
    bundle.integrity->rest = std::make_unique<schema::Hash>();
  }
  // A buffer that grows is copied, places of rows and all: it is made large enough, since what is
  // never touched costs nothing.
  const size_t small_bytes = (1 << 16) + static_cast<size_t>(row_bytes / 16);
  FlatBufferBuilder builder(static_cast<size_t>(bytes) + small_bytes);
  schema::FinishBundleBuffer(builder, Packer(rows, &builder).Pack(bundle));
  BundleImage image;
  image.buffer_ = builder.Release();
  uint8_t* const file = image.buffer_.data();

  std::vector<Part> of_rows;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].size == 0) continue;
    const auto* at = schema::GetBundle(file)->tables()->Get(static_cast<uint32_t>(i))->data();
    of_rows.push_back(
        {static_cast<uint64_t>(at->data() - file), rows[i].bytes, rows[i].size, true});
  }
  std::sort(of_rows.begin(), of_rows.end(),
            [](const Part& a, const Part& b) { return a.offset < b.offset; });
  if (bundle.integrity != nullptr) {
    std::vector<BytesElsewhere> elsewhere;
    for (const Part& part : of_rows) elsewhere.push_back({part.offset, part.size, part.bytes});
    WriteHashes(file, image.buffer_.size(), elsewhere);
  }
  uint64_t at = 0;
  const auto add_small = [&](uint64_t end) {
    if (end > at) image.parts_.push_back({at, file + at, end - at, false});
  };
  for (const Part& part : of_rows) {
    add_small(part.offset);
    image.parts_.push_back(part);
    at = part.offset + part.size;
  }
  add_small(image.buffer_.size());
  return image;
}

}  // namespace handpick::converter
