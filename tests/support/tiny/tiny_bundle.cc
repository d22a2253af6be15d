#include "tests/support/tiny/tiny_bundle.h"

#include <tuple>
#include <utility>

#include "schema/format.h"
#include "tests/support/tiny/bundle_parts.h"

namespace handpick::testing {
namespace {

using schema::OperatorKind;

void AddFeatures(schema::BundleT* bundle) {
  bundle->vocabularies.push_back(Identity(5));           // 0: user
  bundle->vocabularies.push_back(Identity(4));           // 1: seen
  auto items = std::make_unique<schema::VocabularyT>();  // 2: item
  items->kind = VocabularyKind::IntegerList;
  items->row_count = 4;
  items->out_of_vocabulary_row = 0;
  items->ids = {10, 20, 30};
  items->rows = {1, 2, 3};
  bundle->vocabularies.push_back(std::move(items));
  bundle->vocabularies.push_back(Identity(6));           // 3: tags
  auto names = std::make_unique<schema::VocabularyT>();  // 4: name
  names->kind = VocabularyKind::StringList;
  names->row_count = 3;
  names->string_offsets = {0, 1, 2, 3};
  names->string_bytes = {'a', 'b', 'c'};
  names->rows = {0, 1, 2};
  bundle->vocabularies.push_back(std::move(names));

  bundle->features.push_back(Feature("user", Side::Context, FeatureType::Categorical, 0));
  auto age = Feature("age", Side::Context, FeatureType::Numeric);
  age->optional = true;
  age->default_numbers = {0.5f};
  bundle->features.push_back(std::move(age));
  auto seen = Feature("seen", Side::History, FeatureType::Categorical, 1);
  seen->padding_row = 0;
  bundle->features.push_back(std::move(seen));
  bundle->features.push_back(Feature("item", Side::Candidate, FeatureType::Categorical, 2));
  auto tags = Feature("tags", Side::Candidate, FeatureType::MultiCategorical, 3);
  tags->max_values = 3;
  bundle->features.push_back(std::move(tags));
  auto name = Feature("name", Side::Candidate, FeatureType::Categorical, 4);
  name->optional = true;
  name->default_rows = {0};
  bundle->features.push_back(std::move(name));
  auto price = Feature("price", Side::Candidate, FeatureType::Numeric);
  price->dimension = 2;
  price->optional = true;
  price->default_numbers = {0, 0};
  for (const auto& [kind, a, b] : {std::make_tuple(schema::TransformKind::Clip, -2.0, 100.0),
                                   std::make_tuple(schema::TransformKind::Log1p, 0.0, 0.0),
                                   std::make_tuple(schema::TransformKind::Affine, 1.0, 0.5)}) {
    auto transform = std::make_unique<schema::TransformT>();
    transform->kind = kind;
    transform->a = a;
    transform->b = b;
    price->transforms.push_back(std::move(transform));
  }
  bundle->features.push_back(std::move(price));
  auto cross = Feature("user_x_tags", Side::Candidate, FeatureType::Crossed);
  cross->cross_of = {kUser, kTags};
  bundle->features.push_back(std::move(cross));
}

void AddCatalog(schema::BundleT* bundle) {
  bundle->catalog = std::make_unique<schema::CatalogT>();
  bundle->catalog->key_feature = kItem;
  bundle->catalog->item_count = 3;
  bundle->catalog->ids = {10, 20, 30};
  auto tags = std::make_unique<schema::CatalogColumnT>();
  tags->feature = kTags;
  tags->row_splits = {0, 2, 2, 3};
  tags->rows = {1, 2, 5};
  bundle->catalog->columns.push_back(std::move(tags));
  auto price = std::make_unique<schema::CatalogColumnT>();
  price->feature = kPrice;
  price->numbers = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f};
  bundle->catalog->columns.push_back(std::move(price));
}

}  // namespace

std::unique_ptr<schema::BundleT> MakeTinyBundle() {
  auto bundle = std::make_unique<schema::BundleT>();
  bundle->format_major = schema::kFormatMajor;
  bundle->model_name = "tiny";
  bundle->model_version = "7";
  bundle->manifest = std::make_unique<schema::ManifestT>();
  bundle->manifest->producer = "by hand";
  bundle->precision = schema::Precision::Int8;
  AddFeatures(bundle.get());
  bundle->tables.push_back(Table("user", 5, 4, false, 1));
  bundle->tables.push_back(Table("seen", 4, 3, true, 2));
  bundle->tables.push_back(Table("item", 4, 4, true, 3));
  bundle->tables.push_back(Table("tags", 6, 2, false, 4));
  bundle->tables.push_back(Table("name", 3, 2, false, 5));
  bundle->tables.push_back(Table("cross", 30, 1, false, 6));
  bundle->dense_weights.push_back(Dense("deep.context", 8, 6, false, true, 7));
  bundle->dense_weights.push_back(Dense("deep.candidate", 10, 6, true, false, 8));
  bundle->dense_weights.push_back(Dense("head", 6, 1, false, true, 9));
  bundle->sequences.push_back(Sequence("history", 3));
  bundle->tile = 32;
  AddCatalog(bundle.get());

  schema::BundleT* b = bundle.get();
  const uint32_t context = AddBuffer(b, Domain::Context, 8, 0);
  const uint32_t row_buffer = AddBuffer(b, Domain::Context, 6, 64);
  const uint32_t event = AddBuffer(b, Domain::History, 3, 0);
  const uint32_t input = AddBuffer(b, Domain::Candidate, 10, 0);
  const uint32_t hidden = AddBuffer(b, Domain::Candidate, 6, 40);
  const uint32_t head = AddBuffer(b, Domain::Candidate, 1, 64);
  const uint32_t copy = AddBuffer(b, Domain::Candidate, 1, 68);
  const uint32_t cross = AddBuffer(b, Domain::Candidate, 1, 72);
  const uint32_t sum = AddBuffer(b, Domain::Candidate, 1, 76);

  const uint32_t v_user = AddValue(b, "user", context, 0, 4);
  const uint32_t v_age = AddValue(b, "age", context, 4, 1);
  const uint32_t v_seen = AddValue(b, "seen", context, 5, 3);
  const uint32_t v_context = AddValue(b, "context", context, 0, 8);
  const uint32_t v_row = AddValue(b, "row", row_buffer, 0, 6);
  const uint32_t v_event = AddValue(b, "event", event, 0, 3);
  const uint32_t v_item = AddValue(b, "item", input, 0, 4);
  const uint32_t v_tags = AddValue(b, "tags", input, 4, 2);
  const uint32_t v_name = AddValue(b, "name", input, 6, 2);
  const uint32_t v_price = AddValue(b, "price", input, 8, 2);
  const uint32_t v_input = AddValue(b, "input", input, 0, 10);
  const uint32_t v_hidden = AddValue(b, "hidden", hidden, 0, 6);
  const uint32_t v_head = AddValue(b, "head", head, 0, 1);
  const uint32_t v_copy = AddValue(b, "copy", copy, 0, 1);
  const uint32_t v_cross = AddValue(b, "cross", cross, 0, 1);
  const uint32_t v_sum = AddValue(b, "logit", sum, 0, 1);

  AddEmbedding(b, "user", kUser, 0, v_user);
  AddNumeric(b, "age", kAge, v_age);
  AddEmbedding(b, "event", kSeen, 1, v_event);
  schema::StepT* pool = AddStep(b, "seen", OperatorKind::PoolHistory, {v_event}, v_seen);
  pool->features = {kSeen};
  pool->combiner = Combiner::Mean;
  AddDense(b, "deep.context", {v_context}, 0, v_row);

  AddEmbedding(b, "item", kItem, 2, v_item);
  AddEmbedding(b, "tags", kTags, 3, v_tags, Combiner::Mean);
  AddEmbedding(b, "name", kName, 4, v_name);
  AddNumeric(b, "price", kPrice, v_price);
  schema::StepT* deep = AddDense(b, "deep.candidate", {v_input, v_row}, 1, v_hidden);
  AddActivation(deep, schema::ActivationKind::Relu);
  AddDense(b, "head", {v_hidden}, 2, v_head);
  AddStep(b, "copy", OperatorKind::Copy, {v_head}, v_copy);
  schema::StepT* crossed = AddStep(b, "cross", OperatorKind::EmbeddingSum, {}, v_cross);
  crossed->lookups.push_back(Lookup(kCross, 5));
  AddStep(b, "logit", OperatorKind::Add, {v_copy, v_cross}, v_sum);
  bundle->outputs.push_back(Output("score", v_sum));
  return bundle;
}

std::string Serialized(const schema::BundleT& bundle) {
  flatbuffers::FlatBufferBuilder builder;
  schema::FinishBundleBuffer(builder, schema::Bundle::Pack(builder, &bundle));
  return std::string(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

}  // namespace handpick::testing
