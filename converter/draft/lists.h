// Lists of features that come to a width.
#ifndef HANDPICK_CONVERTER_DRAFT_LISTS_H_
#define HANDPICK_CONVERTER_DRAFT_LISTS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace handpick::converter {

// Something that a list may have.
struct Member {
  size_t feature;          // Its place among the spec's features.
  int64_t width = 0;       // Of its embedding, or of its numbers.
  std::string table = {};  // "": numbers.
  // 0, 1, 2: ids, pooled ids, numbers. Libraries may join one group after the other.
  int group = 0;
};

using FeatureList = std::vector<size_t>;

// The lists of members, in their order, in which every table occurs and the numbers come to
// `rest(members with tables)`, which is negative where those cannot be. The longest first; at most
// `most`.
std::vector<FeatureList> ListsThatFit(
    const std::vector<Member>& members,
    const std::function<int64_t(const std::vector<Member>& fields)>& rest, size_t most);

// The other orders of a list: permutations, or those within the groups, where only these differ.
// None if there were more than `most`.
std::vector<FeatureList> OtherOrders(const FeatureList& list, const std::vector<Member>& members,
                                     bool within_groups, size_t most);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_DRAFT_LISTS_H_
