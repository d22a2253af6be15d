#include "converter/vectors/item_vectors.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/io/utf8.h"
#include "sdk/recall/index.h"

namespace handpick::converter {
namespace {

std::string ShownId(int64_t id) { return absl::StrCat(id); }
std::string ShownId(const std::string& id) { return absl::StrCat("'", id, "'"); }

// Sorts `ids` and their rows.
template <typename Id>
absl::Status Sort(std::vector<Id>* ids, std::vector<float>* numbers, uint32_t dimension,
                  const std::string& origin) {
  const auto fault = [&](const auto&... parts) {
    return absl::InvalidArgumentError(absl::StrCat(origin, ": ", parts...));
  };
  if (dimension == 0 || dimension > kMaxRecallDimension) {
    return fault("its vectors have ", dimension, " numbers, expected 1 to ", kMaxRecallDimension);
  }
  if (ids->empty()) return fault("has no items");
  if (ids->size() > kMaxRecallItems) {
    return fault("has ", ids->size(), " items, more than ", kMaxRecallItems);
  }
  if (numbers->size() / dimension != ids->size() || numbers->size() % dimension != 0) {
    return fault(ids->size(), " ids, but ", numbers->size(), " numbers of vectors of ", dimension);
  }
  for (size_t i = 0; i < numbers->size(); ++i) {
    if (!std::isfinite((*numbers)[i])) {
      return fault("item ", ShownId((*ids)[i / dimension]), ": number ", i % dimension,
                   std::isnan((*numbers)[i]) ? " is NaN" : " is infinite");
    }
  }
  std::vector<uint32_t> order(ids->size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return (*ids)[a] < (*ids)[b]; });
  std::vector<Id> sorted_ids;
  sorted_ids.reserve(order.size());
  std::vector<float> sorted(numbers->size());
  for (size_t i = 0; i < order.size(); ++i) {
    const size_t from = order[i];
    if (i > 0 && (*ids)[from] == sorted_ids.back()) {
      return fault("item ", ShownId(sorted_ids.back()), " occurs twice");
    }
    sorted_ids.push_back(std::move((*ids)[from]));
    std::copy_n(&(*numbers)[from * dimension], dimension, &sorted[i * dimension]);
  }
  *ids = std::move(sorted_ids);
  *numbers = std::move(sorted);
  return absl::OkStatus();
}

}  // namespace

std::string ItemIdList::Shown(size_t item) const {
  return are_strings ? ShownId(strings[item]) : ShownId(integers[item]);
}

std::string ShownText(absl::string_view text) {
  return absl::StrCat("'", absl::CEscape(text), "'");
}

std::string WhyStrings(const ItemIdList& ids) {
  // Other programs write "7" where they mean 7, or 7 as a string.
  const auto is_quoted = [](const std::string& id) {
    return id.size() >= 2 && (id[0] == '"' || id[0] == '\'') && id.back() == id[0];
  };
  if (!ids.strings.empty() && std::all_of(ids.strings.begin(), ids.strings.end(), is_quoted)) {
    return absl::StrCat("ids are strings, and their quotes belong to them, as in ",
                        ids.strings.front());
  }
  const std::string* first = nullptr;
  size_t others = 0;
  int64_t integer = 0;
  for (const std::string& id : ids.strings) {
    if (ParseIntegerId(id, &integer)) continue;
    if (first == nullptr) first = &id;
    ++others;
  }
  if (first == nullptr || others * 10 > ids.size()) return "";
  return absl::StrCat("ids are strings, since ", ShownId(*first), " is no integer, as ",
                      ids.size() - others, " of ", ids.size(), " ids are");
}

bool ParseIntegerId(absl::string_view text, int64_t* id) {
  return absl::SimpleAtoi(text, id) && absl::StrCat(*id) == text;
}

absl::StatusOr<ItemVectors> MakeItemVectors(std::vector<std::string> ids,
                                            std::vector<float> numbers, uint32_t dimension,
                                            IdType type, const std::string& origin) {
  if (type != IdType::kString) {
    std::vector<int64_t> integers;
    for (const std::string& id : ids) {
      int64_t integer = 0;
      if (ParseIntegerId(id, &integer)) {
        integers.push_back(integer);
      } else if (type == IdType::kInteger) {
        return absl::InvalidArgumentError(
            absl::StrCat(origin, ": id '", id, "' is no integer of 64 bits"));
      } else {
        break;
      }
    }
    if (integers.size() == ids.size()) {
      return MakeItemVectors(std::move(integers), std::move(numbers), dimension, origin);
    }
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    if (const char* fault = FaultOfId(ids[i])) {
      return absl::InvalidArgumentError(
          absl::StrCat(origin, ": item ", i, ": its id ", ShownText(ids[i]), " ", fault));
    }
  }
  HP_RETURN_IF_ERROR(Sort(&ids, &numbers, dimension, origin));
  ItemVectors items;
  items.ids.are_strings = true;
  items.ids.strings = std::move(ids);
  items.dimension = dimension;
  items.numbers = std::move(numbers);
  return items;
}

absl::StatusOr<ItemVectors> MakeItemVectors(std::vector<int64_t> ids, std::vector<float> numbers,
                                            uint32_t dimension, const std::string& origin) {
  HP_RETURN_IF_ERROR(Sort(&ids, &numbers, dimension, origin));
  ItemVectors items;
  items.ids.integers = std::move(ids);
  items.dimension = dimension;
  items.numbers = std::move(numbers);
  return items;
}

}  // namespace handpick::converter
