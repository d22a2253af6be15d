#include "tests/support/tiny/recall_bundle.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "tests/support/tiny/bundle_parts.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace handpick::testing {
namespace {

constexpr uint32_t kHistory = 8;

bool AreStrings(Ids ids) { return ids == Ids::kStrings || ids == Ids::kCatalogStrings; }
bool AreOfCatalog(Ids ids) { return ids == Ids::kCatalog || ids == Ids::kCatalogStrings; }

void SetStrings(const std::vector<std::string>& texts, std::vector<uint32_t>* offsets,
                std::vector<uint8_t>* bytes) {
  offsets->assign(texts.empty() ? 0 : 1, 0);
  bytes->clear();
  for (const std::string& text : texts) {
    bytes->insert(bytes->end(), text.begin(), text.end());
    offsets->push_back(static_cast<uint32_t>(bytes->size()));
  }
}

// Ids of all items to rows from `first` on.
std::unique_ptr<schema::VocabularyT> Vocabulary(const RecallBundle& of, bool strings,
                                                uint32_t first) {
  auto vocabulary = std::make_unique<schema::VocabularyT>();
  vocabulary->kind = strings ? VocabularyKind::StringList : VocabularyKind::IntegerList;
  vocabulary->row_count = 4;
  vocabulary->out_of_vocabulary_row = 0;
  for (uint32_t i = 0; i < of.ids.size(); ++i) {
    if (!strings) vocabulary->ids.push_back(of.ids[i].integer);
    vocabulary->rows.push_back(first + i % (4 - first));
  }
  if (strings) SetStrings(of.texts, &vocabulary->string_offsets, &vocabulary->string_bytes);
  return vocabulary;
}

float TransformedPrice(uint32_t price) {
  const double clipped = std::min(std::max(static_cast<double>(price), -2.0), 100.0);
  return static_cast<float>((std::log1p(clipped) - 1.0) * 0.5);
}

std::unique_ptr<schema::CatalogT> Catalog(const RecallBundle& of, bool strings, uint32_t step) {
  auto catalog = std::make_unique<schema::CatalogT>();
  catalog->key_feature = kItem;
  std::vector<std::string> texts;
  auto tags = std::make_unique<schema::CatalogColumnT>();
  tags->feature = kTags;
  tags->row_splits = {0};
  auto price = std::make_unique<schema::CatalogColumnT>();
  price->feature = kPrice;
  auto name = std::make_unique<schema::CatalogColumnT>();
  name->feature = kName;
  for (uint32_t i = 0; i < of.ids.size(); i += step) {
    ++catalog->item_count;
    if (strings) {
      texts.push_back(of.texts[i]);
    } else {
      catalog->ids.push_back(of.ids[i].integer);
    }
    if (i % 5 != 0) {
      tags->rows.push_back(i % 6);
      tags->rows.push_back((i * i + 1) % 6);
    }
    tags->row_splits.push_back(static_cast<uint32_t>(tags->rows.size()));
    price->numbers.push_back(TransformedPrice(i % 50));
    price->numbers.push_back(TransformedPrice(i % 7));
    name->rows.push_back(i % 3);
  }
  if (strings) SetStrings(texts, &catalog->string_offsets, &catalog->string_bytes);
  catalog->columns.push_back(std::move(tags));
  catalog->columns.push_back(std::move(price));
  catalog->columns.push_back(std::move(name));
  return catalog;
}

void RemoveModel(schema::BundleT* bundle) {
  bundle->precision = schema::Precision::Unknown;
  bundle->tile = 1;
  bundle->values.clear();
  bundle->buffers.clear();
  bundle->tables.clear();
  bundle->dense_weights.clear();
  bundle->steps.clear();
  bundle->outputs.clear();
}

}  // namespace

std::vector<float> RandomVector(uint32_t dimension, uint64_t seed) {
  std::mt19937_64 random(seed * 7919 + 1);
  std::normal_distribution<float> normal;
  std::vector<float> vector(dimension);
  for (float& x : vector) x = normal(random);
  return vector;
}

RecallBundle MakeRecallBundle(const RecallBundleOptions& options) {
  RecallBundle made;
  const bool strings = AreStrings(options.ids);
  made.texts.reserve(options.items);
  for (uint32_t i = 0; i < options.items; ++i) {
    const bool twin = options.twin_every != 0 && i % options.twin_every == options.twin_every - 1;
    made.vectors.push_back(twin ? made.vectors.back()
                                : RandomVector(options.dimension, options.seed * 100003 + i));
    const int64_t id = options.ids == Ids::kNumbers ? i : 1000 + 7 * int64_t{i};
    if (strings) {
      made.texts.push_back("item-" + std::to_string(id));
    } else {
      made.ids.push_back(IntegerId(id));
    }
  }
  std::sort(made.texts.begin(), made.texts.end());
  for (const std::string& text : made.texts) made.ids.push_back(StringId(text.c_str()));

  made.bundle = MakeTinyBundle();
  schema::BundleT* bundle = made.bundle.get();
  bundle->sequences[0]->max_events = kHistory;
  bundle->vocabularies[1] = Vocabulary(made, strings, 0);
  bundle->vocabularies[2] = Vocabulary(made, strings, 1);
  if (!options.events_out_of_vocabulary) bundle->vocabularies[1]->out_of_vocabulary_row = -1;
  if (!options.candidates_out_of_vocabulary) bundle->vocabularies[2]->out_of_vocabulary_row = -1;
  bundle->catalog = nullptr;
  if (options.ids != Ids::kNumbers) {
    bundle->catalog = Catalog(made, strings, AreOfCatalog(options.ids) ? 1 : 2);
  }
  if (!options.model) RemoveModel(bundle);

  std::vector<float> numbers;
  for (const std::vector<float>& vector : made.vectors) {
    numbers.insert(numbers.end(), vector.begin(), vector.end());
  }
  auto builder = converter::RecallBuilder::Create({numbers, options.dimension}, options.metric,
                                                  options.type, nullptr);
  if (!builder.ok()) std::abort();
  auto index = builder->Build(options.parameters, options.probes, nullptr);
  if (!index.ok()) std::abort();
  bundle->recall = std::make_unique<schema::RecallIndexT>(std::move(*index));
  bundle->recall->history_feature = kSeen;
  bundle->recall->candidate_feature = kItem;
  bundle->recall->items_of_catalog = AreOfCatalog(options.ids);
  for (size_t v = 0; options.user_value != nullptr && v < bundle->values.size(); ++v) {
    if (bundle->values[v]->name == options.user_value) {
      bundle->recall->user_value = static_cast<int32_t>(v);
    }
  }
  if (options.ids == Ids::kStrings) {
    SetStrings(made.texts, &bundle->recall->item_string_offsets,
               &bundle->recall->item_string_bytes);
  } else if (options.ids == Ids::kIntegers) {
    for (const hp_item_id& id : made.ids) bundle->recall->item_ids.push_back(id.integer);
  }
  return made;
}

std::string Text(const hp_item_id& id) {
  return id.string.data == nullptr ? std::to_string(id.integer)
                                   : std::string(id.string.data, id.string.size);
}

std::vector<float> Unit(const std::vector<float>& vector) {
  double squares = 0;
  for (const float x : vector) squares += double{x} * double{x};
  std::vector<float> unit;
  for (const float x : vector) {
    unit.push_back(squares == 0 ? 0 : static_cast<float>(double{x} / std::sqrt(squares)));
  }
  return unit;
}

double OracleScore(schema::RecallMetric metric, const std::vector<float>& user,
                   const std::vector<float>& item) {
  double product = 0;
  double users = 0;
  double items = 0;
  double distance = 0;
  for (size_t i = 0; i < user.size(); ++i) {
    product += double{user[i]} * double{item[i]};
    users += double{user[i]} * double{user[i]};
    items += double{item[i]} * double{item[i]};
    distance += (double{user[i]} - double{item[i]}) * (double{user[i]} - double{item[i]});
  }
  switch (metric) {
    case schema::RecallMetric::Cosine:
      return users == 0 || items == 0 ? 0 : product / std::sqrt(users * items);
    case schema::RecallMetric::InnerProduct:
      return product;
    default:
      return -distance;
  }
}

std::vector<OracleHit> OracleRecall(schema::RecallMetric metric,
                                    const std::vector<std::vector<float>>& users,
                                    const std::vector<OracleItem>& items) {
  std::vector<OracleHit> hits;
  for (const OracleItem& item : items) {
    double best = -HUGE_VAL;
    for (const std::vector<float>& user : users) {
      best = std::max(best, OracleScore(metric, user, item.vector));
    }
    hits.push_back({item.id, best});
  }
  std::sort(hits.begin(), hits.end(), [](const OracleHit& a, const OracleHit& b) {
    if (a.score != b.score) return a.score > b.score;
    if (a.id.string.data == nullptr) return a.id.integer < b.id.integer;
    return Text(a.id) < Text(b.id);
  });
  return hits;
}

}  // namespace handpick::testing
