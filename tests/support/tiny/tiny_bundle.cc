#include "tests/support/tiny/tiny_bundle.h"

#include <tuple>
#include <utility>
#include <vector>

#include "tests/support/tiny/bundle_parts.h"

namespace handpick::testing {
namespace {

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
  bundle->format_major = 1;
  bundle->model_name = "tiny";
  bundle->model_version = "7";
  bundle->producer = "by hand";
  bundle->task = schema::Task::Binary;
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
  bundle->max_history = 3;
  bundle->tile = 32;
  bundle->region_row_bytes = {192, 12, 108, 0};
  AddCatalog(bundle.get());

  constexpr auto kFloat = schema::BufferType::Float32;
  schema::BundleT* b = bundle.get();
  const uint32_t context = AddBuffer(b, Domain::Context, kFloat, 8, 0);
  const uint32_t row_buffer = AddBuffer(b, Domain::Context, kFloat, 6, 64);
  const uint32_t event = AddBuffer(b, Domain::History, kFloat, 3, 0);
  const uint32_t input = AddBuffer(b, Domain::Candidate, kFloat, 10, 0);
  const uint32_t quantized =
      AddBuffer(b, Domain::Candidate, schema::BufferType::DynamicInt8, 10, 40);
  const uint32_t hidden = AddBuffer(b, Domain::Candidate, kFloat, 6, 64);
  const uint32_t head = AddBuffer(b, Domain::Candidate, kFloat, 1, 88);
  const uint32_t copy = AddBuffer(b, Domain::Candidate, kFloat, 1, 92);
  const uint32_t cross = AddBuffer(b, Domain::Candidate, kFloat, 1, 96);
  const uint32_t sum = AddBuffer(b, Domain::Candidate, kFloat, 1, 100);

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
  const uint32_t v_quantized = AddValue(b, "quantized", quantized, 0, 10);
  const uint32_t v_hidden = AddValue(b, "hidden", hidden, 0, 6);
  const uint32_t v_head = AddValue(b, "head", head, 0, 1);
  const uint32_t v_copy = AddValue(b, "copy", copy, 0, 1);
  const uint32_t v_cross = AddValue(b, "cross", cross, 0, 1);
  const uint32_t v_sum = AddValue(b, "logit", sum, 0, 1);

  bundle->session_program = std::make_unique<schema::ProgramT>();
  schema::ProgramT* session = bundle->session_program.get();
  AddStep(session, "user", Domain::Context, 1, Embed(kUser, 0, v_user));
  AddStep(session, "age", Domain::Context, 1, Number(kAge, v_age));
  AddStep(session, "event", Domain::History, 0, Embed(kSeen, 1, v_event));
  schema::PoolHistoryT pool;
  pool.input = v_event;
  pool.mask_feature = kSeen;
  pool.combiner = Combiner::Mean;
  pool.output = v_seen;
  AddStep(session, "seen", Domain::Context, 2, std::move(pool));
  AddStep(session, "deep.context", Domain::Context, 3, Layer(v_context, 0, v_row));

  bundle->candidate_program = std::make_unique<schema::ProgramT>();
  schema::ProgramT* candidate = bundle->candidate_program.get();
  AddStep(candidate, "item", Domain::Candidate, 0, Embed(kItem, 2, v_item));
  AddStep(candidate, "tags", Domain::Candidate, 0, Embed(kTags, 3, v_tags, Combiner::Mean));
  AddStep(candidate, "name", Domain::Candidate, 0, Embed(kName, 4, v_name));
  AddStep(candidate, "price", Domain::Candidate, 0, Number(kPrice, v_price));
  schema::QuantizeT quantize;
  quantize.input = v_input;
  quantize.output = v_quantized;
  AddStep(candidate, "quantize", Domain::Candidate, 0, std::move(quantize));
  schema::DenseT deep = Layer(v_quantized, 1, v_hidden);
  deep.row = static_cast<int32_t>(v_row);
  deep.activation = std::make_unique<schema::ActivationT>();
  deep.activation->kind = schema::ActivationKind::Relu;
  AddStep(candidate, "deep.candidate", Domain::Candidate, 0, std::move(deep));
  AddStep(candidate, "head", Domain::Candidate, 0, Layer(v_hidden, 2, v_head));
  schema::CopyT copy_op;
  copy_op.input = v_head;
  copy_op.output = v_copy;
  AddStep(candidate, "copy", Domain::Candidate, 0, std::move(copy_op));
  schema::EmbeddingSumT cross_op;
  cross_op.lookups.push_back(Lookup(kCross, 5));
  cross_op.output = v_cross;
  AddStep(candidate, "cross", Domain::Candidate, 0, std::move(cross_op));
  schema::AddT add;
  add.inputs = {v_copy, v_cross};
  add.output = v_sum;
  AddStep(candidate, "logit", Domain::Candidate, 0, std::move(add));
  bundle->logit = v_sum;
  return bundle;
}

std::string Serialized(const schema::BundleT& bundle) {
  flatbuffers::FlatBufferBuilder builder;
  schema::FinishBundleBuffer(builder, schema::Bundle::Pack(builder, &bundle));
  return std::string(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

}  // namespace handpick::testing
