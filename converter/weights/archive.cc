#include "converter/weights/archive.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "converter/io/byte_source.h"
#include "converter/io/status_macros.h"
#include "converter/weights/file_kind.h"
#include "converter/weights/hdf5_archive.h"
#include "converter/weights/npz.h"
#include "converter/weights/safetensors.h"
#include "converter/weights/stored_archive.h"
#include "converter/weights/tensorflow.h"
#include "converter/weights/torch.h"
#include "converter/weights/zip.h"

namespace handpick::converter {
namespace {

class WeightsArchive : public Archive {
 public:
  explicit WeightsArchive(const Weights& weights) : weights_(weights) {
    for (const auto& [name, tensor] : weights) {
      tensors_[name] = {tensor.shape, tensor.integers.empty() ? "f32" : "i64", tensor.is_optional};
    }
  }

  const char* format() const override { return "memory"; }
  const std::string& origin() const override { return origin_; }
  const std::map<std::string, TensorInfo>& tensors() const override { return tensors_; }
  const std::vector<std::string>& notices() const override { return notices_; }

  absl::StatusOr<Tensor> Read(const std::string& name) const override {
    const auto found = weights_.find(name);
    if (found != weights_.end()) return found->second;
    return absl::NotFoundError(absl::StrCat(origin_, ": has no tensor '", name, "'"));
  }

 private:
  const Weights& weights_;
  const std::string origin_ = "weights";
  std::map<std::string, TensorInfo> tensors_;
  const std::vector<std::string> notices_;
};

absl::StatusOr<std::unique_ptr<StoredArchive>> OpenZip(std::unique_ptr<ByteSource> source,
                                                       const std::string& path) {
  HP_ASSIGN_OR_RETURN(std::unique_ptr<ZipArchive> zip, ZipArchive::Open(std::move(source), path));
  if (IsTorchZip(*zip)) return OpenTorchZip(std::move(zip), path);
  for (const ZipMember& member : zip->members()) {
    if (!absl::EndsWith(member.name, ".weights.h5")) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": is a .keras archive; take '", member.name,
                     "' out of it (unzip), or save by model.save_weights('model.weights.h5')"));
  }
  return OpenNpz(std::move(zip), path);
}

// Sets the first bytes, too.
absl::StatusOr<FileKind> KindOf(const ByteSource& source, std::string* beginning) {
  beginning->resize(static_cast<size_t>(std::min<uint64_t>(source.size(), kBeginningBytes)));
  HP_RETURN_IF_ERROR(source.Read(0, &(*beginning)[0], beginning->size()));
  std::string end(static_cast<size_t>(std::min<uint64_t>(source.size(), kEndBytes)), '\0');
  HP_RETURN_IF_ERROR(source.Read(source.size() - end.size(), &end[0], end.size()));
  return KindByBytes(*beginning, end);
}

absl::StatusOr<std::unique_ptr<StoredArchive>> OpenStored(const std::string& given) {
  const std::string path = CheckpointIndexOf(given);
  HP_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> source, OpenBytes(path));
  std::string beginning;
  HP_ASSIGN_OR_RETURN(FileKind kind, KindOf(*source, &beginning));
  if (kind == FileKind::kUnknown) {
    HP_RETURN_IF_ERROR(RefuseLookalikes(path, beginning));
    kind = KindByExtension(path);
  }
  switch (kind) {
    case FileKind::kSafetensors:
      return OpenSafetensors(std::move(source), path);
    case FileKind::kZip:
      return OpenZip(std::move(source), path);
    case FileKind::kTorchPlain:
      return OpenTorchPlain(std::move(source), path);
    case FileKind::kHdf5:
      return OpenHdf5(path);
    case FileKind::kTensorFlow:
      return OpenTensorFlow(*source, path);
    case FileKind::kUnknown:
      break;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(path,
                   ": weights are read from .safetensors, .npz, .pt, .pth and .h5 files and "
                   "TensorFlow's .index, "
                   "and this is none of them by its bytes or its extension"));
}

}  // namespace

std::vector<std::string> Archive::Order() const {
  std::vector<std::string> names;
  for (const auto& [name, unused] : tensors()) names.push_back(name);
  return names;
}

absl::StatusOr<std::unique_ptr<Archive>> OpenArchive(const std::string& path) {
  HP_ASSIGN_OR_RETURN(std::unique_ptr<StoredArchive> archive, OpenStored(path));
  archive->TakeOffWrappers();
  return std::unique_ptr<Archive>(std::move(archive));
}

bool IsWeightsFile(const std::string& path) {
  const std::string index = CheckpointIndexOf(path);
  if (KindByExtension(index) != FileKind::kUnknown) return true;
  std::error_code error;
  // A pipe can be read once.
  if (!std::filesystem::is_regular_file(index, error)) return false;
  const absl::StatusOr<std::unique_ptr<ByteSource>> source = OpenBytes(index);
  if (!source.ok()) return false;
  std::string unused;
  const absl::StatusOr<FileKind> kind = KindOf(**source, &unused);
  return kind.ok() && *kind != FileKind::kUnknown;
}

absl::StatusOr<Weights> ReadAll(const Archive& archive) {
  Weights weights;
  for (const auto& [name, info] : archive.tensors()) {
    HP_ASSIGN_OR_RETURN(Tensor tensor, archive.Read(name));
    weights.emplace(name, std::move(tensor));
  }
  return weights;
}

std::unique_ptr<Archive> ArchiveOf(const Weights& weights) {
  return std::make_unique<WeightsArchive>(weights);
}

}  // namespace handpick::converter
