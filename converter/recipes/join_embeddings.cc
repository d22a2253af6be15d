#include "converter/recipes/join_embeddings.h"

#include <map>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/layout.h"
#include "converter/spec/numbered_names.h"
#include "converter/spec/tensor_names.h"

namespace handpick::converter {
namespace {

class Joined : public Archive {
 public:
  Joined(const Archive& weights, const Archive& embeddings)
      : weights_(weights), embeddings_(embeddings), tensors_(weights.tensors()) {}

  const char* format() const override { return weights_.format(); }
  const std::string& origin() const override { return weights_.origin(); }
  const std::map<std::string, TensorInfo>& tensors() const override { return tensors_; }
  const std::vector<std::string>& notices() const override { return weights_.notices(); }

  absl::StatusOr<Tensor> Read(const std::string& name) const override {
    if (added_.count(name) == 0) return weights_.Read(name);
    HP_ASSIGN_OR_RETURN(Tensor tensor, embeddings_.Read(name));
    tensor.is_optional = true;
    return tensor;
  }

  // False: the weights have one of that name.
  bool Add(const std::string& name, TensorInfo info) {
    info.is_optional = true;
    if (!tensors_.emplace(name, std::move(info)).second) return false;
    added_.insert(name);
    return true;
  }

 private:
  const Archive& weights_;
  const Archive& embeddings_;
  std::map<std::string, TensorInfo> tensors_;
  std::set<std::string> added_;
};

}  // namespace

absl::StatusOr<JoinedEmbeddings> JoinEmbeddings(const Spec& spec, const Archive& weights,
                                                const Archive& embeddings) {
  auto archive = std::make_unique<Joined>(weights, embeddings);
  TensorNames names = NamesIn(spec, embeddings.tensors());
  std::set<std::string> tables;
  for (const std::string& table : EmbeddingTensors(spec)) tables.insert(names.Find(table).name);
  JoinedEmbeddings joined;
  for (const auto& [name, info] : embeddings.tensors()) {
    if (tables.count(name) == 0) {
      joined.others.push_back(name);
      continue;
    }
    if (archive->Add(name, info)) continue;
    HP_ASSIGN_OR_RETURN(const Tensor own, weights.Read(name));
    HP_ASSIGN_OR_RETURN(const Tensor other, embeddings.Read(name));
    if (own.shape == other.shape && own.data == other.data) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("weights: table '", name, "' is in ", weights.origin(), " and in ",
                     embeddings.origin(), ", with different numbers: leave one of them out"));
  }
  joined.archive = std::move(archive);
  return joined;
}

}  // namespace handpick::converter
