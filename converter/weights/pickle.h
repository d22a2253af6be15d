// Python's pickle, read as data: nothing that it names is looked up, and nothing is called.
// https://github.com/python/cpython/blob/3.11/Lib/pickletools.py
//
// A pickle is a program that builds objects. This machine knows the objects that weights are made
// of: numbers, strings, tuples, lists, dictionaries, and the calls by which torch.save makes
// tensors of storages. An object of any other class is kept by the name of its class alone. A call
// of any other function is refused by its name.
#ifndef HANDPICK_CONVERTER_WEIGHTS_PICKLE_H_
#define HANDPICK_CONVERTER_WEIGHTS_PICKLE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace handpick::converter {

struct PickleValue {
  enum class Kind {
    kNone,
    kBool,     // integer
    kInteger,  // integer
    kFloat,    // no number: no weight is one
    kString,   // text; bytes, too
    kTuple,    // items
    kList,     // items; sets, too
    kDict,     // items: key, value, key, value, ...
    kGlobal,   // text: "module.name" of a class or function
    kStorage,  // items: what torch.save said of it, a tuple
    kTensor,   // items: the arguments of the call that makes it; text: that call
    kObject,   // text: "module.class"
  };
  Kind kind = Kind::kNone;
  int64_t integer = 0;
  std::string text;
  std::vector<const PickleValue*> items;
  uint32_t depth =
      1;  // Of what is in it, itself included, as far as it was there when it was made.
};

// "a list", "an object of class 'model.DIN'"
std::string KindOf(const PickleValue& value);

// The objects of pickles, which live as long as this. Together they are limited in number.
class PickleReader {
 public:
  // `origin` begins every message.
  explicit PickleReader(std::string origin) : origin_(std::move(origin)) {}

  // Reads the pickle that `bytes` begins with, up to its end, and takes that off `bytes`.
  absl::StatusOr<const PickleValue*> Read(absl::string_view* bytes);

  // Every object of that kind, in the order in which they were made.
  std::vector<const PickleValue*> All(PickleValue::Kind kind) const;

 private:
  friend class PickleMachine;

  const std::string origin_;
  std::deque<PickleValue> values_;
  size_t item_count_ = 0;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_WEIGHTS_PICKLE_H_
