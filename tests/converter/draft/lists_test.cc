#include "converter/draft/lists.h"

#include <vector>

#include "gtest/gtest.h"

namespace handpick::converter {
namespace {

// Two tables, one of which two features share, and two numbers.
const std::vector<Member> kMembers = {
    {0, 4, "user", 0}, {1, 4, "item", 0}, {2, 4, "item", 1}, {3, 1, "", 2}, {4, 2, "", 2}};

TEST(ListsTest, ComeToTheWidth) {
  const auto rest_of = [](int64_t width) {
    return [width](const std::vector<Member>& fields) {
      return width - 4 * static_cast<int64_t>(fields.size());
    };
  };
  EXPECT_EQ(ListsThatFit(kMembers, rest_of(15), 64), (std::vector<FeatureList>{{0, 1, 2, 3, 4}}));
  // Either of the two that share a table.
  EXPECT_EQ(ListsThatFit(kMembers, rest_of(9), 64),
            (std::vector<FeatureList>{{0, 1, 3}, {0, 2, 3}}));
  // Every table has a reader.
  EXPECT_TRUE(ListsThatFit(kMembers, rest_of(4), 64).empty());
  EXPECT_EQ(ListsThatFit(kMembers, rest_of(9), 1).size(), 1u);
}

TEST(ListsTest, OtherOrdersArePermutations) {
  EXPECT_EQ(OtherOrders({0, 1, 3}, kMembers, false, 100).size(), 5u);
  // Ids before numbers: the two ids alone may change places.
  EXPECT_EQ(OtherOrders({0, 1, 3}, kMembers, true, 100), (std::vector<FeatureList>{{1, 0, 3}}));
  EXPECT_TRUE(OtherOrders({0, 1, 3}, kMembers, false, 3).empty());
}

}  // namespace
}  // namespace handpick::converter
