#include "converter/weights/file_kind.h"

#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "converter/io/byte_order.h"
#include "converter/weights/sorted_table.h"
#include "converter/weights/torch.h"

namespace handpick::converter {
namespace {

constexpr absl::string_view kHdf5("\x89HDF\r\n\x1a\n", 8);
// The format's own limit, and the first byte of a JSON object behind its length.
constexpr uint64_t kMaxSafetensorsHeader = 100'000'000;

bool IsSafetensors(absl::string_view beginning) {
  constexpr size_t kLengthBytes = 8;
  if (beginning.size() <= kLengthBytes || beginning[kLengthBytes] != '{') return false;
  return UnsignedOf(beginning.substr(0, kLengthBytes)) <= kMaxSafetensorsHeader;
}

// The index of the TensorFlow checkpoint or SavedModel that a file is another part of, by its name.
std::string IndexBeside(absl::string_view path) {
  const absl::string_view name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0.
  const size_t data = name.rfind(".data-");
  if (data != absl::string_view::npos && absl::StrContains(name.substr(data), "-of-")) {
    return absl::StrCat(name.substr(0, data), ".index");
  }
  return name == "saved_model.pb" ? "variables/variables.index" : "";
}

}  // namespace

FileKind KindByBytes(absl::string_view beginning, absl::string_view end) {
  if (absl::StartsWith(beginning, "PK\x03\x04")) return FileKind::kZip;
  if (absl::StartsWith(beginning, kHdf5)) return FileKind::kHdf5;
  if (absl::StartsWith(beginning, TorchMagic())) return FileKind::kTorchPlain;
  if (IsSafetensors(beginning)) return FileKind::kSafetensors;
  return absl::EndsWith(end, SortedTableMagic()) ? FileKind::kTensorFlow : FileKind::kUnknown;
}

FileKind KindByExtension(absl::string_view path) {
  static constexpr struct {
    const char* extension;
    FileKind kind;
  } kExtensions[] = {{".safetensors", FileKind::kSafetensors},
                     {".npz", FileKind::kZip},
                     {".pt", FileKind::kTorchPlain},
                     {".pth", FileKind::kTorchPlain},
                     {".h5", FileKind::kHdf5},
                     {".hdf5", FileKind::kHdf5},
                     {".index", FileKind::kTensorFlow}};
  for (const auto& known : kExtensions) {
    if (absl::EndsWithIgnoreCase(path, known.extension)) return known.kind;
  }
  return IndexBeside(path).empty() ? FileKind::kUnknown : FileKind::kTensorFlow;
}

absl::Status RefuseLookalikes(const std::string& path, absl::string_view beginning) {
  static constexpr struct {
    absl::string_view beginning;
    const char* what;
  } kLookalikes[] = {
      {"version https://git-lfs", "is a pointer of Git LFS and not the file: run 'git lfs pull'"},
      {"<!DOCTYPE", "is a page of the web and not the file that it speaks of"},
      {"<!doctype", "is a page of the web and not the file that it speaks of"},
      {"<html", "is a page of the web and not the file that it speaks of"},
      {"\x93NUMPY", "is one array of NumPy; expected named arrays: numpy.savez(path, **arrays)"},
      {"\x1f\x8b", "is compressed by gzip: unpack it"},
      {"BZh", "is compressed by bzip2: unpack it"},
      {"\xfd"
       "7zXZ",
       "is compressed by xz: unpack it"},
      {"7z\xbc\xaf", "is a 7z archive: unpack it"},
  };
  for (const auto& lookalike : kLookalikes) {
    if (absl::StartsWith(beginning, lookalike.beginning)) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": ", lookalike.what));
    }
  }
  if (const std::string index = IndexBeside(path); !index.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": is a part of what TensorFlow saves; expected its index, '", index, "'"));
  }
  constexpr size_t kTarMagicAt = 257;
  if (beginning.size() > kTarMagicAt + 5 && beginning.substr(kTarMagicAt, 5) == "ustar") {
    return absl::InvalidArgumentError(
        absl::StrCat(path,
                     ": is a tar archive: unpack it; or load it and save it again, if a "
                     "PyTorch before 0.1.10 made it"));
  }
  const bool is_pickle =
      beginning.size() > 2 && beginning[0] == '\x80' && beginning[1] >= 2 && beginning[1] <= 5;
  if (is_pickle && !absl::StartsWith(beginning, TorchMagic())) {
    return absl::InvalidArgumentError(absl::StrCat(
        path,
        ": is a pickle, but not of torch.save; save tensors by torch.save(state_dict, path), "
        "arrays by numpy.savez(path, **arrays)"));
  }
  return absl::OkStatus();
}

}  // namespace handpick::converter
