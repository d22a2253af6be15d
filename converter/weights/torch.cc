#include "converter/weights/torch.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/io/byte_order.h"
#include "converter/io/status_macros.h"
#include "converter/weights/elements.h"
#include "converter/weights/pickle.h"

namespace handpick::converter {
namespace {

using Kind = PickleValue::Kind;

constexpr char kPickleName[] = "data.pkl";
constexpr size_t kMaxPickleBytes = size_t{1} << 28;
constexpr size_t kMaxRank = 32;
// Strides may repeat elements: a tensor may have more than its storage, but not without end.
constexpr uint64_t kMaxRepeated = uint64_t{1} << 20;
// 0x1950a86a20f9469cfc6c, little-endian, as the older form's first pickle has it.
constexpr absl::string_view kMagicNumber("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
constexpr int64_t kPlainProtocol = 1001;

// Where dictionaries keep a state_dict, those first that nothing else is called by.
constexpr const char* kStateDictKeys[] = {"state_dict", "model_state_dict", "model"};

struct NamedDtype {
  const char* name;
  Dtype dtype;
};

constexpr NamedDtype kStorages[] = {
    {"DoubleStorage", Dtype::kF64}, {"FloatStorage", Dtype::kF32},
    {"HalfStorage", Dtype::kF16},   {"BFloat16Storage", Dtype::kBf16},
    {"LongStorage", Dtype::kI64},   {"IntStorage", Dtype::kI32},
    {"ShortStorage", Dtype::kI16},  {"CharStorage", Dtype::kI8},
    {"ByteStorage", Dtype::kU8},    {"BoolStorage", Dtype::kBool},
    {"UntypedStorage", Dtype::kU8}, {"_UntypedStorage", Dtype::kU8},
};

constexpr NamedDtype kDtypes[] = {
    {"float64", Dtype::kF64}, {"float32", Dtype::kF32},   {"float16", Dtype::kF16},
    {"int64", Dtype::kI64},   {"bfloat16", Dtype::kBf16}, {"int32", Dtype::kI32},
    {"int16", Dtype::kI16},   {"int8", Dtype::kI8},       {"uint64", Dtype::kU64},
    {"uint32", Dtype::kU32},  {"uint16", Dtype::kU16},    {"uint8", Dtype::kU8},
    {"bool", Dtype::kBool},
};

template <size_t kCount>
absl::StatusOr<Dtype> FindDtype(const NamedDtype (&known)[kCount], const PickleValue& global,
                                const std::string& what) {
  const absl::string_view name = global.text;
  const absl::string_view last = name.substr(name.rfind('.') + 1);
  std::vector<absl::string_view> names;
  for (const NamedDtype& one : known) {
    if (last == one.name) return one.dtype;
    names.emplace_back(one.name);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      what, ": its elements are '", name, "'; these are taken: ", absl::StrJoin(names, ", ")));
}

// A place where elements lie one after the other.
struct Storage {
  Dtype dtype = Dtype::kF32;
  uint64_t begin = 0;  // Byte of the file.
  uint64_t bytes = 0;
};

struct Entry {
  ElementType type;
  uint64_t begin = 0;  // Byte of the first element.
  std::vector<int64_t> shape;
  std::vector<uint64_t> strides;
  size_t count = 0;
  size_t span = 0;  // Elements from the first to the last one.
  absl::Status refusal;
};

bool IsRowMajor(const Entry& entry) {
  uint64_t expected = 1;
  for (size_t d = entry.shape.size(); d-- > 0;) {
    if (entry.shape[d] != 1 && entry.strides[d] != expected) return false;
    expected *= static_cast<uint64_t>(entry.shape[d]);
  }
  return true;
}

class Torch : public StoredArchive {
 protected:
  explicit Torch(const std::string& origin) : StoredArchive("pt", origin) { KeepOrder(); }

  virtual const ByteSource& source() const = 0;
  // Where the storage is that a pickle calls ("storage", type, key, device, elements, view).
  virtual absl::StatusOr<Storage> Locate(const PickleValue& storage, const std::string& what) = 0;

  void SetBigEndian(bool big_endian) { big_endian_ = big_endian; }

  absl::Status AddTensors(const PickleValue& root) {
    HP_ASSIGN_OR_RETURN(const PickleValue* const dict, FindStateDict(root));
    std::vector<std::string> left_out;
    for (size_t i = 0; i + 1 < dict->items.size(); i += 2) {
      const PickleValue& key = *dict->items[i];
      const PickleValue& value = *dict->items[i + 1];
      if (key.kind != Kind::kString || value.kind != Kind::kTensor) {
        left_out.push_back(absl::StrCat(
            key.kind == Kind::kString ? absl::StrCat("'", key.text, "', ") : "", KindOf(value)));
        continue;
      }
      HP_ASSIGN_OR_RETURN(Entry entry, ReadTensor(value, Shown(key.text)));
      TensorInfo info = {entry.shape, entry.refusal.ok() ? NameOf(entry.type.dtype) : "unknown"};
      entries_.push_back(std::move(entry));
      HP_RETURN_IF_ERROR(Add(key.text, std::move(info), entries_.size() - 1));
    }
    if (!left_out.empty()) {
      constexpr size_t kMostNamed = 5;
      const size_t more = left_out.size() - std::min(left_out.size(), kMostNamed);
      left_out.resize(left_out.size() - more);
      AddNotice(absl::StrCat(
          origin(), ": left out, since they are no tensors: ", absl::StrJoin(left_out, "; "),
          more > 0 ? absl::StrCat("; and ", more, " more") : ""));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Tensor> ReadEntry(size_t index, const std::string& what) const override {
    const Entry& entry = entries_[index];
    HP_RETURN_IF_ERROR(entry.refusal);
    uint64_t offset = entry.begin;
    const auto read = [&](char* out, size_t size) {
      const uint64_t begin = offset;
      offset += size;
      return source().Read(begin, out, size);
    };
    Tensor tensor;
    const bool is_row_major = IsRowMajor(entry);
    HP_RETURN_IF_ERROR(
        ReadElements(is_row_major ? entry.count : entry.span, entry.type, what, read, &tensor));
    if (!is_row_major) ToRowMajor(entry.shape, entry.strides, &tensor);
    return tensor;
  }

 private:
  static const PickleValue* ValueOf(const PickleValue& dict, absl::string_view key) {
    for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      if (dict.items[i]->kind == Kind::kString && dict.items[i]->text == key) {
        return dict.items[i + 1];
      }
    }
    return nullptr;
  }

  static bool HasTensors(const PickleValue& value) {
    if (value.kind != Kind::kDict) return false;
    for (size_t i = 0; i + 1 < value.items.size(); i += 2) {
      if (value.items[i + 1]->kind == Kind::kTensor) return true;
    }
    return false;
  }

  absl::Status WholeModel(const PickleValue& object, absl::string_view where) const {
    return absl::InvalidArgumentError(
        absl::StrCat(origin(), ": ", where, "is a whole object of class '", object.text,
                     "', which cannot be read without its code; save its state_dict(): "
                     "torch.save(model.state_dict(), path)"));
  }

  absl::StatusOr<const PickleValue*> FindStateDict(const PickleValue& root) const {
    if (root.kind == Kind::kObject) return WholeModel(root, "");
    if (root.kind != Kind::kDict) {
      return absl::InvalidArgumentError(absl::StrCat(
          origin(), ": is ", KindOf(root), ", expected a state_dict: a dictionary of tensors"));
    }
    for (const char* const key : kStateDictKeys) {
      const PickleValue* const value = ValueOf(root, key);
      if (value != nullptr && HasTensors(*value)) return value;
    }
    if (HasTensors(root)) return &root;
    std::vector<std::string> keys;
    for (size_t i = 0; i + 1 < root.items.size(); i += 2) {
      const PickleValue& key = *root.items[i];
      const PickleValue& value = *root.items[i + 1];
      if (key.kind != Kind::kString) continue;
      if (value.kind == Kind::kObject &&
          std::find(std::begin(kStateDictKeys), std::end(kStateDictKeys), key.text) !=
              std::end(kStateDictKeys)) {
        return WholeModel(value, absl::StrCat("its '", key.text, "' "));
      }
      keys.push_back(absl::StrCat("'", key.text, "'"));
    }
    constexpr size_t kMostNamed = 10;
    if (keys.size() > kMostNamed) keys.resize(kMostNamed);
    return absl::InvalidArgumentError(absl::StrCat(
        origin(), ": has no tensors, neither itself nor under ",
        absl::StrJoin(kStateDictKeys, ", "), "; its keys are: ", absl::StrJoin(keys, ", ")));
  }

  // (storage, offset, shape, strides, ...), of _rebuild_tensor_v3 the type as the seventh.
  absl::StatusOr<Entry> ReadTensor(const PickleValue& tensor, const std::string& what) {
    const auto fault = [&](absl::string_view message) {
      return absl::InvalidArgumentError(absl::StrCat(what, ": ", message));
    };
    const std::vector<const PickleValue*>& items = tensor.items;
    if (items.size() < 4 || items[0]->kind != Kind::kStorage || items[1]->kind != Kind::kInteger) {
      return fault("is not made of a storage, an offset, a shape and strides");
    }
    Entry entry;
    std::vector<int64_t> strides;
    if (!ReadSizes(*items[2], &entry.shape) || !ReadSizes(*items[3], &strides) ||
        strides.size() != entry.shape.size() || entry.shape.size() > kMaxRank) {
      return fault("its shape and strides are not as many integers");
    }
    for (const int64_t stride : strides) {
      if (stride < 0) {
        return fault(
            absl::StrCat("has strides ", ShownShape(strides), ", and those must not be negative"));
      }
      entry.strides.push_back(static_cast<uint64_t>(stride));
    }
    absl::StatusOr<Storage> storage = Locate(*items[0], what);
    HP_RETURN_IF_ERROR(storage.status());
    entry.type = {storage->dtype, big_endian_};
    if (absl::EndsWith(tensor.text, "_v3")) {
      if (items.size() < 7 || items[6]->kind != Kind::kGlobal) return fault("has no type");
      const absl::StatusOr<Dtype> dtype = FindDtype(kDtypes, *items[6], what);
      entry.refusal = dtype.status();
      if (!dtype.ok()) return entry;
      entry.type.dtype = *dtype;
    }
    const size_t size = ByteSize(entry.type.dtype);
    HP_ASSIGN_OR_RETURN(entry.count, CountElements(entry.shape, size, what));
    const uint64_t elements = storage->bytes / size;
    const int64_t offset = items[1]->integer;
    const absl::StatusOr<uint64_t> span = SpanOf(entry, elements);
    if (!span.ok() || offset < 0 || static_cast<uint64_t>(offset) > elements ||
        *span > elements - static_cast<uint64_t>(offset)) {
      return fault(absl::StrCat("shape ", ShownShape(entry.shape), " with strides ",
                                ShownShape(strides), " at ", offset, " is beyond its storage of ",
                                elements, " elements"));
    }
    if (entry.count > std::max(elements, kMaxRepeated)) {
      return fault(absl::StrCat("shape ", ShownShape(entry.shape), " with strides ",
                                ShownShape(strides), " repeats a storage of ", elements,
                                " elements, to more than ", kMaxRepeated));
    }
    entry.span = static_cast<size_t>(*span);
    entry.begin = storage->begin + static_cast<uint64_t>(offset) * size;
    return entry;
  }

  static bool ReadSizes(const PickleValue& value, std::vector<int64_t>* out) {
    if (value.kind != Kind::kTuple && value.kind != Kind::kList) return false;
    for (const PickleValue* const item : value.items) {
      if (item->kind != Kind::kInteger) return false;
      out->push_back(item->integer);
    }
    return true;
  }

  // Elements from the first to the last one; an error if those are more than `limit`.
  static absl::StatusOr<uint64_t> SpanOf(const Entry& entry, uint64_t limit) {
    if (entry.count == 0) return 0;
    uint64_t last = 0;
    for (size_t d = 0; d < entry.shape.size(); ++d) {
      const auto steps = static_cast<uint64_t>(entry.shape[d]) - 1;
      if (steps == 0 || entry.strides[d] == 0) continue;
      if (entry.strides[d] > limit || steps > limit / entry.strides[d]) {
        return absl::OutOfRangeError("");
      }
      last += steps * entry.strides[d];
      if (last > limit) return absl::OutOfRangeError("");
    }
    return last + 1;
  }

  bool big_endian_ = false;
  std::vector<Entry> entries_;
};

// ("storage", type, key, device, elements, view): the parts that count.
struct StorageId {
  Dtype dtype;
  std::string key;
  uint64_t elements;
  uint64_t view_begin = 0;  // Elements.
};

absl::StatusOr<StorageId> ParseStorage(const PickleValue& storage, const std::string& what) {
  const std::vector<const PickleValue*>& items = storage.items;
  const auto fault = [&] {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": its storage is not ('storage', type, key, device, elements)"));
  };
  if (items.size() < 5 || items[1]->kind != Kind::kGlobal || items[2]->kind != Kind::kString ||
      items[4]->kind != Kind::kInteger || items[4]->integer < 0) {
    return fault();
  }
  HP_ASSIGN_OR_RETURN(const Dtype dtype, FindDtype(kStorages, *items[1], what));
  StorageId id = {dtype, items[2]->text, static_cast<uint64_t>(items[4]->integer)};
  if (items.size() > 5 && items[5]->kind == Kind::kTuple) {
    // (key, offset, elements), of a storage that is a part of another.
    const std::vector<const PickleValue*>& view = items[5]->items;
    if (view.size() != 3 || view[1]->kind != Kind::kInteger || view[1]->integer < 0 ||
        view[2]->kind != Kind::kInteger || view[2]->integer < 0) {
      return fault();
    }
    id.view_begin = static_cast<uint64_t>(view[1]->integer);
    // `elements` is of the whole.
    if (id.view_begin > id.elements ||
        static_cast<uint64_t>(view[2]->integer) > id.elements - id.view_begin) {
      return fault();
    }
    id.elements = static_cast<uint64_t>(view[2]->integer);
  }
  if (id.elements > UINT64_MAX / 16 || id.view_begin > UINT64_MAX / 16) return fault();
  return id;
}

// ---- The zip archive ----

// Whether it is the pickle of an archive, which may have it in a folder.
bool IsPickle(const ZipMember& member) {
  return member.name == kPickleName || absl::EndsWith(member.name, absl::StrCat("/", kPickleName));
}

class TorchZip : public Torch {
 public:
  TorchZip(std::unique_ptr<ZipArchive> zip, const std::string& origin)
      : Torch(origin), zip_(std::move(zip)) {}

  absl::Status Open() {
    bool has_pickle = false;
    for (const ZipMember& member : zip_->members()) {
      if (!members_.emplace(member.name, &member).second) {
        return absl::InvalidArgumentError(
            absl::StrCat(origin(), ": member '", member.name, "' occurs twice"));
      }
      const std::string root = member.name.substr(
          0, member.name.size() - std::min(member.name.size(), sizeof(kPickleName) - 1));
      if (!IsPickle(member) || (has_pickle && root.size() >= root_.size())) continue;
      root_ = root;
      has_pickle = true;
    }
    if (members_.count(root_ + "constants.pkl") != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(origin(),
                       ": is a TorchScript program; save the weights alone: "
                       "torch.save(torch.jit.load(path).state_dict(), path)"));
    }
    if (members_.count(root_ + "byteorder") != 0) {
      HP_ASSIGN_OR_RETURN(const std::string order, ReadMember(root_ + "byteorder", 16));
      SetBigEndian(order == "big");
    }
    HP_ASSIGN_OR_RETURN(const std::string pickle, ReadMember(root_ + kPickleName, kMaxPickleBytes));
    PickleReader reader(origin());
    absl::string_view bytes = pickle;
    HP_ASSIGN_OR_RETURN(const PickleValue* const value, reader.Read(&bytes));
    return AddTensors(*value);
  }

 protected:
  const ByteSource& source() const override { return zip_->source(); }

  absl::StatusOr<Storage> Locate(const PickleValue& storage, const std::string& what) override {
    HP_ASSIGN_OR_RETURN(const StorageId id, ParseStorage(storage, what));
    const std::string name = absl::StrCat(root_, "data/", id.key);
    const auto found = members_.find(name);
    if (found == members_.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat(what, ": its storage '", name, "' is not in the archive"));
    }
    const ZipMember& member = *found->second;
    const std::string whose = absl::StrCat(what, ": its storage '", name, "'");
    HP_RETURN_IF_ERROR(zip_->Check(member, whose));
    if (member.method != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(whose, " is compressed, which torch.save never does"));
    }
    const size_t size = ByteSize(id.dtype);
    const uint64_t wanted = (id.view_begin + id.elements) * size;
    if (wanted > member.stored_bytes) {
      return absl::InvalidArgumentError(absl::StrCat(whose, " has ", member.stored_bytes,
                                                     " bytes, and its pickle says ", wanted));
    }
    const auto [offset, is_new] = offsets_.try_emplace(name, 0);
    if (is_new) {
      HP_ASSIGN_OR_RETURN(offset->second, zip_->OffsetOf(member, whose));
    }
    return Storage{id.dtype, offset->second + id.view_begin * size, id.elements * size};
  }

 private:
  absl::StatusOr<std::string> ReadMember(const std::string& name, uint64_t most) {
    const ZipMember& member = *members_.at(name);
    const std::string what = absl::StrCat(origin(), ": member '", name, "'");
    HP_RETURN_IF_ERROR(zip_->Check(member, what));
    if (member.bytes > most) {
      return absl::InvalidArgumentError(
          absl::StrCat(what, ": has ", member.bytes, " bytes, more than ", most));
    }
    std::string bytes(static_cast<size_t>(member.bytes), '\0');
    HP_RETURN_IF_ERROR(zip_->Begin(member, what));
    const absl::Status read = zip_->Next(&bytes[0], bytes.size(), what);
    const absl::Status closed = zip_->End(what);
    HP_RETURN_IF_ERROR(read);
    HP_RETURN_IF_ERROR(closed);
    return bytes;
  }

  const std::unique_ptr<ZipArchive> zip_;
  std::string root_;  // "archive/"
  std::map<std::string, const ZipMember*> members_;
  std::map<std::string, uint64_t> offsets_;  // Of storages.
};

// ---- The older form ----

class TorchPlain : public Torch {
 public:
  TorchPlain(std::unique_ptr<ByteSource> source, const std::string& origin)
      : Torch(origin), source_(std::move(source)) {}

  absl::Status Open() {
    // The pickles come first, and nothing says how long they are.
    for (size_t wanted = size_t{1} << 20;; wanted *= 16) {
      const auto size = static_cast<size_t>(std::min<uint64_t>(wanted, source_->size()));
      std::string bytes(size, '\0');
      HP_RETURN_IF_ERROR(source_->Read(0, &bytes[0], size));
      const absl::Status status = ReadPickles(bytes);
      if (status.ok() || size == source_->size() || size >= kMaxPickleBytes) {
        HP_RETURN_IF_ERROR(status);
        break;
      }
    }
    HP_RETURN_IF_ERROR(FindStorages());
    HP_RETURN_IF_ERROR(AddTensors(*root_));
    reader_.reset();
    return absl::OkStatus();
  }

 protected:
  const ByteSource& source() const override { return *source_; }

  absl::StatusOr<Storage> Locate(const PickleValue& storage, const std::string& what) override {
    HP_ASSIGN_OR_RETURN(const StorageId id, ParseStorage(storage, what));
    const auto found = storages_.find(id.key);
    if (found == storages_.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat(what, ": its storage '", id.key, "' is not in the file"));
    }
    const size_t size = ByteSize(id.dtype);
    const uint64_t wanted = (id.view_begin + id.elements) * size;
    if (wanted > found->second.bytes) {
      return absl::InvalidArgumentError(absl::StrCat(what, ": its storage '", id.key, "' has ",
                                                     found->second.bytes,
                                                     " bytes, and its pickle says ", wanted));
    }
    return Storage{id.dtype, found->second.begin + id.view_begin * size, id.elements * size};
  }

 private:
  // A magic number, a protocol, what machine it was, the object, and the keys of its storages.
  absl::Status ReadPickles(absl::string_view bytes) {
    const size_t size = bytes.size();
    reader_ = std::make_unique<PickleReader>(origin());
    HP_ASSIGN_OR_RETURN(const PickleValue* const magic, reader_->Read(&bytes));
    HP_ASSIGN_OR_RETURN(const PickleValue* const protocol, reader_->Read(&bytes));
    if (magic->text != kMagicNumber || protocol->kind != Kind::kInteger ||
        protocol->integer != kPlainProtocol) {
      return absl::InvalidArgumentError(
          absl::StrCat(origin(), ": is a pickle, but not of torch.save"));
    }
    // Of the machine: whatever its order of bytes was, the storages are little-endian.
    HP_RETURN_IF_ERROR(reader_->Read(&bytes).status());
    HP_ASSIGN_OR_RETURN(root_, reader_->Read(&bytes));
    HP_ASSIGN_OR_RETURN(keys_, reader_->Read(&bytes));
    pickle_bytes_ = size - bytes.size();
    return absl::OkStatus();
  }

  // Each storage is the number of its elements, and those.
  absl::Status FindStorages() {
    std::map<std::string, Dtype> dtypes;
    for (const PickleValue* const storage : reader_->All(Kind::kStorage)) {
      HP_ASSIGN_OR_RETURN(const StorageId id, ParseStorage(*storage, origin()));
      dtypes.emplace(id.key, id.dtype);
    }
    uint64_t position = pickle_bytes_;
    for (const PickleValue* const key : keys_->items) {
      const auto dtype = dtypes.find(key->text);
      if (key->kind != Kind::kString || dtype == dtypes.end()) {
        return absl::InvalidArgumentError(absl::StrCat(origin(), ": storage '", key->text,
                                                       "' is listed, but no tensor is made of it"));
      }
      char count_bytes[8];
      HP_RETURN_IF_ERROR(source_->Read(position, count_bytes, sizeof(count_bytes)));
      position += sizeof(count_bytes);
      const uint64_t count = UnsignedOf(absl::string_view(count_bytes, sizeof(count_bytes)));
      const uint64_t left = source_->size() - position;
      if (count > left / ByteSize(dtype->second)) {
        return absl::InvalidArgumentError(absl::StrCat(origin(), ": storage '", key->text,
                                                       "' claims ", count, " elements, and ", left,
                                                       " bytes are left (is the file truncated?)"));
      }
      const uint64_t bytes = count * ByteSize(dtype->second);
      storages_[key->text] = {dtype->second, position, bytes};
      position += bytes;
    }
    return absl::OkStatus();
  }

  const std::unique_ptr<ByteSource> source_;
  std::unique_ptr<PickleReader> reader_;  // While opening.
  const PickleValue* root_ = nullptr;
  const PickleValue* keys_ = nullptr;
  uint64_t pickle_bytes_ = 0;
  std::map<std::string, Storage> storages_;
};

}  // namespace

absl::string_view TorchMagic() {
  // PROTO 2, LONG1 of 10 bytes.
  static constexpr absl::string_view kBeginning("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20", 10);
  return kBeginning;
}

bool IsTorchZip(const ZipArchive& zip) {
  return std::any_of(zip.members().begin(), zip.members().end(), IsPickle);
}

absl::StatusOr<std::unique_ptr<StoredArchive>> OpenTorchZip(std::unique_ptr<ZipArchive> zip,
                                                            const std::string& origin) {
  auto archive = std::make_unique<TorchZip>(std::move(zip), origin);
  HP_RETURN_IF_ERROR(archive->Open());
  return std::unique_ptr<StoredArchive>(std::move(archive));
}

absl::StatusOr<std::unique_ptr<StoredArchive>> OpenTorchPlain(std::unique_ptr<ByteSource> source,
                                                              const std::string& origin) {
  auto archive = std::make_unique<TorchPlain>(std::move(source), origin);
  HP_RETURN_IF_ERROR(archive->Open());
  return std::unique_ptr<StoredArchive>(std::move(archive));
}

}  // namespace handpick::converter
