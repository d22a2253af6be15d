#include "tests/fuzz/mutate_bundle.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "schema/bundle_generated.h"

namespace handpick::fuzz {
namespace {

enum class Kind {
  kScalar,   // Of so many bytes; a structure too.
  kVector,   // Of scalars of so many bytes, or a string.
  kStrings,  // A vector of strings.
  kTable,    // Of that number.
  kTables,   // A vector of those.
};

struct FieldShape {
  Kind kind;
  size_t size;
};

#include "tests/fuzz/bundle_fields.inc"

// ---- Packed ----

// Fields of a packed file, by what they are.
class Places {
 public:
  struct Offset {
    size_t at;      // Where the offset is.
    size_t target;  // Where it leads.
  };

  explicit Places(const std::string& bytes) : bytes_(bytes) {
    uint32_t root;
    if (Get(0, &root)) Table(root, kRoot, 0);
  }

  std::map<std::pair<int, size_t>, std::vector<Offset>> offsets;  // By what they lead to.
  std::vector<std::pair<size_t, size_t>> scalars;                 // Where, and bytes.
  std::vector<size_t> lengths;
  // About the bytes that it takes unpacked, with a copy for each place that something shared is in.
  uint64_t unpacked = 0;

 private:
  static constexpr size_t kMostPlaces = 20000;

  template <typename T>
  bool Get(size_t at, T* value) const {
    if (at > bytes_.size() || bytes_.size() - at < sizeof(T)) return false;
    std::memcpy(value, bytes_.data() + at, sizeof(T));
    return true;
  }

  void Table(size_t at, size_t table, int depth) {
    int32_t back;
    uint16_t size;
    unpacked += 256;
    if (depth > 8 || ++tables_ > kMostPlaces || !Get(at, &back)) return;
    const size_t vtable = at - static_cast<size_t>(static_cast<ptrdiff_t>(back));
    if (!Get(vtable, &size)) return;
    const std::vector<FieldShape>& fields = kTables[table];
    for (size_t i = 0; i < fields.size() && 4 + 2 * i + 2 <= size; ++i) {
      uint16_t field;
      if (!Get(vtable + 4 + 2 * i, &field) || field == 0) continue;
      Field(at + field, fields[i], depth);
    }
  }

  void Field(size_t at, const FieldShape& shape, int depth) {
    if (shape.kind == Kind::kScalar) {
      if (at < bytes_.size() && bytes_.size() - at >= shape.size) {
        scalars.emplace_back(at, shape.size);
      }
      return;
    }
    uint32_t offset;
    if (!Get(at, &offset)) return;
    const size_t target = at + offset;
    offsets[{static_cast<int>(shape.kind), shape.size}].push_back({at, target});
    if (shape.kind == Kind::kTable) {
      Table(target, shape.size, depth + 1);
      return;
    }
    uint32_t count;
    if (!Get(target, &count)) return;
    lengths.push_back(target);
    unpacked += uint64_t{count} * (shape.kind == Kind::kVector ? shape.size : 64);
    const bool tables = shape.kind == Kind::kTables;
    if (!tables && shape.kind != Kind::kStrings) return;
    for (uint32_t i = 0; i < count && i < 64; ++i) {
      Field(target + 4 + size_t{4} * i,
            tables ? FieldShape{Kind::kTable, shape.size} : FieldShape{Kind::kVector, 1}, depth);
    }
  }

  const std::string& bytes_;
  size_t tables_ = 0;
};

// ---- Unpacked ----

// Far from what a fuzzer can work with.
constexpr size_t kMostElements = 20000;
constexpr uint64_t kMostUnpacked = uint64_t{4} << 20;

template <typename T>
T Extreme(T now, Random* random) {
  if constexpr (std::is_floating_point_v<T>) {
    const T values[] = {0,
                        -1,
                        std::numeric_limits<T>::quiet_NaN(),
                        std::numeric_limits<T>::infinity(),
                        std::numeric_limits<T>::max(),
                        std::numeric_limits<T>::lowest(),
                        std::numeric_limits<T>::denorm_min(),
                        static_cast<T>(now * 2)};
    return values[Below(8, random)];
  } else {
    using Limits = std::numeric_limits<T>;
    const T values[] = {0,
                        1,
                        Limits::max(),
                        Limits::min(),
                        static_cast<T>(Limits::max() - 1),
                        static_cast<T>(T{1} << (sizeof(T) * 8 - 2)),
                        static_cast<T>(static_cast<std::make_unsigned_t<T>>(now) + 1u),
                        static_cast<T>(static_cast<std::make_unsigned_t<T>>(now) - 1u),
                        static_cast<T>(static_cast<std::make_unsigned_t<T>>(now) * 2u),
                        static_cast<T>((*random)() % 16)};
    return values[Below(10, random)];
  }
}

// Counts the places that can be changed, and changes the one whose turn it is.
class Changer {
 public:
  Changer(uint64_t chosen, Random* random) : chosen_(chosen), random_(random) {}
  uint64_t places() const { return next_; }

  template <typename T>
  std::enable_if_t<std::is_arithmetic_v<T>> operator()(T* value) {
    if (!IsChosen()) return;
    if constexpr (std::is_same_v<T, bool>) {
      *value = !*value;
    } else {
      *value = Extreme(*value, random_);
    }
  }
  template <typename T>
  std::enable_if_t<std::is_enum_v<T>> operator()(T* value) {
    if (!IsChosen()) return;
    *value = static_cast<T>(Below(4, random_) == 0 ? (*random_)() % 256 : (*random_)() % 40);
  }
  void operator()(std::string* text) {
    if (!IsChosen()) return;
    switch (Below(4, random_)) {
      case 0:
        text->clear();
        break;
      case 1:
        text->append(text->empty() ? "x" : *text);
        break;
      case 2:
        text->assign("\xFF\x01\n");
        break;
      default:
        text->resize(text->size() / 2);
        break;
    }
  }
  template <typename T>
  void operator()(std::vector<T>* list) {
    if (IsChosen()) {
      ChangeLength(list);
      return;
    }
    if constexpr (IsPointer<T>::value || std::is_same_v<T, std::string>) {
      for (T& element : *list) (*this)(&element);
    } else if (IsChosen() && !list->empty()) {
      // Elements of a list of numbers are one place: some have many.
      T& element = (*list)[Below(list->size(), random_)];
      if constexpr (std::is_arithmetic_v<T>) {
        element = Extreme(element, random_);
      } else {
        std::memset(static_cast<void*>(&element), static_cast<int>((*random_)() % 3 - 1),
                    sizeof(element));
      }
    }
  }
  template <typename T>
  void operator()(std::unique_ptr<T>* table) {
    if (IsChosen()) {
      // One that is needed cannot be packed without: then the mutation comes to nothing.
      if (*table == nullptr) {
        *table = std::make_unique<T>();
      } else {
        table->reset();
      }
      return;
    }
    if constexpr (!std::is_trivially_copyable_v<T>) {
      if (*table != nullptr) VisitFields(table->get(), this);
    }
  }

 private:
  template <typename T>
  struct IsPointer : std::false_type {};
  template <typename T>
  struct IsPointer<std::unique_ptr<T>> : std::true_type {};

  bool IsChosen() { return next_++ == chosen_; }

  template <typename T>
  static T Copy(const T& element) {
    return element;
  }
  template <typename T>
  static std::unique_ptr<T> Copy(const std::unique_ptr<T>& element) {
    return std::make_unique<T>(*element);
  }

  template <typename T>
  void ChangeLength(std::vector<T>* list) {
    const size_t size = list->size();
    switch (Below(6, random_)) {
      case 0:
        list->clear();
        break;
      case 1:
        if (size != 0) list->pop_back();
        break;
      case 2:
        list->resize(size / 2);
        break;
      case 3:  // An element many times.
        if (size != 0) {
          const T& element = (*list)[Below(size, random_)];
          const size_t times = size_t{1} << Below(10, random_);
          std::vector<T> copies;
          for (size_t i = 0; i < times && i + size < kMostElements; ++i)
            copies.push_back(Copy(element));
          for (T& copy : copies) list->push_back(std::move(copy));
        }
        break;
      case 4:
        if (size > 1) std::swap((*list)[Below(size, random_)], (*list)[Below(size, random_)]);
        break;
      default:
        if (size != 0) list->push_back(Copy((*list)[Below(size, random_)]));
        break;
    }
  }

  uint64_t next_ = 0;
  const uint64_t chosen_;
  Random* const random_;
};

bool Unpack(const std::string& bytes, schema::BundleT* bundle) {
  if (bytes.size() < 16 || Places(bytes).unpacked > kMostUnpacked) return false;
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (!schema::VerifyBundleBuffer(verifier)) return false;
  schema::GetBundle(bytes.data())->UnPackTo(bundle);
  return true;
}

// No null pointers in lists, nor for tables that are needed: packing would not survive them.
class Mender {
 public:
  template <typename T>
  void operator()(T*) {}
  template <typename T>
  void operator()(std::vector<std::unique_ptr<T>>* list) {
    for (auto& element : *list) {
      if (element == nullptr) element = std::make_unique<T>();
      VisitFields(element.get(), this);
    }
  }
  template <typename T>
  void operator()(std::unique_ptr<T>* table) {
    if constexpr (!std::is_trivially_copyable_v<T>) {
      if (*table != nullptr) VisitFields(table->get(), this);
    }
  }
};

std::string Pack(schema::BundleT* bundle) {
  Mender mender;
  VisitFields(bundle, &mender);
  flatbuffers::FlatBufferBuilder builder;
  schema::FinishBundleBuffer(builder, schema::Bundle::Pack(builder, bundle));
  return std::string(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

void Overwrite(std::string* bytes, size_t at, uint64_t value, size_t size) {
  std::memcpy(&(*bytes)[at], &value, std::min<size_t>(size, sizeof(value)));
}

}  // namespace

std::string ChangeFields(const std::string& bytes, Random* random) {
  schema::BundleT bundle;
  if (!Unpack(bytes, &bundle)) return bytes;
  Changer counter(std::numeric_limits<uint64_t>::max(), random);
  VisitFields(&bundle, &counter);
  for (uint64_t changes = 1 + Below(3, random); changes > 0; --changes) {
    Changer changer(Below(counter.places(), random), random);
    VisitFields(&bundle, &changer);
    Mender mender;
    VisitFields(&bundle, &mender);
  }
  return Pack(&bundle);
}

std::string ChangePacked(std::string bytes, Random* random) {
  const Places places(bytes);
  for (uint64_t changes = 1 + Below(4, random); changes > 0; --changes) {
    const uint64_t kind = Below(8, random);
    if (kind == 0 && !places.lengths.empty()) {
      const size_t at = places.lengths[Below(places.lengths.size(), random)];
      uint32_t length;
      std::memcpy(&length, &bytes[at], 4);
      Overwrite(&bytes, at, Extreme(length, random), 4);
    } else if (kind < 3 && !places.scalars.empty()) {
      const auto [at, size] = places.scalars[Below(places.scalars.size(), random)];
      uint64_t value = 0;
      std::memcpy(&value, &bytes[at], std::min<size_t>(size, 8));
      Overwrite(&bytes, at, Extreme(value, random), size);
    } else if (!places.offsets.empty()) {
      auto group = places.offsets.begin();
      std::advance(group, static_cast<ptrdiff_t>(Below(places.offsets.size(), random)));
      const auto& offsets = group->second;
      // To one target, from one place or from all that lie in front of it: offsets lead forwards.
      const size_t target = offsets[Below(offsets.size(), random)].target;
      const bool all = Below(4, random) == 0;
      const size_t first = Below(offsets.size(), random);
      for (size_t i = 0; i < (all ? offsets.size() : 1); ++i) {
        const size_t at = offsets[(first + i) % offsets.size()].at;
        if (at < target) Overwrite(&bytes, at, target - at, 4);
      }
    }
  }
  return bytes;
}

std::string MutateBundle(const std::string& bundle, Random* random) {
  switch (Below(4, random)) {
    case 0:
      return ChangePacked(bundle, random);
    case 1:
      return ChangePacked(ChangeFields(bundle, random), random);
    case 2: {
      std::string bytes = bundle;
      for (uint64_t i = 1 + Below(4, random); i > 0 && !bytes.empty(); --i) {
        bytes[Below(bytes.size(), random)] ^= static_cast<char>(1u << Below(8, random));
      }
      return bytes;
    }
    default:
      return ChangeFields(bundle, random);
  }
}

}  // namespace handpick::fuzz
