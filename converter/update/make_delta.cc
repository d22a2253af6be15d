#include "converter/update/make_delta.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "schema/delta.h"
#include "xxhash.h"

namespace handpick::converter {
namespace {

constexpr size_t kBlock = 32;    // Bytes that are looked for everywhere.
constexpr size_t kSpacing = 16;  // Where blocks of the old bundle begin.
constexpr size_t kStep = 4;      // Where blocks of the new one are looked for: elements of arrays.
constexpr size_t kShortest = 8;  // A copy that is worth its step.
constexpr size_t kNear = 4096;   // How far ahead the same shift is looked for.
constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

// Blocks of the old bundle, by hash: the first of each.
class Blocks {
 public:
  explicit Blocks(absl::string_view bytes) : bytes_(bytes) {
    const size_t count = bytes.size() < kBlock ? 0 : (bytes.size() - kBlock) / kSpacing + 1;
    size_t size = 1024;
    while (size < 2 * count) size *= 2;
    slots_.assign(size, kNone);
    for (size_t i = 0; i < count; ++i) {
      uint32_t* slot = SlotOf(bytes.data() + i * kSpacing);
      if (*slot == kNone) *slot = static_cast<uint32_t>(i);
    }
  }

  // Where the block at `block` is, or SIZE_MAX.
  size_t Find(const char* block) {
    const uint32_t found = *SlotOf(block);
    return found == kNone ? SIZE_MAX : size_t{found} * kSpacing;
  }

 private:
  // That of an equal block, or an empty one.
  uint32_t* SlotOf(const char* block) {
    for (size_t i = XXH3_64bits(block, kBlock);; ++i) {
      uint32_t* slot = &slots_[i & (slots_.size() - 1)];
      if (*slot == kNone ||
          std::memcmp(bytes_.data() + size_t{*slot} * kSpacing, block, kBlock) == 0) {
        return slot;
      }
    }
  }

  absl::string_view bytes_;
  std::vector<uint32_t> slots_;
};

class DeltaMaker {
 public:
  DeltaMaker(absl::string_view from, absl::string_view to) : old_(from), new_(to), blocks_(from) {}

  std::string Run() {
    size_t begin = 0;  // Of what is not written yet: bytes that are new so far.
    size_t at = 0;
    while (at < new_.size()) {
      size_t length = LengthAt(at, shift_);
      if (length < kShortest) {
        const size_t near = FindNear(at);
        if (near != SIZE_MAX) {
          at = near;
          length = LengthAt(at, shift_);
        } else if (const size_t found = FindAnywhere(at); found != SIZE_MAX) {
          shift_ = static_cast<int64_t>(found) - static_cast<int64_t>(at);
          // The bytes before it may be the old ones, too.
          while (at > begin && Same(at - 1, shift_)) --at;
          length = LengthAt(at, shift_);
        } else {
          at += kStep - at % kStep;
          continue;
        }
      }
      Step(begin, at, length);
      at += length;
      begin = at;
    }
    Step(begin, new_.size(), 0);
    return std::move(out_);
  }

 private:
  bool Same(size_t at, int64_t shift) const {
    const int64_t from = static_cast<int64_t>(at) + shift;
    return from >= 0 && from < static_cast<int64_t>(old_.size()) && at < new_.size() &&
           old_[static_cast<size_t>(from)] == new_[at];
  }

  size_t LengthAt(size_t at, int64_t shift) const {
    const int64_t from = static_cast<int64_t>(at) + shift;
    if (from < 0 || from >= static_cast<int64_t>(old_.size())) return 0;
    const size_t most = std::min(new_.size() - at, old_.size() - static_cast<size_t>(from));
    const char* a = new_.data() + at;
    const char* b = old_.data() + from;
    size_t length = 0;
    while (length + kBlock <= most && std::memcmp(a + length, b + length, kBlock) == 0) {
      length += kBlock;
    }
    while (length < most && a[length] == b[length]) ++length;
    return length;
  }

  // Where, not far behind `at`, the old bytes go on with the same shift, or SIZE_MAX.
  size_t FindNear(size_t at) const {
    const size_t end = std::min(new_.size(), at + kNear);
    size_t equal = 0;
    for (size_t i = at; i < end; ++i) {
      equal = Same(i, shift_) ? equal + 1 : 0;
      if (equal >= kShortest) return i + 1 - equal;
    }
    return SIZE_MAX;
  }

  size_t FindAnywhere(size_t at) {
    return at + kBlock > new_.size() ? SIZE_MAX : blocks_.Find(new_.data() + at);
  }

  // A step of the delta is a copy and then new bytes: those from `begin` to `at` belong to the copy
  // that waits, and the next one waits from then on.
  void Step(size_t begin, size_t at, size_t length) {
    if (waiting_ > 0 || at > begin) {
      Number(
          schema::SignedDeltaNumber(static_cast<int64_t>(from_) - static_cast<int64_t>(old_at_)));
      Number(waiting_);
      Number(at - begin);
      out_.append(new_.data() + begin, at - begin);
      old_at_ = from_ + waiting_;
    }
    waiting_ = length;
    if (length > 0) from_ = static_cast<size_t>(static_cast<int64_t>(at) + shift_);
  }

  void Number(uint64_t number) {
    uint8_t bytes[schema::kMaxDeltaNumber];
    const size_t size = schema::WriteDeltaNumber(number, bytes);
    out_.append(reinterpret_cast<const char*>(bytes), size);
  }

  absl::string_view old_;
  absl::string_view new_;
  Blocks blocks_;
  int64_t shift_ = 0;   // From a byte of the new bundle to that of the old one.
  size_t waiting_ = 0;  // Bytes of the copy that is not written yet.
  size_t from_ = 0;     // Where they begin in the old bundle.
  size_t old_at_ = 0;   // Behind what the last step copied.
  std::string out_;
};

}  // namespace

absl::StatusOr<std::string> MakeDelta(absl::string_view old_bundle, absl::string_view new_bundle) {
  for (const absl::string_view bundle : {old_bundle, new_bundle}) {
    if (bundle.size() <= schema::kMaxDeltaFile) continue;
    return absl::InvalidArgumentError(absl::StrCat("a bundle has ", bundle.size(),
                                                   " bytes, at most ", schema::kMaxDeltaFile,
                                                   " are possible"));
  }
  const std::string steps = DeltaMaker(old_bundle, new_bundle).Run();
  schema::DeltaHeader header = {};
  std::memcpy(header.magic, schema::kDeltaMagic, sizeof(header.magic));
  header.old_size = old_bundle.size();
  header.new_size = new_bundle.size();
  header.old_xxh3 = XXH3_64bits(old_bundle.data(), old_bundle.size());
  header.new_xxh3 = XXH3_64bits(new_bundle.data(), new_bundle.size());
  header.delta_size = sizeof(header) + steps.size();
  return absl::StrCat(absl::string_view(reinterpret_cast<const char*>(&header), sizeof(header)),
                      steps);
}

}  // namespace handpick::converter
