// Layers that a library numbers as it makes them.
#include "converter/spec/numbered_names.h"

#include <map>
#include <string>

#include "converter/spec/layouts.h"
#include "converter/spec/spec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace handpick::converter {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

const LayoutTraits& Keras() { return TraitsOf(Layout::kDeepCtr, "din"); }

TEST(NumberedNamesTest, TheOrderOfNumbersCounts) {
  // 10 comes after 9. What is in another layer is numbered there.
  EXPECT_THAT(
      TheirNames(Keras(),
                 {"dnn_9/kernel0:0", "dnn_10/kernel0:0", "dnn_10/batch_normalization_4/gamma:0",
                  "dense_2/kernel:0", "ctr/global_bias:0"}),
      UnorderedElementsAre(
          Pair("dnn/kernel0:0", "dnn_9/kernel0:0"), Pair("dnn_1/kernel0:0", "dnn_10/kernel0:0"),
          Pair("dnn_1/batch_normalization/gamma:0", "dnn_10/batch_normalization_4/gamma:0"),
          Pair("dense/kernel:0", "dense_2/kernel:0")));
}

TEST(NumberedNamesTest, NamesThatPeopleGaveStay) {
  EXPECT_THAT(TheirNames(Keras(),
                         {"sparse_emb_dnn_3/embeddings:0", "expert_1/kernel0:0", "dnn_03/kernel0:0",
                          "dnn_x/kernel0:0", "dnn_/kernel0:0", "dnn_99999999999/kernel0:0", ""}),
              IsEmpty());
  // Nor does any other layout number layers.
  EXPECT_THAT(TheirNames(TraitsOf(Layout::kHandpick, "din"), {"dnn_1/kernel0:0"}), IsEmpty());
}

TEST(NumberedNamesTest, TablesOfSequencesHaveAnotherName) {
  EXPECT_THAT(
      TheirNames(Keras(), {"sparse_seq_emb_word/embeddings:0", "sparse_emb_item/embeddings:0",
                           "sparse_seq_emb_item/embeddings:0"}),
      UnorderedElementsAre(
          Pair("sparse_emb_word/embeddings:0", "sparse_seq_emb_word/embeddings:0")));
}

TEST(NumberedNamesTest, NoTensorHasTwoNames) {
  Spec spec;
  spec.kind = "esmm";
  spec.layout = Layout::kDeepCtr;
  const std::map<std::string, int> archive = {{"dnn_1/kernel0:0", 0}, {"dnn_1/bias0:0", 0}};
  TensorNames names = NamesIn(spec, archive);
  EXPECT_EQ(names.Find("dnn/kernel0:0").name, "dnn_1/kernel0:0");
  EXPECT_FALSE(names.Find("dnn/kernel0:0").is_another);
  // The first network is not the second one too.
  EXPECT_TRUE(names.Find("dnn_1/kernel0:0").is_another);
  EXPECT_FALSE(names.Find("dense/kernel:0").is_another);
}

}  // namespace
}  // namespace handpick::converter
