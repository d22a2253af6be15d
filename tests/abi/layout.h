/* One fact about a header: where a field lies, how large a struct is, which value a name has. */
#ifndef HANDPICK_TESTS_ABI_LAYOUT_H_
#define HANDPICK_TESTS_ABI_LAYOUT_H_

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fact_kind { FACT_FIELD, FACT_GROWS, FACT_FIXED, FACT_VALUE } fact_kind;

typedef struct fact {
  fact_kind kind;
  const char* name;
  size_t number; /* Offset, size, or value. */
  size_t size;   /* Of a field. */
} fact;

extern const fact kFrozen1[];
extern const size_t kFrozen1Count;
extern const fact kCurrent[];
extern const size_t kCurrentCount;

#ifdef __cplusplus
}
#endif

#endif /* HANDPICK_TESTS_ABI_LAYOUT_H_ */
