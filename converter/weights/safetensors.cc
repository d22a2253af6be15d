#include "converter/weights/safetensors.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "converter/io/byte_order.h"
#include "converter/io/json.h"
#include "converter/io/status_macros.h"
#include "converter/weights/elements.h"
#include "converter/weights/stored_archive.h"

namespace handpick::converter {
namespace {

constexpr size_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // The format's own limit.
constexpr size_t kMaxRank = 32;

struct Entry {
  std::string name;
  Dtype dtype;
  std::vector<int64_t> shape;
  uint64_t begin;
  uint64_t end;
};

absl::StatusOr<Dtype> ParseDtype(const Json& json, const std::string& what) {
  static const auto* const kTypes = new std::map<std::string, Dtype>{
      {"F64", Dtype::kF64},  {"F32", Dtype::kF32}, {"F16", Dtype::kF16}, {"BF16", Dtype::kBf16},
      {"I64", Dtype::kI64},  {"I32", Dtype::kI32}, {"I16", Dtype::kI16}, {"I8", Dtype::kI8},
      {"U64", Dtype::kU64},  {"U32", Dtype::kU32}, {"U16", Dtype::kU16}, {"U8", Dtype::kU8},
      {"BOOL", Dtype::kBool}};
  if (json.is_string()) {
    const auto found = kTypes->find(json.get<std::string>());
    if (found != kTypes->end()) return found->second;
  }
  std::string taken;
  for (const auto& [name, unused] : *kTypes) {
    absl::StrAppend(&taken, taken.empty() ? "" : ", ", name);
  }
  return absl::InvalidArgumentError(
      absl::StrCat(what, ": dtype ", Shown(json), "; these are taken: ", taken));
}

// An array of integers that are not negative.
bool ParseSizes(const Json& json, std::vector<uint64_t>* out) {
  if (!json.is_array()) return false;
  for (const Json& value : json) {
    if (!value.is_number_unsigned()) return false;
    out->push_back(value.get<uint64_t>());
  }
  return true;
}

absl::StatusOr<Entry> ParseEntry(const std::string& name, const Json& json, uint64_t data_bytes,
                                 const std::string& what) {
  const auto fault = [&](absl::string_view message) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": ", message));
  };
  if (!json.is_object() || json.size() != 3 || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets")) {
    return fault("its entry is not {dtype, shape, data_offsets}");
  }
  Entry entry;
  entry.name = name;
  HP_ASSIGN_OR_RETURN(entry.dtype, ParseDtype(json["dtype"], what));
  std::vector<uint64_t> sizes;
  if (!ParseSizes(json["shape"], &sizes) || sizes.size() > kMaxRank) {
    return fault(absl::StrCat("shape ", Shown(json["shape"]), " is none"));
  }
  for (const uint64_t size : sizes) {
    if (size > static_cast<uint64_t>(INT64_MAX)) {
      return fault(absl::StrCat("shape ", Shown(json["shape"]), " is impossible"));
    }
    entry.shape.push_back(static_cast<int64_t>(size));
  }
  std::vector<uint64_t> offsets;
  if (!ParseSizes(json["data_offsets"], &offsets) || offsets.size() != 2 ||
      offsets[0] > offsets[1]) {
    return fault(
        absl::StrCat("data_offsets ", Shown(json["data_offsets"]), " are no [begin, end]"));
  }
  entry.begin = offsets[0];
  entry.end = offsets[1];
  if (entry.end > data_bytes) {
    return fault(absl::StrCat("ends at byte ", entry.end, " of the data, which has ", data_bytes,
                              " (is the file truncated?)"));
  }
  HP_ASSIGN_OR_RETURN(const size_t count, CountElements(entry.shape, ByteSize(entry.dtype), what));
  if (entry.end - entry.begin != count * ByteSize(entry.dtype)) {
    return fault(absl::StrCat("shape ", ShownShape(entry.shape), " needs ",
                              count * ByteSize(entry.dtype), " bytes, but data_offsets span ",
                              entry.end - entry.begin));
  }
  return entry;
}

class Safetensors : public StoredArchive {
 public:
  Safetensors(std::unique_ptr<ByteSource> source, const std::string& origin)
      : StoredArchive("safetensors", origin), source_(std::move(source)) {}

  absl::Status Open() {
    const auto fault = [&](absl::string_view message) {
      return absl::InvalidArgumentError(absl::StrCat(origin(), ": ", message));
    };
    const uint64_t size = source_->size();
    if (size < kLengthBytes) return fault("is too short for a safetensors file");
    char length[kLengthBytes];
    HP_RETURN_IF_ERROR(source_->Read(0, length, kLengthBytes));
    const uint64_t header_bytes = UnsignedOf(absl::string_view(length, kLengthBytes));
    if (header_bytes > kMaxHeaderBytes) {
      return fault(absl::StrCat("its header claims ", header_bytes, " bytes, more than ",
                                kMaxHeaderBytes, ": it is no safetensors file"));
    }
    if (header_bytes > size - kLengthBytes) {
      return fault(absl::StrCat("its header claims ", header_bytes, " bytes, but ",
                                size - kLengthBytes, " follow (is the file truncated?)"));
    }
    std::string text(static_cast<size_t>(header_bytes), '\0');
    HP_RETURN_IF_ERROR(source_->Read(kLengthBytes, &text[0], text.size()));
    HP_ASSIGN_OR_RETURN(const Json header, ParseJson(text, absl::StrCat(origin(), ": header")));
    if (!header.is_object()) return fault("its header is no object");
    data_begin_ = kLengthBytes + header_bytes;
    const uint64_t data_bytes = size - data_begin_;
    for (const auto& [name, json] : header.items()) {
      if (name == "__metadata__") continue;
      HP_ASSIGN_OR_RETURN(Entry entry, ParseEntry(name, json, data_bytes, Shown(name)));
      entries_.push_back(std::move(entry));
    }
    HP_RETURN_IF_ERROR(CheckOffsets(data_bytes));
    for (size_t i = 0; i < entries_.size(); ++i) {
      const Entry& entry = entries_[i];
      HP_RETURN_IF_ERROR(Add(entry.name, {entry.shape, NameOf(entry.dtype)}, i));
    }
    return absl::OkStatus();
  }

 protected:
  absl::StatusOr<Tensor> ReadEntry(size_t index, const std::string& what) const override {
    const Entry& entry = entries_[index];
    uint64_t offset = data_begin_ + entry.begin;
    const auto read = [&](char* out, size_t size) {
      const uint64_t begin = offset;
      offset += size;
      return source_->Read(begin, out, size);
    };
    Tensor tensor;
    const size_t count = static_cast<size_t>(entry.end - entry.begin) / ByteSize(entry.dtype);
    HP_RETURN_IF_ERROR(ReadElements(count, {entry.dtype}, what, read, &tensor));
    return tensor;
  }

 private:
  // The format leaves no byte unused, so each tensor begins where the one before it ends.
  absl::Status CheckOffsets(uint64_t data_bytes) {
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
      return std::make_pair(a.begin, a.end) < std::make_pair(b.begin, b.end);
    });
    uint64_t position = 0;
    for (const Entry& entry : entries_) {
      if (entry.begin != position) {
        return absl::InvalidArgumentError(
            absl::StrCat(Shown(entry.name), ": begins at byte ", entry.begin, " of the data, ",
                         entry.begin < position ? "inside the tensor before it, which ends at byte "
                                                : "but the tensor before it ends at byte ",
                         position));
      }
      position = entry.end;
    }
    if (position != data_bytes) {
      return absl::InvalidArgumentError(
          absl::StrCat(origin(), ": ", data_bytes - position, " bytes after the last tensor"));
    }
    return absl::OkStatus();
  }

  const std::unique_ptr<ByteSource> source_;
  uint64_t data_begin_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StoredArchive>> OpenSafetensors(std::unique_ptr<ByteSource> source,
                                                               const std::string& origin) {
  auto archive = std::make_unique<Safetensors>(std::move(source), origin);
  HP_RETURN_IF_ERROR(archive->Open());
  return std::unique_ptr<StoredArchive>(std::move(archive));
}

}  // namespace handpick::converter
