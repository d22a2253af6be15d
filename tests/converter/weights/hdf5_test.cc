// What Keras writes by HDF5, and what it does not.
#include <string>

#include "absl/strings/str_cat.h"
#include "converter/weights/archive.h"
#include "converter/weights/weights.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/test_files.h"

namespace handpick::converter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kFiles[] = "tests/converter/weights/files/";

std::string FaultOf(const std::string& path) {
  const auto weights = ReadWeights(path);
  EXPECT_FALSE(weights.ok());
  return std::string(weights.status().message());
}

TEST(Hdf5Test, ReadsWeightsAndWholeModelsByTheSameNames) {
  for (const char* const name : {"weights.h5", "model.h5"}) {
    SCOPED_TRACE(name);
    const auto archive = OpenArchive(absl::StrCat(kFiles, name));
    ASSERT_TRUE(archive.ok()) << archive.status();
    EXPECT_STREQ((*archive)->format(), "h5");
    ASSERT_EQ((*archive)->tensors().size(), 3u);
    EXPECT_THAT((*archive)->tensors().at("dense/kernel:0").shape, ElementsAre(2, 2));
    EXPECT_THAT((*archive)->Read("dense/kernel:0")->data, ElementsAre(1, 2, 3, 4));
    EXPECT_THAT((*archive)->Read("dense/bias:0")->data, ElementsAre(0.5f, -0.5f));
    EXPECT_EQ((*archive)->tensors().at("embedding/embeddings:0").type, "f64");
    EXPECT_THAT((*archive)->Read("embedding/embeddings:0")->data, ElementsAre(0, 1, 2, 3, 4, 5));
    if (name == std::string("model.h5")) {
      EXPECT_THAT((*archive)->notices(),
                  ElementsAre(HasSubstr("left out 1 tensors of the optimizer")));
    } else {
      EXPECT_THAT((*archive)->notices(), IsEmpty());
    }
  }
  const auto first = ReadWeights(absl::StrCat(kFiles, "keras1.h5"));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_THAT(first->at("prediction/prediction_W").shape, ElementsAre(2, 1));
}

TEST(Hdf5Test, ReadsEveryType) {
  const auto archive = OpenArchive(absl::StrCat(kFiles, "types.h5"));
  ASSERT_TRUE(archive.ok()) << archive.status();
  const Archive& a = **archive;
  EXPECT_THAT(a.Read("big")->data, ElementsAre(1.5f, -2.f));
  EXPECT_THAT(a.Read("half")->data, ElementsAre(1, -2));
  EXPECT_EQ(a.tensors().at("half").type, "f16");
  EXPECT_THAT(a.Read("bool")->integers, ElementsAre(1, 0));
  EXPECT_THAT(a.Read("unsigned")->integers, ElementsAre((int64_t{1} << 32) + 1));
  EXPECT_THAT(a.Read("integer")->integers, ElementsAre(-(int64_t{1} << 53) - 1));
  EXPECT_EQ(a.Read("packed")->data[99], 99);
  EXPECT_THAT(a.Read("empty")->data, IsEmpty());
  EXPECT_TRUE(a.tensors().at("text").is_optional);
  EXPECT_THAT(std::string(a.Read("text").status().message()),
              HasSubstr("'/text': its elements are of type string"));
}

TEST(Hdf5Test, RefusesWhatIsElsewhereAndWhatLies) {
  const auto fault = [](const std::string& name) { return FaultOf(kFiles + name); };
  EXPECT_THAT(fault("external_link.h5"), HasSubstr("'/x': is a link into another file"));
  EXPECT_THAT(fault("soft_link.h5"), HasSubstr("'/x': is a link by name"));
  EXPECT_THAT(fault("external_data.h5"), HasSubstr("'/x': has its elements in another file"));
  EXPECT_THAT(fault("virtual.h5"), HasSubstr("'/x': is a virtual dataset"));
  EXPECT_THAT(fault("loop.h5"), HasSubstr("groups lie in one another more than 32 deep"));
  EXPECT_THAT(fault("claims.h5"), HasSubstr("its shape needs 4398046511104 bytes, and 0 are"));
  EXPECT_THAT(fault("claims_chunked.h5"), HasSubstr("its shape needs 4398046511104 bytes, and 0"));
}

TEST(Hdf5Test, RefusesTruncations) {
  const std::string whole = ReadText(absl::StrCat(kFiles, "keras1.h5"));
  ASSERT_FALSE(whole.empty());
  const std::string path = ::testing::TempDir() + "/cut.h5";
  for (size_t size = 0; size < whole.size(); size += 113) {
    EXPECT_THAT(FaultOf(WriteText(path, whole.substr(0, size))), HasSubstr("cut.h5: ")) << size;
  }
}

}  // namespace
}  // namespace handpick::converter
