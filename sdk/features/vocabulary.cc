#include "sdk/features/vocabulary.h"

#include <algorithm>
#include <cstring>

#include "sdk/base/read_once.h"
#include "xxhash.h"

namespace handpick {
namespace {

int64_t HashRow(const Vocabulary& vocabulary, const void* bytes, size_t size) {
  return vocabulary.first_row +
         static_cast<int64_t>(XXH64(bytes, size, vocabulary.hash_seed) % vocabulary.buckets);
}

int64_t RowAt(const Vocabulary& vocabulary, int64_t position) {
  if (position == kNotFound) return vocabulary.out_of_vocabulary_row;
  const uint32_t row = ReadOnce(vocabulary.rows[static_cast<size_t>(position)]);
  return row < vocabulary.row_count ? row : kNotFound;
}

// Bytewise order, the shorter first: negative, 0 or positive.
int Compare(const uint8_t* a, size_t a_size, const char* b, size_t b_size) {
  const size_t common = std::min(a_size, b_size);
  const int order = common == 0 ? 0 : std::memcmp(a, b, common);
  if (order != 0) return order;
  return a_size < b_size ? -1 : a_size > b_size ? 1 : 0;
}

}  // namespace

uint32_t VocabularyTypes(const Vocabulary& vocabulary) {
  switch (vocabulary.kind) {
    case schema::VocabularyKind::StringList:
      return HP_STRING;
    case schema::VocabularyKind::Hash:
      return HP_INT64 | HP_STRING;
    default:
      return HP_INT64;
  }
}

int64_t FindInteger(absl::Span<const int64_t> list, int64_t key) {
  const auto found = std::lower_bound(list.begin(), list.end(), key);
  if (found == list.end() || *found != key) return kNotFound;
  return found - list.begin();
}

int64_t FindString(const StringList& list, hp_string key) {
  size_t begin = 0;
  size_t end = list.size();
  while (begin < end) {
    const size_t middle = begin + (end - begin) / 2;
    const uint32_t from = ReadOnce(list.offsets[middle]);
    const uint32_t to = ReadOnce(list.offsets[middle + 1]);
    if (from > to || to > list.bytes.size())
      return kNotFound;  // Damaged: not found is a defined answer.
    const int order = Compare(list.bytes.data() + from, to - from, key.data, key.size);
    if (order == 0) return static_cast<int64_t>(middle);
    if (order < 0) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return kNotFound;
}

int64_t FindRow(const Vocabulary& vocabulary, int64_t id) {
  switch (vocabulary.kind) {
    case schema::VocabularyKind::Identity:
      // As unsigned, a negative id is beyond every row.
      return static_cast<uint64_t>(id) < vocabulary.row_count ? id
                                                              : vocabulary.out_of_vocabulary_row;
    case schema::VocabularyKind::IntegerList:
      return RowAt(vocabulary, FindInteger(vocabulary.ids, id));
    case schema::VocabularyKind::Hash:
      return HashRow(vocabulary, &id, sizeof(id));
    default:
      return kNotFound;
  }
}

int64_t FindRow(const Vocabulary& vocabulary, hp_string id) {
  switch (vocabulary.kind) {
    case schema::VocabularyKind::StringList:
      return RowAt(vocabulary, FindString(vocabulary.strings, id));
    case schema::VocabularyKind::Hash:
      return HashRow(vocabulary, id.data, id.size);
    default:
      return kNotFound;
  }
}

}  // namespace handpick
