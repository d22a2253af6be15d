#include "converter/passes/split_pairs.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/passes/rewriter.h"

namespace handpick::converter {
namespace {

// Two fields of an operator on pairs, by their numbers: first < second.
struct Pair {
  size_t first;
  size_t second;
};

class Splitter {
 public:
  explicit Splitter(const Graph& graph)
      : source_(graph),
        source_producers_(ProducerOfEachValue(graph)),
        readers_(ReadersOfEachValue(graph)),
        rewriter_(graph) {}

  void Visit(const Node& source) {
    Node node = rewriter_.Current(source);
    if (node.op.Is(kPairProducts)) {
      SplitProducts(node);
    } else if (node.op.Is(kSquareOfSum)) {
      SplitSquare(node);
    } else if (node.op.Is(kFieldAwarePairs)) {
      SplitFieldAware(source, node);
    } else if (node.op.Is(kAttentionalPairs)) {
      SplitAttentional(node);
    } else if (!node.op.Is(OperatorKind::Dense) || !ReadHalfOfSquares(node)) {
      rewriter_.Add(std::move(node));
    }
  }

  Rewriter& rewriter() { return rewriter_; }

 private:
  Graph& graph() { return rewriter_.graph(); }
  bool IsContext(ValueId value) const { return rewriter_.DomainOf(value) == Domain::Context(); }
  const std::string& NameOf(ValueId value) { return graph().values[value].name; }

  std::string PairName(const Node& node, const Pair& pair) {
    return absl::StrCat(graph().NameOf(node), ".", NameOf(node.inputs[pair.first]), "-",
                        NameOf(node.inputs[pair.second]));
  }

  ValueId Join(std::string name, std::vector<ValueId> parts) {
    if (parts.size() == 1) return parts[0];
    uint32_t width = 0;
    for (const ValueId part : parts) width += graph().WidthOf(part);
    return rewriter_.Append(std::move(name), kConcat, std::move(parts), width);
  }

  // All columns where that is what is asked for.
  ValueId Slice(std::string name, ValueId value, uint32_t column, uint32_t width) {
    if (column == 0 && width == graph().WidthOf(value)) return value;
    return rewriter_.Append(std::move(name), SliceOp(column), {value}, width);
  }

  // The last node that was made for `node` gets its place, and gives its value.
  void Replace(const Node& node, ValueId value) { rewriter_.Replace(node.output, value); }

  // ---- Products of pairs ----

  void SplitProducts(const Node& node) {
    std::vector<ValueId> products;
    const size_t fields = node.inputs.size();
    const size_t pairs = fields * (fields - 1) / 2;
    std::optional<ValueId> factors = Factors(node, pairs);
    for (size_t i = 0; i < fields; ++i) {
      for (size_t j = i + 1; j < fields; ++j) {
        products.push_back(Product(node, {i, j}, products.size(), pairs, factors));
      }
    }
    Replace(node, Join(graph().NameOf(node), std::move(products)));
  }

  // What each pair's products of coordinates are multiplied with, if it is not a whole matrix:
  // [pairs, k] of the context.
  std::optional<ValueId> Factors(const Node& node, size_t pairs) {
    const std::vector<double>& kernels = node.op.numbers;
    const size_t k = graph().WidthOf(node.inputs[0]);
    if (kernels.size() == pairs * k) {
      return kernels.empty() ? std::nullopt
                             : std::optional(rewriter_.Append(
                                   absl::StrCat(graph().NameOf(node), ".kernel"),
                                   ConstantOp(kernels), {}, static_cast<uint32_t>(pairs * k)));
    }
    if (kernels.size() != pairs) return std::nullopt;
    std::vector<double> repeated;
    for (const double kernel : kernels) repeated.insert(repeated.end(), k, kernel);
    if (repeated.empty()) return std::nullopt;
    return rewriter_.Append(absl::StrCat(graph().NameOf(node), ".kernel"),
                            ConstantOp(std::move(repeated)), {}, static_cast<uint32_t>(pairs * k));
  }

  ValueId Product(const Node& node, const Pair& pair, size_t number, size_t pairs,
                  const std::optional<ValueId>& factors) {
    ValueId a = node.inputs[pair.first];
    ValueId b = node.inputs[pair.second];
    const std::string name = PairName(node, pair);
    const uint32_t k = graph().WidthOf(a);
    // Whatever is done to one of them is done once a request where that is the context's.
    const bool second = IsContext(b) && !IsContext(a);
    ValueId& changed = second ? b : a;
    if (factors.has_value()) {
      const ValueId factor =
          Slice(absl::StrCat(name, ".kernel"), *factors, static_cast<uint32_t>(number * k), k);
      changed = rewriter_.Append(absl::StrCat(name, ".scaled"), OperatorKind::Multiply,
                                 {changed, factor}, k);
    } else if (!node.op.numbers.empty()) {
      changed = TimesMatrix(absl::StrCat(name, ".times_kernel"), changed,
                            node.op.numbers.data() + number * (node.op.numbers.size() / pairs),
                            /*transposed=*/!second);
    }
    return rewriter_.Append(name, OperatorKind::InnerProduct, {a, b}, 1);
  }

  // K x, or K^T x; `kernel` is [k, k].
  ValueId TimesMatrix(const std::string& name, ValueId x, const double* kernel, bool transposed) {
    const uint32_t k = graph().WidthOf(x);
    DenseData dense;
    dense.name = name;
    dense.input_width = dense.output_width = k;
    for (uint32_t row = 0; row < k; ++row) {
      for (uint32_t c = 0; c < k; ++c) {
        dense.weights.push_back(transposed ? kernel[c * k + row] : kernel[row * k + c]);
      }
    }
    const DenseId id = graph().AddDense(std::move(dense));
    return rewriter_.Append(name, DenseOp(id, {}), {x}, k);
  }

  // ---- The outer product of the sum ----

  void SplitSquare(const Node& node) {
    const std::string name = graph().NameOf(node);
    const uint32_t k = graph().WidthOf(node.inputs[0]);
    ValueId sum = node.inputs[0];
    if (node.inputs.size() > 1) {
      sum = rewriter_.Append(absl::StrCat(name, ".sum"), AddOp(), node.inputs, k);
    }
    sums_[node.output] = sum;
    std::vector<ValueId> rows;
    for (uint32_t a = 0; a < k; ++a) rows.push_back(RowOfSquare(name, sum, a, 0));
    const ValueId square = Join(name, std::move(rows));
    sums_[square] = sum;
    Replace(node, square);
  }

  // s_a times s from column `from` on.
  ValueId RowOfSquare(const std::string& name, ValueId sum, uint32_t a, uint32_t from) {
    const std::string own = absl::StrCat(name, ".", a, from == 0 ? "" : ".half");
    const uint32_t width = graph().WidthOf(sum) - from;
    const ValueId factor = Slice(absl::StrCat(own, ".factor"), sum, a, 1);
    const ValueId vector = Slice(absl::StrCat(own, ".vector"), sum, from, width);
    return rewriter_.Append(own, OperatorKind::WeightedSum, {factor, vector}, width);
  }

  // A part of what a layer reads, and the layer's columns that it is multiplied with.
  struct Leaf {
    ValueId value;
    uint32_t column;
  };

  void CollectLeaves(ValueId value, uint32_t column, std::vector<Leaf>* leaves) {
    const Node& producer = rewriter_.ProducerOf(value);
    if (!producer.op.Is(kConcat) || sums_.count(value) != 0) {
      leaves->push_back({value, column});
      return;
    }
    for (const ValueId input : producer.inputs) {
      CollectLeaves(input, column, leaves);
      column += graph().WidthOf(input);
    }
  }

  // A layer that reads squares of sums reads a half of each instead.
  bool ReadHalfOfSquares(const Node& node) {
    if (node.inputs.size() != 1) return false;
    std::vector<Leaf> leaves;
    CollectLeaves(node.inputs[0], 0, &leaves);
    const bool any = std::any_of(leaves.begin(), leaves.end(),
                                 [&](const Leaf& leaf) { return sums_.count(leaf.value) != 0; });
    if (!any) return false;
    const DenseData whole = *graph().dense[node.op.weights[0]];
    DenseData dense;
    dense.name = whole.name;
    dense.output_width = whole.output_width;
    dense.bias = whole.bias;
    std::vector<ValueId> inputs;
    std::vector<std::vector<double>> columns;  // [input][output]
    for (const Leaf& leaf : leaves) {
      const auto sum = sums_.find(leaf.value);
      if (sum == sums_.end()) {
        inputs.push_back(leaf.value);
        for (uint32_t c = 0; c < graph().WidthOf(leaf.value); ++c) {
          columns.push_back(Column(whole, leaf.column + c));
        }
        continue;
      }
      const uint32_t k = graph().WidthOf(sum->second);
      for (uint32_t a = 0; a < k; ++a) {
        inputs.push_back(RowOfSquare(absl::StrCat(NameOf(leaf.value), ".half"), sum->second, a, a));
        for (uint32_t b = a; b < k; ++b) {
          columns.push_back(Column(whole, leaf.column + a * k + b));
          if (a == b) continue;
          const std::vector<double> other = Column(whole, leaf.column + b * k + a);
          for (size_t h = 0; h < other.size(); ++h) columns.back()[h] += other[h];
        }
      }
    }
    dense.input_width = static_cast<uint32_t>(columns.size());
    for (uint32_t h = 0; h < whole.output_width; ++h) {
      for (const std::vector<double>& column : columns) dense.weights.push_back(column[h]);
    }
    const ValueId input = Join(absl::StrCat(graph().NameOf(node), ".input"), std::move(inputs));
    Node layer = node;
    layer.op.weights = {graph().AddDense(std::move(dense))};
    layer.inputs = {input};
    rewriter_.Add(std::move(layer));
    return true;
  }

  static std::vector<double> Column(const DenseData& dense, uint32_t column) {
    std::vector<double> numbers;
    for (uint32_t h = 0; h < dense.output_width; ++h) numbers.push_back(dense.At(h, column));
    return numbers;
  }

  // ---- Field-aware pairs ----

  // Where the vectors toward other fields stand in a field's row.
  struct FieldRow {
    ValueId value = 0;
    std::vector<uint32_t> columns;  // By field; of those that are there.
  };

  void SplitFieldAware(const Node& source, const Node& node) {
    const size_t fields = node.inputs.size();
    const uint32_t k = graph().WidthOf(node.inputs[0]) / static_cast<uint32_t>(fields);
    const std::string name = graph().NameOf(node);
    // Fields of the context first.
    std::vector<size_t> order;
    for (size_t f = 0; f < fields; ++f) order.push_back(f);
    std::stable_partition(order.begin(), order.end(),
                          [&](size_t f) { return IsContext(node.inputs[f]); });
    const std::vector<FieldRow> rows = ArrangeRows(source, node, order, k);
    const auto first_other = std::find_if(order.begin(), order.end(),
                                          [&](size_t f) { return !IsContext(node.inputs[f]); });
    const std::vector<size_t> context(order.begin(), first_other);
    const std::vector<size_t> others(first_other, order.end());
    std::vector<ValueId> addends;
    // One of a's vectors toward each b, with each b's toward a.
    const auto add = [&](const std::string& what, const std::vector<Pair>& pairs) {
      if (pairs.empty()) return;
      const std::string own = absl::StrCat(name, ".", what);
      std::vector<Block> left, right;
      for (const Pair& pair : pairs) {
        left.push_back(BlockOf(rows[pair.first], pair.second));
        right.push_back(BlockOf(rows[pair.second], pair.first));
      }
      addends.push_back(rewriter_.Append(own, OperatorKind::InnerProduct,
                                         {JoinBlocks(absl::StrCat(own, ".a"), left, k),
                                          JoinBlocks(absl::StrCat(own, ".b"), right, k)},
                                         1));
    };
    std::vector<Pair> of_context;
    for (size_t a = 0; a < context.size(); ++a) {
      for (size_t b = a + 1; b < context.size(); ++b)
        of_context.push_back({context[a], context[b]});
    }
    add("context", of_context);
    for (size_t a = 0; a < others.size(); ++a) {
      std::vector<Pair> with_context, with_others;
      for (const size_t b : context) with_context.push_back({others[a], b});
      for (size_t b = a + 1; b < others.size(); ++b) with_others.push_back({others[a], others[b]});
      const std::string field = NameOf(node.inputs[others[a]]);
      add(absl::StrCat(field, ".context"), with_context);
      add(field, with_others);
    }
    if (addends.empty()) {  // One field alone.
      Replace(node, rewriter_.Append(name, ConstantOp({0}), {}, 1));
      return;
    }
    rewriter_.Add({AddOp(), std::move(addends), node.output});
  }

  struct Block {
    ValueId value;
    uint32_t column;
  };

  static Block BlockOf(const FieldRow& row, size_t toward) {
    return {row.value, row.columns[toward]};
  }

  // Blocks of k columns, side by side; those that are neighbours anyway are one slice.
  ValueId JoinBlocks(const std::string& name, const std::vector<Block>& blocks, uint32_t k) {
    std::vector<ValueId> parts;
    for (size_t begin = 0, end; begin < blocks.size(); begin = end) {
      end = begin + 1;
      while (end < blocks.size() && blocks[end].value == blocks[begin].value &&
             blocks[end].column == blocks[end - 1].column + k) {
        ++end;
      }
      parts.push_back(
          Slice(absl::StrCat(name, ".", NameOf(blocks[begin].value), ".", blocks[begin].column / k),
                blocks[begin].value, blocks[begin].column, static_cast<uint32_t>(end - begin) * k));
    }
    return Join(name, std::move(parts));
  }

  // The embedding behind a field that is looked up in a table and read for this alone, and whether
  // its events are pooled in between.
  struct Origin {
    const Node* embedding;
    const Node* pool;
  };

  std::optional<Origin> OriginOf(ValueId field) const {
    Origin origin = {nullptr, nullptr};
    const Node* producer = &source_.nodes[source_producers_[field]];
    if (readers_[field] != 1) return std::nullopt;
    if (producer->op.Is(OperatorKind::PoolHistory)) {
      origin.pool = producer;
      const ValueId input = producer->inputs[0];
      if (readers_[input] != 1) return std::nullopt;
      producer = &source_.nodes[source_producers_[input]];
    }
    if (!producer->op.Is(OperatorKind::Embedding) || producer->op.lookups.size() != 1) {
      return std::nullopt;
    }
    origin.embedding = producer;
    return origin;
  }

  // The fields' rows, those of tables with what is meant for each field in `order`, and without
  // what nobody reads.
  std::vector<FieldRow> ArrangeRows(const Node& source, const Node& node,
                                    const std::vector<size_t>& order, uint32_t k) {
    const size_t fields = node.inputs.size();
    // Which fields look into a table; none where something else does.
    std::map<TableId, std::vector<size_t>> fields_of;
    std::map<TableId, size_t> lookups_of;
    for (const Node& other : source_.nodes) {
      for (const Lookup& lookup : other.op.lookups) ++lookups_of[lookup.table];
    }
    std::vector<std::optional<Origin>> origins;
    for (size_t f = 0; f < fields; ++f) {
      origins.push_back(OriginOf(source.inputs[f]));
      if (origins[f]) fields_of[origins[f]->embedding->op.lookups[0].table].push_back(f);
    }
    std::vector<FieldRow> rows(fields);
    std::map<TableId, TableId> arranged;
    for (size_t f = 0; f < fields; ++f) {
      FieldRow& row = rows[f];
      row.value = node.inputs[f];
      for (size_t to = 0; to < fields; ++to) row.columns.push_back(static_cast<uint32_t>(to) * k);
      if (!origins[f]) continue;
      const Lookup& lookup = origins[f]->embedding->op.lookups[0];
      const std::vector<size_t>& sharing = fields_of[lookup.table];
      if (sharing.size() != lookups_of[lookup.table]) continue;
      std::vector<size_t> kept;
      for (const size_t to : order) {
        if (sharing.size() > 1 || sharing[0] != to) kept.push_back(to);
      }
      if (kept.empty()) continue;
      for (size_t i = 0; i < kept.size(); ++i) row.columns[kept[i]] = static_cast<uint32_t>(i) * k;
      const auto [entry, is_new] = arranged.try_emplace(lookup.table, 0);
      if (is_new) entry->second = Arrange(lookup.table, kept, k);
      row.value = Embed(*origins[f], entry->second);
    }
    return rows;
  }

  TableId Arrange(TableId id, const std::vector<size_t>& kept, uint32_t k) {
    const TableData& table = *graph().tables[id];
    TableData arranged;
    arranged.name = table.name;
    arranged.rows = table.rows;
    arranged.dimension = static_cast<uint32_t>(kept.size()) * k;
    std::vector<float> floats;
    floats.reserve(uint64_t{arranged.rows} * arranged.dimension);
    for (uint64_t row = 0; row < table.rows; ++row) {
      for (const size_t to : kept) {
        const auto begin =
            table.floats.begin() + static_cast<std::ptrdiff_t>(row * table.dimension + to * k);
        floats.insert(floats.end(), begin, begin + k);
      }
    }
    arranged.floats = std::move(floats);
    return graph().AddTable(std::move(arranged));
  }

  ValueId Embed(const Origin& origin, TableId table) {
    const uint32_t width = graph().tables[table]->dimension;
    Lookup lookup = origin.embedding->op.lookups[0];
    lookup.table = table;
    const ValueId embedded =
        rewriter_.Append(source_.NameOf(*origin.embedding), EmbeddingOp(lookup), {}, width);
    if (origin.pool == nullptr) return embedded;
    return rewriter_.Append(source_.NameOf(*origin.pool), origin.pool->op, {embedded}, width);
  }

  // ---- Attention over pairs ----

  // Pairs that are computed together: their products, [pairs, k], and their scores, [pairs].
  struct Scored {
    ValueId products;
    ValueId scores;
  };

  void SplitAttentional(const Node& node) {
    const std::string name = graph().NameOf(node);
    const uint32_t k = graph().WidthOf(node.inputs[0]);
    std::vector<Pair> context, others;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      for (size_t j = i + 1; j < node.inputs.size(); ++j) {
        const bool is_context = IsContext(node.inputs[i]) && IsContext(node.inputs[j]);
        (is_context ? context : others).push_back({i, j});
      }
    }
    std::vector<ValueId> products, scores;
    if (!context.empty()) {
      const std::string own = absl::StrCat(name, ".context");
      const Scored of_context = Score(node, own, context);
      products.push_back(of_context.products);
      scores.push_back(of_context.scores);
      if (context.size() > 1 && !others.empty()) {
        products[0] = Mean(own, of_context, k);
        scores[0] = rewriter_.Append(absl::StrCat(own, ".score"), OperatorKind::LogSumExp,
                                     {of_context.scores}, 1);
      }
    }
    if (!others.empty()) {
      const Scored of_others = Score(node, absl::StrCat(name, ".pairs"), others);
      products.push_back(of_others.products);
      scores.push_back(of_others.scores);
    }
    const Scored all = {Join(absl::StrCat(name, ".products"), std::move(products)),
                        Join(absl::StrCat(name, ".scores"), std::move(scores))};
    rewriter_.Add({DenseOp(node.op.weights[0]), {Mean(name, all, k)}, node.output});
  }

  ValueId Mean(const std::string& name, const Scored& pairs, uint32_t k) {
    const ValueId weights =
        rewriter_.Append(absl::StrCat(name, ".weights"), OperatorKind::RowSoftmax, {pairs.scores},
                         graph().WidthOf(pairs.scores));
    return rewriter_.Append(absl::StrCat(name, ".mean"), OperatorKind::WeightedSum,
                            {weights, pairs.products}, k);
  }

  Scored Score(const Node& node, const std::string& name, const std::vector<Pair>& pairs) {
    std::vector<ValueId> products;
    const uint32_t k = graph().WidthOf(node.inputs[0]);
    for (const Pair& pair : pairs) {
      products.push_back(rewriter_.Append(PairName(node, pair), OperatorKind::Multiply,
                                          {node.inputs[pair.first], node.inputs[pair.second]}, k));
    }
    Scored scored;
    scored.products = Join(absl::StrCat(name, ".products"), std::move(products));
    scored.scores = scored.products;
    for (size_t i = 1; i < node.op.weights.size(); ++i) {
      Operator layer(OperatorKind::FieldDense);
      layer.weights = {node.op.weights[i]};
      layer.activations = {node.op.ActivationAt(i - 1)};
      const uint32_t outputs = graph().dense[node.op.weights[i]]->output_width;
      scored.scores =
          rewriter_.Append(absl::StrCat(name, ".layers.", i - 1), std::move(layer), {scored.scores},
                           outputs * static_cast<uint32_t>(pairs.size()));
    }
    return scored;
  }

  const Graph& source_;
  const std::vector<size_t> source_producers_;
  const std::vector<size_t> readers_;
  Rewriter rewriter_;
  std::map<ValueId, ValueId> sums_;  // The sum whose outer product a value is.
};

}  // namespace

Graph SplitPairs(const Graph& graph) {
  Splitter splitter(graph);
  for (const Node& node : graph.nodes) splitter.Visit(node);
  return splitter.rewriter().Finish();
}

}  // namespace handpick::converter
