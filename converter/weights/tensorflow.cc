#include "converter/weights/tensorflow.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "absl/crc/crc32c.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "converter/io/status_macros.h"
#include "converter/weights/elements.h"
#include "converter/weights/object_graph.h"
#include "converter/weights/sorted_table.h"
#include "converter/weights/wire.h"

namespace handpick::converter {
namespace {

constexpr absl::string_view kIndexExtension = ".index";
constexpr size_t kMaxEntries = 100'000;
constexpr size_t kMaxRank = 32;
// The number of a file has five digits.
constexpr uint64_t kMaxShards = 99'999;
// The version of readers that this is.
constexpr uint64_t kReader = 1;

// What tf.train.Checkpoint, and with it tf.keras, puts behind a variable's path.
constexpr absl::string_view kVariable = "/.ATTRIBUTES/VARIABLE_VALUE";
constexpr absl::string_view kObjectGraph = "_CHECKPOINTABLE_OBJECT_GRAPH";
constexpr absl::string_view kSlot = "/.OPTIMIZER_SLOT/";
constexpr uint64_t kMaxGraphBytes = uint64_t{1} << 28;
constexpr uint64_t kString = 7;  // DataType.
// How Keras ends the names that an .h5 file has.
constexpr absl::string_view kOutput = ":0";

// DataType of tensorflow/core/framework/types.proto.
constexpr struct {
  uint64_t number;
  Dtype dtype;
} kTypes[] = {{1, Dtype::kF32},   {2, Dtype::kF64},  {3, Dtype::kI32},  {4, Dtype::kU8},
              {5, Dtype::kI16},   {6, Dtype::kI8},   {9, Dtype::kI64},  {10, Dtype::kBool},
              {14, Dtype::kBf16}, {17, Dtype::kU16}, {19, Dtype::kF16}, {22, Dtype::kU32},
              {23, Dtype::kU64}};

// Of those that no model reads.
std::string NameOfOther(uint64_t type) {
  static constexpr struct {
    uint64_t number;
    const char* name;
  } kOthers[] = {{7, "string"},    {8, "complex64"}, {11, "qint8"},       {12, "quint8"},
                 {13, "qint32"},   {15, "qint16"},   {16, "quint16"},     {18, "complex128"},
                 {20, "resource"}, {21, "variant"},  {24, "float8_e5m2"}, {25, "float8_e4m3fn"},
                 {29, "int4"},     {30, "uint4"}};
  for (const auto& other : kOthers) {
    if (other.number == type) return other.name;
  }
  return absl::StrCat(type);
}

struct Header {
  uint64_t shards = 0;
  uint64_t endianness = 0;  // 0: little, 1: big.
  uint64_t min_reader = 0;
};

// What the index says of a tensor.
struct Entry {
  uint64_t type = 0;
  std::vector<int64_t> shape;
  bool has_shape = true;
  uint64_t shard = 0;
  uint64_t offset = 0;
  uint64_t size = 0;
  uint32_t crc = 0;
  size_t slices = 0;
  // Of the reader: how to read it, or why not.
  size_t count = 0;
  Dtype dtype = Dtype::kF32;
  absl::Status refusal;
};

bool TakeNumber(const WireField& field, uint64_t* out) {
  *out = field.value;
  return field.type == WireType::kVarint;
}

bool ParseHeader(absl::string_view message, Header* header) {
  const auto version = [&](const WireField& field) {
    return field.number != 2 || TakeNumber(field, &header->min_reader);
  };
  return EachField(message, [&](const WireField& field) {
    switch (field.number) {
      case 1:
        return TakeNumber(field, &header->shards);
      case 2:
        return TakeNumber(field, &header->endianness);
      case 3:
        return field.type == WireType::kBytes && EachField(field.bytes, version);
      default:
        return true;
    }
  });
}

bool ParseShape(absl::string_view message, Entry* entry) {
  return EachField(message, [&](const WireField& field) {
    if (field.number == 3) {
      entry->has_shape = field.value == 0;
      return field.type == WireType::kVarint;
    }
    if (field.number != 2) return true;
    uint64_t size = 0;
    const bool is_right = field.type == WireType::kBytes && entry->shape.size() < kMaxRank &&
                          EachField(field.bytes, [&](const WireField& part) {
                            return part.number != 1 || TakeNumber(part, &size);
                          });
    // One that is negative is refused where elements are counted.
    entry->shape.push_back(static_cast<int64_t>(size));
    return is_right;
  });
}

bool ParseEntry(absl::string_view message, Entry* entry) {
  return EachField(message, [&](const WireField& field) {
    switch (field.number) {
      case 1:
        return TakeNumber(field, &entry->type);
      case 2:
        return field.type == WireType::kBytes && ParseShape(field.bytes, entry);
      case 3:
        return TakeNumber(field, &entry->shard);
      case 4:
        return TakeNumber(field, &entry->offset);
      case 5:
        return TakeNumber(field, &entry->size);
      case 6:
        entry->crc = static_cast<uint32_t>(field.value);
        return field.type == WireType::kFixed32;
      case 7:
        ++entry->slices;
        return field.type == WireType::kBytes;
      default:
        return true;
    }
  });
}

// Whether a key is of no model: of the optimizer, of metrics, of the number of saves. That is
// told of what tf.train.Checkpoint wrote; other names are the user's own.
bool IsLeftOut(absl::string_view key) {
  if (!absl::ConsumeSuffix(&key, kVariable)) return false;
  return key == "save_counter" || absl::StrContains(key, kSlot) ||
         absl::StartsWith(key, "optimizer/") || absl::StartsWith(key, "keras_api/metrics/");
}

bool IsRegular(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

class TensorFlowArchive : public StoredArchive {
 public:
  explicit TensorFlowArchive(const std::string& path)
      : StoredArchive("tensorflow", path), prefix_(absl::StripSuffix(path, kIndexExtension)) {}

  std::vector<std::string> files() const override {
    std::vector<std::string> files = {origin()};
    for (const auto& [number, source] : shards_) files.push_back(ShardPath(number));
    return files;
  }

  absl::Status Open(const ByteSource& source) {
    HP_RETURN_IF_ERROR(ReadSortedTable(
        source, origin(),
        [&](const std::string& key, absl::string_view value) { return Take(key, value); }));
    if (!has_header_) return NoHeader();
    HP_RETURN_IF_ERROR(AddVariables());
    if (left_out_ > 0) {
      AddNotice(absl::StrCat(origin(), ": left out ", left_out_,
                             " entries of the optimizer, of metrics and of the checkpoint itself"));
    }
    return absl::OkStatus();
  }

 protected:
  absl::StatusOr<Tensor> ReadEntry(size_t index, const std::string& what) const override {
    const Entry& entry = entries_[index];
    HP_RETURN_IF_ERROR(entry.refusal);
    const ByteSource& shard = *shards_.at(entry.shard);
    uint64_t offset = entry.offset;
    absl::crc32c_t crc(0);
    const auto read = [&](char* out, size_t size) {
      HP_RETURN_IF_ERROR(shard.Read(offset, out, size));
      crc = absl::ExtendCrc32c(crc, absl::string_view(out, size));
      offset += size;
      return absl::OkStatus();
    };
    Tensor tensor;
    HP_RETURN_IF_ERROR(
        ReadElements(entry.count, {entry.dtype, is_big_endian_}, what, read, &tensor));
    const uint32_t masked = MaskedCrc32c(static_cast<uint32_t>(crc));
    if (masked != entry.crc) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s: is damaged: the checksum of its bytes in %s is %08x, expected %08x",
                          what, ShardPath(entry.shard), masked, entry.crc));
    }
    return tensor;
  }

 private:
  absl::Status NoHeader() const {
    return absl::InvalidArgumentError(
        absl::StrCat(origin(), ": is no index of a TensorFlow checkpoint: it has no header"));
  }

  std::string ShardPath(uint64_t number) const {
    return absl::StrFormat("%s.data-%05d-of-%05d", prefix_, number, header_.shards);
  }

  absl::Status Take(const std::string& key, absl::string_view value) {
    if (key.empty()) return TakeHeader(value);
    if (!has_header_) return NoHeader();
    // A part of a tensor, whose name is elsewhere.
    if (key[0] == '\0') return absl::OkStatus();
    if (IsLeftOut(key)) {
      ++left_out_;
      return absl::OkStatus();
    }
    if (entries_.size() == kMaxEntries) {
      return absl::InvalidArgumentError(
          absl::StrCat(origin(), ": has more than ", kMaxEntries, " tensors"));
    }
    Variable variable = {key, std::string(absl::StripSuffix(key, kVariable)), {}};
    const std::string what = Shown(variable.path);
    Entry entry;
    if (!ParseEntry(value, &entry)) {
      return absl::InvalidArgumentError(absl::StrCat(what, ": its entry is damaged"));
    }
    if (key == kObjectGraph) {
      ++left_out_;
      return TakeGraph(what, entry);
    }
    HP_RETURN_IF_ERROR(Check(what, &entry, &variable.info));
    entries_.push_back(std::move(entry));
    variables_.push_back(std::move(variable));
    return absl::OkStatus();
  }

  // The graph is a text: its length, the checksum of the length, its bytes.
  absl::Status TakeGraph(const std::string& what, const Entry& entry) {
    const absl::Status damaged = absl::InvalidArgumentError(absl::StrCat(what, ": is damaged"));
    if (entry.type != kString || !entry.shape.empty() || entry.slices > 0 ||
        entry.size > kMaxGraphBytes) {
      return damaged;
    }
    HP_RETURN_IF_ERROR(CheckPlace(what, entry));
    std::string bytes(entry.size, '\0');
    HP_RETURN_IF_ERROR(shards_.at(entry.shard)->Read(entry.offset, &bytes[0], bytes.size()));
    WireReader reader(bytes);
    uint64_t length = 0;
    uint32_t checksum = 0;
    absl::string_view graph;
    if (!reader.Varint(&length) || !reader.Fixed32(&checksum) || !reader.Bytes(length, &graph) ||
        !reader.empty()) {
      return damaged;
    }
    // What is summed is the length in four bytes, then what the file has behind it.
    std::string summed;
    for (size_t i = 0; i < sizeof(uint32_t); ++i) {
      summed.push_back(static_cast<char>(length >> (8 * i)));
    }
    absl::crc32c_t crc = absl::ComputeCrc32c(summed);
    const bool is_length = MaskedCrc32c(static_cast<uint32_t>(crc)) == checksum;
    crc = absl::ExtendCrc32c(crc, absl::string_view(bytes).substr(bytes.size() - length - 4));
    if (!is_length || MaskedCrc32c(static_cast<uint32_t>(crc)) != entry.crc) return damaged;
    std::optional<std::map<std::string, std::string>> names = VariableNames(graph);
    if (!names.has_value()) return damaged;
    names_ = *std::move(names);
    return absl::OkStatus();
  }

  // By the name that the variable has in an .h5 file of the same model, where the graph says one
  // that no other has; otherwise by its path among the objects.
  absl::Status AddVariables() {
    std::map<std::string, std::vector<const Variable*>> by_name;
    for (const Variable& variable : variables_) {
      by_name[variable.path].push_back(&variable);
      const auto name = names_.find(variable.key);
      if (name != names_.end()) by_name[Output(name->second)].push_back(&variable);
    }
    for (size_t i = 0; i < variables_.size(); ++i) {
      Variable& variable = variables_[i];
      std::string name = variable.path;
      if (const auto own = names_.find(variable.key); own != names_.end()) {
        const std::vector<const Variable*>& alike = by_name[Output(own->second)];
        if (alike.size() == 1) {
          name = Output(own->second);
        } else if (alike[0] == &variable) {
          AddNotice(absl::StrCat(origin(), ": '", alike[0]->path, "' and '", alike[1]->path,
                                 "' are both called '", Output(own->second),
                                 "' in the model: variables of one name keep these paths"));
        }
      }
      HP_RETURN_IF_ERROR(Add(name, std::move(variable.info), i));
    }
    variables_.clear();
    return absl::OkStatus();
  }

  static std::string Output(const std::string& name) { return absl::StrCat(name, kOutput); }

  absl::Status TakeHeader(absl::string_view value) {
    const auto fault = [&](absl::string_view message) {
      return absl::InvalidArgumentError(absl::StrCat(origin(), ": its header ", message));
    };
    if (!ParseHeader(value, &header_)) return fault("is damaged");
    if (header_.min_reader > kReader) {
      return fault(absl::StrCat("asks for a reader of version ", header_.min_reader,
                                ", and this is one of version ", kReader));
    }
    if (header_.shards == 0 || header_.shards > kMaxShards) {
      return fault(
          absl::StrCat("says ", header_.shards, " files of data, expected 1 to ", kMaxShards));
    }
    if (header_.endianness > 1) {
      return fault(
          absl::StrCat("has byte order ", header_.endianness, ", expected 0 (little) or 1 (big)"));
    }
    is_big_endian_ = header_.endianness == 1;
    has_header_ = true;
    return absl::OkStatus();
  }

  // Sets what is known of the tensor, and how to read it or why not.
  absl::Status Check(const std::string& what, Entry* entry, TensorInfo* info) {
    const auto fault = [&](absl::string_view message) {
      return absl::InvalidArgumentError(absl::StrCat(what, ": ", message));
    };
    if (!entry->has_shape) return fault("its shape is unknown");
    info->shape = entry->shape;
    HP_ASSIGN_OR_RETURN(entry->count, CountElements(entry->shape, sizeof(uint64_t), what));
    const auto* const type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                          [&](const auto& t) { return t.number == entry->type; });
    if (type == std::end(kTypes)) {
      info->type = NameOfOther(entry->type);
      // No model could read it.
      info->is_optional = true;
      entry->refusal = RefusedType(what, info->type);
      return absl::OkStatus();
    }
    entry->dtype = type->dtype;
    info->type = NameOf(entry->dtype);
    if (entry->slices > 0) {
      entry->refusal =
          fault(absl::StrCat("is a partitioned variable of ", entry->slices,
                             " parts; expected one that is whole: save it without a partitioner"));
      return absl::OkStatus();
    }
    const uint64_t wanted = entry->count * ByteSize(entry->dtype);
    if (entry->size != wanted) {
      return fault(absl::StrCat("shape ", ShownShape(entry->shape), " of ", info->type, " needs ",
                                wanted, " bytes, and its entry has ", entry->size));
    }
    return CheckPlace(what, *entry);
  }

  // Opens the file that an entry is in.
  absl::Status CheckPlace(const std::string& what, const Entry& entry) {
    const auto fault = [&](absl::string_view message) {
      return absl::InvalidArgumentError(absl::StrCat(what, ": ", message));
    };
    if (entry.shard >= header_.shards) {
      return fault(absl::StrCat("is in file ", entry.shard, " of the data, and there are ",
                                header_.shards, ", counted from 0"));
    }
    std::unique_ptr<ByteSource>& shard = shards_[entry.shard];
    if (shard == nullptr) {
      absl::StatusOr<std::unique_ptr<ByteSource>> source = OpenBytes(ShardPath(entry.shard));
      if (!source.ok()) return fault(source.status().message());
      shard = *std::move(source);
    }
    if (entry.offset > shard->size() || entry.size > shard->size() - entry.offset) {
      return fault(absl::StrCat("has ", entry.size, " bytes at byte ", entry.offset, " of ",
                                ShardPath(entry.shard), ", which has ", shard->size(),
                                " (is the file truncated?)"));
    }
    return absl::OkStatus();
  }

  const std::string prefix_;
  Header header_;
  bool has_header_ = false;
  bool is_big_endian_ = false;
  size_t left_out_ = 0;
  std::vector<Entry> entries_;
  // Of each entry; until the names are known.
  struct Variable {
    std::string key;
    std::string path;  // The key without what a variable's ends with.
    TensorInfo info;
  };
  std::vector<Variable> variables_;
  std::map<std::string, std::string> names_;  // By key, what the object graph calls variables.
  // Those that tensors are in.
  std::map<uint64_t, std::unique_ptr<ByteSource>> shards_;
};

}  // namespace

std::string CheckpointIndexOf(const std::string& path) {
  struct stat info;
  if (path == "-") return path;
  if (stat(path.c_str(), &info) != 0) {
    const std::string index = absl::StrCat(path, kIndexExtension);
    return IsRegular(index) ? index : path;
  }
  if (!S_ISDIR(info.st_mode)) return path;
  const absl::string_view folder = absl::StripSuffix(path, "/");
  const std::string of_model = absl::StrCat(folder, "/variables/variables.index");
  for (const std::string& index : {of_model, absl::StrCat(folder, "/variables.index"),
                                   absl::StrCat(folder, kIndexExtension)}) {
    if (IsRegular(index)) return index;
  }
  return of_model;
}

absl::StatusOr<std::unique_ptr<StoredArchive>> OpenTensorFlow(const ByteSource& source,
                                                              const std::string& path) {
  auto archive = std::make_unique<TensorFlowArchive>(path);
  HP_RETURN_IF_ERROR(archive->Open(source));
  return std::unique_ptr<StoredArchive>(std::move(archive));
}

}  // namespace handpick::converter
