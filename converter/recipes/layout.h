// Where a model's numbers are found, and the order in which its library joins them: what
// converter/spec/layouts.h says of the layout of a spec.
#ifndef HANDPICK_CONVERTER_RECIPES_LAYOUT_H_
#define HANDPICK_CONVERTER_RECIPES_LAYOUT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "converter/request/features.h"
#include "converter/spec/layouts.h"
#include "converter/spec/spec.h"

namespace handpick::converter {

// A tensor of one number that is added to the logit.
struct BiasTensor {
  std::string name;
  bool required;
};

// A dense layer, [out, in] and [out], and what its activation may need.
struct LayerTensors {
  std::string weight;
  std::string bias;
  // The beginning of four names, each [out], which end as the layout's norm_ends.
  std::string batch_norm;
  std::string prelu;       // [1] or [out].
  std::string dice_alpha;  // [out] or [out, 1].
  std::string dice_norm;   // As batch_norm.
};

// A dense layer of one output, [1, in] and [1].
struct HeadTensors {
  std::string weight;
  std::string bias;
};

// A cross layer.
struct CrossTensors {
  std::string weight;
  std::string bias;
  std::string down;  // Of low rank, instead of the weight: [rank, width] and
  std::string up;    // [width, rank].
  // Weight and bias are those of all layers, one after the other along an axis of their own.
  bool stacked = false;
};

// The tables of AutoRec, and the bias of its hidden layer.
struct AutorecTensors {
  std::string table;        // [rows of the events' items, hidden]
  std::string hidden_bias;  // [hidden]
  std::string output;       // [rows of the candidates' items, hidden]
  std::string output_bias;  // [rows of the candidates' items, 1]
};

// A task: what <t> stands for, which is its number or its name.
struct TaskNames {
  std::string text;
  size_t number;
  std::string name;
};

// A recurrent cell of width H, its gates stacked r, z, n: [3 H, in], [3 H, H], [3 H], [3 H].
struct RecurrentTensors {
  std::string weight_ih;
  std::string weight_hh;
  std::string bias_ih;
  std::string bias_hh;
  // bias_ih is another name of bias_hh to the library: of two different vectors bias_hh counts.
  bool one_bias = false;
  bool gates_are_u_r_n = false;  // u being z.
};

// TensorFlow's: of input and state together, [in + H, 2 H] and [2 H] of the gates r and z, [in + H,
// H] and [H] of the candidate n.
struct JoinedRecurrentTensors {
  std::string gates_weight;
  std::string gates_bias;
  std::string candidate_weight;
  std::string candidate_bias;
};

// How the deep part's input is concatenated.
struct DeepInput {
  std::vector<FeatureUse> features;  // In their order.
  size_t history = 0;                // Before which of them the attended history comes.
  std::vector<FeatureUse> ignored;   // Which the library leaves out.
};

// The names of one model's tensors: its layout's patterns (converter/spec/layouts.h), filled in,
// but for <n>, which recipes/sequential.h fills in.
class TensorLayout {
 public:
  // `spec` must outlive this.
  explicit TensorLayout(const Spec& spec) : spec_(spec) {}

  const LayoutTraits& traits() const { return spec_.traits(); }

  // Embedding tables [rows, dimension]; in the wide part, dimension 1.
  std::string DeepTable(absl::string_view table) const;
  std::string WideTable(absl::string_view table) const;
  // The weights of all numbers of the wide part.
  std::string WideNumericWeight() const;
  // What makes a field of a feature's numbers, [dimension, numbers].
  std::string NumbersTable(absl::string_view feature, bool has_several) const;

  // How the names of the deep network's tensors begin.
  std::string DeepNetwork() const;
  // The same of an attention unit's layers. `unit`: its name, "" of the only one.
  std::string Unit(absl::string_view unit) const;
  // The same of the layers upon a cross; "": they are the deep network's.
  std::string StackedNetwork() const;
  // Hidden layers of a network of that name.
  LayerTensors NetworkLayer(absl::string_view network, size_t layer) const;

  // Networks of which a model has several: their names, and what follows their layers.
  std::string Task(const TaskNames& task) const;
  HeadTensors TaskHead(const TaskNames& task) const;
  std::string Expert(size_t expert) const;
  std::string Gate(const TaskNames& task) const;
  // [experts, in] and [experts], which need not be there, or "".
  HeadTensors GateHead(const TaskNames& task) const;

  // A piece-wise linear model. `part`: region or base. Several names: a tensor for each piece.
  std::vector<std::string> PieceTables(absl::string_view part, absl::string_view table) const;
  std::vector<std::string> PieceNumbers(absl::string_view part) const;
  std::string PieceBias(absl::string_view part) const;  // "": none.
  // Of what it is multiplied by.
  std::string FactorTable(absl::string_view table) const;
  std::string FactorNumbers() const;
  std::string FactorBias() const;  // "": none.
  // PNN's kernels of outer products.
  std::string OuterKernel() const;
  // [1, in] of the network; its bias is one of Biases.
  std::string HeadWeight() const;
  HeadTensors AttentionHead(absl::string_view unit) const;
  // [width, width], of the bilinear form.
  std::string Bilinear(absl::string_view unit) const;
  std::vector<BiasTensor> Biases(bool has_wide, bool has_network) const;

  CrossTensors CrossLayer(size_t layer) const;
  // Layer 2 u and 2 u + 1: the two of residual unit u.
  LayerTensors ResidualLayer(size_t layer) const;
  std::string GmfTable(absl::string_view table) const;
  // Soft attention over what generalized matrix factorization, or the deep part, reads; [width,
  // width] and [width].
  HeadTensors GmfAttention() const;
  HeadTensors DeepAttention() const;
  LayerTensors ValueLayer(size_t layer) const;
  HeadTensors ValueHead() const;
  AutorecTensors Autorec(absl::string_view item_table, absl::string_view candidate_table) const;
  // The scalar of a factorization machine.
  std::string WideBias() const;

  // Hidden layers of the two towers, and the items' bias.
  LayerTensors UserTowerLayer(size_t layer) const;
  LayerTensors ItemTowerLayer(size_t layer) const;
  std::string ItemBias() const;

  // DIEN's interest extractor, and its evolution, of an attention unit.
  RecurrentTensors Extractor(absl::string_view unit) const;
  RecurrentTensors Evolution(absl::string_view unit) const;
  // The same where the layout has TensorFlow's; its models have one unit.
  JoinedRecurrentTensors JoinedExtractor() const;
  JoinedRecurrentTensors JoinedEvolution() const;
  // How the names of tensors begin that negative sampling trains, and that nothing else reads.
  std::string NegativeSampling() const;

 private:
  absl::string_view Pattern(TensorRole role) const;
  std::vector<std::string> OfPieces(TensorRole role, absl::string_view part,
                                    absl::string_view table) const;
  HeadTensors SoftAttention(TensorRole network) const;
  std::string OfNetwork(TensorRole role, absl::string_view network) const;
  // Where the layout counts units, the number of one.
  size_t NumberOf(absl::string_view unit) const;
  // `named` is the role where units have names.
  std::string OfUnit(TensorRole role, TensorRole named, absl::string_view unit) const;
  RecurrentTensors Recurrent(TensorRole role, TensorRole named, absl::string_view unit) const;
  JoinedRecurrentTensors JoinedRecurrent(TensorRole role) const;
  std::string OfTask(TensorRole role, const TaskNames& task) const;

  const Spec& spec_;
};

// The tensors of a model that are, or belong to, its embedding tables: those that another archive
// may have. Named as by the layout.
std::vector<std::string> EmbeddingTensors(const Spec& spec);

// Refuses what the layout's library itself cannot do.
absl::Status CheckLayout(const Spec& spec, const FeatureSet& features);

// The deep features in the layout's order.
DeepInput OrderOfDeep(const Spec& spec, const FeatureSet& features);

// True for tensors that exist for training only, in any layout.
bool IsTrainingState(absl::string_view tensor);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_LAYOUT_H_
