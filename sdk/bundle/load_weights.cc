#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "schema/forest.h"
#include "schema/table_rows.h"
#include "sdk/base/checked.h"
#include "sdk/base/error.h"
#include "sdk/bundle/limits.h"
#include "sdk/bundle/loader.h"

namespace handpick {
namespace {

// The sum of a row of an int8 layer. False: a weight is -128, with which two products of bytes may
// pass 16 bits, where some kernels add them up.
bool SumRow(const int8_t* row, uint32_t width, int32_t* sum) {
  // Eight at a time, as 0 to 255: sums of bytes in lanes of 16 bits, each of two.
  constexpr uint64_t kOnes = 0x0101010101010101u;
  constexpr uint64_t kEven = 0x00FF00FF00FF00FFu;
  constexpr uint64_t kTop = 0x80 * kOnes;
  constexpr uint32_t kWord = 8;
  constexpr uint32_t kWords = 0xFFFF / (2 * 0xFF);  // Of which lanes take the sums.
  uint64_t smallest = 0;                            // Has a bit where a byte is 0, which is -128.
  int64_t all = 0;
  uint32_t k = 0;
  while (width - k >= kWord) {
    uint64_t lanes = 0;
    for (uint32_t w = 0; w < kWords && width - k >= kWord; ++w, k += kWord) {
      uint64_t bytes;
      std::memcpy(&bytes, row + k, kWord);
      bytes ^= kTop;
      smallest |= (bytes - kOnes) & ~bytes & kTop;
      lanes += (bytes & kEven) + ((bytes >> 8) & kEven);
    }
    for (int lane = 0; lane < 4; ++lane) all += (lanes >> (16 * lane)) & 0xFFFF;
  }
  all -= int64_t{128} * k;
  for (; k < width; ++k) {
    if (row[k] == INT8_MIN) smallest = 1;
    all += row[k];
  }
  *sum = static_cast<int32_t>(all);
  return smallest == 0;
}

}  // namespace

// That `data` is `rows` rows of `row_bytes` bytes, which hold `columns` elements of the type, and
// is aligned for use in place.
hp_status Loader::CheckData(const char* thing, const char* name, schema::ElementType type,
                            uint64_t rows, uint64_t columns, uint64_t row_bytes,
                            const flatbuffers::Vector<uint8_t>* data) {
  if (type != schema::ElementType::Float32 && type != schema::ElementType::Float16 &&
      type != schema::ElementType::Int8PerRow && type != schema::ElementType::Int4PerGroup) {
    return Bad(thing, name, "unknown element type");
  }
  uint64_t bytes = 0;
  if (rows == 0 || columns == 0 || columns > kMaxWidth ||
      !CheckedMultiply(rows, row_bytes, &bytes)) {
    return Bad(thing, name, "its shape is out of range");
  }
  if (Size(data) != bytes) {
    return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: %s '%s' has %u bytes of data, expected %llu",
                thing, name, Size(data), static_cast<unsigned long long>(bytes));
  }
  if (reinterpret_cast<uintptr_t>(data->data()) % alignof(float) != 0)
    return Bad(thing, name, "is misaligned");
  return HP_OK;
}

hp_status Loader::Tables() {
  absl::Span<Table> out;
  if (Size(bundle_.tables()) > kMaxTables) {
    return Corrupt("number of tables", Size(bundle_.tables()), kMaxTables + 1);
  }
  if (!memory_.NewArray(Size(bundle_.tables()), &out)) return NoMemory();
  for (uint32_t i = 0; i < out.size(); ++i) {
    const schema::EmbeddingTable& in = *bundle_.tables()->Get(i);
    Table& to = out[i];
    to.row_count = in.row_count();
    to.dimension = in.dimension();
    to.type = in.type();
    to.row_bytes = schema::TableRowBytes(in.type(), in.dimension());
    // Scales are read with their rows, whatever they are: a NaN gives numbers that are NaN.
    HP_TRY(CheckData("table", Text(in.name()), in.type(), in.row_count(), in.dimension(),
                     to.row_bytes, in.data()));
    to.rows = in.data()->data();
    plan_.info.table_bytes += Size(in.data());
  }
  plan_.tables = out;
  return HP_OK;
}

hp_status Loader::Dense() {
  absl::Span<DenseWeights> out;
  if (Size(bundle_.dense_weights()) > kMaxDenseWeights) {
    return Corrupt("number of dense layers", Size(bundle_.dense_weights()), kMaxDenseWeights + 1);
  }
  if (!memory_.NewArray(Size(bundle_.dense_weights()), &out)) return NoMemory();
  for (uint32_t i = 0; i < out.size(); ++i) {
    const schema::DenseWeights& in = *bundle_.dense_weights()->Get(i);
    DenseWeights& to = out[i];
    to.name = Text(in.name());
    if (in.type() == schema::ElementType::Int4PerGroup) {
      return Bad("dense layer", to.name, "has 4 bits a number, which tables alone may have");
    }
    const bool int8 = in.type() == schema::ElementType::Int8PerRow;
    const uint64_t element_bytes = int8                                        ? sizeof(int8_t)
                                   : in.type() == schema::ElementType::Float16 ? sizeof(uint16_t)
                                                                               : sizeof(float);
    HP_TRY(CheckData("dense layer", to.name, in.type(), in.output_width(), in.input_width(),
                     in.input_width() * element_bytes, in.data()));
    if (HANDPICK_WITHOUT_INT8 && int8) {
      return Fail(
          error_, HP_UNSUPPORTED,
          "bundle: dense layer '%s' is int8, and this library was built without int8 layers "
          "(handpick_int8=off)",
          to.name);
    }
    const uint32_t scale_count = int8 ? in.output_width() : 0;
    if (Size(in.scales()) != scale_count) {
      return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: dense layer '%s' has %u scales, expected %u",
                  to.name, Size(in.scales()), scale_count);
    }
    if (in.output_width() > kMaxWidth)
      return Bad("dense layer", to.name, "its shape is out of range");
    if (Size(in.bias()) != 0 && Size(in.bias()) != in.output_width()) {
      return Bad("dense layer", to.name, "its bias is not as long as its outputs");
    }
    to.input_width = in.input_width();
    to.output_width = in.output_width();
    to.type = in.type();
    to.data = in.data()->data();
    to.scales = int8 ? in.scales()->data() : nullptr;
    to.bias = Size(in.bias()) == 0 ? nullptr : in.bias()->data();
    plan_.info.dense_bytes +=
        Size(in.data()) + (Size(in.scales()) + Size(in.bias())) * uint64_t{sizeof(float)};
    if (int8) HP_TRY(SumRows(&to));
    for (uint32_t scale = 0; scale < Size(in.scales()); ++scale) {
      const float value = in.scales()->Get(scale);
      if (!std::isnormal(value) || value <= 0)
        return Bad("dense layer", to.name, "a scale is no positive number");
    }
  }
  plan_.dense_weights = out;
  return HP_OK;
}

hp_status Loader::SumRows(DenseWeights* weights) {
  if (weights->input_width > kMaxInt8Width) {
    return Bad("dense layer", weights->name, "it is int8 and too wide for sums of 32 bits");
  }
  absl::Span<int32_t> sums;
  if (!memory_.NewArray(weights->output_width, &sums)) return NoMemory();
  const auto* row = static_cast<const int8_t*>(weights->data);
  for (int32_t& sum : sums) {
    if (!SumRow(row, weights->input_width, &sum)) {
      return Bad("dense layer", weights->name, "a weight is -128, expected -127 to 127");
    }
    row += weights->input_width;
  }
  weights->row_sums = sums.data();
  return HP_OK;
}

hp_status Loader::Forests() {
  absl::Span<Forest> out;
  if (Size(bundle_.forests()) > kMaxForests) {
    return Corrupt("number of forests", Size(bundle_.forests()), kMaxForests + 1);
  }
  if (!memory_.NewArray(Size(bundle_.forests()), &out)) return NoMemory();
  for (uint32_t i = 0; i < out.size(); ++i) {
    HP_TRY(LoadForest(*bundle_.forests()->Get(i), &out[i]));
  }
  plan_.forests = out;
  return HP_OK;
}

hp_status Loader::LoadForest(const schema::Forest& in, Forest* to) {
  to->name = Text(in.name());
  to->base = in.base();
  if (Size(in.nodes()) == 0 || Size(in.nodes()) % sizeof(schema::ForestNode) != 0) {
    return Bad("forest", to->name, "its nodes are cut off");
  }
  if (reinterpret_cast<uintptr_t>(in.nodes()->data()) % alignof(schema::ForestNode) != 0) {
    return Bad("forest", to->name, "is misaligned");
  }
  plan_.info.dense_bytes += Size(in.nodes());
  // A row walks from node to node by what they say: copies, which nobody changes. Words of sets are
  // bits alone.
  const absl::Span<const uint32_t> trees = Keep(in.tree_begins());
  const absl::Span<const uint32_t> sets = Keep(in.set_begins());
  const absl::Span<const uint32_t> words = View(in.set_words());
  const size_t count = Size(in.nodes()) / sizeof(schema::ForestNode);
  absl::Span<const schema::ForestNode> nodes;
  no_memory_ |=
      !memory_.Copy(absl::Span<const schema::ForestNode>(
                        reinterpret_cast<const schema::ForestNode*>(in.nodes()->data()), count),
                    &nodes);
  if (no_memory_) return NoMemory();
  to->view = {in.input_width(), trees.data(), trees.size(), nodes.data(), nodes.size(),
              sets.data(),      sets.size(),  words.data(), words.size()};
  if (const schema::ForestFault fault = schema::CheckForest(to->view)) {
    if (!fault.in_tree) return Bad("forest", to->name, fault.problem);
    return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: forest '%s', tree %llu, node %llu: %s",
                to->name, static_cast<unsigned long long>(fault.tree),
                static_cast<unsigned long long>(fault.node), fault.problem);
  }
  to->plain = std::none_of(to->view.nodes, to->view.nodes + count, [](schema::ForestNode node) {
    return (node.flags & (schema::kCategories | schema::kZeroIsMissing)) != 0;
  });
  return HP_OK;
}

}  // namespace handpick
