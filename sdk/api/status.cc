#include "handpick/handpick.h"

const char* hp_status_text(hp_status status) {
  switch (status) {
    case HP_OK:
      return "ok";
    case HP_INVALID_ARGUMENT:
      return "invalid argument";
    case HP_UNKNOWN_FEATURE:
      return "unknown feature";
    case HP_WRONG_TYPE:
      return "wrong type";
    case HP_MISSING_FEATURE:
      return "missing feature";
    case HP_DUPLICATE_FEATURE:
      return "feature given twice";
    case HP_UNKNOWN_ID:
      return "id is not in the vocabulary";
    case HP_NOT_FINITE:
      return "number is not finite";
    case HP_TOO_MANY_VALUES:
      return "too many values";
    case HP_UNKNOWN_ITEM:
      return "item is not in the catalog";
    case HP_CONTEXT_NOT_SET:
      return "context is not set";
    case HP_DUPLICATE_ITEM:
      return "item is there already";
    case HP_UNKNOWN_OUTPUT:
      return "unknown output";
    case HP_OUT_OF_MEMORY:
      return "out of memory";
    case HP_MEMORY_TOO_SMALL:
      return "memory is too small";
    case HP_MISALIGNED:
      return "memory is misaligned";
    case HP_OVERLAY_FULL:
      return "overlay is full";
    case HP_FILE_ERROR:
      return "file error";
    case HP_NOT_A_BUNDLE:
      return "not a bundle";
    case HP_BUNDLE_TOO_NEW:
      return "bundle is too new";
    case HP_BUNDLE_CORRUPT:
      return "bundle is damaged";
    case HP_GOLDEN_MISMATCH:
      return "golden request does not hold";
    case HP_BUNDLE_TOO_OLD:
      return "bundle is too old";
    case HP_NOT_A_DELTA:
      return "not a delta";
    case HP_WRONG_OLD_BUNDLE:
      return "delta is for another bundle";
    case HP_NO_BUNDLE:
      return "store has no bundle";
    case HP_STORE_CORRUPT:
      return "store is damaged";
    case HP_WRONG_SIGNATURE:
      return "wrong signature";
    case HP_UNSUPPORTED:
      return "not supported on this processor";
    case HP_NO_MODEL:
      return "bundle has no model";
    case HP_NO_HASHES:
      return "bundle has no hashes";
    case HP_NO_GOLDENS:
      return "bundle has no golden requests";
    case HP_NO_SIGNATURE:
      return "bundle is not signed";
    case HP_NO_RECALL:
      return "bundle has no recall index";
    case HP_INTERNAL:
      return "internal error";
  }
  return "unknown status";
}
