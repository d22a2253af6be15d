// What TensorFlow saves, and what it does not.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/weights/archive.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/converter/weights/tensorflow_testing.h"
#include "tests/support/test_files.h"

namespace handpick::converter {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kVariable[] = "/.ATTRIBUTES/VARIABLE_VALUE";

// Little-endian, of `bytes` bytes each.
std::string Numbers(const std::vector<uint64_t>& numbers, size_t bytes) {
  std::string out;
  for (const uint64_t number : numbers) Append(&out, number, bytes);
  return out;
}
const std::string& OneAndTwo() {
  static const auto* const kFloats = new std::string(Numbers({0x3f800000, 0x40000000}, 4));
  return *kFloats;
}

class TensorFlowTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = EmptyTestFolder();
    std::filesystem::create_directories(folder_ + "/variables");
    index_ = folder_ + "/variables/variables.index";
    data_ = folder_ + "/variables/variables.data-00000-of-00001";
  }

  std::unique_ptr<Archive> Open(const std::string& index, const std::string& data) const {
    WriteText(index_, index);
    WriteText(data_, data);
    auto archive = OpenArchive(index_);
    EXPECT_TRUE(archive.ok()) << archive.status();
    return archive.ok() ? *std::move(archive) : nullptr;
  }
  std::string FaultOf(const std::string& index, const std::string& data = "") const {
    WriteText(index_, index);
    WriteText(data_, data);
    const auto archive = OpenArchive(index_);
    EXPECT_FALSE(archive.ok());
    return std::string(archive.status().message());
  }
  // Of an index with this entry of a tensor 'x', whose data is OneAndTwo().
  std::string FaultOfEntry(const std::string& entry) const {
    return FaultOf(TableOf({{"", HeaderOf(1)}, {"x", entry}}), OneAndTwo());
  }

  std::string folder_, index_, data_;
};

std::string ReadFault(const absl::StatusOr<Tensor>& tensor) {
  EXPECT_FALSE(tensor.ok());
  return std::string(tensor.status().message());
}

TEST_F(TensorFlowTest, ReadsEveryType) {
  Checkpoint c;
  c.Add("dense/kernel", 1, {2, 1}, OneAndTwo());  // As TensorFlow 1 calls them.
  c.Add("layer-1/f64/.ATTRIBUTES/VARIABLE_VALUE", 2, {1}, Numbers({0xc008000000000000}, 8));
  c.Add("layer-1/f16/.ATTRIBUTES/VARIABLE_VALUE", 19, {2}, Numbers({0x3c00, 0xc000}, 2));
  c.Add("layer-1/bf16/.ATTRIBUTES/VARIABLE_VALUE", 14, {2}, Numbers({0x3f80, 0xbe20}, 2));
  c.Add("i32", 3, {2}, Numbers({0xfffffff9, 70000}, 4));
  c.Add("i16", 5, {1}, Numbers({0xfed4}, 2));
  c.Add("i8", 6, {1}, Numbers({0x80}, 1));
  c.Add("i64", 9, {}, Numbers({(uint64_t{1} << 53) + 1}, 8));
  c.Add("u8", 4, {1}, Numbers({0x80}, 1));
  c.Add("u16", 17, {1}, Numbers({0xfed4}, 2));
  c.Add("u32", 22, {1}, Numbers({0xfffffff9}, 4));
  c.Add("u64", 23, {1}, Numbers({uint64_t{1} << 40}, 8));
  c.Add("bool", 10, {2}, Numbers({1, 0}, 1));
  c.Add("empty", 1, {0, 3}, "");
  for (const size_t entries_per_block : {1, 2, 4, 1000}) {
    const std::unique_ptr<Archive> archive = Open(c.Index(entries_per_block), c.data);
    ASSERT_NE(archive, nullptr);
    const Archive& a = *archive;
    EXPECT_STREQ(a.format(), "tensorflow");
    EXPECT_EQ(a.origin(), index_);
    EXPECT_THAT(a.files(), ElementsAre(index_, data_));
    EXPECT_THAT(a.notices(), IsEmpty());
    ASSERT_EQ(a.tensors().size(), 14u);
    EXPECT_THAT(a.tensors().at("dense/kernel").shape, ElementsAre(2, 1));
    EXPECT_EQ(a.tensors().at("layer-1/bf16").type, "bf16");
    EXPECT_THAT(a.Read("dense/kernel")->data, ElementsAre(1, 2));
    EXPECT_THAT(a.Read("layer-1/f64")->data, ElementsAre(-3));
    EXPECT_THAT(a.Read("layer-1/f16")->data, ElementsAre(1, -2));
    EXPECT_THAT(a.Read("layer-1/bf16")->data, ElementsAre(1, -0.15625f));
    EXPECT_THAT(a.Read("i32")->integers, ElementsAre(-7, 70000));
    EXPECT_THAT(a.Read("i16")->integers, ElementsAre(-300));
    EXPECT_THAT(a.Read("i8")->integers, ElementsAre(-128));
    EXPECT_THAT(a.Read("i64")->integers, ElementsAre((int64_t{1} << 53) + 1));
    EXPECT_THAT(a.Read("i64")->shape, IsEmpty());
    EXPECT_THAT(a.Read("u8")->integers, ElementsAre(128));
    EXPECT_THAT(a.Read("u16")->integers, ElementsAre(0xfed4));
    EXPECT_THAT(a.Read("u32")->integers, ElementsAre(0xfffffff9));
    EXPECT_THAT(a.Read("u64")->integers, ElementsAre(int64_t{1} << 40));
    EXPECT_THAT(a.Read("bool")->integers, ElementsAre(1, 0));
    EXPECT_THAT(a.Read("empty")->data, IsEmpty());
  }
}

TEST_F(TensorFlowTest, APrefixAndAFolderStandForTheIndex) {
  Checkpoint c;
  c.Add("x", 1, {2}, OneAndTwo());
  ASSERT_NE(Open(c.Index(), c.data), nullptr);
  for (const char* const path : {"", "/", "/variables", "/variables/", "/variables/variables",
                                 "/variables/variables.index"}) {
    const auto archive = OpenArchive(folder_ + path);
    ASSERT_TRUE(archive.ok()) << archive.status();
    EXPECT_EQ((*archive)->origin(), index_);
    EXPECT_THAT((*archive)->Read("x")->data, ElementsAre(1, 2));
  }
  EXPECT_THAT(std::string(OpenArchive(data_).status().message()),
              AllOf(HasSubstr(data_), HasSubstr("expected its index, 'variables.index'")));
  std::filesystem::remove(index_);
  EXPECT_THAT(std::string(OpenArchive(folder_).status().message()),
              HasSubstr("/variables/variables.index: No such file"));
  EXPECT_THAT(std::string(OpenArchive(folder_ + "/no").status().message()),
              HasSubstr("cannot open " + folder_ + "/no: "));
}

TEST_F(TensorFlowTest, ReadsSeveralFilesOfDataInBothByteOrders) {
  const std::string big = std::string("\x3f\x80\0\0", 4), other = std::string("\x40\0\0\0", 4);
  const std::string index = TableOf({{"", HeaderOf(3, 1)},
                                     {"a", TensorEntry(1, {1}, big, 0, 0)},
                                     {"b", TensorEntry(1, {1}, other, 4, 2)}});
  WriteText(index_, index);
  const std::string stem = folder_ + "/variables/variables.data-0000";
  WriteText(stem + "0-of-00003", big);
  EXPECT_THAT(std::string(OpenArchive(index_).status().message()),
              AllOf(HasSubstr("tensor 'b': cannot open "), HasSubstr("data-00002-of-00003: No")));
  WriteText(stem + "2-of-00003", "    " + other);
  const auto archive = OpenArchive(index_);
  ASSERT_TRUE(archive.ok()) << archive.status();
  // Of the one between there is nothing to read.
  EXPECT_THAT((*archive)->files(), ElementsAre(index_, stem + "0-of-00003", stem + "2-of-00003"));
  EXPECT_THAT((*archive)->Read("a")->data, ElementsAre(1));
  EXPECT_THAT((*archive)->Read("b")->data, ElementsAre(2));
}

TEST_F(TensorFlowTest, LeavesOutWhatIsOfNoModel) {
  Checkpoint c;
  for (const char* const name : {"layer-0/kernel", "layer-0/kernel/.OPTIMIZER_SLOT/optimizer/m",
                                 "optimizer/iter", "keras_api/metrics/0/total", "save_counter"}) {
    c.Add(std::string(name) + kVariable, 1, {2}, OneAndTwo());
  }
  c.AddText("_CHECKPOINTABLE_OBJECT_GRAPH", ObjectGraphOf({}));
  c.Add("optimizer/mine", 1, {2}, OneAndTwo());  // Not of tf.train.Checkpoint.
  const std::unique_ptr<Archive> archive = Open(c.Index(), c.data);
  ASSERT_NE(archive, nullptr);
  ASSERT_EQ(archive->tensors().size(), 2u);
  EXPECT_TRUE(archive->Read("layer-0/kernel").ok());
  EXPECT_TRUE(archive->Read("optimizer/mine").ok());
  EXPECT_THAT(archive->notices(), ElementsAre(HasSubstr("variables.index: left out 5 entries")));
}

// tf.keras says what variables are called in the model, which is their name in an .h5 file.
TEST_F(TensorFlowTest, VariablesHaveTheNamesOfTheModel) {
  Checkpoint c;
  std::vector<std::pair<std::string, std::string>> names;
  const auto add = [&](const std::string& path, const std::string& name) {
    c.Add(path + kVariable, 1, {2}, OneAndTwo());
    names.emplace_back(path + kVariable, name);
  };
  add("layer_with_weights-0/kernel", "dense/kernel");
  add("layer_with_weights-1/item.Sid", "dense_features/item/id");
  add("layer_with_weights-2/kernel", "");  // None is said.
  add("layer_with_weights-0/kernel/.OPTIMIZER_SLOT/optimizer/m", "Adam/dense/kernel/m");
  c.Add(std::string("unknown") + kVariable, 1, {2}, OneAndTwo());  // Is not in the graph.
  c.AddText("_CHECKPOINTABLE_OBJECT_GRAPH", ObjectGraphOf(names));
  const std::unique_ptr<Archive> archive = Open(c.Index(2), c.data);
  ASSERT_NE(archive, nullptr);
  std::vector<std::string> found;
  for (const auto& [name, info] : archive->tensors()) {
    found.push_back(name);
    EXPECT_THAT(archive->Read(name)->data, ElementsAre(1, 2)) << name;
  }
  EXPECT_THAT(found, ElementsAre("dense/kernel:0", "dense_features/item/id:0",
                                 "layer_with_weights-2/kernel", "unknown"));
  EXPECT_THAT(archive->notices(), ElementsAre(HasSubstr("left out 2 entries")));
}

// Models may call several variables the same: "kernel" of every layer, say.
TEST_F(TensorFlowTest, VariablesOfOneNameKeepTheirPaths) {
  Checkpoint c;
  std::vector<std::pair<std::string, std::string>> names;
  for (const char* const path : {"a/w", "b/w", "c/w"}) {
    c.Add(std::string(path) + kVariable, 1, {2}, OneAndTwo());
    names.emplace_back(std::string(path) + kVariable, path == std::string("b/w") ? "b" : "w");
  }
  c.Add("b:0", 1, {2}, OneAndTwo());  // Called so by its key.
  c.AddText("_CHECKPOINTABLE_OBJECT_GRAPH", ObjectGraphOf(names));
  const std::unique_ptr<Archive> archive = Open(c.Index(), c.data);
  ASSERT_NE(archive, nullptr);
  std::vector<std::string> found;
  for (const auto& [name, info] : archive->tensors()) found.push_back(name);
  EXPECT_THAT(found, ElementsAre("a/w", "b/w", "b:0", "c/w"));
  EXPECT_THAT(archive->notices(),
              ElementsAre(HasSubstr("'a/w' and 'c/w' are both called 'w:0' in the model"),
                          HasSubstr("'b/w' and 'b:0' are both called 'b:0' in the model"),
                          HasSubstr("left out 1 entries")));
}

TEST_F(TensorFlowTest, RefusesEveryChangedByteOfTheObjectGraph) {
  Checkpoint c;
  c.Add(std::string("a") + kVariable, 1, {2}, OneAndTwo());
  const std::string graph = ObjectGraphOf({{std::string("a") + kVariable, "dense/kernel"}});
  c.AddText("_CHECKPOINTABLE_OBJECT_GRAPH", graph);
  ASSERT_NE(Open(c.Index(), c.data), nullptr);
  const std::string damaged = "tensor '_CHECKPOINTABLE_OBJECT_GRAPH': is damaged";
  for (size_t i = OneAndTwo().size(); i < c.data.size(); ++i) {
    std::string changed = c.data;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    EXPECT_THAT(FaultOf(c.Index(), changed), HasSubstr(damaged)) << i;
  }
  // Whole by their checksums, and none.
  const auto fault = [&](const std::string& text) {
    Checkpoint other;
    other.AddText("_CHECKPOINTABLE_OBJECT_GRAPH", text);
    return FaultOf(other.Index(), other.data);
  };
  for (size_t size = 1; size < graph.size(); ++size) {
    Checkpoint other;
    other.AddText("_CHECKPOINTABLE_OBJECT_GRAPH", graph.substr(0, size));
    WriteText(index_, other.Index());
    WriteText(data_, other.data);
    const auto archive = OpenArchive(index_);
    // A graph may end after any node.
    const size_t first =
        BytesField(1, BytesField(1, NumberField(1, 1) + BytesField(2, "layer"))).size();
    EXPECT_EQ(archive.ok(), size == first) << size;
  }
  EXPECT_THAT(fault(NumberField(1, 7)), HasSubstr(damaged));
  EXPECT_THAT(fault(BytesField(1, NumberField(2, 7))), HasSubstr(damaged));
  EXPECT_THAT(fault(BytesField(1, BytesField(2, NumberField(3, 7)))), HasSubstr(damaged));
  // Lies about the place.
  const auto fault_of_entry = [&](const std::string& entry) {
    return FaultOf(TableOf({{"", HeaderOf(1)}, {"_CHECKPOINTABLE_OBJECT_GRAPH", entry}}), c.data);
  };
  EXPECT_THAT(fault_of_entry(TensorEntry(1, {2}, OneAndTwo(), 0)), HasSubstr(damaged));
  EXPECT_THAT(fault_of_entry(TensorEntry(7, {2}, OneAndTwo(), 0)), HasSubstr(damaged));
  EXPECT_THAT(fault_of_entry(TensorEntry(7, {}, OneAndTwo(), 0)), HasSubstr(damaged));
  EXPECT_THAT(fault_of_entry(NumberField(1, 7) + NumberField(5, UINT64_MAX)), HasSubstr(damaged));
  EXPECT_THAT(fault_of_entry(NumberField(1, 7) + NumberField(5, 1000000)),
              HasSubstr("is the file truncated?"));
  EXPECT_THAT(fault_of_entry(NumberField(1, 7) + NumberField(3, 9) + NumberField(5, 5)),
              HasSubstr("is in file 9 of the data"));
}

TEST_F(TensorFlowTest, NamesWhatCannotBeReadWhenItIsAskedFor) {
  Checkpoint c;
  c.Add("words", 7, {1}, "\x01x");
  c.Add("handle", 20, {}, "");
  c.Add("later", 99, {}, "");
  c.Add("whole", 1, {2}, OneAndTwo());
  c.entries.emplace_back("parts", NumberField(1, 1) + BytesField(2, ShapeOf({4})) +
                                      BytesField(7, "") + BytesField(7, ""));
  // What TensorFlow calls the parts themselves begins with a zero.
  c.entries.emplace_back(std::string("\0\1parts", 7), TensorEntry(1, {2}, OneAndTwo(), 0));
  const std::unique_ptr<Archive> archive = Open(c.Index(), c.data);
  ASSERT_NE(archive, nullptr);
  ASSERT_EQ(archive->tensors().size(), 5u);
  EXPECT_TRUE(archive->tensors().at("words").is_optional);
  EXPECT_THAT(ReadFault(archive->Read("words")),
              HasSubstr("tensor 'words': its elements are of type "
                        "string; floats of 2, 4 and 8 bytes"));
  EXPECT_THAT(ReadFault(archive->Read("handle")), HasSubstr("of type resource"));
  EXPECT_THAT(ReadFault(archive->Read("later")), HasSubstr("of type 99;"));
  EXPECT_FALSE(archive->tensors().at("parts").is_optional);
  EXPECT_THAT(archive->tensors().at("parts").shape, ElementsAre(4));
  EXPECT_THAT(ReadFault(archive->Read("parts")), HasSubstr("is a partitioned variable of 2 parts"));
  EXPECT_THAT(archive->Read("whole")->data, ElementsAre(1, 2));
}

TEST_F(TensorFlowTest, SkipsFieldsThatItDoesNotKnow) {
  std::string fixed64 = Varint(8 << 3 | 1);
  Append(&fixed64, 7, 8);
  const std::string more = NumberField(100, 5) + BytesField(101, "text") + fixed64;
  const std::string shape = BytesField(2, NumberField(1, 2) + BytesField(2, "rows")) + more;
  const std::string entry = more + NumberField(1, 1) + BytesField(2, shape) + NumberField(5, 8) +
                            Fixed32Field(6, MaskedCrcOf(OneAndTwo())) + Fixed32Field(9, 1);
  const std::unique_ptr<Archive> archive =
      Open(TableOf({{"", more + HeaderOf(1) + more}, {"x", entry}}), OneAndTwo());
  ASSERT_NE(archive, nullptr);
  EXPECT_THAT(archive->Read("x")->data, ElementsAre(1, 2));
}

TEST_F(TensorFlowTest, RefusesEveryTruncationAndEveryChangedByte) {
  Checkpoint c;
  c.Add("a", 1, {2}, OneAndTwo());
  c.Add("b", 1, {2}, OneAndTwo());
  const std::string index = c.Index(2);
  ASSERT_NE(Open(index, c.data), nullptr);
  for (size_t size = 0; size < index.size(); ++size) {
    EXPECT_THAT(FaultOf(index.substr(0, size), c.data), HasSubstr("variables.index: ")) << size;
  }
  for (size_t i = 0; i < index.size(); ++i) {
    std::string changed = index;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    WriteText(index_, changed);
    const auto archive = OpenArchive(index_);
    // The block of other things and the padding are not looked at.
    if (!archive.ok()) continue;
    ASSERT_EQ((*archive)->tensors().size(), 2u) << i;
    EXPECT_THAT((*archive)->Read("b")->data, ElementsAre(1, 2)) << i;
  }
  // And of the data, when it is read.
  for (size_t i = 0; i < c.data.size(); ++i) {
    std::string changed = c.data;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    const std::unique_ptr<Archive> archive = Open(index, changed);
    ASSERT_NE(archive, nullptr);
    EXPECT_THAT(ReadFault(archive->Read(i < 8 ? "a" : "b")),
                AllOf(HasSubstr("is damaged: the checksum of its bytes in "), HasSubstr(data_)));
    EXPECT_TRUE(archive->Read(i < 8 ? "b" : "a").ok());
  }
  for (size_t size = 0; size < c.data.size(); ++size) {
    EXPECT_THAT(FaultOf(index, c.data.substr(0, size)), HasSubstr("is the file truncated?"));
  }
}

TEST_F(TensorFlowTest, RefusesTablesThatLie) {
  const std::string header = BlockOf({{"", HeaderOf(1)}});
  const std::string in_file = BlockInFile(header);
  const std::string handle = HandleOf(0, header.size());
  const auto fault = [&](const std::vector<std::string>& handles) {
    return FaultOf(TableOf(in_file, handles));
  };
  // Of a block that is right as far as its checksum goes.
  const auto fault_of_block = [&](const std::string& block, char compression = 0) {
    return FaultOf(TableOf(BlockInFile(block, compression), {HandleOf(0, block.size())}));
  };
  ASSERT_NE(Open(TableOf(in_file, {handle}), ""), nullptr);

  EXPECT_THAT(FaultOf("no table"), HasSubstr("is no table of LevelDB's format"));
  EXPECT_THAT(
      FaultOf(FooterOf(HandleOf(0, 0) + HandleOf(0, 1000))),
      HasSubstr("its block at byte 0 claims 1000 bytes and 5 more, and must end by byte 0"));
  EXPECT_THAT(FaultOf(FooterOf(HandleOf(0, 0) + HandleOf(UINT64_MAX, UINT64_MAX))),
              HasSubstr("its block at byte 18446744073709551615 claims"));
  EXPECT_THAT(
      FaultOf(std::string(9, '\0') + FooterOf(HandleOf(0, 0) + HandleOf(1, UINT64_MAX - 5))),
      HasSubstr("claims 18446744073709551610 bytes"));
  // Eleven bytes, and ten with more than 64 bits.
  EXPECT_THAT(FaultOf(FooterOf(std::string(11, '\x80') + '\x01')), HasSubstr("footer is damaged"));
  EXPECT_THAT(FaultOf(FooterOf(std::string(9, '\xff') + '\x02')), HasSubstr("footer is damaged"));

  // A block twice, and the index as a block of its own.
  EXPECT_THAT(fault({handle, handle}), HasSubstr("its block at byte 0 begins before the end of the "
                                                 "one before it"));
  EXPECT_THAT(fault({HandleOf(in_file.size() + BlockInFile(BlockOf({})).size(), 1)}),
              HasSubstr("must end by byte"));
  EXPECT_THAT(fault({HandleOf(0, header.size() - 1)}), HasSubstr("is damaged: its checksum is"));
  EXPECT_THAT(fault({Varint(0)}), HasSubstr("its list of blocks is damaged"));

  EXPECT_THAT(fault_of_block(header, 1), HasSubstr("its block at byte 0 is compressed by snappy"));
  EXPECT_THAT(fault_of_block(header, 7), HasSubstr("is compressed by form 7"));
  EXPECT_THAT(fault_of_block(""), HasSubstr("has 0 bytes, fewer than"));
  EXPECT_THAT(fault_of_block("\xff\xff\xff\xff"), HasSubstr("its 4294967295 offsets of keys need"));
  const std::string none(4, '\0');  // No key is whole.
  EXPECT_THAT(fault_of_block(BlockEntry(1, "x", "") + none), HasSubstr("is damaged after key ''"));
  EXPECT_THAT(fault_of_block(Varint(0) + Varint(UINT64_MAX) + Varint(0) + none),
              HasSubstr("is damaged after key ''"));
  EXPECT_THAT(fault_of_block(Varint(0) + Varint(0) + Varint(9) + none),
              HasSubstr("is damaged after key ''"));
  EXPECT_THAT(fault_of_block(BlockEntry(0, "", HeaderOf(1)) + BlockEntry(0, "b", "") +
                             BlockEntry(0, "a", "") + none),
              HasSubstr("its key 'a' comes after 'b', and they must ascend"));
  EXPECT_THAT(fault_of_block(BlockEntry(0, std::string(4096, 'x'), "") + none),
              HasSubstr("has no header"));
  EXPECT_THAT(fault_of_block(BlockEntry(0, "", HeaderOf(1)) +
                             BlockEntry(0, std::string(4097, 'x'), "") + none),
              HasSubstr("has a key of 4097 bytes, more than 4096"));
}

TEST_F(TensorFlowTest, RefusesHeadersThatAreNone) {
  const auto fault = [&](const std::string& header) { return FaultOf(TableOf({{"", header}})); };
  EXPECT_THAT(FaultOf(TableOf(TableEntries())), HasSubstr("it has no header"));
  EXPECT_THAT(FaultOf(TableOf({{"x", ""}})), HasSubstr("it has no header"));
  EXPECT_THAT(fault(""), HasSubstr("its header says 0 files of data, expected 1 to 99999"));
  EXPECT_THAT(fault(HeaderOf(UINT64_MAX)), HasSubstr("says 18446744073709551615 files"));
  EXPECT_THAT(fault(HeaderOf(1, 2)), HasSubstr("has byte order 2, expected 0"));
  EXPECT_THAT(fault(HeaderOf(1, 0, 2)), HasSubstr("asks for a reader of version 2"));
  EXPECT_THAT(fault(BytesField(1, "")), HasSubstr("its header is damaged"));
  EXPECT_THAT(fault(Varint(1 << 3 | 3)), HasSubstr("its header is damaged"));
  EXPECT_THAT(fault(Varint(3 << 3 | 2) + Varint(UINT64_MAX)), HasSubstr("its header is damaged"));
}

TEST_F(TensorFlowTest, RefusesEntriesThatLie) {
  const std::string& data = OneAndTwo();
  const auto fault = [&](uint64_t type, const std::vector<int64_t>& shape, uint64_t offset = 0,
                         uint64_t shard = 0) {
    return FaultOfEntry(TensorEntry(type, shape, data, offset, shard));
  };
  EXPECT_THAT(fault(1, {3}), HasSubstr("tensor 'x': shape [3] of f32 needs 12 bytes, and its entry "
                                       "has 8"));
  EXPECT_THAT(fault(2, {2}), HasSubstr("shape [2] of f64 needs 16 bytes"));
  EXPECT_THAT(fault(1, {-1}), HasSubstr("shape [-1] is impossible"));
  EXPECT_THAT(fault(1, {int64_t{1} << 40, int64_t{1} << 40}), HasSubstr("is impossible"));
  EXPECT_THAT(fault(7, {int64_t{1} << 40, int64_t{1} << 40}), HasSubstr("is impossible"));
  EXPECT_THAT(fault(1, {2}, 1), AllOf(HasSubstr("has 8 bytes at byte 1 of "), HasSubstr(data_),
                                      HasSubstr(", which has 8 (is the file truncated?)")));
  EXPECT_THAT(fault(1, {2}, UINT64_MAX), HasSubstr("at byte 18446744073709551615 of"));
  EXPECT_THAT(fault(1, {2}, 0, 1), HasSubstr("is in file 1 of the data, and there are 1"));
  EXPECT_THAT(fault(1, {2}, 0, UINT64_MAX), HasSubstr("is in file 18446744073709551615"));
  EXPECT_THAT(fault(1, std::vector<int64_t>(33, 1)), HasSubstr("tensor 'x': its entry is damaged"));
  EXPECT_THAT(FaultOfEntry(BytesField(2, NumberField(3, 1))), HasSubstr("its shape is unknown"));
  EXPECT_THAT(FaultOfEntry(BytesField(1, "")), HasSubstr("its entry is damaged"));
  EXPECT_THAT(FaultOfEntry("\x80"), HasSubstr("its entry is damaged"));
  // Without its checksum: that of no bytes is another.
  const std::unique_ptr<Archive> archive =
      Open(TableOf({{"", HeaderOf(1)},
                    {"x", NumberField(1, 1) + BytesField(2, ShapeOf({2})) + NumberField(5, 8)}}),
           data);
  ASSERT_NE(archive, nullptr);
  EXPECT_THAT(ReadFault(archive->Read("x")), HasSubstr("expected 00000000"));
  EXPECT_THAT(FaultOf(TableOf({{"", HeaderOf(1)},
                               {"x", TensorEntry(1, {2}, data, 0)},
                               {std::string("x") + kVariable, TensorEntry(1, {2}, data, 0)}}),
                      data),
              HasSubstr("tensor 'x': occurs twice"));
}

}  // namespace
}  // namespace handpick::converter
