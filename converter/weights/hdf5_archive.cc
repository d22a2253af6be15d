#include "converter/weights/hdf5_archive.h"

#include <hdf5/serial/hdf5.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "converter/io/status_macros.h"
#include "converter/weights/elements.h"

namespace handpick::converter {
namespace {

constexpr size_t kMaxDepth = 32;
constexpr size_t kMaxObjects = 100'000;
constexpr int kMaxRank = 32;
constexpr size_t kMaxNameBytes = 4096;
// Deflate makes at most 1032 bytes of one.
constexpr uint64_t kMaxInflation = 1032;

constexpr absl::string_view kModelGroup = "model_weights/";
// Of Keras 1 and 2, and of Keras 3.
constexpr absl::string_view kOptimizerGroups[] = {"optimizer_weights/", "optimizer/"};

// Something of the library that is open.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (ok()) (void)close_(id_);
  }
  bool ok() const { return id_ >= 0; }
  hid_t get() const { return id_; }

 private:
  const hid_t id_;
  herr_t (*const close_)(hid_t);
};

herr_t KeepFirst(unsigned number, const H5E_error2_t* error, void* text) {
  if (number == 0 && error->desc != nullptr) *static_cast<std::string*>(text) = error->desc;
  return 0;
}

// What the library says of its last failure, where it happened.
std::string Reason() {
  std::string text;
  (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, KeepFirst, &text);
  (void)H5Eclear2(H5E_DEFAULT);
  return text.empty() ? "unknown" : text;
}

struct Dataset {
  std::string path;
  size_t count = 0;
  H5T_class_t kind = H5T_FLOAT;
  bool is_unsigned = false;
  size_t element_bytes = 4;
  absl::Status refusal;
};

class Hdf5Archive : public StoredArchive {
 public:
  explicit Hdf5Archive(const std::string& path) : StoredArchive("h5", path) {}

  absl::Status Open() {
    struct stat info = {};
    if (stat(origin().c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
      return absl::InvalidArgumentError(
          absl::StrCat(origin(), ": HDF5 is read from regular files alone"));
    }
    file_bytes_ = static_cast<uint64_t>(info.st_size);
    // Messages are ours to print, and a file is no reason to load a library that decodes it.
    if (H5open() < 0 || H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) < 0 ||
        H5PLset_loading_state(0) < 0) {
      return Failed(origin(), "HDF5's library cannot be used");
    }
    const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    // A reader needs no lock, and some file systems have none.
    if (!access.ok() || H5Pset_file_locking(access.get(), false, true) < 0) {
      return Failed(origin(), "HDF5's library cannot be used");
    }
    file_ =
        std::make_unique<Handle>(H5Fopen(origin().c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
    if (!file_->ok()) return Failed(origin(), "cannot be opened as HDF5");
    HP_RETURN_IF_ERROR(Walk(file_->get(), "", 0));
    if (left_out_ > 0) {
      AddNotice(absl::StrCat(origin(), ": left out ", left_out_, " tensors of the optimizer"));
    }
    return absl::OkStatus();
  }

 protected:
  absl::StatusOr<Tensor> ReadEntry(size_t entry, const std::string& what) const override {
    const Dataset& dataset = datasets_[entry];
    HP_RETURN_IF_ERROR(dataset.refusal);
    const Handle open(H5Dopen2(file_->get(), dataset.path.c_str(), H5P_DEFAULT), H5Dclose);
    if (!open.ok()) return Failed(what, "cannot be opened");
    const auto read = [&](hid_t type, void* out) {
      if (dataset.count == 0) return absl::OkStatus();
      return H5Dread(open.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0
                 ? absl::OkStatus()
                 : Failed(what, "cannot be read");
    };
    Tensor tensor;
    if (dataset.kind == H5T_FLOAT && dataset.element_bytes <= sizeof(float)) {
      tensor.data.resize(dataset.count);
      HP_RETURN_IF_ERROR(read(H5T_NATIVE_FLOAT, tensor.data.data()));
      HP_RETURN_IF_ERROR(CheckFinite(tensor.data, what));
      return tensor;
    }
    // In this machine's order from here on.
    const bool big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    std::vector<uint64_t> elements(dataset.count);
    const bool is_float = dataset.kind == H5T_FLOAT;
    HP_RETURN_IF_ERROR(read(is_float              ? H5T_NATIVE_DOUBLE
                            : dataset.is_unsigned ? H5T_NATIVE_UINT64
                                                  : H5T_NATIVE_INT64,
                            elements.data()));
    const char* next = reinterpret_cast<const char*>(elements.data());
    const auto copy = [&](char* out, size_t size) {
      std::copy(next, next + size, out);
      next += size;
      return absl::OkStatus();
    };
    const Dtype dtype = is_float ? Dtype::kF64 : dataset.is_unsigned ? Dtype::kU64 : Dtype::kI64;
    HP_RETURN_IF_ERROR(ReadElements(dataset.count, {dtype, big_endian}, what, copy, &tensor));
    return tensor;
  }

 private:
  static absl::Status Failed(const std::string& what, absl::string_view how) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": ", how, ": ", Reason()));
  }

  // Adds the datasets below a group; `path` ends with a '/', or is empty.
  absl::Status Walk(hid_t group, const std::string& path, size_t depth) {
    const std::string what = absl::StrCat(origin(), ": group '/", path, "'");
    if (depth > kMaxDepth) {
      return absl::InvalidArgumentError(
          absl::StrCat(what, ": groups lie in one another more than ", kMaxDepth, " deep"));
    }
    H5G_info_t info;
    if (H5Gget_info(group, &info) < 0) return Failed(what, "is damaged");
    for (hsize_t i = 0; i < info.nlinks; ++i) {
      if (++objects_ > kMaxObjects) {
        return absl::InvalidArgumentError(
            absl::StrCat(origin(), ": has more than ", kMaxObjects, " groups and datasets"));
      }
      std::string name(kMaxNameBytes, '\0');
      const ssize_t size = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, &name[0],
                                              name.size(), H5P_DEFAULT);
      if (size <= 0) return Failed(what, absl::StrCat("its link ", i, " is damaged"));
      if (static_cast<size_t>(size) >= kMaxNameBytes) {
        return absl::InvalidArgumentError(
            absl::StrCat(what, ": the name of its link ", i, " has ", size, " bytes"));
      }
      name.resize(static_cast<size_t>(size));
      HP_RETURN_IF_ERROR(Visit(group, name, absl::StrCat(path, name), depth));
    }
    return absl::OkStatus();
  }

  absl::Status Visit(hid_t group, const std::string& name, const std::string& path, size_t depth) {
    const std::string what = absl::StrCat(origin(), ": '/", path, "'");
    H5L_info_t link;
    if (H5Lget_info(group, name.c_str(), &link, H5P_DEFAULT) < 0) return Failed(what, "is damaged");
    if (link.type != H5L_TYPE_HARD) {
      return absl::InvalidArgumentError(
          absl::StrCat(what, link.type == H5L_TYPE_EXTERNAL
                                 ? ": is a link into another file, and those are not followed"
                                 : ": is a link by name, and those are not followed"));
    }
    const Handle object(H5Oopen(group, name.c_str(), H5P_DEFAULT), H5Oclose);
    if (!object.ok()) return Failed(what, "is damaged");
    switch (H5Iget_type(object.get())) {
      case H5I_GROUP:
        return Walk(object.get(), absl::StrCat(path, "/"), depth + 1);
      case H5I_DATASET:
        return AddDataset(object.get(), path, what);
      default:  // A type by name.
        return absl::OkStatus();
    }
  }

  // The name of the tensor of a path; empty: it is none of the model.
  std::string NameOfPath(absl::string_view path) const {
    for (const absl::string_view group : kOptimizerGroups) {
      if (absl::StartsWith(path, group)) return "";
    }
    if (absl::StartsWith(path, kModelGroup)) path.remove_prefix(kModelGroup.size());
    const absl::string_view layer = path.substr(0, path.find('/') + 1);  // npos + 1 is 0.
    if (!layer.empty() && absl::StartsWith(path.substr(layer.size()), layer)) {
      path.remove_prefix(layer.size());
    }
    return std::string(path);
  }

  absl::Status AddDataset(hid_t id, const std::string& path, const std::string& what) {
    const std::string name = NameOfPath(path);
    if (name.empty()) {
      ++left_out_;
      return absl::OkStatus();
    }
    Dataset dataset;
    dataset.path = path;
    TensorInfo info;
    HP_RETURN_IF_ERROR(ReadShape(id, what, &info.shape));
    HP_RETURN_IF_ERROR(ReadType(id, what, &dataset, &info));
    HP_ASSIGN_OR_RETURN(dataset.count, CountElements(info.shape, sizeof(uint64_t), what));
    if (dataset.refusal.ok()) HP_RETURN_IF_ERROR(CheckStorage(id, dataset, what));
    datasets_.push_back(std::move(dataset));
    return Add(name, std::move(info), datasets_.size() - 1);
  }

  static absl::Status ReadShape(hid_t id, const std::string& what, std::vector<int64_t>* shape) {
    const Handle space(H5Dget_space(id), H5Sclose);
    if (!space.ok()) return Failed(what, "its shape is damaged");
    const H5S_class_t kind = H5Sget_simple_extent_type(space.get());
    const int rank = H5Sget_simple_extent_ndims(space.get());
    if ((kind != H5S_SIMPLE && kind != H5S_SCALAR) || rank < 0 || rank > kMaxRank) {
      return absl::InvalidArgumentError(
          absl::StrCat(what, ": has no shape of ", kMaxRank, " dimensions or fewer"));
    }
    std::vector<hsize_t> sizes(static_cast<size_t>(rank) + 1);
    if (H5Sget_simple_extent_dims(space.get(), sizes.data(), nullptr) != rank) {
      return Failed(what, "its shape is damaged");
    }
    for (int d = 0; d < rank; ++d) {
      // One beyond int64 becomes negative, which is no count of elements.
      shape->push_back(static_cast<int64_t>(sizes[static_cast<size_t>(d)]));
    }
    return absl::OkStatus();
  }

  static absl::Status ReadType(hid_t id, const std::string& what, Dataset* dataset,
                               TensorInfo* info) {
    const Handle type(H5Dget_type(id), H5Tclose);
    if (!type.ok()) return Failed(what, "its type is damaged");
    dataset->kind = H5Tget_class(type.get());
    dataset->element_bytes = H5Tget_size(type.get());
    const size_t bytes = dataset->element_bytes;
    const std::string bits = absl::StrCat(8 * bytes);
    // h5py has bools as an enumeration of two names.
    const bool is_bool =
        dataset->kind == H5T_ENUM && bytes == 1 && H5Tget_nmembers(type.get()) == 2;
    if (dataset->kind == H5T_FLOAT && (bytes == 2 || bytes == 4 || bytes == 8)) {
      info->type = absl::StrCat("f", bits);
    } else if (dataset->kind == H5T_INTEGER &&
               (bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8)) {
      dataset->is_unsigned = H5Tget_sign(type.get()) == H5T_SGN_NONE;
      info->type = absl::StrCat(dataset->is_unsigned ? "u" : "i", bits);
    } else if (is_bool) {
      info->type = "bool";
    } else {
      info->type = dataset->kind == H5T_STRING     ? "string"
                   : dataset->kind == H5T_COMPOUND ? "compound"
                   : dataset->kind == H5T_FLOAT    ? absl::StrCat("f", bits)
                                                   : absl::StrCat("class ", int{dataset->kind});
      // No model could read it.
      info->is_optional = true;
      dataset->refusal = RefusedType(what, info->type);
    }
    return absl::OkStatus();
  }

  // That the elements are in this file, and as many as it can have.
  absl::Status CheckStorage(hid_t id, const Dataset& dataset, const std::string& what) const {
    const Handle properties(H5Dget_create_plist(id), H5Pclose);
    if (!properties.ok()) return Failed(what, "is damaged");
    const H5D_layout_t layout = H5Pget_layout(properties.get());
    if (layout == H5D_VIRTUAL) {
      return absl::InvalidArgumentError(
          absl::StrCat(what, ": is a virtual dataset, whose elements are elsewhere"));
    }
    if (layout < 0) return Failed(what, "its layout is damaged");
    if (H5Pget_external_count(properties.get()) != 0) {
      return absl::InvalidArgumentError(absl::StrCat(what, ": has its elements in another file"));
    }
    const uint64_t stored = H5Dget_storage_size(id);
    (void)H5Eclear2(H5E_DEFAULT);
    const uint64_t factor = layout == H5D_CHUNKED ? kMaxInflation : 1;
    // Divided, since neither product need fit.
    const uint64_t wanted = dataset.count * dataset.element_bytes;
    if (stored > file_bytes_ || wanted / factor > stored || (factor == 1 && wanted > stored)) {
      return absl::InvalidArgumentError(absl::StrCat(what, ": its shape needs ", wanted,
                                                     " bytes, and ", stored,
                                                     " are stored in a file of ", file_bytes_));
    }
    return absl::OkStatus();
  }

  uint64_t file_bytes_ = 0;
  std::unique_ptr<Handle> file_;
  size_t objects_ = 0;
  size_t left_out_ = 0;
  std::vector<Dataset> datasets_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StoredArchive>> OpenHdf5(const std::string& path) {
  auto archive = std::make_unique<Hdf5Archive>(path);
  HP_RETURN_IF_ERROR(archive->Open());
  return std::unique_ptr<StoredArchive>(std::move(archive));
}

}  // namespace handpick::converter
