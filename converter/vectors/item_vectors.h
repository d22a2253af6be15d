// Item vectors with the ids of their items, as a recall index is made of them.
#ifndef HANDPICK_CONVERTER_VECTORS_ITEM_VECTORS_H_
#define HANDPICK_CONVERTER_VECTORS_ITEM_VECTORS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/recall/vectors.h"

namespace handpick::converter {

// Ids by the number of their item: integers or strings, ascending (strings bytewise), each once.
struct ItemIdList {
  bool are_strings = false;
  std::vector<int64_t> integers;
  std::vector<std::string> strings;

  size_t size() const { return are_strings ? strings.size() : integers.size(); }
  // As a person would write it; a string in quotes.
  std::string Shown(size_t item) const;
};

struct ItemVectors {
  ItemIdList ids;
  uint32_t dimension = 0;
  std::vector<float> numbers;  // [ids.size(), dimension], by the number of the item.

  VectorSet view() const { return {numbers, dimension}; }
};

enum class IdType { kEither, kInteger, kString };

// Puts vectors into the order of their ids. `ids` [count] in the order of `numbers`
// [count, dimension]; `origin` names the source in messages. kEither: integers when every id is
// one, as a person would write it ("7", "-7"; not "007" or "+7"). Errors, with the id: one occurs
// twice, is no text (FaultOfId) or no integer where those are wanted, a number is NaN or infinite.
// No items, no dimension, and more than a recall index holds, are errors, too.
absl::StatusOr<ItemVectors> MakeItemVectors(std::vector<std::string> ids,
                                            std::vector<float> numbers, uint32_t dimension,
                                            IdType type, const std::string& origin);
absl::StatusOr<ItemVectors> MakeItemVectors(std::vector<int64_t> ids, std::vector<float> numbers,
                                            uint32_t dimension, const std::string& origin);

// How a text that is no sound id is shown: in quotes, with escapes.
std::string ShownText(absl::string_view text);

// Why ids are strings where something else may have been meant: nearly all of them (nine of ten)
// are integers, or all are in quotes. Empty: nothing says so.
std::string WhyStrings(const ItemIdList& ids);

// True: `text` is an integer of 64 bits as a person would write it.
bool ParseIntegerId(absl::string_view text, int64_t* id);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_VECTORS_ITEM_VECTORS_H_
