// Mistakes that callers make, of every function of the headers: each is answered by its status and
// a message, and changes nothing.
#include <cmath>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "tests/abi/world.h"

namespace handpick {
namespace {

using testing::Batch;
using testing::IsShown;
using testing::kAge;
using testing::kCross;
using testing::kItem;
using testing::kName;
using testing::kPrice;
using testing::kSeen;
using testing::kTags;
using testing::kUser;
using testing::MakeRecallBundle;
using testing::OpenModel;
using testing::OpenOverlay;
using testing::RecallBundle;
using testing::RecallBundleOptions;
using testing::Serialized;
using testing::World;

struct Mistake {
  const char* function;
  const char* what;
  hp_status status;  // That is the answer.
  std::function<hp_status(World&)> make;
};

// One that needs nothing but the world.
struct PlainMistake {
  const char* function;
  const char* what;
  hp_status status;
  hp_status (*make)(World&);
};

// A value that no enumeration of the header has.
template <typename Enum>
Enum NoSuch(uint32_t number) {
  Enum value;
  static_assert(sizeof(value) == sizeof(number), "an enumeration of C");
  std::memcpy(&value, &number, sizeof(value));
  return value;
}

// A number that the compiler does not know to be one of the enumeration.
hp_column Column(uint32_t feature, hp_value_type type) {
  hp_column column = hp_int64s(feature, nullptr);
  column.type = type;
  return column;
}

// ---- Mistakes in a batch: the same for all functions that take one ----

struct BatchMistake {
  const char* what;
  hp_status status;
  void (*make)(hp_batch*);  // Of a batch without columns, of one row.
};

// Arrays that columns point into.
struct Values {
  int64_t integers[8] = {1000, 1007, 1014, 0, 1, 2, 3, 4};
  float number = 1;
  float numbers[2] = {1, std::nanf("")};
  float infinite[2] = {INFINITY, 0};
  hp_string strings[2] = {{nullptr, 5}, {"b", 1}};
  hp_string bytes[1] = {{"\xFF\xFE\x01 \xE6\xB0", 6}};
  uint32_t not_from_zero[3] = {1, 2, 3};
  uint32_t falling[3] = {0, 2, 1};
  uint32_t many[3] = {0, 5, 5};
  uint32_t two[3] = {0, 2, 2};
  hp_column columns[3];
};

Values values;

void Give(hp_batch* batch, std::initializer_list<hp_column> columns) {
  size_t count = 0;
  for (const hp_column& column : columns) values.columns[count++] = column;
  batch->columns = values.columns;
  batch->column_count = count;
}

hp_column Item() { return hp_int64s(kItem, values.integers); }
hp_column User() { return hp_int64s(kUser, values.integers + 4); }

// Of candidates, that have an item of the catalog unless it is the mistake.
const BatchMistake kCandidateMistakes[] = {
    {"a size that cuts a field", HP_INVALID_ARGUMENT,
     [](hp_batch* batch) { batch->struct_size = 13; }},
    {"no size", HP_INVALID_ARGUMENT, [](hp_batch* batch) { batch->struct_size = 0; }},
    {"columns that are too small", HP_INVALID_ARGUMENT,
     [](hp_batch* batch) {
       Give(batch, {Item()});
       batch->column_size = 8;
     }},
    {"null columns", HP_INVALID_ARGUMENT, [](hp_batch* batch) { batch->column_count = 2; }},
    {"a feature of a number that the model does not have", HP_UNKNOWN_FEATURE,
     [](hp_batch* batch) {
       Give(batch, {Item(), hp_int64s(99, values.integers)});
     }},
    {"a feature of the context", HP_UNKNOWN_FEATURE,
     [](hp_batch* batch) {
       Give(batch, {Item(), hp_int64s(kUser, values.integers)});
     }},
    {"a feature of the history", HP_UNKNOWN_FEATURE,
     [](hp_batch* batch) {
       Give(batch, {Item(), hp_int64s(kSeen, values.integers)});
     }},
    {"a feature that is made of others", HP_UNKNOWN_FEATURE,
     [](hp_batch* batch) {
       Give(batch, {Item(), hp_int64s(kCross, values.integers)});
     }},
    {"a feature twice", HP_DUPLICATE_FEATURE,
     [](hp_batch* batch) {
       Give(batch, {Item(), Item()});
     }},
    {"another type", HP_WRONG_TYPE,
     [](hp_batch* batch) { Give(batch, {hp_float32s(kItem, values.numbers)}); }},
    {"two types at once", HP_WRONG_TYPE,
     [](hp_batch* batch) { Give(batch, {Column(kItem, NoSuch<hp_value_type>(5))}); }},
    {"no type", HP_WRONG_TYPE,
     [](hp_batch* batch) { Give(batch, {Column(kItem, NoSuch<hp_value_type>(0))}); }},
    {"null values", HP_INVALID_ARGUMENT,
     [](hp_batch* batch) { Give(batch, {hp_int64s(kItem, nullptr)}); }},
    {"a null string with a size", HP_INVALID_ARGUMENT,
     [](hp_batch* batch) {
       Give(batch, {Item(), hp_strings(kName, values.strings)});
     }},
    {"a string of bytes that are no text", HP_UNKNOWN_ID,
     [](hp_batch* batch) {
       Give(batch, {Item(), hp_strings(kName, values.bytes)});
     }},
    {"no row_splits", HP_INVALID_ARGUMENT,
     [](hp_batch* batch) {
       Give(batch, {Item(), hp_int64s(kTags, values.integers)});
     }},
    {"row_splits that begin with 1", HP_INVALID_ARGUMENT,
     [](hp_batch* batch) {
       Give(batch, {Item(), hp_int64_lists(kTags, values.integers, values.not_from_zero)});
     }},
    {"row_splits that fall", HP_INVALID_ARGUMENT,
     [](hp_batch* batch) {
       Give(batch, {Item(), hp_int64_lists(kTags, values.integers, values.falling)});
       batch->row_count = 2;
     }},
    {"row_splits before null values", HP_INVALID_ARGUMENT,
     [](hp_batch* batch) {
       Give(batch, {Item(), hp_int64_lists(kTags, nullptr, values.two)});
     }},
    {"more values than the model keeps", HP_TOO_MANY_VALUES,
     [](hp_batch* batch) {
       Give(batch, {Item(), hp_int64_lists(kTags, values.integers + 3, values.many)});
     }},
    {"an id that is in no vocabulary", HP_UNKNOWN_ID,
     [](hp_batch* batch) {
       Give(batch, {Item(), hp_int64_lists(kTags, values.integers, values.two)});
     }},
    {"NaN", HP_NOT_FINITE,
     [](hp_batch* batch) {
       Give(batch, {Item(), hp_float32s(kPrice, values.numbers)});
     }},
    {"an infinite number", HP_NOT_FINITE,
     [](hp_batch* batch) {
       Give(batch, {Item(), hp_float32s(kPrice, values.infinite)});
     }},
    {"an item that is not in the catalog", HP_UNKNOWN_ITEM,
     [](hp_batch* batch) { Give(batch, {hp_int64s(kItem, values.integers + 3)}); }},
    {"features that are missing", HP_MISSING_FEATURE,
     [](hp_batch* batch) { Give(batch, {hp_float32s(kPrice, &values.numbers[0])}); }},
};

const BatchMistake kContextMistakes[] = {
    {"no row", HP_INVALID_ARGUMENT,
     [](hp_batch* batch) {
       Give(batch, {User()});
       batch->row_count = 0;
     }},
    {"two rows", HP_INVALID_ARGUMENT,
     [](hp_batch* batch) {
       Give(batch, {User()});
       batch->row_count = 2;
     }},
    {"a size that cuts a field", HP_INVALID_ARGUMENT,
     [](hp_batch* batch) { batch->struct_size = 13; }},
    {"null columns", HP_INVALID_ARGUMENT, [](hp_batch* batch) { batch->column_count = 2; }},
    {"a feature that is missing", HP_MISSING_FEATURE,
     [](hp_batch* batch) { Give(batch, {hp_float32s(kAge, &values.number)}); }},
    {"an id that is in no vocabulary", HP_UNKNOWN_ID,
     [](hp_batch* batch) { Give(batch, {hp_int64s(kUser, values.integers)}); }},
    {"NaN behind a good column", HP_NOT_FINITE,
     [](hp_batch* batch) {
       Give(batch, {User(), hp_float32s(kAge, values.numbers + 1)});
     }},
    {"a candidate's feature", HP_UNKNOWN_FEATURE,
     [](hp_batch* batch) {
       Give(batch, {User(), hp_int64s(kItem, values.integers)});
     }},
};

const BatchMistake kEventMistakes[] = {
    {"a size that cuts a field", HP_INVALID_ARGUMENT,
     [](hp_batch* batch) { batch->struct_size = 13; }},
    {"null columns", HP_INVALID_ARGUMENT, [](hp_batch* batch) { batch->column_count = 2; }},
    {"a feature that is missing", HP_MISSING_FEATURE, [](hp_batch*) {}},
    {"null values", HP_INVALID_ARGUMENT,
     [](hp_batch* batch) { Give(batch, {hp_int64s(kSeen, nullptr)}); }},
    {"a candidate's feature", HP_UNKNOWN_FEATURE,
     [](hp_batch* batch) { Give(batch, {hp_int64s(kItem, values.integers)}); }},
    // Where ids that are in no vocabulary have no row, as in StrictModel.
    {"a bad event behind good ones", HP_UNKNOWN_ID,
     [](hp_batch* batch) {
       Give(batch, {hp_int64s(kSeen, values.integers)});
       batch->row_count = 4;
     }},
};

// ---- Mistakes in the options of a recall ----

struct RecallMistake {
  const char* what;
  hp_status status;
  void (*make)(hp_recall_options*);
};

hp_filter filter;
int64_t ids[HP_MAX_FILTER_VALUES + 1];
float numbers[16];

hp_filter* AddFilter(hp_recall_options* options) {
  filter = HP_FILTER_INIT;
  options->filters = &filter;
  options->filter_count = 1;
  return &filter;
}

hp_filter* AnyOf(hp_recall_options* options) {
  hp_filter* to = AddFilter(options);
  to->kind = HP_FILTER_ANY_OF;
  to->feature = kTags;
  to->integers = ids;
  to->count = 1;
  return to;
}

hp_filter* Range(hp_recall_options* options) {
  hp_filter* to = AddFilter(options);
  to->kind = HP_FILTER_RANGE;
  to->feature = kPrice;
  return to;
}

void GiveVector(hp_recall_options* to) {
  to->user = HP_USER_VECTOR;
  to->vector = numbers;
  to->vector_size = 16;
  for (float& x : numbers) x = 1;
}

const RecallMistake kRecallMistakes[] = {
    {"a size that cuts a field", HP_INVALID_ARGUMENT,
     [](hp_recall_options* to) { to->struct_size = 18; }},
    {"a k above the session's", HP_INVALID_ARGUMENT, [](hp_recall_options* to) { to->k = 100000; }},
    {"a kind of user that there is not", HP_INVALID_ARGUMENT,
     [](hp_recall_options* to) { to->user = NoSuch<hp_user_vector>(77); }},
    {"no half_life", HP_INVALID_ARGUMENT, [](hp_recall_options* to) { to->user = HP_USER_RECENT; }},
    {"a half_life that is NaN", HP_INVALID_ARGUMENT,
     [](hp_recall_options* to) {
       to->user = HP_USER_RECENT;
       to->half_life = std::nanf("");
     }},
    {"no interests", HP_INVALID_ARGUMENT,
     [](hp_recall_options* to) { to->user = HP_USER_INTERESTS; }},
    {"too many interests", HP_INVALID_ARGUMENT,
     [](hp_recall_options* to) {
       to->user = HP_USER_INTERESTS;
       to->interests = 1000;
     }},
    {"a model's vector where there is none", HP_INVALID_ARGUMENT,
     [](hp_recall_options* to) { to->user = HP_USER_MODEL; }},
    {"a null vector", HP_INVALID_ARGUMENT,
     [](hp_recall_options* to) {
       GiveVector(to);
       to->vector = nullptr;
     }},
    {"a vector of another size", HP_INVALID_ARGUMENT,
     [](hp_recall_options* to) {
       GiveVector(to);
       to->vector_size = 15;
     }},
    {"a vector with NaN", HP_NOT_FINITE,
     [](hp_recall_options* to) {
       GiveVector(to);
       numbers[15] = std::nanf("");
     }},
    {"null excluded ids", HP_INVALID_ARGUMENT,
     [](hp_recall_options* to) { to->excluded_count = 3; }},
    {"null filters", HP_INVALID_ARGUMENT, [](hp_recall_options* to) { to->filter_count = 1; }},
    {"too many filters", HP_INVALID_ARGUMENT,
     [](hp_recall_options* to) {
       to->filters = &filter;
       to->filter_count = HP_MAX_FILTERS + 1;
     }},
    {"filters that are too small", HP_INVALID_ARGUMENT,
     [](hp_recall_options* to) {
       to->filters = &filter;
       to->filter_count = 1;
       to->filter_size = 8;
     }},
    {"a filter of no kind", HP_INVALID_ARGUMENT,
     [](hp_recall_options* options) {
       hp_filter* to = AnyOf(options);
       to->kind = NoSuch<hp_filter_kind>(9);
     }},
    {"a filter of a feature that there is not", HP_UNKNOWN_FEATURE,
     [](hp_recall_options* options) {
       hp_filter* to = AnyOf(options);
       to->feature = 99;
     }},
    {"a filter of a feature that is no column", HP_UNKNOWN_FEATURE,
     [](hp_recall_options* options) {
       hp_filter* to = AnyOf(options);
       to->feature = kUser;
     }},
    {"a filter by numbers of ids", HP_WRONG_TYPE,
     [](hp_recall_options* options) {
       hp_filter* to = Range(options);
       to->feature = kTags;
     }},
    {"a filter of strings that are integers", HP_WRONG_TYPE,
     [](hp_recall_options* options) {
       hp_filter* to = AnyOf(options);
       to->type = HP_STRING;
     }},
    {"a filter with null ids", HP_INVALID_ARGUMENT,
     [](hp_recall_options* options) {
       hp_filter* to = AnyOf(options);
       to->integers = nullptr;
     }},
    {"a filter with too many ids", HP_INVALID_ARGUMENT,
     [](hp_recall_options* options) {
       hp_filter* to = AnyOf(options);
       to->count = HP_MAX_FILTER_VALUES + 1;
     }},
    {"a range of an element that there is not", HP_INVALID_ARGUMENT,
     [](hp_recall_options* options) {
       hp_filter* to = Range(options);
       to->element = 2;
     }},
    {"a range with NaN", HP_NOT_FINITE,
     [](hp_recall_options* options) {
       hp_filter* to = Range(options);
       to->low = std::nanf("");
     }},
};

// ---- All of them ----

template <typename T>
T Cut(T init) {
  init.struct_size = sizeof(T) - 2;  // In the last field.
  return init;
}

using W = World&;

#if !defined(HANDPICK_HAS_SIGNATURES)
#if defined(__x86_64__) && !defined(__ANDROID__)
#define HANDPICK_HAS_SIGNATURES 0
#else
#define HANDPICK_HAS_SIGNATURES 1
#endif
#endif

// What a bundle that is not signed comes to where a signature is asked for.
constexpr hp_status kWithoutSignature =
    HANDPICK_HAS_SIGNATURES != 0 ? HP_NO_SIGNATURE : HP_UNSUPPORTED;

const PlainMistake kOfModels[] = {
    {"hp_status_text", "a status that is none", HP_OK,
     [](W) {
       EXPECT_STREQ(hp_status_text(NoSuch<hp_status>(0x7777)), "unknown status");
       return HP_OK;
     }},
    {"hp_model_open_buffer", "misaligned bytes", HP_MISALIGNED,
     [](W w) {
       const char* data = static_cast<const char*>(w.bytes.data());
       return hp_model_open_buffer(data + 1, w.bytes.size() - 1, nullptr, &w.new_model, &w.error);
     }},
    {"hp_model_open_buffer", "no bytes", HP_NOT_A_BUNDLE,
     [](W w) { return hp_model_open_buffer(w.bytes.data(), 0, nullptr, &w.new_model, &w.error); }},
    {"hp_model_open_buffer", "flags that there are not", HP_INVALID_ARGUMENT,
     [](W w) {
       w.opening.flags = 0x80000000u;
       return hp_model_open_buffer(w.bytes.data(), w.bytes.size(), &w.opening, &w.new_model,
                                   &w.error);
     }},
    {"hp_model_open_buffer", "half an allocator", HP_INVALID_ARGUMENT,
     [](W w) {
       w.allocator.release = nullptr;
       return hp_model_open_buffer(w.bytes.data(), w.bytes.size(), &w.opening, &w.new_model,
                                   &w.error);
     }},
    {"hp_model_open_buffer", "an allocator that is cut", HP_INVALID_ARGUMENT,
     [](W w) {
       w.allocator.struct_size = 13;
       return hp_model_open_buffer(w.bytes.data(), w.bytes.size(), &w.opening, &w.new_model,
                                   &w.error);
     }},
    {"hp_model_open_buffer", "a public key of the wrong length", HP_INVALID_ARGUMENT,
     [](W w) {
       w.opening.public_keys = w.public_key;
       w.opening.public_keys_size = HP_PUBLIC_KEY_SIZE - 1;
       return hp_model_open_buffer(w.bytes.data(), w.bytes.size(), &w.opening, &w.new_model,
                                   &w.error);
     }},
    {"hp_model_open_buffer", "public keys without a size", HP_INVALID_ARGUMENT,
     [](W w) {
       w.opening.public_keys = w.public_key;
       return hp_model_open_buffer(w.bytes.data(), w.bytes.size(), &w.opening, &w.new_model,
                                   &w.error);
     }},
    {"hp_model_open_buffer", "a size without public keys", HP_INVALID_ARGUMENT,
     [](W w) {
       w.opening.public_keys_size = HP_PUBLIC_KEY_SIZE;
       return hp_model_open_buffer(w.bytes.data(), w.bytes.size(), &w.opening, &w.new_model,
                                   &w.error);
     }},
    {"hp_model_open_buffer", "a public key, and bytes without a signature", kWithoutSignature,
     [](W w) {
       w.opening.public_keys = w.public_key;
       w.opening.public_keys_size = sizeof(w.public_key);
       return hp_model_open_buffer(w.bytes.data(), w.bytes.size(), &w.opening, &w.new_model,
                                   &w.error);
     }},
    {"hp_model_open_file", "a public key, and a file without a signature", kWithoutSignature,
     [](W w) {
       w.opening.public_keys = w.public_key;
       w.opening.public_keys_size = sizeof(w.public_key);
       return hp_model_open_file(w.path.c_str(), &w.opening, &w.new_model, &w.error);
     }},
    {"hp_model_open_file", "a name that is no text", HP_FILE_ERROR,
     [](W w) {
       return hp_model_open_file("nowhere/\xFF\x01\xE6", nullptr, &w.new_model, &w.error);
     }},
    {"hp_model_open_file", "options that are cut", HP_INVALID_ARGUMENT,
     [](W w) {
       w.opening.struct_size = 6;
       return hp_model_open_file(w.path.c_str(), &w.opening, &w.new_model, &w.error);
     }},
    {"hp_model_open_fd", "no descriptor", HP_FILE_ERROR,
     [](W w) { return hp_model_open_fd(-1, 0, -1, nullptr, &w.new_model, &w.error); }},
    {"hp_model_retain", "null", HP_OK,
     [](W) {
       hp_model_retain(nullptr);
       return HP_OK;
     }},
    {"hp_model_close", "null", HP_OK,
     [](W) {
       hp_model_close(nullptr);
       return HP_OK;
     }},
    {"hp_model_get_info", "a struct that is cut", HP_INVALID_ARGUMENT,
     [](W w) {
       w.model_info = Cut<hp_model_info>(HP_MODEL_INFO_INIT);
       return hp_model_get_info(w.model.get(), &w.model_info);
     }},
    {"hp_model_get_feature", "a number that there is not", HP_UNKNOWN_FEATURE,
     [](W w) { return hp_model_get_feature(w.model.get(), UINT32_MAX, &w.feature_info); }},
    {"hp_model_get_feature", "a struct that is cut", HP_INVALID_ARGUMENT,
     [](W w) {
       w.feature_info = Cut<hp_feature_info>(HP_FEATURE_INFO_INIT);
       return hp_model_get_feature(w.model.get(), 0, &w.feature_info);
     }},
    {"hp_model_find_feature", "a side that there is not", HP_UNKNOWN_FEATURE,
     [](W w) {
       return hp_model_find_feature(w.model.get(), NoSuch<hp_side>(99), "user", &w.feature);
     }},
    {"hp_model_find_feature", "a name that there is not", HP_UNKNOWN_FEATURE,
     [](W w) { return hp_model_find_feature(w.model.get(), HP_SIDE_CONTEXT, "\xFF", &w.feature); }},
    {"hp_model_get_output", "a number that there is not", HP_UNKNOWN_OUTPUT,
     [](W w) { return hp_model_get_output(w.model.get(), 1, &w.output_info); }},
    {"hp_model_find_output", "a name that there is not", HP_UNKNOWN_OUTPUT,
     [](W w) { return hp_model_find_output(w.model.get(), "", &w.output); }},
    {"hp_model_get_recall_info", "a struct that is cut", HP_INVALID_ARGUMENT,
     [](W w) {
       w.recall_info = Cut<hp_recall_info>(HP_RECALL_INFO_INIT);
       return hp_model_get_recall_info(w.model.get(), &w.recall_info);
     }},
    {"hp_get_build_info", "a struct that is cut", HP_INVALID_ARGUMENT,
     [](W w) {
       w.build = Cut<hp_build_info>(HP_BUILD_INFO_INIT);
       return hp_get_build_info(&w.build);
     }},
    {"hp_bundle_inspect", "misaligned bytes", HP_MISALIGNED,
     [](W w) {
       const char* data = static_cast<const char*>(w.bytes.data());
       return hp_bundle_inspect(data + 1, w.bytes.size() - 1, &w.model_info, &w.error);
     }},
    {"hp_bundle_inspect", "a struct that is cut", HP_INVALID_ARGUMENT,
     [](W w) {
       w.model_info = Cut<hp_model_info>(HP_MODEL_INFO_INIT);
       return hp_bundle_inspect(w.bytes.data(), w.bytes.size(), &w.model_info, &w.error);
     }},
    {"hp_model_check", "a bundle without hashes", HP_NO_HASHES,
     [](W w) { return hp_model_check(w.model.get(), &w.error); }},
};

const PlainMistake kOfSessions[] = {
    {"hp_session_create", "a byte too few", HP_MEMORY_TOO_SMALL,
     [](W w) {
       return hp_session_create(w.model.get(), nullptr, w.memory.get(), w.bytes_needed - 1,
                                &w.created, &w.error);
     }},
    {"hp_session_create", "misaligned memory", HP_MISALIGNED,
     [](W w) {
       return hp_session_create(w.model.get(), nullptr, static_cast<char*>(w.memory.get()) + 8,
                                w.bytes_needed, &w.created, &w.error);
     }},
    {"hp_session_free", "a session in memory of the caller's", HP_OK,
     [](W w) {
       hp_session_free(w.session.get());
       return HP_OK;
     }},
    {"hp_session_last_error", "null", HP_INVALID_ARGUMENT,
     [](W) { return hp_session_last_error(nullptr)->status; }},
    {"hp_session_rank", "no place", HP_INVALID_ARGUMENT,
     [](W w) {
       return hp_session_rank(w.session.get(), w.candidates.get(), 1, nullptr, &w.count);
     }},
    {"hp_session_rank_by", "an output that there is not", HP_UNKNOWN_OUTPUT,
     [](W w) {
       w.rank_options.output = 1;
       return hp_session_rank_by(w.session.get(), w.candidates.get(), &w.rank_options, 1, w.ranked,
                                 &w.count);
     }},
    {"hp_session_rank_by", "a margin that is no number", HP_INVALID_ARGUMENT,
     [](W w) {
       w.rank_options.margin = std::nan("");
       return hp_session_rank_by(w.session.get(), w.candidates.get(), &w.rank_options, 1, w.ranked,
                                 &w.count);
     }},
    {"hp_session_rank_by", "a margin below 0", HP_INVALID_ARGUMENT,
     [](W w) {
       w.rank_options.margin = -0.1;
       return hp_session_rank_by(w.session.get(), w.candidates.get(), &w.rank_options, 1, w.ranked,
                                 &w.count);
     }},
    {"hp_session_rank_by", "a margin, and scores of all", HP_INVALID_ARGUMENT,
     [](W w) {
       w.rank_options.margin = 0.1;
       w.rank_options.scores = w.scores;
       return hp_session_rank_by(w.session.get(), w.candidates.get(), &w.rank_options, 1, w.ranked,
                                 &w.count);
     }},
    {"hp_session_rank_by", "options that are cut", HP_INVALID_ARGUMENT,
     [](W w) {
       w.rank_options.struct_size = 6;
       return hp_session_rank_by(w.session.get(), w.candidates.get(), &w.rank_options, 1, w.ranked,
                                 &w.count);
     }},
    {"hp_session_score_outputs", "an output that there is not", HP_UNKNOWN_OUTPUT,
     [](W w) {
       w.output = UINT32_MAX;
       return hp_session_score_outputs(w.session.get(), w.candidates.get(), &w.output, 1, w.scores,
                                       w.logits);
     }},
    {"hp_session_score_outputs", "more outputs than there are", HP_UNKNOWN_OUTPUT,
     [](W w) {
       return hp_session_score_outputs(w.session.get(), w.candidates.get(), nullptr, 2, w.scores,
                                       w.logits);
     }},
    {"hp_session_recommend", "an output that there is not", HP_UNKNOWN_OUTPUT,
     [](W w) {
       w.recall.rank_output = 7;
       return hp_session_recommend(w.session.get(), &w.recall, 1, w.recommended, &w.count);
     }},
    {"hp_session_get_recall_report", "a struct that is cut", HP_INVALID_ARGUMENT,
     [](W w) {
       w.report = Cut<hp_recall_report>(HP_RECALL_REPORT_INIT);
       return hp_session_get_recall_report(w.session.get(), &w.report);
     }},
    {"hp_session_check_goldens", "there are none to check", HP_NO_GOLDENS,
     [](W w) {
       const hp_status status = hp_session_check_goldens(w.session.get(), &w.worst);
       // It is promised to replace these.
       hp_session_set_context(w.session.get(), w.context.get());
       hp_session_set_history(w.session.get(), w.events.get());
       return status;
     }},
    {"hp_session_get_counters", "a struct that is cut", HP_INVALID_ARGUMENT,
     [](W w) {
       w.counters = Cut<hp_session_counters>(HP_SESSION_COUNTERS_INIT);
       return hp_session_get_counters(w.session.get(), &w.counters);
     }},
    {"hp_bundle_inspect_with", "options that are cut", HP_INVALID_ARGUMENT,
     [](W w) {
       w.opening = Cut<hp_open_options>(HP_OPEN_OPTIONS_INIT);
       return hp_bundle_inspect_with(w.bytes.data(), w.bytes.size(), &w.opening, &w.model_info,
                                     &w.error);
     }},
    {"hp_check_new", "of no model", HP_INVALID_ARGUMENT,
     [](W w) { return hp_check_new(nullptr, &w.check, &w.error); }},
    {"hp_bundle_inspect_with", "a public key, and bytes without a signature", kWithoutSignature,
     [](W w) {
       w.opening.public_keys = w.public_key;
       w.opening.public_keys_size = sizeof(w.public_key);
       return hp_bundle_inspect_with(w.bytes.data(), w.bytes.size(), &w.opening, &w.model_info,
                                     &w.error);
     }},
    {"hp_check_new_signed", "of no model", HP_INVALID_ARGUMENT,
     [](W w) {
       return hp_check_new_signed(nullptr, w.public_key, sizeof(w.public_key), &w.check, &w.error);
     }},
    {"hp_check_new_signed", "keys of no length", HP_INVALID_ARGUMENT,
     [](W w) { return hp_check_new_signed(w.model.get(), w.public_key, 0, &w.check, &w.error); }},
    {"hp_check_new_signed", "a key and a half", HP_INVALID_ARGUMENT,
     [](W w) {
       return hp_check_new_signed(w.model.get(), w.public_key, HP_PUBLIC_KEY_SIZE * 3 / 2, &w.check,
                                  &w.error);
     }},
    {"hp_check_new_signed", "of a bundle without a signature", kWithoutSignature,
     [](W w) {
       return hp_check_new_signed(w.model.get(), w.public_key, sizeof(w.public_key), &w.check,
                                  &w.error);
     }},
    {"hp_check_next", "of no check", HP_INVALID_ARGUMENT,
     [](W w) {
       int done = 1;
       return hp_check_next(nullptr, 1, &done, &w.error);
     }},
    {"hp_check_free", "of no check", HP_OK,
     [](W) {
       hp_check_free(nullptr);
       return HP_OK;
     }},
    {"hp_update_apply", "flags that there are not", HP_INVALID_ARGUMENT,
     [](W w) {
       w.updating.flags = 1;
       return hp_update_apply(w.path.c_str(), w.path.c_str(), w.path.c_str(), &w.updating,
                              &w.error);
     }},
    {"hp_update_apply", "public keys, at which it does not look", HP_INVALID_ARGUMENT,
     [](W w) {
       w.updating.public_keys = w.public_key;
       w.updating.public_keys_size = sizeof(w.public_key);
       return hp_update_apply(w.path.c_str(), w.path.c_str(), w.path.c_str(), &w.updating,
                              &w.error);
     }},
    {"hp_update_verify", "a public key, and a file without a signature", kWithoutSignature,
     [](W w) {
       w.updating.public_keys = w.public_key;
       w.updating.public_keys_size = sizeof(w.public_key);
       return hp_update_verify(w.path.c_str(), &w.updating, &w.error);
     }},
    {"hp_store_install", "a public key, and a file without a signature", kWithoutSignature,
     [](W w) {
       w.updating.public_keys = w.public_key;
       w.updating.public_keys_size = sizeof(w.public_key);
       return hp_store_install(w.folder.c_str(), w.path.c_str(), &w.updating, &w.error);
     }},
    {"hp_update_verify", "a file that there is not", HP_FILE_ERROR,
     [](W w) { return hp_update_verify(w.folder.c_str(), nullptr, &w.error); }},
    {"hp_store_start", "a folder that there is not", HP_NO_BUNDLE,
     [](W w) { return hp_store_start(w.folder.c_str(), w.store_path, &w.store, &w.error); }},
    {"hp_store_confirm", "a folder that there is not", HP_NO_BUNDLE,
     [](W w) { return hp_store_confirm(w.folder.c_str(), &w.error); }},
    {"hp_store_install", "a file that there is not", HP_FILE_ERROR,
     [](W w) { return hp_store_install(w.folder.c_str(), w.folder.c_str(), nullptr, &w.error); }},
    {"hp_store_rollback", "a folder that there is not", HP_NO_BUNDLE,
     [](W w) { return hp_store_rollback(w.folder.c_str(), &w.error); }},
    {"hp_session_set_profile", "another number of steps", HP_INVALID_ARGUMENT,
     [](W w) {
       ++w.profile.step_count;
       return hp_session_set_profile(w.session.get(), &w.profile);
     }},
    {"hp_session_set_profile", "no clock", HP_INVALID_ARGUMENT,
     [](W w) {
       w.profile.clock = nullptr;
       return hp_session_set_profile(w.session.get(), &w.profile);
     }},
};

// Those of one table each, for every function that they can be made with.
void AddMistakesOfArguments(std::vector<Mistake>* mistakes) {
  std::vector<Mistake>& all = *mistakes;
  // Options of a session.
  const struct {
    const char* what;
    void (*make)(hp_session_options*);
  } options[] = {
      {"options that are cut", [](hp_session_options* to) { to->struct_size = 10; }},
      {"a tile above the bundle's", [](hp_session_options* to) { to->tile = 33; }},
      {"too many workers", [](hp_session_options* to) { to->workers = 65; }},
      {"workers without threads", [](hp_session_options* to) { to->workers = 2; }},
      {"a k that is too large", [](hp_session_options* to) { to->recall_k = HP_MAX_RECALL_K + 1; }},
      {"too many interests",
       [](hp_session_options* to) { to->recall_interests = HP_MAX_INTERESTS + 1; }},
  };
  for (const auto& of : options) {
    const auto make = of.make;
    all.push_back({"hp_session_new", of.what, HP_INVALID_ARGUMENT, [=](W w) {
                     make(&w.options);
                     return hp_session_new(w.model.get(), &w.options, &w.new_session, &w.error);
                   }});
    all.push_back({"hp_session_memory_size", of.what, HP_INVALID_ARGUMENT, [=](W w) {
                     make(&w.options);
                     return hp_session_memory_size(w.model.get(), &w.options, &w.size, &w.error);
                   }});
    all.push_back({"hp_session_create", of.what, HP_INVALID_ARGUMENT, [=](W w) {
                     make(&w.options);
                     return hp_session_create(w.model.get(), &w.options, w.memory.get(),
                                              w.bytes_needed, &w.created, &w.error);
                   }});
  }
  // Batches.
  const auto batches = [&](const char* function, const auto& of_batches,
                           hp_status (*call)(W, const hp_batch*)) {
    for (const BatchMistake& mistake : of_batches) {
      const auto make = mistake.make;
      all.push_back({function, mistake.what, mistake.status, [=](W w) {
                       hp_batch batch = HP_BATCH(nullptr, 0, 1);
                       make(&batch);
                       return call(w, &batch);
                     }});
    }
  };
  batches("hp_session_set_context", kContextMistakes, [](W w, const hp_batch* batch) {
    return hp_session_set_context(w.session.get(), batch);
  });
  batches("hp_session_append_events", kEventMistakes, [](W w, const hp_batch* batch) {
    return hp_session_append_events(w.session.get(), batch);
  });
  batches("hp_session_set_history", kEventMistakes, [](W w, const hp_batch* batch) {
    return hp_session_set_history(w.session.get(), batch);
  });
  batches("hp_session_score", kCandidateMistakes, [](W w, const hp_batch* batch) {
    float scores[2];
    return hp_session_score(w.session.get(), batch, scores, nullptr);
  });
  batches("hp_session_score_outputs", kCandidateMistakes, [](W w, const hp_batch* batch) {
    float scores[2];
    return hp_session_score_outputs(w.session.get(), batch, nullptr, 1, scores, nullptr);
  });
  batches("hp_session_rank", kCandidateMistakes, [](W w, const hp_batch* batch) {
    return hp_session_rank(w.session.get(), batch, 1, w.ranked, &w.count);
  });
  batches("hp_session_rank_by", kCandidateMistakes, [](W w, const hp_batch* batch) {
    return hp_session_rank_by(w.session.get(), batch, &w.rank_options, 1, w.ranked, &w.count);
  });
  // Options of a recall.
  for (const RecallMistake& mistake : kRecallMistakes) {
    const auto make = mistake.make;
    all.push_back({"hp_session_recall", mistake.what, mistake.status, [=](W w) {
                     make(&w.recall);
                     return hp_session_recall(w.session.get(), &w.recall, w.recalled, &w.count);
                   }});
    all.push_back({"hp_session_recommend", mistake.what, mistake.status, [=](W w) {
                     make(&w.recall);
                     return hp_session_recommend(w.session.get(), &w.recall, 1, w.recommended,
                                                 &w.count);
                   }});
  }
  const auto other_overlay = [](W w) {
    const RecallBundle made = MakeRecallBundle(RecallBundleOptions{});
    auto other = std::make_shared<OpenModel>(Serialized(*made.bundle));
    auto overlay = std::make_shared<OpenOverlay>(other->get(), 4);
    w.recall.overlay = overlay->get();
    return std::make_pair(other, overlay);
  };
  all.push_back({"hp_session_recall", "an overlay of another model", HP_INVALID_ARGUMENT, [=](W w) {
                   const auto other = other_overlay(w);
                   return hp_session_recall(w.session.get(), &w.recall, w.recalled, &w.count);
                 }});
  all.push_back(
      {"hp_session_recommend", "an overlay of another model", HP_INVALID_ARGUMENT, [=](W w) {
         const auto other = other_overlay(w);
         return hp_session_recommend(w.session.get(), &w.recall, 1, w.recommended, &w.count);
       }});
}

const PlainMistake kOfOverlays[] = {
    {"hp_recall_overlay_memory_size", "no items", HP_INVALID_ARGUMENT,
     [](W w) { return hp_recall_overlay_memory_size(w.model.get(), 0, &w.size, &w.error); }},
    {"hp_recall_overlay_memory_size", "too many items", HP_INVALID_ARGUMENT,
     [](W w) {
       return hp_recall_overlay_memory_size(w.model.get(), HP_MAX_OVERLAY_ITEMS + 1, &w.size,
                                            &w.error);
     }},
    {"hp_recall_overlay_create", "a byte too few", HP_MEMORY_TOO_SMALL,
     [](W w) {
       return hp_recall_overlay_create(w.model.get(), 4, w.memory.get(), w.overlay_bytes - 1,
                                       &w.created_overlay, &w.error);
     }},
    {"hp_recall_overlay_create", "misaligned memory", HP_MISALIGNED,
     [](W w) {
       return hp_recall_overlay_create(w.model.get(), 4, static_cast<char*>(w.memory.get()) + 4,
                                       w.overlay_bytes, &w.created_overlay, &w.error);
     }},
    {"hp_recall_overlay_create", "too many items", HP_INVALID_ARGUMENT,
     [](W w) {
       return hp_recall_overlay_create(w.model.get(), UINT32_MAX, w.memory.get(), w.overlay_bytes,
                                       &w.created_overlay, &w.error);
     }},
    {"hp_recall_overlay_add", "another dimension", HP_INVALID_ARGUMENT,
     [](W w) {
       return hp_recall_overlay_add(w.overlay.get(), &w.new_id, w.vector.data(), 15, &w.error);
     }},
    {"hp_recall_overlay_add", "NaN", HP_NOT_FINITE,
     [](W w) {
       w.vector[15] = std::nanf("");
       return hp_recall_overlay_add(w.overlay.get(), &w.new_id, w.vector.data(), 16, &w.error);
     }},
    {"hp_recall_overlay_add", "an item of the index", HP_DUPLICATE_ITEM,
     [](W w) {
       return hp_recall_overlay_add(w.overlay.get(), &w.known_id, w.vector.data(), 16, &w.error);
     }},
    {"hp_recall_overlay_remove", "an item that was not added", HP_UNKNOWN_ITEM,
     [](W w) { return hp_recall_overlay_remove(w.overlay.get(), &w.new_id, &w.error); }},
    {"hp_recall_overlay_hide", "an item that is not in the index", HP_UNKNOWN_ITEM,
     [](W w) { return hp_recall_overlay_hide(w.overlay.get(), &w.new_id, &w.error); }},
    {"hp_recall_overlay_show", "an item that is not hidden", HP_UNKNOWN_ITEM,
     [](W w) { return hp_recall_overlay_show(w.overlay.get(), &w.known_id, &w.error); }},
};

std::vector<Mistake> Mistakes() {
  std::vector<Mistake> all;
  const auto add = [&](const auto& mistakes) {
    for (const PlainMistake& mistake : mistakes) {
      all.push_back({mistake.function, mistake.what, mistake.status, mistake.make});
    }
  };
  add(kOfModels);
  add(kOfSessions);
  add(kOfOverlays);
  AddMistakesOfArguments(&all);
  return all;
}

// The words that a call left: those of its hp_error, or its session's. Null: it has none.
const hp_error* Said(const World& world, const std::string& function) {
  if (world.error.status != HP_OK) return &world.error;
  static const char* const kWithWords[] = {
      "hp_session_set_context",   "hp_session_append_events", "hp_session_set_history",
      "hp_session_score",         "hp_session_score_outputs", "hp_session_rank",
      "hp_session_rank_by",       "hp_session_recall",        "hp_session_recommend",
      "hp_session_check_goldens", "hp_session_set_profile"};
  for (const char* name : kWithWords) {
    if (function == name) return hp_session_last_error(world.session.get());
  }
  return nullptr;
}

// A model that takes no event of an item that it does not know.
RecallBundle StrictModel() {
  RecallBundleOptions options;
  options.events_out_of_vocabulary = false;
  return MakeRecallBundle(options);
}

TEST(MistakesTest, EachIsAnsweredAndChangesNothing) {
  const RecallBundle made = StrictModel();
  for (const Mistake& mistake : Mistakes()) {
    SCOPED_TRACE(std::string(mistake.function) + ": " + mistake.what);
    World world(made);
    ASSERT_NE(world.session.get(), nullptr);
    const std::vector<float> answer = world.Answer();
    EXPECT_EQ(mistake.make(world), mistake.status)
        << world.error.message << world.session.message();
    if (mistake.status != HP_OK) {
      const hp_error* said = Said(world, mistake.function);
      if (said != nullptr) {
        EXPECT_EQ(said->status, mistake.status);
        EXPECT_STRNE(said->message, "");
        EXPECT_TRUE(IsShown(said->message)) << said->message;
      }
      // What would have been made is null, or of another function.
      for (const void* out :
           {static_cast<const void*>(world.new_model), static_cast<const void*>(world.new_session),
            static_cast<const void*>(world.created),
            static_cast<const void*>(world.created_overlay)}) {
        EXPECT_TRUE(out == nullptr || out == World::Untouched<void>());
      }
    }
    EXPECT_EQ(world.Answer(), answer) << "the session is not as it was";
  }
}

TEST(MistakesTest, NothingIsMadeOfAMistake) {
  const RecallBundle made = StrictModel();
  const std::set<std::string> makers = {"hp_model_open_buffer", "hp_model_open_file",
                                        "hp_model_open_fd",     "hp_session_new",
                                        "hp_session_create",    "hp_recall_overlay_create"};
  size_t tried = 0;
  for (const Mistake& mistake : Mistakes()) {
    if (makers.count(mistake.function) == 0) continue;
    SCOPED_TRACE(std::string(mistake.function) + ": " + mistake.what);
    World world(made);
    mistake.make(world);
    EXPECT_TRUE(world.new_model == nullptr || world.new_session == nullptr ||
                world.created == nullptr || world.created_overlay == nullptr)
        << "what was to be made is not null";
    ++tried;
  }
  EXPECT_GT(tried, makers.size());
}

TEST(MistakesTest, NoFunctionIsLeftOut) {
  std::set<std::string> tried;
  for (const Mistake& mistake : Mistakes()) tried.insert(mistake.function);
  EXPECT_EQ(tried, testing::DeclaredFunctions());
}

}  // namespace
}  // namespace handpick
