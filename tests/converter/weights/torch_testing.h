// Pickles of torch.save, byte by byte: a function for each thing that they are made of.
#ifndef HANDPICK_TESTS_CONVERTER_WEIGHTS_TORCH_TESTING_H_
#define HANDPICK_TESTS_CONVERTER_WEIGHTS_TORCH_TESTING_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/converter/weights/zip_testing.h"

namespace handpick::converter {

inline std::string Text(const std::string& text) {
  std::string out = "X";
  Append(&out, text.size(), 4);
  return out + text;
}

inline std::string Integer(int32_t value) {
  std::string out = "J";
  Append(&out, static_cast<uint32_t>(value), 4);
  return out;
}

inline std::string Tuple(const std::vector<std::string>& items) {
  std::string out = "(";
  for (const std::string& item : items) out += item;
  return out + "t";
}

inline std::string Global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}

inline std::string Call(const std::string& module, const std::string& name,
                        const std::vector<std::string>& arguments) {
  return Global(module, name) + Tuple(arguments) + "R";
}

inline std::string Integers(const std::vector<int32_t>& values) {
  std::vector<std::string> items;
  for (const int32_t value : values) items.push_back(Integer(value));
  return Tuple(items);
}

inline std::string Storage(int32_t elements, const std::string& key = "0",
                           const std::string& type = "FloatStorage") {
  return Tuple(
             {Text("storage"), Global("torch", type), Text(key), Text("cpu"), Integer(elements)}) +
         "Q";
}

inline std::string TensorOf(const std::string& storage, int32_t offset,
                            const std::vector<int32_t>& shape,
                            const std::vector<int32_t>& strides) {
  return Call("torch._utils", "_rebuild_tensor_v2",
              {storage, Integer(offset), Integers(shape), Integers(strides), "\x89",
               Call("collections", "OrderedDict", {})});
}

inline std::string Dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string out = "}(";
  for (const auto& [key, value] : items) out += Text(key) + value;
  return out + "u";
}

inline std::string Pickle(const std::string& object) { return "\x80\x02" + object + "."; }

}  // namespace handpick::converter

#endif  // HANDPICK_TESTS_CONVERTER_WEIGHTS_TORCH_TESTING_H_
