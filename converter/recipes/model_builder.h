// What the recipes share: the frame of a model, its linear part, and its network.
#ifndef HANDPICK_CONVERTER_RECIPES_MODEL_BUILDER_H_
#define HANDPICK_CONVERTER_RECIPES_MODEL_BUILDER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/recipes/feature_inputs.h"
#include "converter/recipes/layers.h"
#include "converter/recipes/layout.h"
#include "converter/recipes/tensor_reader.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// The deep features, each embedded (and pooled) or as numbers.
struct DeepValues {
  std::vector<ValueId> all;  // In the order in which the layout joins them.
  // Those that are fields, in that order: ids, and numbers where the layout embeds them; and their
  // names.
  std::vector<ValueId> fields;
  std::vector<std::string> field_names;
  std::vector<ValueId> numbers;  // The others.
  size_t history = 0;            // Before which of `all` the attended history comes.
};

// A linear part over some features, with one result or several.
struct LinearPart {
  std::string part;   // "wide": begins the names of nodes and tables.
  std::string field;  // "wide.features", in the spec.
  const std::vector<FeatureUse>& features;
  int64_t width = 1;  // Results.
  // The tensors of an embedding table, and of the numbers' weights: one, [rows, width] and
  // [width, numbers], or one for each result.
  std::function<std::vector<std::string>(const std::string& table)> tables;
  std::vector<std::string> numbers;
  std::string bias = {};  // [width], if there is such a tensor.
  // Instead of `numbers`: the weight of each numeric feature, by its name.
  std::function<std::string(const std::string& feature)> number = nullptr;
};

// Builds the graph of one model. Use: Begin, then what the model is made of, then Finish; after an
// error of any of them it is not to be used. The logit is the sum of what AddToLogit was given
// (models that say several things, or no logit, call AddOutput instead):
//
//     ModelBuilder model(spec, weights);
//     HP_RETURN_IF_ERROR(model.Begin());
//     HP_RETURN_IF_ERROR(model.AddWide());
//     HP_ASSIGN_OR_RETURN(const DeepValues deep, model.Embeddings());
//     const std::string widths = "the widths of deep.features";
//     HP_ASSIGN_OR_RETURN(const ValueId tower, model.Tower(deep.all, widths));
//     HP_ASSIGN_OR_RETURN(const ValueId logit, model.Head({tower}));
//     model.AddToLogit(logit);
//     return model.Finish("wide.features, deep.features and deep.hidden_units");
class ModelBuilder {
 public:
  // Both must outlive this.
  ModelBuilder(const Spec& spec, const Archive& weights);

  const Spec& spec() const { return spec_; }
  const TensorLayout& layout() const { return layout_; }
  TensorReader* tensors() { return &tensors_; }
  Graph* graph() { return &graph_; }
  // Features as the deep part (and attention) sees them: its tables, each read once.
  FeatureInputs* deep() { return &deep_; }

  // Features and properties of the model, and what can be refused without its weights.
  absl::Status Begin();

  // To the logit: the sum over the wide part's features of their (pooled) weights, and its numbers
  // times theirs. Nothing if the part has no features.
  absl::Status AddWide();

  // What a linear part comes to: values of its width, to be added up. Nothing if it has no
  // features.
  absl::StatusOr<std::vector<ValueId>> Linear(const LinearPart& part);
  // Their sum.
  absl::StatusOr<ValueId> SumOfLinear(const LinearPart& part);

  // The deep part's features; a second call makes them again. Those that the layout's library
  // leaves out are a notice. `given`: values of features that are made elsewhere.
  absl::StatusOr<DeepValues> Embeddings(const std::map<size_t, ValueId>& given = {});

  // One feature as the deep part has it: embedded (and pooled) or as numbers.
  absl::StatusOr<ValueId> DeepFeature(const FeatureUse& use);

  // The concatenation of `parts`; `field` says in the spec what is too wide.
  absl::StatusOr<ValueId> Concat(const std::string& name, std::vector<ValueId> parts,
                                 const std::string& field);

  // The one width of the deep fields. An error if there is no field, or if they have several.
  absl::StatusOr<uint32_t> WidthOfFields(const DeepValues& deep);

  // The sum of the products of all pairs of the deep fields, element by element. An error if there
  // is no field, or if they are not of one width.
  absl::StatusOr<ValueId> BiInteraction(const std::string& name, const DeepValues& deep);

  // layers([parts]): the hidden layers of the spec's deep part. `input_field` is what says in the
  // spec how wide the parts are together.
  absl::StatusOr<ValueId> Tower(std::vector<ValueId> parts, const std::string& input_field);
  // The same of layers with another name in nodes and tensors, and units of their own.
  absl::StatusOr<ValueId> Tower(const std::string& part, const std::string& network,
                                const std::vector<int64_t>& units, const std::string& units_field,
                                std::vector<ValueId> parts, const std::string& input_field);

  // softmax(W x + b) * x, with the tensors of `names`; `part` begins the names of its nodes.
  absl::StatusOr<ValueId> SoftAttention(const std::string& part, const HeadTensors& names,
                                        ValueId input);

  // The head's weights times [parts]: one number. The model then has the head's bias too.
  absl::StatusOr<ValueId> Head(std::vector<ValueId> parts,
                               const std::string& field = "the last of deep.hidden_units");

  // The sum over a value's columns: one number.
  ValueId SumOfColumns(const std::string& name, ValueId value);

  // The model has a head that Head did not make, and its bias.
  void HasHead() { has_head_ = true; }

  // That the numbers of deep.features have no effect, if there are any, is a notice.
  void NoticeNumbers(const DeepValues& deep);

  // Adds a value of one number to the logit.
  void AddToLogit(ValueId addend) { addends_.push_back(addend); }

  // A network over a value: `units`, and the activation and normalisation of the spec's deep part.
  // `part` begins the names of nodes, `network` those of tensors; `units_field` is what in the spec
  // lists the units, and `input_field` what says how wide the value is.
  absl::StatusOr<ValueId> Layers(const std::string& part, const std::string& network,
                                 const std::vector<int64_t>& units, const std::string& units_field,
                                 ValueId input, const std::string& input_field);
  // The layers and the head of one task: its logit.
  absl::StatusOr<ValueId> TaskLogit(const TaskNames& task, const std::vector<int64_t>& units,
                                    const std::string& units_field, ValueId input,
                                    const std::string& input_field);

  // The outputs that the spec lists; of a spec that lists none, one of the model's task.
  std::vector<OutputSpec> OutputsOfSpec() const;

  // Adds an output; the first one ranks, unless the spec says otherwise.
  void AddOutput(Output output) { outputs_.push_back(std::move(output)); }
  void AddFirstOutput(Output output) { outputs_.insert(outputs_.begin(), std::move(output)); }
  // The logarithm of a product of powers of probabilities of outputs that were added.
  absl::StatusOr<ValueId> LogOfProduct(const std::string& name, const std::vector<Power>& product);

  // To the logit: head(layers([parts])).
  absl::Status AddNetwork(std::vector<ValueId> parts, const std::string& input_field);

  // Something that the user should know and that is no error.
  void AddNotice(std::string notice) { graph_.notices.push_back(std::move(notice)); }

  // Adds the biases of the logit, puts the output that ranks first, and checks that every tensor
  // has found its use. `fields`: what in the spec describes the whole model. Errors: all faults of
  // the weights at once.
  absl::StatusOr<Graph> Finish(const std::string& fields);

 private:
  absl::StatusOr<ValueId> EmbeddedNumbers(const FeatureUse& use);
  // A chain of layers as those of the spec's deep part.
  LayerChain DeepChain(const std::string& part, const std::string& network,
                       const std::vector<int64_t>& units, const std::string& units_field,
                       const std::string& input_field) const;
  // Where the head and its bias stand, in a network that counts them.
  size_t LayersBeforeHead() const { return spec_.deep.hidden_units.size(); }
  absl::Status IgnoreOtherNamesOfTables();
  absl::Status RefuseTensors() const;
  void LeaveOut(const FeatureUse& use);
  absl::Status AddBiases();
  absl::StatusOr<const Output*> FindOutput(const std::string& name) const;
  absl::Status RankByProduct();
  absl::Status PutRankingFirst();
  void CheckEveryTensorIsUsed(const std::string& fields);

  const Spec& spec_;
  const TensorLayout layout_;
  TensorReader tensors_;
  Graph graph_;
  FeatureInputs deep_;
  std::vector<ValueId> addends_;  // Of the logit.
  std::vector<Output> outputs_;
  bool has_head_ = false;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_MODEL_BUILDER_H_
