#include "converter/io/synonyms.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace handpick::converter {
namespace {

constexpr char kMatrix[] = "with cross.parameterization 'matrix'";

constexpr Synonym kSynonyms[] = {
    // Kinds of models.
    {"wdl", "wide_deep"},
    {"wideanddeep", "wide_deep"},
    {"widendeep", "wide_deep"},
    {"logisticregression", "lr"},
    {"linear", "lr"},
    {"factorizationmachine", "fm"},
    {"factorizationmachines", "fm"},
    {"fieldawarefactorizationmachine", "ffm"},
    {"neuralfactorizationmachine", "nfm"},
    {"attentionalfactorizationmachine", "afm"},
    {"deepinterestnetwork", "din"},
    {"deepinterestevolutionnetwork", "dien"},
    {"deepcross", "dcn"},
    {"deepandcross", "dcn"},
    {"deepcrossnetwork", "dcn"},
    {"dcnv1", "dcn", "with cross.parameterization 'vector'"},
    {"dcnv2", "dcn", kMatrix},
    {"dcn2", "dcn", kMatrix},
    {"dcnm", "dcn", kMatrix},
    {"ipnn", "pnn", "with products.inner"},
    {"opnn", "pnn", "with products.outer"},
    {"lsplm", "mlr"},
    {"ncf", "neumf"},
    {"mf", "gmf"},
    {"matrixfactorization", "gmf"},
    {"dssm", "two_tower"},
    {"twotowers", "two_tower"},
    {"xgboost", "gbdt"},
    {"lightgbm", "gbdt"},
    {"multigatemixtureofexperts", "mmoe"},
    // Activations.
    {"identity", "linear"},
    {"none", "linear"},
    {"logistic", "sigmoid"},
    {"parametricrelu", "prelu"},
    // Combiners.
    {"average", "mean"},
    {"avg", "mean"},
    {"avgpooling", "mean"},
    {"averagepooling", "mean"},
    {"meanpooling", "mean"},
    {"sumpooling", "sum"},
    {"maxpooling", "max"},
    {"maximum", "max"},
    // Sides, types and tasks.
    {"user", "context"},
    {"item", "candidate"},
    {"behavior", "history"},
    {"behaviour", "history"},
    {"sparse", "categorical"},
    {"category", "categorical"},
    {"dense", "numeric"},
    {"number", "numeric"},
    {"continuous", "numeric"},
    {"sequence", "multi_categorical"},
    {"varlensparse", "multi_categorical"},
    {"multihot", "multi_categorical"},
    {"classification", "binary"},
    // Vocabularies and transforms.
    {"range", "identity"},
    {"enum", "list"},
    {"hashing", "hash"},
    {"log", "log1p"},
    {"clamp", "clip"},
    {"standardize", "affine"},
    {"normalize", "affine"},
    {"zscore", "affine"},
    {"minmax", "affine"},
    // Similarities.
    {"dot", "inner_product"},
    {"dotproduct", "inner_product"},
    {"cos", "cosine"},
    // Keys.
    {"vocab", "vocabulary"},
    {"vocabularysize", "size"},
    {"vocabsize", "size"},
    {"numembeddings", "size"},
    {"embeddingdim", "dimension"},
    {"embeddingsize", "dimension"},
    {"embeddingdim", "embedding"},
    {"embeddingname", "table"},
    {"dim", "dimension"},
    {"hiddenlayers", "hidden_units"},
    {"dnnhiddenunits", "hidden_units"},
    {"atthiddensize", "hidden_units"},
    {"units", "hidden_units"},
    {"dnnactivation", "activation"},
    {"attactivation", "activation"},
    {"attweightnormalization", "softmax"},
    {"usebn", "batch_normalization"},
    {"dnnusebn", "batch_normalization"},
    {"batchnorm", "batch_normalization"},
    {"maxlen", "max_values"},
    {"maxlength", "max_values"},
    {"pooling", "combiner"},
    {"crossnum", "layers"},
    {"crossparameterization", "parameterization"},
    {"grutype", "cell"},
    {"usenegsampling", "negative_sampling"},
    {"oov", "out_of_vocabulary_row"},
};

// Kinds, activations and cells that we have not, and whose names are a letter or two from ours.
constexpr const char* kOthers[] = {
    "gelu",      "elu",      "selu",     "celu",    "silu", "swish", "mish", "relu6",
    "leakyrelu", "softplus", "softsign", "xdeepfm", "fwfm", "ifm",   "difm", "dsin",
    "dsien",     "fefm",     "deepfefm", "afn",     "onn",  "ccpm",  "edcn", "bst",
    "ple",       "lstm",     "rnn",      "sqrtn",   "min",
};

}  // namespace

std::string Plain(absl::string_view name) {
  std::string plain;
  for (const char c : name) {
    const auto letter = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(letter)) plain.push_back(absl::ascii_tolower(letter));
  }
  return plain;
}

const Synonym* FindSynonym(absl::string_view name, const std::vector<std::string>& candidates) {
  const std::string plain = Plain(name);
  for (const Synonym& synonym : kSynonyms) {
    if (plain == synonym.theirs &&
        std::find(candidates.begin(), candidates.end(), synonym.ours) != candidates.end()) {
      return &synonym;
    }
  }
  return nullptr;
}

bool MeansSomethingElse(absl::string_view name) {
  const std::string plain = Plain(name);
  return std::any_of(std::begin(kOthers), std::end(kOthers),
                     [&](absl::string_view other) { return plain == other; });
}

}  // namespace handpick::converter
