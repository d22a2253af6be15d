#include "sdk/recall/index.h"

#include <cfloat>
#include <cmath>

#include "schema/bundle_generated.h"
#include "sdk/base/checked.h"
#include "sdk/base/error.h"

namespace handpick {
namespace {

using schema::ElementType;
using schema::HashFamily;
using schema::RecallMetric;

// Of vectors of kMaxRecallDimension numbers of kMaxRecallNumber, with room for rounding.
constexpr float kMaxSquaredNorm = 2e34f;

template <typename T>
absl::Span<const T> View(const flatbuffers::Vector<T>* vector) {
  if (vector == nullptr) return {};
  return absl::Span<const T>(vector->data(), vector->size());
}

class Opener {
 public:
  Opener(const schema::RecallIndex& in, RecallIndex* index, hp_error* error)
      : in_(in), index_(*index), error_(error) {}

  hp_status Open() {
    HP_TRY(Numbers());
    HP_TRY(Rows());
    HP_TRY(Permutation());
    HP_TRY(Ids());
    const size_t tables = in_.tables() == nullptr ? 0 : in_.tables()->size();
    HP_TRY(InRange("the number of tables", tables, 0, kMaxRecallTables));
    index_.table_count = static_cast<uint32_t>(tables);
    if (tables == 0) {
      HP_TRY(NoHash());
      HP_TRY(Cells());
      return Plane();
    }
    if (in_.cells() != nullptr || in_.plane() != nullptr) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "recall index: it has hash tables, and cells or a plane too");
    }
    HP_TRY(Hash());
    for (uint32_t t = 0; t < tables; ++t) HP_TRY(Table(t));
    return HP_OK;
  }

 private:
  hp_status InRange(const char* what, uint64_t value, uint64_t low, uint64_t high) {
    if (value >= low && value <= high) return HP_OK;
    return Fail(error_, HP_BUNDLE_CORRUPT, "recall index: %s is %llu, expected %llu to %llu", what,
                static_cast<unsigned long long>(value), static_cast<unsigned long long>(low),
                static_cast<unsigned long long>(high));
  }

  hp_status HasSize(const char* what, uint64_t size, uint64_t expected) {
    if (size == expected) return HP_OK;
    return Fail(error_, HP_BUNDLE_CORRUPT, "recall index: %s has %llu entries, expected %llu", what,
                static_cast<unsigned long long>(size), static_cast<unsigned long long>(expected));
  }

  hp_status IsPositive(const char* what, float value, float smallest) {
    if (value >= smallest && value <= kMaxRecallNumber) return HP_OK;
    return Fail(error_, HP_BUNDLE_CORRUPT, "recall index: %s is %g, expected %g to %g", what,
                static_cast<double>(value), static_cast<double>(smallest),
                static_cast<double>(kMaxRecallNumber));
  }

  hp_status Numbers() {
    HP_TRY(InRange("metric", static_cast<uint64_t>(in_.metric()),
                   static_cast<uint64_t>(RecallMetric::Cosine),
                   static_cast<uint64_t>(RecallMetric::Euclidean)));
    HP_TRY(InRange("type", static_cast<uint64_t>(in_.type()),
                   static_cast<uint64_t>(ElementType::Float32),
                   static_cast<uint64_t>(ElementType::Int8PerRow)));
    HP_TRY(InRange("dimension", in_.dimension(), 1, kMaxRecallDimension));
    HP_TRY(InRange("item_count", in_.item_count(), 0, kMaxRecallItems));
    index_.metric = in_.metric();
    index_.measured_k = in_.measured_k();
    index_.measured_recall = in_.measured_recall();
    return HP_OK;
  }

  hp_status Rows() {
    RecallRows& rows = index_.rows;
    rows.type = in_.type();
    rows.dimension = in_.dimension();
    rows.count = in_.item_count();
    HP_TRY(RowData("rows", in_.rows(), &rows));
    const bool int8 = rows.type == ElementType::Int8PerRow;
    const bool norms = int8 && in_.metric() == RecallMetric::Euclidean;
    HP_TRY(Scales(in_.scale(), in_.scale_codes(), &rows));
    HP_TRY(HasSize("squared_norms", View(in_.squared_norms()).size(), norms ? rows.count : 0));
    rows.squared_norms = View(in_.squared_norms()).data();
    return HP_OK;
  }

  hp_status RowData(const char* what, const flatbuffers::Vector<uint8_t>* bytes, RecallRows* rows) {
    rows->stride_bytes = RowStride(rows->type, rows->dimension);
    HP_TRY(HasSize(what, View(bytes).size(),
                   uint64_t{rows->count} * rows->stride_bytes + kRowTailBytes));
    HP_TRY(IsAligned(what, View(bytes).data()));
    rows->data = View(bytes).data();
    return HP_OK;
  }

  hp_status IsAligned(const char* what, const uint8_t* data) {
    if (reinterpret_cast<uintptr_t>(data) % HP_ALIGNMENT == 0) return HP_OK;
    return Fail(error_, HP_BUNDLE_CORRUPT, "recall index: %s are not aligned to %d bytes", what,
                HP_ALIGNMENT);
  }

  hp_status Scales(float scale, const flatbuffers::Vector<uint8_t>* codes, RecallRows* rows) {
    const bool int8 = rows->type == ElementType::Int8PerRow;
    if (int8) HP_TRY(IsPositive("scale", scale, FLT_MIN));
    rows->scale = scale;
    HP_TRY(HasSize("scale_codes", View(codes).size(), int8 ? rows->count : 0));
    rows->scale_codes = View(codes).data();
    return HP_OK;
  }

  hp_status Packed(const char* what, const flatbuffers::Vector<uint8_t>* bytes,
                   PackedNumbers* numbers) {
    const uint32_t bits = PackedBits(in_.item_count());
    HP_TRY(HasSize(what, View(bytes).size(), PackedBytes(in_.item_count(), bits)));
    *numbers = PackedNumbers(View(bytes), bits);
    return HP_OK;
  }

  hp_status Permutation() {
    index_.items = PackedNumbers();
    index_.positions = PackedNumbers();
    if (View(in_.items()).empty() && View(in_.positions()).empty()) return HP_OK;
    HP_TRY(Packed("items", in_.items(), &index_.items));
    return Packed("positions", in_.positions(), &index_.positions);
  }

  hp_status Ids() {
    ItemIds& ids = index_.ids;
    ids.integers = View(in_.item_ids());
    ids.strings = StringList{View(in_.item_string_offsets()), View(in_.item_string_bytes())};
    ids.are_strings = !ids.strings.offsets.empty();
    index_.items_of_catalog = in_.items_of_catalog();
    index_.history_feature = kNone;
    index_.candidate_feature = kNone;
    index_.user_value = kNone;
    const int kinds = (ids.integers.empty() ? 0 : 1) + (ids.are_strings ? 1 : 0) +
                      (in_.items_of_catalog() ? 1 : 0);
    if (kinds > 1) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "recall index: more than one of item_ids, item_string_offsets and "
                  "items_of_catalog");
    }
    if (!ids.integers.empty()) {
      HP_TRY(HasSize("item_ids", ids.integers.size(), in_.item_count()));
    }
    if (ids.are_strings) {
      return HasSize("item_string_offsets", ids.strings.offsets.size(),
                     uint64_t{in_.item_count()} + 1);
    }
    return HasSize("item_string_bytes", ids.strings.bytes.size(), 0);
  }

  hp_status NoHash() {
    index_.hash = HashShape{};
    index_.probes = 0;
    return InRange("probes without tables", in_.probes(), 0, 0);
  }

  hp_status Hash() {
    HashShape& hash = index_.hash;
    hash.family = in_.family();
    hash.functions = in_.functions();
    hash.outputs = in_.outputs();
    hash.values = in_.values();
    hash.bin_width = in_.bin_width();
    hash.rotation_width = in_.rotation_width();
    HP_TRY(InRange("family", static_cast<uint64_t>(hash.family),
                   static_cast<uint64_t>(HashFamily::E2),
                   static_cast<uint64_t>(HashFamily::CrossPolytope)));
    HP_TRY(InRange("functions", hash.functions, 1, kMaxRecallFunctions));
    const bool polytope = hash.family == HashFamily::CrossPolytope;
    HP_TRY(InRange("outputs", hash.outputs, 1, polytope ? 2 * kMaxRecallDimension : 1));
    HP_TRY(
        InRange("rotation_width", hash.rotation_width, kMinRotationWidth, 4 * kMaxRecallDimension));
    const uint32_t hashed = in_.dimension() + (in_.metric() == RecallMetric::InnerProduct ? 1 : 0);
    if ((hash.rotation_width & (hash.rotation_width - 1)) != 0 || hash.rotation_width < hashed) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "recall index: rotation_width is %u, expected a power of two of at least %u",
                  hash.rotation_width, hashed);
    }
    switch (hash.family) {
      case HashFamily::CrossPolytope:
        HP_TRY(InRange("values", hash.values, 2 * hash.outputs, 2 * hash.outputs));
        break;
      case HashFamily::Hyperplane:
        HP_TRY(InRange("values", hash.values, 2, 2));
        break;
      default:
        HP_TRY(InRange("values", hash.values, 2, kMaxRecallBuckets));
        HP_TRY(IsPositive("bin_width", hash.bin_width, 1 / kMaxRecallNumber));
        break;
    }
    if (!CompleteHashShape(&hash)) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "recall index: %u functions of %u values and %u outputs need more than %u "
                  "buckets or %u rotations",
                  hash.functions, hash.values, hash.outputs, kMaxRecallBuckets,
                  kMaxRecallRotations);
    }
    HP_TRY(InRange("probes", in_.probes(), 1, hash.buckets));
    index_.probes = in_.probes();
    index_.max_probes = hash.buckets;
    return HP_OK;
  }

  // As many as the file has entries for: all of them are checked.
  hp_status Cells() {
    RecallCells& cells = index_.cells;
    if (in_.cells() == nullptr) return HP_OK;
    const schema::RecallCells& in = *in_.cells();
    cells.begins = View(in.begins());
    HP_TRY(InRange("the number of cells' begins", cells.begins.size(), 2, kMaxRecallCells + 1));
    cells.count = static_cast<uint32_t>(cells.begins.size() - 1);
    RecallRows& rows = cells.centroids;
    rows.type = ElementType::Int8PerRow;
    rows.dimension = in_.dimension();
    rows.count = cells.count;
    HP_TRY(RowData("cells' rows", in.rows(), &rows));
    HP_TRY(Scales(in.scale(), in.scale_codes(), &rows));
    cells.norms = View(in.squared_norms());
    HP_TRY(HasSize("cells' squared_norms", cells.norms.size(), cells.count));
    for (const float norm : cells.norms) {
      // NaN, too.
      if (norm >= 0 && norm <= kMaxSquaredNorm) continue;
      return Fail(error_, HP_BUNDLE_CORRUPT, "recall index: a cell's squared norm is %g",
                  static_cast<double>(norm));
    }
    if (in_.metric() == RecallMetric::Euclidean) rows.squared_norms = cells.norms.data();
    HP_TRY(InRange("the first cell's begin", cells.begins.front(), 0, 0));
    HP_TRY(InRange("the last cell's end", cells.begins.back(), in_.item_count(), in_.item_count()));
    for (uint32_t c = 0; c < cells.count; ++c) {
      HP_TRY(InRange("a cell's end", cells.begins[c + 1], cells.begins[c], in_.item_count()));
    }
    HP_TRY(InRange("cells' probes", in.probes(), 1, cells.count));
    index_.probes = in.probes();
    index_.max_probes = cells.count;
    return HP_OK;
  }

  hp_status Plane() {
    RecallPlane& plane = index_.plane;
    if (in_.plane() == nullptr) return HP_OK;
    const schema::RecallPlane& in = *in_.plane();
    plane.bits = in.bits();
    plane.width = in.width();
    if (plane.bits != 1 && plane.bits != 4) {
      return Fail(error_, HP_BUNDLE_CORRUPT, "recall index: a plane of %u bits, expected 1 or 4",
                  plane.bits);
    }
    HP_TRY(InRange("the plane's width", plane.width, in_.dimension(),
                   kMaxRecallDimension + kPlaneWidth - 1));
    HP_TRY(InRange("the rest of the plane's width", plane.width % kPlaneWidth, 0, 0));
    HP_TRY(HasSize("the plane's signs", View(in.signs()).size(), kPlaneRounds * plane.width / 8));
    plane.signs = View(in.signs()).data();
    HP_TRY(HasSize("the plane's codes", View(in.codes()).size(),
                   PlaneBytes(in_.item_count(), plane.width, plane.bits)));
    HP_TRY(IsAligned("the plane's codes", View(in.codes()).data()));
    plane.codes = View(in.codes()).data();
    HP_TRY(HasSize("the plane's factors", View(in.factors()).size(),
                   RoundUp(in_.item_count(), kPlaneRows)));
    plane.factors = View(in.factors()).data();
    plane.error = in.error();
    plane.deviations = in.deviations();
    if (!(plane.error >= 0 && plane.error <= kMaxPlaneError) ||
        !(plane.deviations >= 0 && plane.deviations <= kMaxDeviations)) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "recall index: the plane's error is %g and its deviations %g, expected 0 to %g "
                  "and %g",
                  static_cast<double>(plane.error), static_cast<double>(plane.deviations),
                  static_cast<double>(kMaxPlaneError), static_cast<double>(kMaxDeviations));
    }
    return HP_OK;
  }

  hp_status Table(uint32_t t) {
    const schema::RecallTable& in = *in_.tables()->Get(t);
    const HashShape& hash = index_.hash;
    RecallTable& table = index_.tables[t];
    table.signs = View(in.signs());
    HP_TRY(HasSize("signs", table.signs.size(),
                   uint64_t{hash.rotations} * kRotationRounds * hash.rotation_width / 8));
    table.offsets = View(in.offsets());
    if (!table.offsets.empty()) {
      HP_TRY(HasSize("offsets", table.offsets.size(), uint64_t{hash.functions} * hash.outputs));
    }
    for (const float offset : table.offsets) {
      if (!(std::fabs(offset) <= kMaxRecallNumber)) {
        return Fail(error_, HP_BUNDLE_CORRUPT,
                    "recall index: an offset is %g, expected at most %g in size",
                    static_cast<double>(offset), static_cast<double>(kMaxRecallNumber));
      }
    }
    table.bucket_begins = View(in.bucket_begins());
    HP_TRY(HasSize("bucket_begins", table.bucket_begins.size(), uint64_t{hash.buckets} + 1));
    table.positions = PackedNumbers();
    if (t == 0) return HasSize("positions of the first table", View(in.positions()).size(), 0);
    return Packed("positions of a table", in.positions(), &table.positions);
  }

  const schema::RecallIndex& in_;
  RecallIndex& index_;
  hp_error* error_;
};

}  // namespace

uint32_t RowStride(ElementType type, uint32_t dimension) {
  const uint32_t bytes = type == ElementType::Float32 ? dimension * 4 : dimension;
  return static_cast<uint32_t>(RoundUp(bytes, kRowAlignment));
}

uint64_t PlaneBytes(uint32_t count, uint32_t width, uint32_t bits) {
  return RoundUp(count, kPlaneRows) * width * bits / 8;
}

bool CompleteHashShape(HashShape* shape) {
  if (shape->functions == 0 || shape->functions > kMaxRecallFunctions || shape->outputs == 0 ||
      shape->values < 2 || shape->rotation_width == 0) {
    return false;
  }
  const uint64_t coordinates = uint64_t{shape->functions} * shape->outputs;
  const uint64_t rotations = (coordinates + shape->rotation_width - 1) / shape->rotation_width;
  uint64_t buckets = 1;
  for (uint32_t f = 0; f < shape->functions; ++f) {
    buckets *= shape->values;
    if (buckets > kMaxRecallBuckets) return false;
  }
  if (rotations > kMaxRecallRotations) return false;
  shape->rotations = static_cast<uint32_t>(rotations);
  shape->buckets = static_cast<uint32_t>(buckets);
  return true;
}

hp_status OpenRecallIndex(const schema::RecallIndex& in, RecallIndex* index, hp_error* error) {
  *index = RecallIndex{};
  return Opener(in, index, error).Open();
}

}  // namespace handpick
