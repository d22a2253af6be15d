#include "converter/weights/npz.h"

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "converter/io/status_macros.h"
#include "converter/weights/npy.h"

namespace handpick::converter {
namespace {

class Npz : public StoredArchive {
 public:
  Npz(std::unique_ptr<ZipArchive> zip, const std::string& origin)
      : StoredArchive("npz", origin), zip_(std::move(zip)) {}

  absl::Status Open() {
    const std::vector<ZipMember>& members = zip_->members();
    for (size_t i = 0; i < members.size(); ++i) {
      constexpr absl::string_view kExtension = ".npy";
      const std::string& member = members[i].name;
      if (!absl::EndsWith(member, kExtension)) {
        return absl::InvalidArgumentError(
            absl::StrCat(origin(), ": member '", member, "' is no .npy array"));
      }
      const std::string name = member.substr(0, member.size() - kExtension.size());
      const std::string what = Shown(name);
      HP_RETURN_IF_ERROR(zip_->Check(members[i], what));
      HP_RETURN_IF_ERROR(zip_->Begin(members[i], what));
      const absl::StatusOr<NpyArray> array = ReadArray(i, what);
      (void)zip_->End(what);  // Of what was not read there is no checksum yet.
      HP_RETURN_IF_ERROR(array.status());
      TensorInfo info = {array->header.shape, NameOf(array->type.dtype)};
      if (!array->refusal.ok()) {
        info.type = absl::StrCat("'", array->header.descr, "'");
        // No model could read it.
        info.is_optional = true;
      }
      HP_RETURN_IF_ERROR(Add(name, std::move(info), i));
    }
    return absl::OkStatus();
  }

 protected:
  absl::StatusOr<Tensor> ReadEntry(size_t entry, const std::string& what) const override {
    HP_RETURN_IF_ERROR(zip_->Begin(zip_->members()[entry], what));
    absl::StatusOr<Tensor> tensor = ReadOpen(entry, what);
    const absl::Status closed = zip_->End(what);
    if (tensor.ok()) HP_RETURN_IF_ERROR(closed);
    return tensor;
  }

 private:
  absl::StatusOr<NpyArray> ReadArray(size_t entry, const std::string& what) const {
    return ReadNpyArray(zip_->members()[entry].bytes, what,
                        [&](char* out, size_t size) { return zip_->Next(out, size, what); });
  }

  absl::StatusOr<Tensor> ReadOpen(size_t entry, const std::string& what) const {
    HP_ASSIGN_OR_RETURN(const NpyArray array, ReadArray(entry, what));
    return ReadNpyElements(array, what,
                           [&](char* out, size_t size) { return zip_->Next(out, size, what); });
  }

  const std::unique_ptr<ZipArchive> zip_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StoredArchive>> OpenNpz(std::unique_ptr<ZipArchive> zip,
                                                       const std::string& origin) {
  auto archive = std::make_unique<Npz>(std::move(zip), origin);
  HP_RETURN_IF_ERROR(archive->Open());
  return std::unique_ptr<StoredArchive>(std::move(archive));
}

}  // namespace handpick::converter
