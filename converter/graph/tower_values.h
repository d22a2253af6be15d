// Names of values that tools look for in a model of two towers.
#ifndef HANDPICK_CONVERTER_GRAPH_TOWER_VALUES_H_
#define HANDPICK_CONVERTER_GRAPH_TOWER_VALUES_H_

namespace handpick::converter {

// The user's vector, a value of the context, and the item's, one of the candidate.
inline constexpr char kUserVector[] = "user_vector";
inline constexpr char kItemVector[] = "item_vector";

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_GRAPH_TOWER_VALUES_H_
