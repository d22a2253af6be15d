/* The same facts of the current header. What is gone from it does not compile. */
#include <handpick/diagnostics.h>
#include <handpick/handpick.h>

#include "tests/abi/layout.h"

#define FIELD(type, field) \
  {FACT_FIELD, #type "." #field, offsetof(type, field), sizeof(((type*)0)->field)},
#define GROWS(type) {FACT_GROWS, #type, sizeof(type), 0},
#define FIXED(type) {FACT_FIXED, #type, sizeof(type), 0},
#define VALUE(name) {FACT_VALUE, #name, (size_t)(name), 0},

const fact kCurrent[] = {
#include "tests/abi/layout_1.inc"
};
const size_t kCurrentCount = sizeof(kCurrent) / sizeof(kCurrent[0]);
