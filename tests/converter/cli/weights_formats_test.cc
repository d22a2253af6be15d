// The same weights in every format give the same bundle.
#include <hdf5/serial/hdf5.h>

#include <cstdint>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/emit/emit.h"
#include "converter/weights/weights.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "schema/bundle_generated.h"
#include "tests/converter/cli/run_handpick.h"
#include "tests/converter/weights/tensorflow_testing.h"
#include "tests/converter/weights/torch_testing.h"
#include "tests/converter/weights/zip_testing.h"

namespace handpick::converter {
namespace {

using ::testing::HasSubstr;

std::string BytesOf(const Tensor& tensor) {
  return std::string(reinterpret_cast<const char*>(tensor.data.data()),
                     tensor.data.size() * sizeof(float));
}

std::string NpzOf(const Weights& weights) {
  std::vector<Member> members;
  for (const auto& [name, tensor] : weights) {
    std::string shape;
    for (const int64_t size : tensor.shape) absl::StrAppend(&shape, size, ", ");
    const std::string header =
        absl::StrCat("{'descr': '<f4', 'fortran_order': False, 'shape': (", shape, "), }\n");
    std::string npy = std::string("\x93NUMPY\x01", 7) + '\0';
    Append(&npy, header.size(), 2);
    members.push_back(Stored(name + ".npy", npy + header + BytesOf(tensor)));
  }
  return Zip(members);
}

std::string TorchOf(const Weights& weights) {
  std::vector<Member> members;
  std::vector<std::pair<std::string, std::string>> items;
  for (const auto& [name, tensor] : weights) {
    const std::string key = absl::StrCat(members.size());
    std::vector<int32_t> shape(tensor.shape.begin(), tensor.shape.end());
    std::vector<int32_t> strides(shape.size(), 1);
    for (size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * shape[d];
    items.emplace_back(
        name, TensorOf(Storage(static_cast<int32_t>(tensor.data.size()), key), 0, shape, strides));
    members.push_back(Stored("archive/data/" + key, BytesOf(tensor)));
  }
  members.push_back(Stored("archive/data.pkl", Pickle(Dict(items))));
  return Zip(members);
}

// `before`: what tensors' paths begin with.
void WriteHdf5(const Weights& weights, const std::string& path,
               const std::function<std::string(const std::string&)>& before = nullptr) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  ASSERT_GE(file, 0);
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  for (const auto& [name, tensor] : weights) {
    const std::vector<hsize_t> shape(tensor.shape.begin(), tensor.shape.end());
    const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    const std::string own = before == nullptr ? name : before(name) + name;
    const hid_t dataset =
        H5Dcreate2(file, own.c_str(), H5T_IEEE_F32LE, space, links, H5P_DEFAULT, H5P_DEFAULT);
    ASSERT_GE(dataset, 0) << name;
    EXPECT_GE(
        H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, tensor.data.data()), 0);
    H5Dclose(dataset);
    H5Sclose(space);
  }
  H5Pclose(links);
  H5Fclose(file);
}

Checkpoint TensorFlowOf(const Weights& weights) {
  Checkpoint checkpoint;
  checkpoint.AddText("_CHECKPOINTABLE_OBJECT_GRAPH", ObjectGraphOf({}));
  for (const auto& [name, tensor] : weights) {
    checkpoint.Add(name + "/.ATTRIBUTES/VARIABLE_VALUE", 1, tensor.shape, BytesOf(tensor));
  }
  return checkpoint;
}

// A bundle without the names and hashes of the files that it was made from, which differ.
std::string WithoutInputs(const std::string& path) {
  const std::string bytes = ReadText(path);
  const std::unique_ptr<schema::BundleT> bundle = schema::UnPackBundle(bytes.data());
  bundle->manifest->inputs.clear();
  const auto again = Serialize(*bundle);
  EXPECT_TRUE(again.ok()) << again.status();
  return again.ok() ? *again : "";
}

class WeightsFormatsTest : public testing::TestWithParam<const char*> {};

TEST_P(WeightsFormatsTest, OfAnExampleGiveTheSameBundle) {
  const std::string model = absl::StrCat("examples/", GetParam(), "/model/");
  const auto weights = ReadWeights(model + "model.safetensors");
  ASSERT_TRUE(weights.ok()) << weights.status();
  const std::string stem = testing::TempDir() + "/" + GetParam();
  std::ofstream(stem + ".npz", std::ios::binary) << NpzOf(*weights);
  std::ofstream(stem + ".pt", std::ios::binary) << TorchOf(*weights);
  WriteHdf5(*weights, stem + ".h5");
  const Checkpoint checkpoint = TensorFlowOf(*weights);
  std::ofstream(stem + ".index", std::ios::binary) << checkpoint.Index(4);
  std::ofstream(stem + ".data-00000-of-00001", std::ios::binary) << checkpoint.data;
  // Models with a history share one catalog, the others another.
  const std::string kind = GetParam();
  const bool has_history = kind == "din" || kind == "dien";
  const std::string catalog =
      absl::StrCat("examples/", has_history ? "din" : "wide_deep", "/model/catalog.jsonl");
  std::string expected;
  for (const std::string& file : {model + "model.safetensors", stem + ".npz", stem + ".pt",
                                  stem + ".h5", stem + ".index", stem}) {
    SCOPED_TRACE(file);
    const std::string bundle = stem + ".hpk";
    const Outcome outcome = Handpick(
        absl::StrCat("convert --spec ", model, "model.spec.json --weights ", file, " --golden ",
                     model, "golden.jsonl --catalog ", catalog, " --out ", bundle));
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    // A checkpoint is an index and its data.
    const auto made = nlohmann::json::parse(Handpick("inspect --json " + bundle).out);
    size_t files = 0;
    for (const auto& input : made.at("inputs")) files += input["role"] == "weights";
    EXPECT_EQ(files, file == stem || file == stem + ".index" ? 2u : 1u);
    const std::string bytes = WithoutInputs(bundle);
    ASSERT_FALSE(bytes.empty());
    if (expected.empty()) expected = bytes;
    EXPECT_TRUE(bytes == expected);
    // And all of them are listed.
    const Outcome listed = Handpick("inspect --json " + file);
    ASSERT_EQ(listed.status, 0) << listed.err;
    const auto json = nlohmann::json::parse(listed.out);
    ASSERT_EQ(json.at("tensors").size(), weights->size());
    size_t i = 0;
    for (const auto& [name, tensor] : *weights) {
      EXPECT_EQ(json["tensors"][i]["name"], name);
      EXPECT_EQ(json["tensors"][i]["shape"], nlohmann::json(tensor.shape));
      EXPECT_EQ(json["tensors"][i++]["type"], "f32");
    }
    EXPECT_THAT(Handpick("inspect " + file).out,
                HasSubstr(absl::StrCat(weights->size(), " tensors")));
  }
}

INSTANTIATE_TEST_SUITE_P(Examples, WeightsFormatsTest,
                         testing::Values("wide_deep", "nfm", "din", "dien", "two_tower"),
                         [](const auto& test) { return std::string(test.param); });

class KerasFilesTest : public testing::TestWithParam<const char*> {};

// A model of Keras by save_weights("w.h5") and by save("folder"): the same spec names its variables
// in both.
TEST_P(KerasFilesTest, GiveTheSameBundleByTheSameSpec) {
  const std::string golden = absl::StrCat("tests/goldens/", GetParam());
  const auto weights = ReadWeights(golden + ".safetensors");
  ASSERT_TRUE(weights.ok()) << weights.status();
  const std::string stem = testing::TempDir() + "/keras";
  WriteHdf5(*weights, stem + ".h5", [](const std::string& name) {
    return absl::StrCat("/model_weights/", name.substr(0, name.find('/')), "/");
  });
  Checkpoint checkpoint;
  std::vector<std::pair<std::string, std::string>> names;
  for (const auto& [name, tensor] : *weights) {
    const std::string key =
        absl::StrCat("layer_with_weights-", names.size(), "/kernel/.ATTRIBUTES/VARIABLE_VALUE");
    ASSERT_EQ(name.substr(name.size() - 2), ":0");
    names.emplace_back(key, name.substr(0, name.size() - 2));
    checkpoint.Add(key, 1, tensor.shape, BytesOf(tensor));
  }
  checkpoint.AddText("_CHECKPOINTABLE_OBJECT_GRAPH", ObjectGraphOf(names));
  std::ofstream(stem + ".index", std::ios::binary) << checkpoint.Index();
  std::ofstream(stem + ".data-00000-of-00001", std::ios::binary) << checkpoint.data;
  std::string expected;
  for (const std::string& file : {golden + ".safetensors", stem + ".h5", stem + ".index"}) {
    SCOPED_TRACE(file);
    const std::string bundle = stem + ".hpk";
    const Outcome outcome =
        Handpick(absl::StrCat("convert --spec ", golden, ".spec.json --weights ", file,
                              " --golden ", golden, ".requests.jsonl --out ", bundle));
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    const std::string bytes = WithoutInputs(bundle);
    ASSERT_FALSE(bytes.empty());
    if (expected.empty()) expected = bytes;
    EXPECT_TRUE(bytes == expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Goldens, KerasFilesTest,
                         testing::Values("nfm/keras_relu", "mmoe/keras_relu"),
                         [](const auto& test) {
                           const std::string name = test.param;
                           return name.substr(0, name.find('/'));
                         });

// Tensors are listed as the model made them.
TEST(TorchFilesTest, AreListedInTheOrderOfTheStateDict) {
  const std::string tensor = TensorOf(Storage(1), 0, {1}, {1});
  const std::string path = testing::TempDir() + "/order.pt";
  std::ofstream(path, std::ios::binary) << Zip(
      {Stored(
           "archive/data.pkl",
           Pickle(Dict({{"user", tensor}, {"dnn.10", tensor}, {"dnn.2", tensor}, {"a", tensor}}))),
       Stored("archive/data/0", std::string(4, '\0'))});
  const Outcome listed = Handpick("inspect --json " + path);
  ASSERT_EQ(listed.status, 0) << listed.err;
  std::vector<std::string> names;
  const auto json = nlohmann::json::parse(listed.out);
  for (const auto& own : json.at("tensors")) names.push_back(own["name"]);
  EXPECT_EQ(names, (std::vector<std::string>{"user", "dnn.10", "dnn.2", "a"}));
}

}  // namespace
}  // namespace handpick::converter
