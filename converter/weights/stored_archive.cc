#include "converter/weights/stored_archive.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "converter/io/nearest_name.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {
namespace {

// torch.nn.DataParallel and DistributedDataParallel; torch.compile; a module that holds the model
// as `self.model`, as Lightning's usually do.
constexpr absl::string_view kWrappers[] = {"module.", "_orig_mod.", "model."};

template <typename Value>
std::map<std::string, Value> WithoutPrefix(std::map<std::string, Value> values, size_t size) {
  std::map<std::string, Value> result;
  for (auto& [name, value] : values) result.emplace(name.substr(size), std::move(value));
  return result;
}

}  // namespace

StoredArchive::StoredArchive(const char* format, std::string origin)
    : format_(format), origin_(std::move(origin)) {}

std::string StoredArchive::Shown(const std::string& name) const {
  return absl::StrCat(origin_, ": tensor '", name, "'");
}

absl::Status StoredArchive::Add(const std::string& name, TensorInfo info, size_t entry) {
  if (!entries_.emplace(name, entry).second) {
    return absl::InvalidArgumentError(absl::StrCat(Shown(name), ": occurs twice"));
  }
  tensors_.emplace(name, std::move(info));
  order_.push_back(name);
  return absl::OkStatus();
}

std::vector<std::string> StoredArchive::Order() const {
  return keeps_order_ ? order_ : Archive::Order();
}

absl::StatusOr<Tensor> StoredArchive::Read(const std::string& name) const {
  const auto entry = entries_.find(name);
  if (entry == entries_.end()) {
    std::vector<std::string> names;
    for (const auto& [other, unused] : entries_) names.push_back(other);
    return absl::NotFoundError(
        absl::StrCat(origin_, ": has no tensor '", name, "'", Suggestion(name, names)));
  }
  const TensorInfo& info = tensors_.at(name);
  HP_ASSIGN_OR_RETURN(Tensor tensor, ReadEntry(entry->second, Shown(name)));
  tensor.shape = info.shape;
  tensor.is_optional = info.is_optional;
  return tensor;
}

void StoredArchive::TakeOffWrappers() {
  std::string taken;
  const auto all_have = [&](absl::string_view prefix) {
    return !tensors_.empty() &&
           std::all_of(tensors_.begin(), tensors_.end(), [&](const auto& tensor) {
             return absl::StartsWith(tensor.first, prefix) && tensor.first.size() > prefix.size();
           });
  };
  while (true) {
    const auto* const prefix = std::find_if(std::begin(kWrappers), std::end(kWrappers), all_have);
    if (prefix == std::end(kWrappers)) break;
    tensors_ = WithoutPrefix(std::move(tensors_), prefix->size());
    entries_ = WithoutPrefix(std::move(entries_), prefix->size());
    for (std::string& name : order_) name.erase(0, prefix->size());
    absl::StrAppend(&taken, *prefix);
  }
  if (taken.empty()) return;
  AddNotice(absl::StrCat(origin_, ": every tensor's name begins with '", taken,
                         "', which a wrapper of the model put there and which was taken off"));
}

}  // namespace handpick::converter
