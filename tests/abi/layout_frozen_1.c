/* The facts of the frozen header. */
#include "tests/abi/frozen_1.h"
#include "tests/abi/layout.h"

#define FIELD(type, field) \
  {FACT_FIELD, #type "." #field, offsetof(type, field), sizeof(((type*)0)->field)},
#define GROWS(type) {FACT_GROWS, #type, sizeof(type), 0},
#define FIXED(type) {FACT_FIXED, #type, sizeof(type), 0},
#define VALUE(name) {FACT_VALUE, #name, (size_t)(name), 0},

const fact kFrozen1[] = {
#include "tests/abi/layout_1.inc"
};
const size_t kFrozen1Count = sizeof(kFrozen1) / sizeof(kFrozen1[0]);
