// A delta is applied to a bundle: what comes of it is what a plain reading of schema/delta.h makes,
// or an error that leaves what was there.
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "converter/update/make_delta.h"
#include "handpick/handpick.h"
#include "handpick/update.h"
#include "schema/delta.h"
#include "schema/integrity.h"
#include "tests/fuzz/check_error.h"
#include "tests/fuzz/target.h"
#include "tests/support/test_files.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace handpick::fuzz {
namespace {

using schema::DeltaHeader;

constexpr char kBefore[] = "what was there";
// Of what an input's first byte says, beside the bundle's number.
constexpr uint8_t kFitsTheBundle = 4;  // The header says what is so of the bundle and of the file.

// What deltas are applied to.
const std::vector<std::string>& OldBundles() {
  static const std::vector<std::string> kBundles = [] {
    auto bundle = testing::MakeTinyBundle();
    std::vector<std::string> made = {testing::Serialized(*bundle), ""};
    bundle->model_version = "8";
    bundle->tables[0]->data[3] ^= 1;
    made.push_back(testing::Serialized(*bundle));
    // Longer than the pieces in which files are read.
    made.push_back(std::string(150'000, 'a') + made[0]);
    return made;
  }();
  return kBundles;
}

uint64_t HashOf(const std::string& bytes) {
  return schema::HashOfBytes(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

std::string WithHeader(const DeltaHeader& header, const std::string& steps) {
  return std::string(reinterpret_cast<const char*>(&header), sizeof(header)) + steps;
}

// ---- A plain reading ----

struct Step {
  uint64_t distance;  // As it stands there.
  uint64_t copied;
  uint64_t added;
};

// Reads a number at `at`. False: it is none.
bool ReadNumber(const std::string& bytes, size_t* at, uint64_t* number) {
  *number = 0;
  for (size_t i = 0; i < schema::kMaxDeltaNumber && *at < bytes.size(); ++i) {
    const auto byte = static_cast<uint8_t>(bytes[(*at)++]);
    *number |= uint64_t{byte & 127u} << (7 * i);
    if (byte < 128) return true;
  }
  return false;
}

bool ReadStep(const std::string& bytes, size_t* at, Step* step) {
  return ReadNumber(bytes, at, &step->distance) && ReadNumber(bytes, at, &step->copied) &&
         ReadNumber(bytes, at, &step->added);
}

// What steps make of a bundle, as many bytes as that; none: they are damaged.
std::optional<std::string> Made(const std::string& old, const std::string& steps, uint64_t size) {
  std::string made;
  size_t at = 0;
  int64_t old_at = 0;
  while (made.size() < size) {
    Step step;
    if (!ReadStep(steps, &at, &step)) return std::nullopt;
    const int64_t from = old_at + schema::DistanceOf(step.distance);
    const auto old_size = static_cast<int64_t>(old.size());
    if (step.copied + step.added == 0 || step.copied + step.added > size - made.size() ||
        from < 0 || from > old_size || static_cast<int64_t>(step.copied) > old_size - from ||
        step.added > steps.size() - at) {
      return std::nullopt;
    }
    made += old.substr(static_cast<size_t>(from), step.copied);
    made += steps.substr(at, step.added);
    at += step.added;
    old_at = from + static_cast<int64_t>(step.copied);
  }
  if (at != steps.size()) return std::nullopt;
  return made;
}

// ---- Files ----

// The folder of this process: the old bundles, a delta, and a new bundle.
class Files {
 public:
  Files()
      : folder_((std::filesystem::temp_directory_path() / ("deltas." + std::to_string(getpid())))
                    .string()) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    for (size_t i = 0; i < OldBundles().size(); ++i) WriteText(old(i), OldBundles()[i]);
    WriteText(made(), kBefore);
  }

  std::string old(size_t i) const { return folder_ + "/old" + std::to_string(i); }
  std::string delta() const { return folder_ + "/delta"; }
  std::string made() const { return folder_ + "/made"; }

  // Nothing but those.
  bool AreAll() const {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      count += entry.exists() ? 1 : 0;
    }
    return count == OldBundles().size() + 2;
  }

 private:
  const std::string folder_;
};

// A new file: writing over an old one waits for the disk.
void Replace(const std::string& path, const std::string& bytes) {
  std::filesystem::remove(path);
  WriteText(path, bytes);
}

std::string Seed(size_t old, const std::string& to, uint8_t flags) {
  const auto delta = converter::MakeDelta(OldBundles()[old], to);
  Require(delta.ok(), "no delta was made");
  return static_cast<char>(old | flags) + *delta;
}

// ---- Mutations that know what steps are ----

uint64_t SomeNumber(uint64_t number, Random* random) {
  static constexpr uint64_t kNumbers[] = {
      0, 1, 127, 128, (1u << 14) - 1, 150'000, 1 << 20, 0x7FFFFFFF, 0xFFFFFFFF, (1ull << 35) - 1};
  switch (Below(3, random)) {
    case 0:
      return kNumbers[Below(sizeof(kNumbers) / sizeof(kNumbers[0]), random)];
    case 1:
      return number + Below(5, random) - 2;
    default:
      return Below(2 * number + 2, random);
  }
}

std::string Written(const Step& step, const std::string& added) {
  uint8_t bytes[32];
  size_t size = 0;
  // As many bytes as a number has room for.
  for (const uint64_t number : {step.distance, step.copied, step.added}) {
    size += schema::WriteDeltaNumber(number & ((uint64_t{1} << 35) - 1), bytes + size);
  }
  return std::string(reinterpret_cast<const char*>(bytes), size) + added;
}

// Steps as they follow, until one is none; the rest is kept as it is.
std::string MutatedSteps(const std::string& steps, Random* random) {
  std::vector<std::string> all;
  size_t at = 0;
  while (at < steps.size()) {
    size_t begin = at;
    Step step;
    if (!ReadStep(steps, &at, &step) || step.added > steps.size() - at) {
      all.push_back(steps.substr(begin));
      break;
    }
    std::string added = steps.substr(at, step.added);
    at += step.added;
    switch (Below(12, random)) {
      case 0:
        step.distance = SomeNumber(step.distance, random);
        break;
      case 1:
        step.copied = SomeNumber(step.copied, random);
        break;
      case 2:
        step.added = SomeNumber(step.added, random);
        break;
      case 3:
        added.resize(Below(2 * added.size() + 2, random), 'x');
        step.added = added.size();
        break;
      default:
        break;
    }
    all.push_back(Written(step, added));
  }
  if (all.empty()) return Written({0, 1, 0}, "");
  switch (Below(6, random)) {
    case 0:
      all.push_back(all[Below(all.size(), random)]);
      break;
    case 1:
      all.erase(all.begin() + static_cast<ptrdiff_t>(Below(all.size(), random)));
      break;
    case 2:
      std::swap(all[Below(all.size(), random)], all[Below(all.size(), random)]);
      break;
    case 3:
      // One that does nothing.
      all.insert(all.begin() + static_cast<ptrdiff_t>(Below(all.size(), random)),
                 Written({0, 0, 0}, ""));
      break;
    default:
      break;
  }
  std::string made;
  for (const std::string& step : all) made += step;
  return made;
}

}  // namespace

const char* const kTargetName = "deltas";

void RunTarget(const std::string& input) {
  static const Files kFiles;
  if (input.empty()) return;
  const auto flags = static_cast<uint8_t>(input[0]);
  const size_t number = flags % OldBundles().size();
  const std::string& old = OldBundles()[number];
  std::string delta = input.substr(1);
  DeltaHeader header = {};
  std::optional<std::string> expected;
  if (delta.size() >= sizeof(header)) {
    std::memcpy(&header, delta.data(), sizeof(header));
    const std::string steps = delta.substr(sizeof(header));
    if ((flags & kFitsTheBundle) != 0) {
      std::memcpy(header.magic, schema::kDeltaMagic, sizeof(header.magic));
      header.old_size = old.size();
      header.old_xxh3 = HashOf(old);
      header.delta_size = delta.size();
      expected = Made(old, steps, header.new_size);
      if (expected.has_value()) header.new_xxh3 = HashOf(*expected);
      delta = WithHeader(header, steps);
    } else if (std::memcmp(header.magic, schema::kDeltaMagic, sizeof(header.magic)) == 0 &&
               header.old_size == old.size() && header.old_xxh3 == HashOf(old) &&
               header.delta_size == delta.size()) {
      expected = Made(old, steps, header.new_size);
      if (expected.has_value() && HashOf(*expected) != header.new_xxh3) expected.reset();
    }
  }
  Replace(kFiles.delta(), delta);
  hp_error error = {};
  const hp_status status = hp_update_apply(kFiles.old(number).c_str(), kFiles.delta().c_str(),
                                           kFiles.made().c_str(), nullptr, &error);
  CheckError(error, status);
  Require((status == HP_OK) == expected.has_value(), "a delta that is right, or is not");
  Require(status == HP_OK || status == HP_NOT_A_DELTA || status == HP_WRONG_OLD_BUNDLE,
          "another error than those of deltas");
  Require(kFiles.AreAll(), "a file is left");
  Require(ReadText(kFiles.made()) == (status == HP_OK ? *expected : kBefore),
          "the new bundle is another");
  if (status == HP_OK) Replace(kFiles.made(), kBefore);
}

std::vector<std::string> Seeds() {
  const std::vector<std::string>& old = OldBundles();
  std::string shifted = old[3];
  shifted.insert(70'000, "between");
  shifted += old[3].substr(100, 61'000);
  return {Seed(0, old[2], 0),
          Seed(2, old[0], kFitsTheBundle),
          Seed(1, old[0], 0),
          Seed(0, "", kFitsTheBundle),
          Seed(3, shifted, 0),
          Seed(3, shifted, kFitsTheBundle),
          Seed(0, old[0] + old[0], kFitsTheBundle)};
}

std::string Mutated(const std::string& input, Random* random) {
  if (input.size() <= 1 + sizeof(DeltaHeader) || Below(4, random) == 0) {
    return MutatedBytes(input, random);
  }
  std::string head = input.substr(0, 1 + sizeof(DeltaHeader));
  if (Below(4, random) == 0) head[0] = static_cast<char>((*random)() % 8);
  const std::string steps = MutatedSteps(input.substr(head.size()), random);
  // How long the new bundle is: mostly what the steps come to.
  if (Below(4, random) != 0) {
    uint64_t size = 0;
    size_t at = 0;
    Step step;
    while (ReadStep(steps, &at, &step) && step.added <= steps.size() - at) {
      size += step.copied + step.added;
      at += step.added;
    }
    std::memcpy(&head[1 + offsetof(DeltaHeader, new_size)], &size, sizeof(size));
  }
  return head + steps;
}

}  // namespace handpick::fuzz
