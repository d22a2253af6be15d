#include "converter/vectors/read.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <numeric>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "converter/io/files.h"
#include "converter/io/nearest_name.h"
#include "converter/io/status_macros.h"
#include "converter/vectors/word2vec.h"
#include "converter/weights/elements.h"
#include "sdk/recall/index.h"

namespace handpick::converter {
namespace {

constexpr char kFormats[] =
    "word2vec-text (.txt, .vec, .w2v), word2vec-binary (.bin), npz, safetensors, pt (.pt, .pth), "
    "h5 and tensorflow (.index)";

constexpr const char* kArchives[] = {"npz", "safetensors", "pt", "h5", "tensorflow"};

struct Form {
  bool is_archive = false;
  std::string word2vec;  // Otherwise: which form of it.
};

absl::StatusOr<Form> FormOf(const VectorsSource& source) {
  const std::string& format = source.format;
  if (std::find(std::begin(kArchives), std::end(kArchives), format) != std::end(kArchives) ||
      (format.empty() && IsWeightsFile(source.path))) {
    return Form{true, ""};
  }
  if (format == "word2vec-text" || format == "word2vec-binary") return Form{false, format};
  static constexpr struct {
    const char* extension;
    const char* format;
  } kExtensions[] = {{".txt", "word2vec-text"},
                     {".vec", "word2vec-text"},
                     {".w2v", "word2vec-text"},
                     {".bin", "word2vec-binary"}};
  for (const auto& known : kExtensions) {
    if (format.empty() && absl::EndsWithIgnoreCase(source.path, known.extension)) {
      return Form{false, known.format};
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      source.path, ": its form is ",
      format.empty() ? "not known by its bytes or its extension" : absl::StrCat("'", format, "'"),
      "; vectors are read as ", kFormats));
}

absl::StatusOr<Tensor> ReadTensor(const Archive& tensors, const std::string& name,
                                  const std::string& origin) {
  std::vector<std::string> names;
  for (const auto& [other, info] : tensors.tensors()) names.push_back(other);
  if (tensors.tensors().count(name) != 0) return tensors.Read(name);
  return absl::InvalidArgumentError(
      absl::StrCat(origin, ": has no tensor '", name, "'", Suggestion(name, names)));
}

absl::StatusOr<std::string> NameOfVectors(const Archive& archive, const VectorsSource& source) {
  if (!source.vectors_tensor.empty()) return source.vectors_tensor;
  if (archive.tensors().count("vectors") != 0) return std::string("vectors");
  std::vector<std::string> matrices;
  for (const auto& [name, info] : archive.tensors()) {
    if (info.shape.size() == 2) matrices.push_back(name);
  }
  if (matrices.size() == 1) return matrices.front();
  return absl::InvalidArgumentError(absl::StrCat(source.path, ": has no tensor 'vectors', and ",
                                                 matrices.size(),
                                                 " of two dimensions: say which has the vectors"));
}

absl::StatusOr<std::vector<std::string>> LinesOf(const std::string& text, const std::string& path) {
  std::vector<std::string> lines;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    absl::ConsumeSuffix(&line, "\r");
    lines.emplace_back(line);
  }
  if (!lines.empty() && lines.back().empty()) lines.pop_back();  // After the last line feed.
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": line ", i + 1, " has no id"));
    }
  }
  return lines;
}

}  // namespace

absl::StatusOr<ItemVectors> VectorsOfTensors(const Archive& tensors, const VectorsSource& source,
                                             const std::string& ids_text) {
  HP_ASSIGN_OR_RETURN(const std::string name, NameOfVectors(tensors, source));
  HP_ASSIGN_OR_RETURN(Tensor vectors, ReadTensor(tensors, name, source.path));
  const std::string what = absl::StrCat(source.path, ": tensor '", name, "'");
  if (vectors.shape.size() != 2 || vectors.shape[1] > int64_t{kMaxRecallDimension} ||
      vectors.shape[0] > int64_t{kMaxRecallItems}) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": shape ", ShownShape(vectors.shape),
                                                   ", expected [items, numbers], ", kMaxRecallItems,
                                                   " and ", kMaxRecallDimension, " at most"));
  }
  const auto dimension = static_cast<uint32_t>(vectors.shape[1]);
  const auto check_count = [&](uint64_t ids, const std::string& whose) {
    if (ids == static_cast<uint64_t>(vectors.shape[0])) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(what, ": shape ", ShownShape(vectors.shape),
                                                   ", but ", whose, " has ", ids, " ids"));
  };
  if (!source.ids_path.empty()) {
    HP_ASSIGN_OR_RETURN(std::vector<std::string> ids, LinesOf(ids_text, source.ids_path));
    HP_RETURN_IF_ERROR(check_count(ids.size(), source.ids_path));
    return MakeItemVectors(std::move(ids), std::move(vectors.data), dimension, source.ids,
                           source.path);
  }
  const std::string ids_name = source.ids_tensor.empty() ? "ids" : source.ids_tensor;
  if (source.ids_tensor.empty() && tensors.tensors().count(ids_name) == 0 && source.ids_optional) {
    std::vector<int64_t> numbers(static_cast<size_t>(vectors.shape[0]));
    std::iota(numbers.begin(), numbers.end(), 0);
    return MakeItemVectors(std::move(numbers), std::move(vectors.data), dimension, source.path);
  }
  if (source.ids_tensor.empty() && tensors.tensors().count(ids_name) == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(source.path, ": has no tensor 'ids': name another, or a file of ids"));
  }
  HP_ASSIGN_OR_RETURN(Tensor ids, ReadTensor(tensors, ids_name, source.path));
  if (ids.shape.size() != 1 || ids.integers.size() != ids.data.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(source.path, ": tensor '", ids_name, "': shape ", ShownShape(ids.shape),
                     ids.integers.size() != ids.data.size() ? " of floats" : "",
                     ", expected integers, one for each item"));
  }
  HP_RETURN_IF_ERROR(check_count(ids.integers.size(), absl::StrCat("tensor '", ids_name, "'")));
  if (source.ids == IdType::kString) {
    std::vector<std::string> strings;
    for (const int64_t id : ids.integers) strings.push_back(absl::StrCat(id));
    return MakeItemVectors(std::move(strings), std::move(vectors.data), dimension, source.ids,
                           source.path);
  }
  return MakeItemVectors(std::move(ids.integers), std::move(vectors.data), dimension, source.path);
}

absl::StatusOr<ItemVectors> VectorsOfTensors(const Weights& tensors, const VectorsSource& source,
                                             const std::string& ids_text) {
  return VectorsOfTensors(*ArchiveOf(tensors), source, ids_text);
}

absl::StatusOr<ItemVectors> ReadItemVectors(const VectorsSource& source) {
  HP_ASSIGN_OR_RETURN(const Form form, FormOf(source));
  if (form.is_archive) {
    std::string ids_text;
    if (!source.ids_path.empty()) {
      HP_ASSIGN_OR_RETURN(ids_text, ReadFile(source.ids_path));
    }
    HP_ASSIGN_OR_RETURN(const std::unique_ptr<Archive> archive, OpenArchive(source.path));
    return VectorsOfTensors(*archive, source, ids_text);
  }
  if (!source.ids_path.empty() || !source.ids_tensor.empty() || !source.vectors_tensor.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        source.path, ": a word2vec file has its own ids, and no tensors to choose from"));
  }
  HP_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(source.path));
  return form.word2vec == "word2vec-text" ? ParseWord2VecText(bytes, source.ids, source.path)
                                          : ParseWord2VecBinary(bytes, source.ids, source.path);
}

absl::StatusOr<std::vector<std::string>> FilesOfVectors(const VectorsSource& source) {
  HP_ASSIGN_OR_RETURN(const Form form, FormOf(source));
  std::error_code error;
  // A pipe can be read once.
  const bool is_pipe = std::filesystem::is_fifo(source.path, error) || source.path == "-";
  if (!form.is_archive || is_pipe) return std::vector<std::string>{source.path};
  HP_ASSIGN_OR_RETURN(const std::unique_ptr<Archive> archive, OpenArchive(source.path));
  return archive->files();
}

}  // namespace handpick::converter
