// The hashes of bundles as the converter writes them: no byte can change unnoticed.
#include "converter/emit/integrity.h"

#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "converter/emit/emit.h"
#include "converter/pipeline.h"
#include "converter/recall/builder.h"
#include "converter/recall/index_bundle.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "schema/bundle_generated.h"
#include "schema/integrity.h"
#include "schema/limits.h"
#include "tests/converter/recall/random_vectors.h"
#include "tests/support/random_model.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace handpick::converter {
namespace {

using ::testing::HasSubstr;

// Each of its bits is changed, and the bundle opened again.
constexpr size_t kMostBytes = 48 << 10;

struct Checked {
  bool opened = false;
  hp_status status = HP_OK;  // Of the opening, or of the check.
  std::string message;
};

Checked Check(const std::string& bytes) {
  const testing::Bytes aligned(bytes);
  Checked checked;
  hp_model* model = nullptr;
  hp_error error = {};
  checked.status = hp_model_open_buffer(aligned.data(), aligned.size(), nullptr, &model, &error);
  checked.opened = checked.status == HP_OK;
  if (checked.opened) checked.status = hp_model_check(model, &error);
  hp_model_close(model);
  checked.message = error.message;
  return checked;
}

std::string BytesOf(const schema::BundleT& bundle) {
  absl::StatusOr<std::string> bytes = Serialize(bundle);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return *std::move(bytes);
}

schema::BundleT ModelBundle(schema::Precision precision, const char* kind = "wide_deep") {
  const RandomModel model = MakeRandomModel(3, kind);
  absl::StatusOr<Conversion> conversion =
      Convert(model.spec, model.weights, {precision, 0, "integrity_test"});
  EXPECT_TRUE(conversion.ok()) << conversion.status();
  return std::move(conversion->bundle);
}

schema::BundleT RecallBundle() {
  constexpr uint32_t kItems = 60;
  const OwnedVectors vectors = RandomClusters(kItems, 16, 10, 0.5, 3);
  HashParameters hash;
  hash.family = schema::HashFamily::CrossPolytope;
  hash.tables = 2;
  hash.functions = 1;
  hash.outputs = 8;
  auto builder = RecallBuilder::Create(vectors.view(), schema::RecallMetric::Cosine,
                                       schema::ElementType::Int8PerRow, nullptr);
  EXPECT_TRUE(builder.ok()) << builder.status();
  auto index = builder->Build(hash, 4, nullptr);
  EXPECT_TRUE(index.ok()) << index.status();
  ItemIdList ids;
  for (uint32_t i = 0; i < kItems; ++i) ids.integers.push_back(3 * i);
  return BundleOfIndex(std::move(*index), ids, "items", 50);
}

// The range that a message names: "bytes 64 to 128 are ...". False: it names none.
bool NamedRange(const std::string& message, size_t* begin, size_t* end) {
  const size_t at = message.find("bytes ");
  return at != std::string::npos &&
         std::sscanf(message.c_str() + at, "bytes %zu to %zu are", begin, end) == 2;
}

// Each bit of each byte: some bits of the file's structure lead elsewhere when they change.
void ExpectEveryByteCounts(const schema::BundleT& bundle) {
  const std::string bytes = BytesOf(bundle);
  ASSERT_LE(bytes.size(), kMostBytes);
  const Checked sound = Check(bytes);
  ASSERT_EQ(sound.status, HP_OK) << sound.message;
  size_t refused = 0, in_blobs = 0, elsewhere = 0;
  std::string damaged = bytes;
  for (size_t i = 0; i < 8 * bytes.size(); ++i) {
    const size_t byte = i / 8;
    damaged[byte] = static_cast<char>(bytes[byte] ^ (1 << i % 8));
    const Checked checked = Check(damaged);
    damaged[byte] = bytes[byte];
    if (!checked.opened) {
      ++refused;
      continue;
    }
    ASSERT_EQ(checked.status, HP_BUNDLE_CORRUPT)
        << "byte " << byte << ", bit " << i % 8 << ": " << checked.message;
    ASSERT_THAT(checked.message, HasSubstr("bundle"));
    size_t begin = 0, end = 0;
    if (NamedRange(checked.message, &begin, &end) && byte >= begin && byte < end) {
      ++in_blobs;
    } else {
      ++elsewhere;
    }
  }
  EXPECT_GT(refused, 0u);
  EXPECT_GT(in_blobs, 0u);
  EXPECT_GT(elsewhere, 0u);
}

TEST(IntegrityTest, EveryByteOfAFloat32ModelCounts) {
  ExpectEveryByteCounts(ModelBundle(schema::Precision::Float32));
}

TEST(IntegrityTest, EveryByteOfAFloat16ModelCounts) {
  ExpectEveryByteCounts(ModelBundle(schema::Precision::Float16));
}

TEST(IntegrityTest, EveryByteOfAnInt8ModelCounts) {
  ExpectEveryByteCounts(ModelBundle(schema::Precision::Int8));
}

TEST(IntegrityTest, EveryByteOfAModelWithAHistoryCounts) {
  ExpectEveryByteCounts(ModelBundle(schema::Precision::Int8, "din"));
}

TEST(IntegrityTest, EveryByteOfARecallIndexCounts) { ExpectEveryByteCounts(RecallBundle()); }

TEST(IntegrityTest, ABundleMayHaveNoHashes) {
  schema::BundleT bundle = ModelBundle(schema::Precision::Int8);
  bundle.integrity = nullptr;
  const Checked checked = Check(BytesOf(bundle));
  EXPECT_TRUE(checked.opened);
  EXPECT_EQ(checked.status, HP_NO_HASHES);
  EXPECT_EQ(checked.message, "the bundle has no hashes to check");
}

TEST(IntegrityTest, HashesDoNotGoUnnoticed) {
  std::string bytes = BytesOf(ModelBundle(schema::Precision::Int8));
  // The root's entry for its hashes becomes that of a field which is not there.
  auto* root = reinterpret_cast<uint8_t*>(&bytes[0]) +
               flatbuffers::ReadScalar<flatbuffers::uoffset_t>(bytes.data());
  uint8_t* fields = root - flatbuffers::ReadScalar<flatbuffers::soffset_t>(root);
  flatbuffers::WriteScalar<flatbuffers::voffset_t>(fields + schema::Bundle::VT_INTEGRITY, 0);
  const Checked checked = Check(bytes);
  EXPECT_TRUE(checked.opened);
  EXPECT_EQ(checked.status, HP_BUNDLE_CORRUPT);
  EXPECT_EQ(checked.message, "bundle is damaged: its hashes are not all there");
}

TEST(IntegrityTest, HashesWithoutTheRestsAreIncomplete) {
  const schema::BundleT bundle = ModelBundle(schema::Precision::Int8);
  bundle.integrity->rest = nullptr;
  // Not through Serialize, which would add it.
  const Checked checked = Check(testing::Serialized(bundle));
  EXPECT_TRUE(checked.opened);
  EXPECT_EQ(checked.status, HP_BUNDLE_CORRUPT);
  EXPECT_EQ(checked.message, "bundle is damaged: its hashes are not all there");
}

// ---- Hostile hashes ----

// A bundle with these in the place of its own, and a wrong hash of the rest.
std::string WithBlobs(const std::vector<schema::BlobHash>& blobs) {
  const schema::BundleT bundle = ModelBundle(schema::Precision::Float32);
  bundle.integrity->blobs = blobs;
  bundle.integrity->rest = std::make_unique<schema::Hash>(7);
  return testing::Serialized(bundle);
}

TEST(IntegrityTest, RangesThatCannotBeAreRefused) {
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  const uint64_t size = WithBlobs({{0, 0, 0}}).size();
  for (const schema::BlobHash& blob :
       {schema::BlobHash(kMost, 1, 0), schema::BlobHash(0, kMost, 0),
        schema::BlobHash(kMost, kMost, 0), schema::BlobHash(64, kMost - 63, 0),
        schema::BlobHash(size, 1, 0), schema::BlobHash(size - 1, 2, 0),
        schema::BlobHash(0, size + 1, 0), schema::BlobHash(size + 1, 0, 0)}) {
    const std::string bytes = WithBlobs({blob});
    ASSERT_EQ(bytes.size(), size);
    const Checked checked = Check(bytes);
    EXPECT_EQ(checked.status, HP_BUNDLE_CORRUPT) << blob.offset() << ", " << blob.size();
    EXPECT_EQ(checked.message, "bundle: hash 0 is of bytes that it cannot be of");
  }
}

TEST(IntegrityTest, RangesThatOverlapOrAreInNoOrderAreRefused) {
  const std::string bytes = WithBlobs({{0, 0, 0}, {0, 0, 0}});
  const uint64_t of_nothing = schema::HashOfBytes(nullptr, 0);
  const auto blob = [&](uint64_t offset, uint64_t size) {
    // What the hash is taken of lies before the hashes.
    const auto* at = reinterpret_cast<const uint8_t*>(bytes.data()) + offset;
    return schema::BlobHash(offset, size, schema::HashOfBytes(at, size));
  };
  EXPECT_EQ(Check(WithBlobs({{128, 0, of_nothing}, {64, 0, of_nothing}})).message,
            "bundle: hash 1 is of bytes that it cannot be of");
  EXPECT_EQ(Check(WithBlobs({blob(0, 4), blob(3, 2)})).message,
            "bundle: hash 1 is of bytes that it cannot be of");
  EXPECT_EQ(Check(WithBlobs({blob(0, 4), blob(0, 4)})).message,
            "bundle: hash 1 is of bytes that it cannot be of");
}

TEST(IntegrityTest, EmptyRangesHideNothing) {
  const uint64_t of_nothing = schema::HashOfBytes(nullptr, 0);
  for (const std::vector<schema::BlobHash>& blobs :
       {std::vector<schema::BlobHash>{},
        std::vector<schema::BlobHash>{
            {0, 0, of_nothing}, {0, 0, of_nothing}, {65, 0, of_nothing}}}) {
    const Checked checked = Check(WithBlobs(blobs));
    EXPECT_EQ(checked.status, HP_BUNDLE_CORRUPT);
    EXPECT_THAT(checked.message, HasSubstr("outside of tables and weights"));
  }
}

TEST(IntegrityTest, MoreRangesThanThereMayBeAreRefused) {
  const std::vector<schema::BlobHash> blobs(schema::kMaxBlobs + 1);
  const Checked checked = Check(WithBlobs(blobs));
  EXPECT_EQ(checked.status, HP_BUNDLE_CORRUPT);
  EXPECT_EQ(checked.message, "bundle: 1025 blobs have hashes, at most 1024 are possible");
}

// As for arrays beyond the most that have a hash of their own.
TEST(IntegrityTest, WithoutRangesTheRestIsEverything) {
  std::string bytes = WithBlobs({});
  WriteHashes(reinterpret_cast<uint8_t*>(&bytes[0]), bytes.size());
  EXPECT_EQ(Check(bytes).status, HP_OK);
  const auto& rows = *schema::GetBundle(bytes.data())->tables()->Get(0)->data();
  bytes[static_cast<size_t>(reinterpret_cast<const char*>(rows.data()) - bytes.data())] ^= 1;
  EXPECT_EQ(Check(bytes).status, HP_BUNDLE_CORRUPT);
}

TEST(IntegrityTest, ASignatureCanBeWrittenIntoAFinishedFile) {
  schema::BundleT bundle = ModelBundle(schema::Precision::Int8);
  bundle.signature = std::make_unique<schema::SignatureT>();
  bundle.signature->key_id = 5;
  bundle.signature->bytes.assign(100, 0);
  std::string bytes = BytesOf(bundle);
  ASSERT_EQ(Check(bytes).status, HP_OK);
  const auto& signature = *schema::GetBundle(bytes.data())->signature()->bytes();
  const auto at =
      static_cast<size_t>(reinterpret_cast<const char*>(signature.data()) - bytes.data());
  bytes.replace(at, 100, std::string(100, '\x5a'));
  EXPECT_EQ(Check(bytes).status, HP_OK);
  for (const size_t beside : {at - 1, at + 100}) {
    std::string damaged = bytes;
    damaged[beside] ^= 2;
    EXPECT_NE(Check(damaged).status, HP_OK);
  }
}

// ---- In pieces, and when a bundle is opened ----

// Steps of `bytes` until the check is done, or finds something.
hp_status CheckInPieces(const std::string& bundle, uint64_t bytes, uint64_t* steps) {
  const testing::Bytes aligned(bundle);
  hp_model* model = nullptr;
  hp_check* check = nullptr;
  hp_error error = {};
  EXPECT_EQ(hp_model_open_buffer(aligned.data(), aligned.size(), nullptr, &model, &error), HP_OK)
      << error.message;
  EXPECT_EQ(hp_check_new(model, &check, &error), HP_OK) << error.message;
  hp_status status = HP_OK;
  int done = 0;
  for (*steps = 0; done == 0 && status == HP_OK; ++*steps) {
    status = hp_check_next(check, bytes, &done, &error);
  }
  if (status != HP_OK) {
    EXPECT_EQ(done, 0);
    EXPECT_EQ(hp_check_next(check, bytes, &done, &error), status) << "asked again";
  }
  hp_check_free(check);
  hp_model_close(model);
  return status;
}

TEST(IntegrityTest, BytesAreCheckedInPieces) {
  for (const schema::BundleT& bundle :
       {ModelBundle(schema::Precision::Int8, "din"), RecallBundle()}) {
    const std::string sound = BytesOf(bundle);
    for (const uint64_t bytes :
         {uint64_t{1}, uint64_t{7}, uint64_t{64}, uint64_t{1000}, uint64_t{1} << 40, uint64_t{0}}) {
      SCOPED_TRACE(bytes);
      uint64_t steps = 0;
      ASSERT_EQ(CheckInPieces(sound, bytes, &steps), HP_OK);
      if (bytes == 0) {
        EXPECT_EQ(steps, 1u);
      } else {
        EXPECT_GE(steps, sound.size() / bytes);
        EXPECT_LE(steps, sound.size() / bytes + 2);
      }
      for (size_t byte = sound.size() / 2; byte < sound.size(); byte += 997) {
        std::string damaged = sound;
        damaged[byte] ^= 4;
        if (!Check(damaged).opened) continue;
        EXPECT_EQ(CheckInPieces(damaged, bytes, &steps), HP_BUNDLE_CORRUPT) << byte;
      }
    }
  }
}

hp_status OpenVerified(const std::string& bytes, std::string* message) {
  const testing::Bytes aligned(bytes);
  hp_open_options options = HP_OPEN_OPTIONS_INIT;
  options.flags = HP_OPEN_VERIFY;
  hp_model* model = nullptr;
  hp_error error = {};
  const hp_status status =
      hp_model_open_buffer(aligned.data(), aligned.size(), &options, &model, &error);
  EXPECT_EQ(model == nullptr, status != HP_OK);
  hp_model_close(model);
  hp_model_info info = HP_MODEL_INFO_INIT;
  EXPECT_EQ(hp_bundle_inspect_with(aligned.data(), aligned.size(), &options, &info, nullptr),
            status);
  *message = error.message;
  return status;
}

TEST(IntegrityTest, OpeningVerifiesOnRequest) {
  schema::BundleT bundle = ModelBundle(schema::Precision::Float32);
  std::string bytes = BytesOf(bundle);
  std::string message;
  EXPECT_EQ(OpenVerified(bytes, &message), HP_OK) << message;
  const auto& rows = *schema::GetBundle(bytes.data())->tables()->Get(0)->data();
  bytes[static_cast<size_t>(reinterpret_cast<const char*>(rows.data()) - bytes.data())] ^= 1;
  EXPECT_TRUE(Check(bytes).opened) << "without the request";
  EXPECT_EQ(OpenVerified(bytes, &message), HP_BUNDLE_CORRUPT);
  EXPECT_THAT(message, HasSubstr("are not those that were written"));
  bundle.integrity = nullptr;
  EXPECT_EQ(OpenVerified(BytesOf(bundle), &message), HP_NO_HASHES);
}

uint64_t ContentHash(const std::string& bytes) {
  const testing::Bytes aligned(bytes);
  hp_model_info info = HP_MODEL_INFO_INIT;
  EXPECT_EQ(hp_bundle_inspect(aligned.data(), aligned.size(), &info, nullptr), HP_OK);
  return info.content_hash;
}

TEST(IntegrityTest, AModelTellsItsHash) {
  schema::BundleT bundle = ModelBundle(schema::Precision::Float32);
  const std::string bytes = BytesOf(bundle);
  EXPECT_NE(ContentHash(bytes), 0u);
  EXPECT_EQ(ContentHash(bytes), ContentHash(BytesOf(bundle)));
  // A number of a table counts, though it has a hash of its own.
  bundle.tables[0]->data[0] ^= 1;
  EXPECT_NE(ContentHash(BytesOf(bundle)), ContentHash(bytes));
  bundle.integrity = nullptr;
  EXPECT_EQ(ContentHash(BytesOf(bundle)), 0u);
}

}  // namespace
}  // namespace handpick::converter
