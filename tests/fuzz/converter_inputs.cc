// Files that the converter reads. The first byte says as what; the rest is the file. Not HDF5,
// whose files Debian's library reads.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "converter/io/json.h"
#include "converter/request/request.h"
#include "converter/rows/source.h"
#include "converter/spec/feature_set.h"
#include "converter/spec/spec.h"
#include "converter/spec/values_file.h"
#include "converter/trees/read.h"
#include "converter/vectors/read.h"
#include "converter/weights/archive.h"
#include "converter/weights/weights.h"
#include "tests/converter/weights/zip_testing.h"
#include "tests/fuzz/target.h"
#include "tests/support/test_files.h"

namespace handpick::fuzz {
namespace {

enum class Format : uint8_t {
  kSafetensors,
  kNpz,
  kNpy,      // The one member of a .npz, whose sums are right.
  kPickle,   // Likewise data.pkl of a file of PyTorch, which has one storage.
  kArchive,  // Zip and plain files of PyTorch, by their bytes.
  kSpec,
  kTrees,
  kWord2vecText,
  kWord2vecBinary,
  kValues,
  kJson,
  kCsvRows,
  kNpzRows,
  kArraysOfRows,  // Arrays one behind the other, which become members whose sums are right.
  kCount,
};

// A file with these bytes, by a name, while it lives.
class NamedBytes {
 public:
  explicit NamedBytes(const std::string& bytes) : fd_(memfd_create("fuzz", MFD_CLOEXEC)) {
    Require(
        fd_ >= 0 && write(fd_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
        "no file in memory");
  }
  ~NamedBytes() { close(fd_); }
  NamedBytes(const NamedBytes&) = delete;
  NamedBytes& operator=(const NamedBytes&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  const int fd_;
};

template <typename Result>
void HasReason(const Result& result) {
  Require(result.ok() || !result.status().message().empty(), "refused without a reason");
}

void ReadTensors(const std::string& path) {
  const auto archive = converter::OpenArchive(path);
  HasReason(archive);
  if (!archive.ok()) return;
  // HDF5 is out of scope, however it was come by.
  const auto all = converter::ReadAll(**archive);
  HasReason(all);
}

bool IsHdf5(const std::string& bytes) {
  return bytes.find("\x89HDF\r\n\x1A\n") != std::string::npos;
}

const converter::FeatureSet& RowsFeatures() {
  static const auto* const kSet = [] {
    const auto spec = converter::ParseSpec(
        R"({"model":{"name":"m","kind":"wide_deep"},"history":{"max_events":4},"features":[
            {"name":"user","side":"context","type":"categorical","vocabulary":{"kind":"list","values":["ann"]},"default":"ann"},
            {"name":"item","side":"history","type":"categorical","vocabulary":{"kind":"identity","size":9}},
            {"name":"item","side":"candidate","type":"categorical","vocabulary":{"kind":"hash","buckets":9}},
            {"name":"tags","side":"candidate","type":"multi_categorical","max_values":2,
             "vocabulary":{"kind":"identity","size":9}}],"wide":{"features":["candidate.item"]}})",
        "s.json");
    Require(spec.ok(), "a spec of features is no spec");
    auto set = converter::BuildFeatureSet(*spec);
    Require(set.ok(), "features of a spec are none");
    return new converter::FeatureSet(*std::move(set));
  }();
  return *kSet;
}

void ReadRows(const std::string& path, const char* format) {
  const auto source =
      converter::OpenRows(path, format, converter::RowHeader(), {{&RowsFeatures()}, false});
  HasReason(source);
  if (!source.ok()) return;
  std::string text, where;
  for (int i = 0; i < 1000; ++i) {
    const auto more = (*source)->Next(&text, &where);
    HasReason(more);
    if (!more.ok() || !*more) return;
    HasReason(converter::ParseRequest(text, RowsFeatures(), where));
  }
}

// Names of the arrays in which rows of that model are.
constexpr const char* kArraysOfRequests[] = {"candidate_counts",
                                             "event_counts",
                                             "context.user",
                                             "history.item",
                                             "candidates.item",
                                             "candidates.tags",
                                             "candidates.tags.lengths",
                                             "labels",
                                             "tags.country"};
constexpr char kNpyMagic[] = "\x93NUMPY";

std::string ArraysAsNpz(const std::string& bytes) {
  std::vector<converter::Member> members;
  size_t at = bytes.find(kNpyMagic);
  for (const char* name : kArraysOfRequests) {
    if (at == std::string::npos) break;
    const size_t next = bytes.find(kNpyMagic, at + 1);
    members.push_back(converter::Stored(std::string(name) + ".npy", bytes.substr(at, next - at)));
    at = next;
  }
  return converter::Zip(members);
}

std::string Text(Format format, const std::string& bytes) {
  return static_cast<char>(format) + bytes;
}

}  // namespace

const char* const kTargetName = "converter_inputs";

void RunTarget(const std::string& input) {
  if (input.empty()) return;
  const auto format =
      static_cast<Format>(static_cast<uint8_t>(input[0]) % static_cast<uint8_t>(Format::kCount));
  const std::string bytes = input.substr(1);
  if (IsHdf5(bytes)) return;
  switch (format) {
    case Format::kSafetensors:
      HasReason(converter::ParseSafetensors(bytes, "fuzz"));
      break;
    case Format::kNpz:
      HasReason(converter::ParseNpz(bytes, "fuzz"));
      break;
    case Format::kNpy:
      HasReason(converter::ParseNpz(converter::Zip({converter::Stored("a.npy", bytes)}), "fuzz"));
      break;
    case Format::kPickle:
      ReadTensors(NamedBytes(converter::Zip({converter::Stored("m/data.pkl", bytes),
                                             converter::Stored("m/data/0", std::string(64, 1)),
                                             converter::Stored("m/version", "3\n")}))
                      .path());
      break;
    case Format::kArchive:
      ReadTensors(NamedBytes(bytes).path());
      break;
    case Format::kSpec:
      HasReason(converter::ParseSpec(bytes, "fuzz"));
      break;
    case Format::kTrees:
      HasReason(converter::ParseTrees(bytes, "fuzz"));
      break;
    case Format::kWord2vecText:
    case Format::kWord2vecBinary: {
      const NamedBytes file(bytes);
      converter::VectorsSource source;
      source.path = file.path();
      source.format = format == Format::kWord2vecText ? "word2vec-text" : "word2vec-binary";
      HasReason(converter::ReadItemVectors(source));
      break;
    }
    case Format::kValues: {
      const NamedBytes file(bytes);
      converter::VocabularySpec vocabulary;
      converter::JsonErrors errors("fuzz");
      converter::ReadValuesFile(file.path(), converter::ValuesType::kOfTheFirst, "values",
                                &vocabulary, &errors);
      break;
    }
    case Format::kCsvRows:
      ReadRows(NamedBytes(bytes).path(), "csv");
      break;
    case Format::kNpzRows:
      ReadRows(NamedBytes(bytes).path(), "npz");
      break;
    case Format::kArraysOfRows:
      ReadRows(NamedBytes(ArraysAsNpz(bytes)).path(), "npz");
      break;
    case Format::kJson:
    case Format::kCount: {
      const auto json = converter::ParseJson(bytes, "fuzz");
      HasReason(json);
      // What walks over it recurses.
      if (json.ok()) Require(!converter::Shown(*json).empty(), "nothing is shown");
      break;
    }
  }
}

std::vector<std::string> Seeds() {
  const auto npy = [](const std::string& header, const std::string& data) {
    std::string text = "\x93NUMPY\x01" + std::string(1, '\0');
    const std::string padded = header + std::string(63 - (header.size() + 10) % 64, ' ') + "\n";
    converter::Append(&text, padded.size(), 2);
    return text + padded + data;
  };
  const std::string array =
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", std::string(16, '\x3f'));
  const std::string header =
      R"({"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"I64","shape":[1],"data_offsets":[16,24]}})";
  std::string safetensors;
  converter::Append(&safetensors, header.size(), 8);
  safetensors += header + std::string(24, '\1');
  std::vector<std::string> seeds = {
      Text(Format::kSafetensors, safetensors),
      Text(Format::kNpz,
           converter::Zip({converter::Stored("a.npy", array), converter::Stored("b.npy", array)})),
      Text(
          Format::kSpec,
          R"({"kind":"lr","features":[{"name":"x","side":"context","type":"categorical","vocabulary":{"kind":"identity","size":4}},{"name":"y","side":"candidate","type":"numeric","transforms":[{"log1p":{}}]}],"tile":32})"),
      Text(
          Format::kTrees,
          R"({"learner":{"learner_model_param":{"base_score":"0.5","num_feature":"1","num_class":"0"},"objective":{"name":"binary:logistic"},"gradient_booster":{"name":"gbtree","model":{"trees":[{"left_children":[1,-1,-1],"right_children":[2,-1,-1],"split_indices":[0,0,0],"split_conditions":[0.5,1,2],"default_left":[1,0,0],"base_weights":[0,1,2]}]}}},"version":[2,0,0]})"),
      Text(Format::kTrees,
           "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=1\n"
           "objective=binary sigmoid:1\nfeature_names=a b\n\nTree=0\nnum_leaves=2\nnum_cat=0\n"
           "split_feature=0\nthreshold=0.5\ndecision_type=2\nleft_child=-1\nright_child=-2\n"
           "leaf_value=0.1 0.2\n\nend of trees\n"),
      Text(Format::kWord2vecText, "3 2\na 1 2\nb 0.5 -1\nc 0 1e-3\n"),
      Text(Format::kWord2vecBinary, std::string("2 2\n7 ") + std::string(8, '\x3e') + "\n8 " +
                                        std::string(8, '\x3d') + "\n"),
      Text(Format::kValues, "one\ntwo\nthree\n"),
      Text(Format::kValues, npy("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }",
                                std::string("\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0", 16))),
      Text(Format::kJson, R"({"a":[1,2.5,-3e7,"x\u00e9",null,true,{"b":[]}]})"),
  };
  seeds.push_back(Text(Format::kNpy, array));
  seeds.push_back(Text(
      Format::kCsvRows,
      "request,context.user,history.item,candidates.item,candidates.tags,labels,tags.country\r\n"
      "1,ann,1|2,x,3|4,0,DE\n1,ann,1|2,\"y, \"\"z\"\"\",,1,DE\n2,,,7,5,1,\n"));
  const auto integers = [&npy](const std::string& numbers) {
    std::string data;
    for (const char number : numbers) converter::Append(&data, static_cast<uint8_t>(number), 8);
    return npy("{'descr': '<i8', 'fortran_order': False, 'shape': (" +
                   std::to_string(numbers.size()) + ",), }",
               data);
  };
  // Two requests, of two candidates and of one.
  const std::string arrays =
      integers({2, 1}) + integers({1, 0}) +
      npy("{'descr': '|S3', 'fortran_order': False, 'shape': (2,), }", "annann") + integers({5}) +
      integers({1, 2, 3}) + integers({7, 8, 4}) + integers({0, 2, 1}) + integers({0, 1, 1}) +
      npy("{'descr': '<U1', 'fortran_order': False, 'shape': (2,), }",
          std::string("x\0\0\0y\0\0\0", 8));
  seeds.push_back(Text(Format::kArraysOfRows, arrays));
  seeds.push_back(Text(Format::kNpzRows, ArraysAsNpz(arrays)));
  // {"w": a tensor of 2 x 2 float32}, as torch.save writes it.
  seeds.push_back(
      Text(Format::kPickle,
           std::string("\200\002}q\000X\001\000\000\000wq\001ctorch._utils\012_rebuild_tens"
                       "or_v2\012q\002((X\007\000\000\000storageq\003ctorch\012FloatStor"
                       "age\012q\004X\001\000\000\0000q\005X\003\000\000\000cpuq\006K\004tq\007QK"
                       "\000K\002K\002\206q\010K"
                       "\002K\001\206q\011\211ccollections\012OrderedDict\012q\012)Rq\013tq"
                       "\014Rq\015s.",
                       166)));
  for (const char* name : {"checkpoint.pt", "plain.pt", "script.pt", "whole.pt", "zip.pt"}) {
    seeds.push_back(
        Text(Format::kArchive, ReadText(std::string("tests/converter/weights/files/") + name)));
  }
  return seeds;
}

std::string Mutated(const std::string& input, Random* random) {
  if (input.empty()) return Text(Format::kJson, "[]");
  return input[0] + MutatedBytes(input.substr(1), random);
}

}  // namespace handpick::fuzz
