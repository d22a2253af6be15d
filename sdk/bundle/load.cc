#include "sdk/bundle/load.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "flatbuffers/flatbuffers.h"
#include "sdk/base/checked.h"
#include "sdk/base/error.h"
#include "sdk/bundle/check_program.h"
#include "sdk/bundle/limits.h"
#include "sdk/recall/index.h"

namespace handpick {
namespace {

template <typename T>
absl::Span<const T> View(const flatbuffers::Vector<T>* vector) {
  static_assert(FLATBUFFERS_LITTLEENDIAN,
                "bundles are used in place: little-endian processors only");
  if (vector == nullptr) return {};
  return absl::Span<const T>(vector->data(), vector->size());
}

template <typename T>
size_t Size(const flatbuffers::Vector<T>* vector) {
  return vector == nullptr ? 0 : vector->size();
}

const char* Text(const flatbuffers::String* string) {
  return string == nullptr ? "" : string->c_str();
}

StringList Strings(const flatbuffers::Vector<uint32_t>* offsets,
                   const flatbuffers::Vector<uint8_t>* bytes) {
  return StringList{View(offsets), View(bytes)};
}

bool AllFinite(absl::Span<const float> values) {
  return std::all_of(values.begin(), values.end(),
                     [](float value) { return std::isfinite(value); });
}

class Loader {
 public:
  Loader(const schema::Bundle& bundle, ModelMemory* memory, Plan* plan, hp_error* error)
      : bundle_(bundle), memory_(*memory), plan_(*plan), error_(error) {}

  hp_status Load() {
    HP_TRY(Header());
    HP_TRY(Vocabularies());
    HP_TRY(Features());
    HP_TRY(Crosses());
    HP_TRY(Tables());
    HP_TRY(Dense());
    HP_TRY(Values());
    HP_TRY(CatalogPart());
    HP_TRY(Slots());
    absl::Span<Step> candidate_steps;
    HP_TRY(Steps(bundle_.session_program(), "session", &session_steps_));
    HP_TRY(Steps(bundle_.candidate_program(), "candidate", &candidate_steps));
    plan_.session_steps = session_steps_;
    plan_.candidate_steps = candidate_steps;
    HP_TRY(Recall());
    if (!plan_.has_model) return NoModel();
    if (bundle_.logit() >= plan_.values.size())
      return Corrupt("logit", bundle_.logit(), plan_.values.size());
    plan_.logit = bundle_.logit();
    HP_TRY(CheckProgram(plan_, &memory_, error_));
    HP_TRY(MarkRecurrentSteps());
    return Goldens();
  }

 private:
  hp_status NoMemory() { return Fail(error_, HP_OUT_OF_MEMORY, "no memory to open the bundle"); }

  // An index `what` that should be below `limit`.
  hp_status Corrupt(const char* what, uint64_t value, uint64_t limit) {
    return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: %s is %llu, expected less than %llu", what,
                static_cast<unsigned long long>(value), static_cast<unsigned long long>(limit));
  }

  hp_status Bad(const char* thing, const char* name, const char* what) {
    return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: %s '%s': %s", thing, name, what);
  }

  hp_status Header() {
    hp_bundle_info& info = plan_.info;
    info.model_name = Text(bundle_.model_name());
    info.model_version = Text(bundle_.model_version());
    info.producer = Text(bundle_.producer());
    info.format_major = bundle_.format_major();
    info.format_minor = bundle_.format_minor();
    // A recall index alone has no value to compute.
    plan_.has_model = bundle_.recall() == nullptr || Size(bundle_.values()) != 0;
    info.has_model = plan_.has_model ? 1 : 0;
    const bool no_precision = !plan_.has_model && bundle_.precision() == schema::Precision::Unknown;
    if (!no_precision && bundle_.precision() != schema::Precision::Float32 &&
        bundle_.precision() != schema::Precision::Int8) {
      return Corrupt("precision", static_cast<uint64_t>(bundle_.precision()), 3);
    }
    info.precision = no_precision                                        ? HP_PRECISION_UNKNOWN
                     : bundle_.precision() == schema::Precision::Float32 ? HP_PRECISION_F32
                                                                         : HP_PRECISION_INT8;
    const bool no_task = !plan_.has_model && bundle_.task() == schema::Task::Unknown;
    if (!no_task && bundle_.task() != schema::Task::Binary &&
        bundle_.task() != schema::Task::Regression) {
      return Corrupt("task", static_cast<uint64_t>(bundle_.task()), 3);
    }
    plan_.task = bundle_.task();
    if (bundle_.max_history() > kMaxHistory)
      return Corrupt("max_history", bundle_.max_history(), kMaxHistory + 1);
    plan_.max_history = bundle_.max_history();
    if (bundle_.tile() == 0 || bundle_.tile() > kMaxTile) {
      return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: tile is %u, expected 1 to %u", bundle_.tile(),
                  kMaxTile);
    }
    plan_.tile = bundle_.tile();
    if (uint64_t{plan_.tile} * plan_.max_history > kMaxPairRows) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "bundle: a tile of %u candidates and %u events has too many pairs", plan_.tile,
                  plan_.max_history);
    }
    if (bundle_.beyond_maximum() > schema::BeyondMaximum::Carry) {
      return Corrupt("beyond_maximum", static_cast<uint64_t>(bundle_.beyond_maximum()), 2);
    }
    plan_.beyond_maximum = bundle_.beyond_maximum();
    if (Size(bundle_.region_row_bytes()) != kDomainCount) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "bundle: region_row_bytes has %zu entries, expected %d",
                  Size(bundle_.region_row_bytes()), kDomainCount);
    }
    for (int domain = 0; domain < kDomainCount; ++domain) {
      const uint32_t bytes = bundle_.region_row_bytes()->Get(static_cast<uint32_t>(domain));
      if (bytes > kMaxRowBytes) return Corrupt("region_row_bytes", bytes, kMaxRowBytes + 1);
      plan_.region_row_bytes[domain] = bytes;
    }
    if (!std::isfinite(bundle_.golden_tolerance()) || bundle_.golden_tolerance() < 0) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "bundle: golden_tolerance is no finite number of at least 0");
    }
    plan_.golden_tolerance = bundle_.golden_tolerance();
    info.max_history = plan_.max_history;
    info.tile = plan_.tile;
    return HP_OK;
  }

  hp_status CheckStrings(const char* thing, const char* name, const StringList& strings) {
    // Offsets are checked where they are read; here only that there is a first one.
    if (strings.offsets.size() == 1 || (strings.offsets.empty() && !strings.bytes.empty())) {
      return Bad(thing, name, "string offsets and bytes do not fit");
    }
    return HP_OK;
  }

  hp_status Vocabularies() {
    absl::Span<Vocabulary> out;
    if (!memory_.NewArray(Size(bundle_.vocabularies()), &out)) return NoMemory();
    for (uint32_t i = 0; i < out.size(); ++i) {
      const schema::Vocabulary& in = *bundle_.vocabularies()->Get(i);
      Vocabulary& to = out[i];
      to.kind = in.kind();
      to.row_count = in.row_count();
      to.out_of_vocabulary_row = in.out_of_vocabulary_row();
      to.ids = View(in.ids());
      to.strings = Strings(in.string_offsets(), in.string_bytes());
      to.rows = View(in.rows());
      to.first_row = in.first_row();
      to.buckets = in.buckets();
      to.hash_seed = in.hash_seed();
      if (to.row_count == 0) return Bad("vocabulary", "", "has no rows");
      if (to.out_of_vocabulary_row < -1 ||
          to.out_of_vocabulary_row >= static_cast<int64_t>(to.row_count)) {
        return Corrupt("out_of_vocabulary_row", static_cast<uint64_t>(to.out_of_vocabulary_row),
                       to.row_count);
      }
      HP_TRY(CheckStrings("vocabulary", "", to.strings));
      switch (to.kind) {
        case schema::VocabularyKind::Identity:
          break;
        case schema::VocabularyKind::IntegerList:
          if (to.ids.size() != to.rows.size())
            return Bad("vocabulary", "", "ids and rows differ in number");
          break;
        case schema::VocabularyKind::StringList:
          if (to.strings.size() != to.rows.size())
            return Bad("vocabulary", "", "strings and rows differ in number");
          break;
        case schema::VocabularyKind::Hash:
          if (to.buckets == 0 || to.first_row > to.row_count ||
              to.buckets > to.row_count - to.first_row) {
            return Bad("vocabulary", "", "hash buckets exceed its rows");
          }
          break;
        default:
          return Corrupt("vocabulary kind", static_cast<uint64_t>(to.kind), 5);
      }
    }
    plan_.vocabularies = out;
    return HP_OK;
  }

  hp_status Features() {
    const size_t count = Size(bundle_.features());
    if (count > kMaxFeatures) return Corrupt("number of features", count, kMaxFeatures + 1);
    absl::Span<Feature> out;
    if (!memory_.NewArray(count, &out)) return NoMemory();
    for (uint32_t i = 0; i < count; ++i) {
      const schema::Feature& in = *bundle_.features()->Get(i);
      Feature& to = out[i];
      to.name = Text(in.name());
      // Before the conversion: the C enumerations have no room for other values.
      if (in.side() < schema::Side::Context || in.side() > schema::Side::Candidate) {
        return Bad("feature", to.name, "unknown side");
      }
      if (in.type() < schema::FeatureType::Categorical || in.type() > schema::FeatureType::Length) {
        return Bad("feature", to.name, "unknown type");
      }
      to.side = static_cast<hp_side>(in.side());
      to.type = static_cast<hp_feature_type>(in.type());
      to.max_values = in.max_values();
      to.padding_row = in.padding_row();
      to.length_feature = in.length_feature();
      to.dimension = in.dimension();
      to.optional = in.optional();
      to.default_rows = View(in.default_rows());
      to.default_numbers = View(in.default_numbers());
      to.cross_of = View(in.cross_of());
      to.cross_buckets = in.cross_buckets();
      to.cross_seed = in.cross_seed();
      to.catalog_column = -1;
      to.row_count = 0;
      const bool multi = to.type == HP_FEATURE_MULTI_CATEGORICAL;
      to.multi_valued = multi;
      if (multi ? to.max_values == 0 || to.max_values > kMaxValues : to.max_values != 1) {
        return Bad("feature", to.name, "max_values is out of range");
      }
      if (to.dimension == 0 || to.dimension > kMaxWidth ||
          (to.type != HP_FEATURE_NUMERIC && to.dimension != 1)) {
        return Bad("feature", to.name, "dimension is out of range");
      }
      if (multi || to.type == HP_FEATURE_CATEGORICAL) {
        if (in.vocabulary() >= plan_.vocabularies.size()) {
          return Corrupt("a feature's vocabulary", in.vocabulary(), plan_.vocabularies.size());
        }
        to.vocabulary = &plan_.vocabularies[in.vocabulary()];
        to.row_count = to.vocabulary->row_count;
      }
      if (to.padding_row < -1 ||
          (to.padding_row >= 0 && to.padding_row >= static_cast<int64_t>(to.row_count))) {
        return Bad("feature", to.name, "padding_row is beyond its rows");
      }
      for (const uint32_t row : to.default_rows) {
        if (row >= to.row_count) return Bad("feature", to.name, "a default row is beyond its rows");
      }
      HP_TRY(CheckDefault(to));
      absl::Span<Transform> transforms;
      if (!memory_.NewArray(Size(in.transforms()), &transforms)) return NoMemory();
      for (uint32_t t = 0; t < transforms.size(); ++t) {
        const schema::Transform& transform = *in.transforms()->Get(t);
        transforms[t] = Transform{transform.kind(), transform.a(), transform.b()};
        if (transform.kind() < schema::TransformKind::Clip ||
            transform.kind() > schema::TransformKind::Affine || !std::isfinite(transform.a()) ||
            !std::isfinite(transform.b())) {
          return Bad("feature", to.name, "a transform is not known or not finite");
        }
      }
      to.transforms = transforms;
      for (uint32_t other = 0; other < i; ++other) {
        if (out[other].side == to.side && std::strcmp(out[other].name, to.name) == 0) {
          return Bad("feature", to.name, "occurs twice on one side");
        }
      }
    }
    for (const Feature& feature : out) {
      if (feature.length_feature == -1) continue;
      const auto index = static_cast<uint32_t>(feature.length_feature);
      if (feature.length_feature < -1 || index >= count || out[index].type != HP_FEATURE_LENGTH ||
          out[index].side != feature.side || feature.type != HP_FEATURE_MULTI_CATEGORICAL) {
        return Bad("feature", feature.name, "length_feature is no length of its side");
      }
    }
    plan_.features = out;
    features_ = out;
    plan_.info.feature_count = static_cast<uint32_t>(count);
    return HP_OK;
  }

  hp_status CheckDefault(const Feature& feature) {
    if (!feature.optional) return HP_OK;
    size_t rows = feature.default_rows.size();
    size_t numbers = feature.default_numbers.size();
    bool good = true;
    switch (feature.type) {
      case HP_FEATURE_CATEGORICAL:
        good = rows == 1 && numbers == 0;
        break;
      case HP_FEATURE_MULTI_CATEGORICAL:
        good = rows <= feature.max_values && numbers == 0;
        break;
      case HP_FEATURE_NUMERIC:
        good = rows == 0 && numbers == feature.dimension;
        break;
      default:
        good = rows == 0 && numbers == 0;
        break;
    }
    if (!good) return Bad("feature", feature.name, "its default has the wrong number of values");
    if (!AllFinite(feature.default_numbers))
      return Bad("feature", feature.name, "its default is not finite");
    return HP_OK;
  }

  // Crossed features, once all others are known.
  hp_status Crosses() {
    for (Feature& feature : features_) {
      if (feature.type != HP_FEATURE_CROSSED) continue;
      if (feature.cross_of.size() < 2 || feature.cross_of.size() > kMaxCrossOperands) {
        return Bad("feature", feature.name, "the number of crossed features is out of range");
      }
      uint64_t rows = 1;
      uint64_t combinations = 1;
      bool candidate = false;
      for (const uint32_t operand : feature.cross_of) {
        if (operand >= features_.size())
          return Corrupt("a crossed feature's operand", operand, features_.size());
        const Feature& of = features_[operand];
        if ((of.type != HP_FEATURE_CATEGORICAL && of.type != HP_FEATURE_MULTI_CATEGORICAL) ||
            of.side == HP_SIDE_HISTORY) {
          return Bad("feature", feature.name,
                     "crosses what is no categorical feature of context or candidate");
        }
        candidate |= of.side == HP_SIDE_CANDIDATE;
        feature.multi_valued |= of.multi_valued;
        if (!CheckedMultiply(rows, of.row_count, &rows) ||
            !CheckedMultiply(combinations, of.max_values, &combinations) ||
            combinations > kMaxValues) {
          return Bad("feature", feature.name, "the number of combinations overflows");
        }
      }
      if (feature.side != (candidate ? HP_SIDE_CANDIDATE : HP_SIDE_CONTEXT)) {
        return Bad("feature", feature.name, "its side is not that of its operands");
      }
      if (feature.cross_buckets != 0) rows = feature.cross_buckets;
      if (rows > UINT32_MAX) return Bad("feature", feature.name, "has more than 2^32 - 1 rows");
      feature.row_count = static_cast<uint32_t>(rows);
    }
    return HP_OK;
  }

  // Bytes that `count` elements of the type take, and that `data` has them, aligned for use in
  // place.
  hp_status CheckData(const char* thing, const char* name, schema::ElementType type, uint64_t rows,
                      uint64_t columns, const flatbuffers::Vector<uint8_t>* data,
                      const flatbuffers::Vector<float>* scales) {
    if (type != schema::ElementType::Float32 && type != schema::ElementType::Int8PerRow) {
      return Bad(thing, name, "unknown element type");
    }
    if (rows == 0 || columns == 0 || columns > kMaxWidth)
      return Bad(thing, name, "its shape is out of range");
    uint64_t bytes = rows * columns;  // Below 2^32 * 2^20.
    if (type == schema::ElementType::Float32) bytes *= sizeof(float);
    if (Size(data) != bytes) {
      return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: %s '%s' has %zu bytes of data, expected %llu",
                  thing, name, Size(data), static_cast<unsigned long long>(bytes));
    }
    if (reinterpret_cast<uintptr_t>(data->data()) % alignof(float) != 0)
      return Bad(thing, name, "is misaligned");
    const uint64_t scale_count = type == schema::ElementType::Int8PerRow ? rows : 0;
    if (Size(scales) != scale_count) {
      return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: %s '%s' has %zu scales, expected %llu", thing,
                  name, Size(scales), static_cast<unsigned long long>(scale_count));
    }
    return HP_OK;
  }

  hp_status Tables() {
    absl::Span<Table> out;
    if (!memory_.NewArray(Size(bundle_.tables()), &out)) return NoMemory();
    for (uint32_t i = 0; i < out.size(); ++i) {
      const schema::EmbeddingTable& in = *bundle_.tables()->Get(i);
      HP_TRY(CheckData("table", Text(in.name()), in.type(), in.row_count(), in.dimension(),
                       in.data(), in.scales()));
      Table& to = out[i];
      to.row_count = in.row_count();
      to.dimension = in.dimension();
      if (in.type() == schema::ElementType::Float32) {
        to.floats = reinterpret_cast<const float*>(in.data()->data());
      } else {
        to.bytes = reinterpret_cast<const int8_t*>(in.data()->data());
        to.scales = in.scales()->data();
      }
      plan_.info.table_bytes += Size(in.data()) + Size(in.scales()) * sizeof(float);
    }
    plan_.tables = out;
    return HP_OK;
  }

  hp_status Dense() {
    absl::Span<DenseWeights> out;
    if (!memory_.NewArray(Size(bundle_.dense_weights()), &out)) return NoMemory();
    for (uint32_t i = 0; i < out.size(); ++i) {
      const schema::DenseWeights& in = *bundle_.dense_weights()->Get(i);
      DenseWeights& to = out[i];
      to.name = Text(in.name());
      HP_TRY(CheckData("dense layer", to.name, in.type(), in.output_width(), in.input_width(),
                       in.data(), in.scales()));
      if (in.output_width() > kMaxWidth)
        return Bad("dense layer", to.name, "its shape is out of range");
      if (Size(in.bias()) != 0 && Size(in.bias()) != in.output_width()) {
        return Bad("dense layer", to.name, "its bias is not as long as its outputs");
      }
      to.input_width = in.input_width();
      to.output_width = in.output_width();
      to.int8 = in.type() == schema::ElementType::Int8PerRow;
      to.data = in.data()->data();
      to.scales = to.int8 ? in.scales()->data() : nullptr;
      to.bias = Size(in.bias()) == 0 ? nullptr : in.bias()->data();
      if (to.int8) HP_TRY(SumRows(&to));
      // The engine refuses scales that are no normal positive numbers: say so here, by name.
      for (uint32_t scale = 0; scale < Size(in.scales()); ++scale) {
        const float value = in.scales()->Get(scale);
        if (!std::isnormal(value) || value <= 0)
          return Bad("dense layer", to.name, "a scale is no positive number");
      }
      plan_.info.dense_bytes +=
          Size(in.data()) + (Size(in.scales()) + Size(in.bias())) * sizeof(float);
    }
    plan_.dense_weights = out;
    return HP_OK;
  }

  hp_status SumRows(DenseWeights* weights) {
    if (weights->input_width > kMaxInt8Width) {
      return Bad("dense layer", weights->name, "it is int8 and too wide for sums of 32 bits");
    }
    absl::Span<int32_t> sums;
    if (!memory_.NewArray(weights->output_width, &sums)) return NoMemory();
    const auto* row = static_cast<const int8_t*>(weights->data);
    for (int32_t& sum : sums) {
      sum = std::accumulate(row, row + weights->input_width, 0);
      row += weights->input_width;
    }
    weights->row_sums = sums.data();
    return HP_OK;
  }

  hp_status Values() {
    const size_t buffer_count = Size(bundle_.buffers());
    if (buffer_count > kMaxBuffers)
      return Corrupt("number of buffers", buffer_count, kMaxBuffers + 1);
    absl::Span<Buffer> buffers;
    if (!memory_.NewArray(buffer_count, &buffers)) return NoMemory();
    for (uint32_t i = 0; i < buffer_count; ++i)
      HP_TRY(LoadBuffer(*bundle_.buffers()->Get(i), &buffers[i]));
    plan_.buffers = buffers;
    if (Size(bundle_.values()) > kMaxValueCount)
      return Corrupt("number of values", Size(bundle_.values()), kMaxValueCount);
    absl::Span<Value> out;
    if (!memory_.NewArray(Size(bundle_.values()), &out)) return NoMemory();
    for (uint32_t i = 0; i < out.size(); ++i) {
      const schema::Value& in = *bundle_.values()->Get(i);
      if (in.buffer() >= buffer_count)
        return Corrupt("a value's buffer", in.buffer(), buffer_count);
      const schema::Buffer& buffer = *bundle_.buffers()->Get(in.buffer());
      if (in.width() == 0 || in.column() > buffer.width() ||
          in.width() > buffer.width() - in.column()) {
        return Bad("value", Text(in.name()), "its columns are not in its buffer");
      }
      const bool int8 = buffer.type() == schema::BufferType::DynamicInt8;
      if (int8 && (in.column() != 0 || in.width() != buffer.width())) {
        return Bad("value", Text(in.name()), "takes a part of an int8 buffer");
      }
      Value& to = out[i];
      to.domain = buffer.domain();
      to.type = buffer.type();
      to.buffer = in.buffer();
      to.width = in.width();
      to.offset = buffer.offset();
      to.column = in.column();
      to.stride = int8 ? static_cast<uint32_t>(RoundUp(buffer.width(), 8)) : buffer.width();
    }
    plan_.values = out;
    return HP_OK;
  }

  hp_status LoadBuffer(const schema::Buffer& buffer, Buffer* to) {
    if (buffer.domain() < schema::Domain::Context || buffer.domain() > schema::Domain::Pair) {
      return Corrupt("a buffer's domain", static_cast<uint64_t>(buffer.domain()), 5);
    }
    if (plan_.max_history == 0 && IsAxisSubset(schema::Domain::History, buffer.domain())) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "bundle: a buffer lies in the history, which has 0 events");
    }
    if (buffer.width() == 0 || buffer.width() > kMaxWidth) {
      return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: a buffer's width is %u, expected 1 to %u",
                  buffer.width(), kMaxWidth);
    }
    uint64_t row_bytes = 0;
    uint32_t alignment = buffer.domain() == schema::Domain::Context ? 64 : 4;
    if (buffer.type() == schema::BufferType::Float32) {
      row_bytes = sizeof(float) * uint64_t{buffer.width()};
    } else if (buffer.type() == schema::BufferType::DynamicInt8) {
      row_bytes = RoundUp(buffer.width(), 8) + 8;
    } else {
      return Corrupt("a buffer's type", static_cast<uint64_t>(buffer.type()), 3);
    }
    const uint64_t region = plan_.region_row_bytes[DomainIndex(buffer.domain())];
    if (buffer.offset() % alignment != 0 || buffer.offset() > region ||
        row_bytes > region - buffer.offset()) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "bundle: a buffer of %llu bytes a row at %u is not in its region of %llu",
                  static_cast<unsigned long long>(row_bytes), buffer.offset(),
                  static_cast<unsigned long long>(region));
    }
    *to = Buffer{buffer.domain(), buffer.offset(), static_cast<uint32_t>(row_bytes)};
    return HP_OK;
  }

  hp_status CatalogPart() {
    Catalog& to = plan_.catalog;
    to.key_feature = kNone;
    const schema::Catalog* in = bundle_.catalog();
    if (in == nullptr) return HP_OK;
    if (in->key_feature() >= features_.size())
      return Corrupt("catalog key", in->key_feature(), features_.size());
    const Feature& key = features_[in->key_feature()];
    if (key.side != HP_SIDE_CANDIDATE || key.type != HP_FEATURE_CATEGORICAL) {
      return Bad("catalog key", key.name, "is no categorical feature of the candidates");
    }
    to.key_feature = in->key_feature();
    to.item_count = in->item_count();
    to.ids = View(in->ids());
    to.strings = Strings(in->string_offsets(), in->string_bytes());
    HP_TRY(CheckStrings("catalog", key.name, to.strings));
    if (to.ids.size() + to.strings.size() != to.item_count ||
        (!to.ids.empty() && to.strings.size() != 0)) {
      return Bad("catalog", key.name, "the number of ids is not that of its items");
    }
    absl::Span<CatalogColumn> columns;
    if (!memory_.NewArray(Size(in->columns()), &columns)) return NoMemory();
    for (uint32_t i = 0; i < columns.size(); ++i) {
      const schema::CatalogColumn& column = *in->columns()->Get(i);
      if (column.feature() >= features_.size())
        return Corrupt("catalog column", column.feature(), features_.size());
      Feature& feature = features_[column.feature()];
      columns[i] = CatalogColumn{column.feature(), View(column.rows()), View(column.row_splits()),
                                 View(column.numbers())};
      const uint64_t items = to.item_count;
      bool good = feature.side == HP_SIDE_CANDIDATE && feature.catalog_column == -1;
      switch (feature.type) {
        case HP_FEATURE_CATEGORICAL:
          good = good && columns[i].rows.size() == items;
          break;
        case HP_FEATURE_MULTI_CATEGORICAL:
          good = good && columns[i].row_splits.size() == items + 1;
          break;
        case HP_FEATURE_NUMERIC:
          good = good && columns[i].numbers.size() == items * feature.dimension;
          break;
        default:
          good = false;
          break;
      }
      if (!good)
        return Bad("catalog column", feature.name, "does not fit the feature or the items");
      feature.catalog_column = static_cast<int32_t>(i);
    }
    to.columns = columns;
    plan_.info.catalog_items = to.item_count;
    return HP_OK;
  }

  // Places of the resolved features in their regions (see session/layout.h).
  hp_status Slots() {
    uint64_t bytes[kDomainCount] = {};
    for (Feature& feature : features_) {
      if (feature.side == HP_SIDE_HISTORY && plan_.max_history == 0) {
        return Bad("feature", feature.name, "belongs to the history, which has 0 events");
      }
      uint64_t& offset = bytes[feature.side - 1];
      feature.slot_offset = static_cast<uint32_t>(offset);
      switch (feature.type) {
        case HP_FEATURE_CATEGORICAL:
        case HP_FEATURE_LENGTH:
          offset += 4;
          break;
        case HP_FEATURE_MULTI_CATEGORICAL:
          offset += 4 * uint64_t{feature.max_values} + 8;
          break;
        case HP_FEATURE_NUMERIC:
          offset += 4 * uint64_t{feature.dimension};
          break;
        default:
          break;  // Crossed features are made from their operands where they are looked up.
      }
      if (offset > kMaxRowBytes)
        return Bad("feature", feature.name, "the features' values take too much memory");
    }
    for (int domain = 0; domain < kDomainCount; ++domain) {
      plan_.slot_row_bytes[domain] = static_cast<uint32_t>(bytes[domain]);
    }
    return HP_OK;
  }

  hp_status LoadLookup(const schema::EmbeddingLookup* in, Lookup* to) {
    if (in == nullptr)
      return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: a sum of embeddings has an empty entry");
    *to = Lookup{in->feature(), in->table(), in->combiner(), in->empty_value()};
    return HP_OK;
  }

  hp_status LoadLookups(const flatbuffers::Vector<flatbuffers::Offset<schema::EmbeddingLookup>>* in,
                        Step* to) {
    absl::Span<Lookup> lookups;
    if (!memory_.NewArray(Size(in), &lookups)) return NoMemory();
    for (uint32_t l = 0; l < lookups.size(); ++l) HP_TRY(LoadLookup(in->Get(l), &lookups[l]));
    to->lookups = lookups;
    return HP_OK;
  }

  hp_status LoadActivation(const schema::Activation* in, Activation* to) {
    to->kind = in == nullptr ? schema::ActivationKind::Linear : in->kind();
    if (in == nullptr) return HP_OK;
    to->alpha = View(in->alpha());
    to->scale = View(in->scale());
    to->shift = View(in->shift());
    return HP_OK;
  }

  // A value's index from an optional field: -1 is none.
  hp_status LoadOptional(int32_t index, const char* what, uint32_t* to) {
    *to = kNone;
    if (index == -1) return HP_OK;
    if (index < 0 || static_cast<uint32_t>(index) >= plan_.values.size()) {
      return Corrupt(what, static_cast<uint32_t>(index), plan_.values.size());
    }
    *to = static_cast<uint32_t>(index);
    return HP_OK;
  }

  hp_status LoadAttentionUnit(const schema::AttentionUnit& op, Step* to) {
    absl::Span<uint32_t> inputs;
    absl::Span<AttentionLayer> layers;
    if (!memory_.NewArray(3, &inputs) || !memory_.NewArray(Size(op.layers()), &layers)) {
      return NoMemory();
    }
    inputs[0] = op.query();
    inputs[1] = op.key();
    inputs[2] = op.key_row();
    for (uint32_t i = 0; i < layers.size(); ++i) {
      layers[i].weights = op.layers()->Get(i)->weights();
      HP_TRY(LoadActivation(op.layers()->Get(i)->activation(), &layers[i].activation));
    }
    to->kind = StepKind::kAttentionUnit;
    to->inputs = inputs;
    to->layers = layers;
    to->weights = op.query_weights();
    to->product_weights = op.product_weights();
    if (op.folded_type() != schema::ElementType::Float32 &&
        op.folded_type() != schema::ElementType::Int8PerRow) {
      return Corrupt("an activation unit's folded_type", static_cast<uint64_t>(op.folded_type()),
                     3);
    }
    to->fold_int8 = op.folded_type() == schema::ElementType::Int8PerRow;
    HP_TRY(LoadActivation(op.activation(), &to->activation));
    to->output = op.output();
    return HP_OK;
  }

  hp_status LoadEmbeddingBiInteraction(const schema::EmbeddingBiInteraction& op, Step* to) {
    uint32_t sum;
    uint32_t squares;
    to->kind = StepKind::kEmbeddingBiInteraction;
    HP_TRY(LoadLookups(op.lookups(), to));
    HP_TRY(LoadOptional(op.sum(), "a bi-interaction's sum", &sum));
    HP_TRY(LoadOptional(op.squares(), "a bi-interaction's squares", &squares));
    if ((sum == kNone) != (squares == kNone)) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "bundle: step '%s': has one of sum and squares, expected both or neither",
                  to->name);
    }
    if (sum != kNone) HP_TRY(TwoInputs(sum, squares, to));
    to->output = op.output();
    return HP_OK;
  }

  hp_status OneInput(uint32_t input, Step* to) {
    absl::Span<uint32_t> inputs;
    if (!memory_.NewArray(1, &inputs)) return NoMemory();
    inputs[0] = input;
    to->inputs = inputs;
    return HP_OK;
  }

  hp_status TwoInputs(uint32_t first, uint32_t second, Step* to) {
    absl::Span<uint32_t> inputs;
    if (!memory_.NewArray(2, &inputs)) return NoMemory();
    inputs[0] = first;
    inputs[1] = second;
    to->inputs = inputs;
    return HP_OK;
  }

  hp_status Steps(const schema::Program* program, const char* which, absl::Span<Step>* steps) {
    const size_t count = Size(program->steps());
    if (count > kMaxSteps) return Corrupt("number of steps", count, kMaxSteps + 1);
    absl::Span<Step> out;
    if (!memory_.NewArray(count, &out)) return NoMemory();
    for (uint32_t i = 0; i < count; ++i) {
      const schema::Step& in = *program->steps()->Get(i);
      Step& to = out[i];
      to.domain = in.domain();
      to.triggers = in.triggers();
      to.name = Text(in.name());
      to.row = kNone;
      to.feature = kNone;
      to.scratch = kNone;
      switch (in.op_type()) {
        case schema::Operator::Embedding: {
          const schema::Embedding& op = *in.op_as_Embedding();
          absl::Span<Lookup> lookups;
          if (!memory_.NewArray(1, &lookups)) return NoMemory();
          HP_TRY(LoadLookup(op.lookup(), &lookups[0]));
          to.kind = StepKind::kEmbedding;
          to.lookups = lookups;
          to.output = op.output();
          break;
        }
        case schema::Operator::EmbeddingSum: {
          const schema::EmbeddingSum& op = *in.op_as_EmbeddingSum();
          to.kind = StepKind::kEmbeddingSum;
          HP_TRY(LoadLookups(op.lookups(), &to));
          to.squared = op.squared();
          HP_TRY(LoadOptional(op.addend(), "an addend", &to.row));
          to.output = op.output();
          break;
        }
        case schema::Operator::Numeric: {
          const schema::Numeric& op = *in.op_as_Numeric();
          to.kind = StepKind::kNumeric;
          to.feature = op.feature();
          to.output = op.output();
          break;
        }
        case schema::Operator::Dense: {
          const schema::Dense& op = *in.op_as_Dense();
          to.kind = StepKind::kDense;
          HP_TRY(OneInput(op.input(), &to));
          to.weights = op.weights();
          HP_TRY(LoadOptional(op.row(), "a row", &to.row));
          HP_TRY(LoadActivation(op.activation(), &to.activation));
          to.output = op.output();
          break;
        }
        case schema::Operator::Quantize: {
          const schema::Quantize& op = *in.op_as_Quantize();
          to.kind = StepKind::kQuantize;
          HP_TRY(OneInput(op.input(), &to));
          to.output = op.output();
          break;
        }
        case schema::Operator::Add: {
          const schema::Add& op = *in.op_as_Add();
          to.kind = StepKind::kAdd;
          to.inputs = View(op.inputs());
          HP_TRY(LoadActivation(op.activation(), &to.activation));
          to.output = op.output();
          break;
        }
        case schema::Operator::Copy: {
          const schema::Copy& op = *in.op_as_Copy();
          to.kind = StepKind::kCopy;
          HP_TRY(OneInput(op.input(), &to));
          to.output = op.output();
          break;
        }
        case schema::Operator::PoolHistory: {
          const schema::PoolHistory& op = *in.op_as_PoolHistory();
          to.kind = StepKind::kPoolHistory;
          HP_TRY(OneInput(op.input(), &to));
          if (op.mask_feature() < -1)
            return Corrupt("a mask feature", UINT32_MAX, features_.size());
          to.feature = op.mask_feature() == -1 ? kNone : static_cast<uint32_t>(op.mask_feature());
          to.combiner = op.combiner();
          to.empty_value = op.empty_value();
          to.output = op.output();
          break;
        }
        case schema::Operator::Multiply: {
          const schema::Multiply& op = *in.op_as_Multiply();
          to.kind = StepKind::kMultiply;
          HP_TRY(TwoInputs(op.a(), op.b(), &to));
          to.output = op.output();
          break;
        }
        case schema::Operator::BiInteraction: {
          const schema::BiInteraction& op = *in.op_as_BiInteraction();
          to.kind = StepKind::kBiInteraction;
          HP_TRY(TwoInputs(op.sum(), op.squares(), &to));
          to.output = op.output();
          break;
        }
        case schema::Operator::SoftmaxOverHistory: {
          const schema::SoftmaxOverHistory& op = *in.op_as_SoftmaxOverHistory();
          to.kind = StepKind::kSoftmaxOverHistory;
          HP_TRY(OneInput(op.input(), &to));
          to.output = op.output();
          break;
        }
        case schema::Operator::WeightedPool: {
          const schema::WeightedPool& op = *in.op_as_WeightedPool();
          to.kind = StepKind::kWeightedPool;
          HP_TRY(TwoInputs(op.weights(), op.values(), &to));
          to.numbers = View(op.empty_value());
          to.output = op.output();
          break;
        }
        case schema::Operator::Recurrence: {
          const schema::Recurrence& op = *in.op_as_Recurrence();
          to.kind = StepKind::kRecurrence;
          HP_TRY(OneInput(op.gates(), &to));
          to.cell = schema::RecurrentCell::Gru;
          to.weights = op.weights();
          to.scratch = op.scratch();
          to.output = op.output();
          break;
        }
        case schema::Operator::AttentionRecurrence: {
          const schema::AttentionRecurrence& op = *in.op_as_AttentionRecurrence();
          to.kind = StepKind::kAttentionRecurrence;
          HP_TRY(TwoInputs(op.gates(), op.attention(), &to));
          to.cell = op.cell();
          to.numbers = View(op.input_bias());
          to.weights = op.weights();
          to.output = op.output();
          break;
        }
        case schema::Operator::AttentionUnit:
          HP_TRY(LoadAttentionUnit(*in.op_as_AttentionUnit(), &to));
          break;
        case schema::Operator::EmbeddingBiInteraction:
          HP_TRY(LoadEmbeddingBiInteraction(*in.op_as_EmbeddingBiInteraction(), &to));
          break;
        default:
          return Fail(error_, HP_BUNDLE_CORRUPT,
                      "bundle: step %u of the %s program has an unknown operator %u", i, which,
                      static_cast<unsigned>(in.op_type()));
      }
    }
    *steps = out;
    return HP_OK;
  }

  // A history step is recurrent when it is a recurrence, or reads columns that a recurrent step
  // wrote. The program has been checked: writers come before readers.
  hp_status MarkRecurrentSteps() {
    absl::Span<uint8_t>
        recurrent;  // By buffer: coarser than by column, and never wrong about a recurrence.
    if (!memory_.NewArray(plan_.buffers.size(), &recurrent)) return NoMemory();
    for (Step& step : session_steps_) {
      step.recurrent = step.kind == StepKind::kRecurrence;
      for (const uint32_t input : step.inputs)
        step.recurrent |= recurrent[plan_.values[input].buffer] != 0;
      if (step.recurrent) recurrent[plan_.values[step.output].buffer] = 1;
    }
    return HP_OK;
  }

  hp_status GoldenColumns(const flatbuffers::Vector<flatbuffers::Offset<schema::GoldenColumn>>* in,
                          uint32_t rows, hp_side side, hp_batch* batch) {
    absl::Span<hp_column> columns;
    if (!memory_.NewArray(Size(in), &columns)) return NoMemory();
    for (uint32_t i = 0; i < columns.size(); ++i) {
      const schema::GoldenColumn& column = *in->Get(i);
      if (column.feature() >= features_.size())
        return Corrupt("golden feature", column.feature(), features_.size());
      const Feature& feature = features_[column.feature()];
      if (feature.side != side)
        return Bad("golden request", feature.name, "is given on the wrong side");
      const size_t integers = Size(column.integers());
      const size_t numbers = Size(column.numbers());
      const size_t strings = Size(column.strings());
      uint64_t values =
          feature.type == HP_FEATURE_NUMERIC ? uint64_t{rows} * feature.dimension : rows;
      columns[i].feature = column.feature();
      if (feature.type == HP_FEATURE_MULTI_CATEGORICAL) {
        const absl::Span<const uint32_t> splits = View(column.row_splits());
        if (splits.size() != size_t{rows} + 1 || splits[0] != 0 ||
            !std::is_sorted(splits.begin(), splits.end())) {
          return Bad("golden request", feature.name, "its row splits do not fit its rows");
        }
        values = splits[rows];
        columns[i].row_splits = splits.data();
      }
      if (integers + numbers + strings != values ||
          (integers != values && numbers != values && strings != values)) {
        return Bad("golden request", feature.name,
                   "the number of its values does not fit its rows");
      }
      if (integers != 0) {
        columns[i].type = HP_INT64;
        columns[i].integers = column.integers()->data();
      } else if (numbers != 0) {
        columns[i].type = HP_FLOAT32;
        columns[i].numbers = column.numbers()->data();
      } else {
        columns[i].type = strings != 0 ? HP_STRING : HP_INT64;
        absl::Span<hp_string> texts;
        if (!memory_.NewArray(strings, &texts)) return NoMemory();
        for (uint32_t s = 0; s < strings; ++s) {
          const flatbuffers::String* text = column.strings()->Get(s);
          texts[s] = hp_string{text->c_str(), text->size()};
        }
        columns[i].strings = texts.data();
        // A column of empty lists only has no values of any type: whatever the feature takes will
        // do.
        if (strings == 0 && feature.vocabulary != nullptr &&
            feature.vocabulary->kind == schema::VocabularyKind::StringList) {
          columns[i].type = HP_STRING;
        }
      }
    }
    *batch = hp_batch{columns.data(), columns.size(), rows};
    return HP_OK;
  }

  hp_status Goldens() {
    absl::Span<Golden> out;
    if (!memory_.NewArray(Size(bundle_.goldens()), &out)) return NoMemory();
    for (uint32_t i = 0; i < out.size(); ++i) {
      const schema::GoldenRequest& in = *bundle_.goldens()->Get(i);
      if (Size(in.logits()) != in.candidate_count()) {
        return Bad("golden request", "", "its logits are not as many as its candidates");
      }
      if (in.event_count() > kMaxGoldenRows || in.candidate_count() > kMaxGoldenRows) {
        return Bad("golden request", "", "has too many rows");
      }
      HP_TRY(GoldenColumns(in.context(), 1, HP_SIDE_CONTEXT, &out[i].context));
      HP_TRY(GoldenColumns(in.history(), in.event_count(), HP_SIDE_HISTORY, &out[i].history));
      HP_TRY(GoldenColumns(in.candidates(), in.candidate_count(), HP_SIDE_CANDIDATE,
                           &out[i].candidates));
      out[i].logits = View(in.logits());
    }
    plan_.goldens = out;
    plan_.info.golden_count = static_cast<uint32_t>(out.size());
    return HP_OK;
  }

  hp_status NoModel() {
    if (session_steps_.empty() && plan_.candidate_steps.empty() && Size(bundle_.goldens()) == 0) {
      return HP_OK;
    }
    return Fail(error_, HP_BUNDLE_CORRUPT,
                "bundle: it has no values, and %zu steps and %zu golden requests, expected none",
                session_steps_.size() + plan_.candidate_steps.size(), Size(bundle_.goldens()));
  }

  hp_status Recall() {
    if (bundle_.recall() == nullptr) return HP_OK;
    const schema::RecallIndex& in = *bundle_.recall();
    absl::Span<RecallIndex> index;
    if (!memory_.NewArray(1, &index)) return NoMemory();
    HP_TRY(OpenRecallIndex(in, index.data(), error_));
    RecallIndex& to = index[0];
    const Catalog& catalog = plan_.catalog;
    if (to.items_of_catalog) {
      if (catalog.key_feature == kNone) {
        return Fail(error_, HP_BUNDLE_CORRUPT,
                    "recall index: its items are those of the catalog, and there is none");
      }
      if (catalog.item_count != to.rows.count) {
        return Fail(error_, HP_BUNDLE_CORRUPT,
                    "recall index: item_count is %u, expected the catalog's %u", to.rows.count,
                    catalog.item_count);
      }
      to.ids = ItemIds{catalog.strings.size() != 0, catalog.ids, catalog.strings};
    }
    HP_TRY(RecallFeature("history_feature", in.history_feature(), HP_SIDE_HISTORY, to,
                         &to.history_feature));
    HP_TRY(RecallFeature("candidate_feature", in.candidate_feature(), HP_SIDE_CANDIDATE, to,
                         &to.candidate_feature));
    if (to.candidate_feature != kNone && catalog.key_feature != kNone &&
        to.candidate_feature != catalog.key_feature) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "recall index: candidate_feature is %u, expected the catalog's key %u",
                  to.candidate_feature, catalog.key_feature);
    }
    if (in.user_value() != -1) {
      // What it is, the program's check says.
      if (in.user_value() < 0 || static_cast<uint32_t>(in.user_value()) >= plan_.values.size()) {
        return Fail(error_, HP_BUNDLE_CORRUPT,
                    "recall index: user_value is %d, the bundle has %zu values", in.user_value(),
                    plan_.values.size());
      }
      to.user_value = static_cast<uint32_t>(in.user_value());
    }
    plan_.recall = index.data();
    plan_.info.recall_items = to.rows.count;
    return HP_OK;
  }

  // A feature that ids of the index's items are given to.
  hp_status RecallFeature(const char* what, int32_t number, hp_side side, const RecallIndex& index,
                          uint32_t* to) {
    if (number == -1) return HP_OK;
    if (number < 0 || static_cast<uint32_t>(number) >= features_.size()) {
      return Fail(error_, HP_BUNDLE_CORRUPT, "recall index: %s is %d, the bundle has %zu features",
                  what, number, features_.size());
    }
    const Feature& feature = features_[static_cast<uint32_t>(number)];
    if (feature.side != side || feature.type != HP_FEATURE_CATEGORICAL) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "recall index: %s '%s' is no categorical feature of the %s", what, feature.name,
                  side == HP_SIDE_HISTORY ? "history" : "candidates");
    }
    const schema::VocabularyKind kind = feature.vocabulary->kind;
    const bool takes_strings =
        kind == schema::VocabularyKind::StringList || kind == schema::VocabularyKind::Hash;
    const bool takes_integers = kind != schema::VocabularyKind::StringList;
    if (index.rows.count != 0 && !(index.ids.are_strings ? takes_strings : takes_integers)) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "recall index: ids are %s, which %s '%s' does not take",
                  index.ids.are_strings ? "strings" : "integers", what, feature.name);
    }
    *to = static_cast<uint32_t>(number);
    return HP_OK;
  }

  const schema::Bundle& bundle_;
  ModelMemory& memory_;
  Plan& plan_;
  hp_error* error_;
  absl::Span<Feature>
      features_;  // plan_.features and session_steps, while they are being filled in.
  absl::Span<Step> session_steps_;
};

}  // namespace

hp_status LoadBundle(const void* data, size_t size, ModelMemory* memory, Plan* plan,
                     hp_error* error) {
  if (data == nullptr) return Fail(error, HP_INVALID_ARGUMENT, "bundle data is null");
  if (reinterpret_cast<uintptr_t>(data) % HP_ALIGNMENT != 0) {
    return Fail(error, HP_MISALIGNED, "bundle data is not aligned to %d bytes", HP_ALIGNMENT);
  }
  const auto* bytes = static_cast<const uint8_t*>(data);
  // Root offset and file identifier come first.
  constexpr size_t kSmallest = 16;
  if (size < kSmallest || !schema::BundleBufferHasIdentifier(bytes)) {
    return Fail(error, HP_NOT_A_BUNDLE,
                "%zu bytes do not begin as a Handpick bundle (identifier '%s')", size,
                schema::BundleIdentifier());
  }
  if (size > kMaxBundleBytes) {
    return Fail(error, HP_BUNDLE_CORRUPT, "bundle has %zu bytes, at most %llu are possible", size,
                static_cast<unsigned long long>(kMaxBundleBytes));
  }
  flatbuffers::Verifier::Options options;
  options.max_depth = 16;
  options.max_tables = kMaxFlatBufferTables;
  flatbuffers::Verifier verifier(bytes, size, options);
  if (!schema::VerifyBundleBuffer(verifier)) {
    return Fail(error, HP_BUNDLE_CORRUPT,
                "bundle of %zu bytes is damaged: FlatBuffers verification failed", size);
  }
  const schema::Bundle& bundle = *schema::GetBundle(bytes);
  if (bundle.format_major() != kFormatMajor || bundle.format_minor() > kFormatMinor) {
    const bool newer = bundle.format_major() >= kFormatMajor;
    return Fail(error, newer ? HP_BUNDLE_TOO_NEW : HP_BUNDLE_CORRUPT,
                "bundle has format %u.%u, this runtime opens %u.0 to %u.%u", bundle.format_major(),
                bundle.format_minor(), kFormatMajor, kFormatMajor, kFormatMinor);
  }
  *plan = Plan{};
  plan->info.bundle_bytes = size;
  return Loader(bundle, memory, plan, error).Load();
}

}  // namespace handpick
