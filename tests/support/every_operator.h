// A graph with a node of every operator that a bundle has.
#ifndef HANDPICK_TESTS_SUPPORT_EVERY_OPERATOR_H_
#define HANDPICK_TESTS_SUPPORT_EVERY_OPERATOR_H_

#include <string>

#include "converter/graph/graph.h"

namespace handpick::converter {

// Of the features of SmallGraph, made so that Lower() leaves it as it is: each attribute of each
// operator is there, with a value that is not its default, and each number is a float32. The node
// that shows an operator is named after it (OperatorName).
Graph EveryOperator();

// The node of that name; it has to exist.
Node* NodeNamed(const std::string& name, Graph* graph);

}  // namespace handpick::converter

#endif  // HANDPICK_TESTS_SUPPORT_EVERY_OPERATOR_H_
