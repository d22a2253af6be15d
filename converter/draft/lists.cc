#include "converter/draft/lists.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace handpick::converter {
namespace {

// Subsets are tried one by one: a guard against specs of hundreds of features of one table.
constexpr size_t kMostTried = 200000;

class Subsets {
 public:
  Subsets(const std::vector<Member>& members,
          const std::function<int64_t(const std::vector<Member>&)>& rest, size_t most)
      : rest_(rest), most_(most) {
    std::map<std::string, size_t> users;
    for (const Member& member : members) {
      if (!member.table.empty()) ++users[member.table];
    }
    for (const Member& member : members) {
      if (member.table.empty()) {
        numbers_.push_back(member);
      } else if (users[member.table] == 1) {
        required_.push_back(member);
      } else {
        optional_.push_back(member);
      }
    }
    tables_ = users.size();
    for (const Member& member : members) order_.push_back(member.feature);
  }

  std::vector<FeatureList> Run() {
    std::vector<Member> fields = required_;
    AddFields(0, &fields);
    std::stable_sort(lists_.begin(), lists_.end(), [](const FeatureList& a, const FeatureList& b) {
      return a.size() > b.size();
    });
    return lists_;
  }

 private:
  bool IsOver() { return lists_.size() >= most_ || ++tried_ > kMostTried; }

  void AddFields(size_t next, std::vector<Member>* fields) {
    if (IsOver()) return;
    if (next < optional_.size()) {
      fields->push_back(optional_[next]);
      AddFields(next + 1, fields);
      fields->pop_back();
      AddFields(next + 1, fields);
      return;
    }
    std::map<std::string, int> used;
    for (const Member& field : *fields) used[field.table] = 1;
    if (used.size() != tables_) return;
    const int64_t rest = rest_(*fields);
    if (rest < 0) return;
    std::vector<Member> list = *fields;
    AddNumbers(0, rest, &list);
  }

  void AddNumbers(size_t next, int64_t rest, std::vector<Member>* list) {
    if (IsOver() || rest < 0) return;
    if (rest == 0) {
      Keep(*list);
      return;
    }
    if (next == numbers_.size()) return;
    list->push_back(numbers_[next]);
    AddNumbers(next + 1, rest - numbers_[next].width, list);
    list->pop_back();
    AddNumbers(next + 1, rest, list);
  }

  void Keep(const std::vector<Member>& members) {
    FeatureList list;
    for (const size_t feature : order_) {
      if (std::any_of(members.begin(), members.end(),
                      [&](const Member& member) { return member.feature == feature; })) {
        list.push_back(feature);
      }
    }
    if (!list.empty()) lists_.push_back(std::move(list));
  }

  const std::function<int64_t(const std::vector<Member>&)>& rest_;
  const size_t most_;
  std::vector<Member> required_, optional_, numbers_;
  size_t tables_ = 0;
  FeatureList order_;
  std::vector<FeatureList> lists_;
  size_t tried_ = 0;
};

}  // namespace

std::vector<FeatureList> ListsThatFit(
    const std::vector<Member>& members,
    const std::function<int64_t(const std::vector<Member>& fields)>& rest, size_t most) {
  return Subsets(members, rest, most).Run();
}

std::vector<FeatureList> OtherOrders(const FeatureList& list, const std::vector<Member>& members,
                                     bool within_groups, size_t most) {
  // Places by group; without groups, all places are one.
  std::map<int, std::vector<size_t>> groups;
  for (size_t place = 0; place < list.size(); ++place) {
    const auto member = std::find_if(members.begin(), members.end(),
                                     [&](const Member& own) { return own.feature == list[place]; });
    groups[within_groups && member != members.end() ? member->group : 0].push_back(place);
  }
  double count = 1;
  for (const auto& [unused, places] : groups) {
    for (size_t i = 2; i <= places.size(); ++i) count *= static_cast<double>(i);
  }
  if (count > static_cast<double>(most) + 1) return {};
  std::vector<FeatureList> orders = {list};
  for (const auto& [unused, places] : groups) {
    std::vector<size_t> turn(places.size());
    std::iota(turn.begin(), turn.end(), 0);
    std::vector<FeatureList> next;
    do {
      for (const FeatureList& base : orders) {
        FeatureList turned = base;
        for (size_t i = 0; i < places.size(); ++i) turned[places[i]] = base[places[turn[i]]];
        next.push_back(std::move(turned));
      }
    } while (std::next_permutation(turn.begin(), turn.end()));
    orders = std::move(next);
  }
  orders.erase(std::remove(orders.begin(), orders.end(), list), orders.end());
  return orders;
}

}  // namespace handpick::converter
