// Numbers and fields as LevelDB and protocol buffers write them.
// https://protobuf.dev/programming-guides/encoding
#ifndef HANDPICK_CONVERTER_WEIGHTS_WIRE_H_
#define HANDPICK_CONVERTER_WEIGHTS_WIRE_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace handpick::converter {

enum class WireType { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// A field of a message.
struct WireField {
  uint64_t number = 0;
  WireType type = WireType::kVarint;
  uint64_t value = 0;       // Of a number.
  absl::string_view bytes;  // Of kBytes: a text or a message.
};

// Takes one thing after another from bytes. Each function returns false when the bytes left do not
// hold it; nothing is to be read after that.
class WireReader {
 public:
  explicit WireReader(absl::string_view bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  // At most 64 bits.
  bool Varint(uint64_t* value);
  bool Fixed32(uint32_t* value);
  bool Fixed64(uint64_t* value);
  bool Bytes(uint64_t size, absl::string_view* bytes);
  // The next field of a message. Groups, which no message of today has, are none.
  bool Field(WireField* field);

 private:
  bool Fixed(size_t size, uint64_t* value);

  absl::string_view rest_;
};

// Calls `take` for the fields of a message, which says whether the field is what it may be. False:
// one is not, or the message is damaged.
template <typename Take>
bool EachField(absl::string_view message, Take take) {
  WireReader reader(message);
  WireField field;
  while (!reader.empty()) {
    if (!reader.Field(&field) || !take(field)) return false;
  }
  return true;
}

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_WEIGHTS_WIRE_H_
