#include "converter/vectors/write.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"

namespace handpick::converter {
namespace {

template <typename T>
void AppendBytes(const std::vector<T>& numbers, std::string* bytes) {
  const size_t begin = bytes->size();
  bytes->resize(begin + numbers.size() * sizeof(T));
  if (!numbers.empty()) std::memcpy(&(*bytes)[begin], numbers.data(), numbers.size() * sizeof(T));
}

}  // namespace

std::string SafetensorsOfVectors(const ItemVectors& items) {
  // Little-endian, as is every machine that this runs on.
  std::string data;
  AppendBytes(items.ids.integers, &data);
  const size_t ids_end = data.size();
  AppendBytes(items.numbers, &data);
  const size_t count = items.ids.integers.size();
  std::string header =
      absl::StrCat(R"({"ids":{"dtype":"I64","shape":[)", count, R"(],"data_offsets":[0,)", ids_end,
                   R"(]},"vectors":{"dtype":"F32","shape":[)", count, ",", items.dimension,
                   R"(],"data_offsets":[)", ids_end, ",", data.size(), "]}}");
  header.resize((header.size() + 7) / 8 * 8, ' ');
  std::string file(8, '\0');
  const uint64_t size = header.size();
  for (int i = 0; i < 8; ++i) file[static_cast<size_t>(i)] = static_cast<char>(size >> (8 * i));
  return absl::StrCat(file, header, data);
}

}  // namespace handpick::converter
