// Lines of a file of requests, as the command reads and scores them.
#include <memory>
#include <utility>

#include "converter/request/features.h"
#include "converter/request/request.h"
#include "converter/runtime/bundle_session.h"
#include "tests/fuzz/target.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace handpick::fuzz {
namespace {

using converter::BundleSession;
using converter::FeatureSet;

const FeatureSet& Features() {
  static const FeatureSet* const features = [] {
    auto* of = new FeatureSet;
    const auto bundle = testing::MakeTinyBundle();
    of->features = std::move(bundle->features);
    of->vocabularies = std::move(bundle->vocabularies);
    return of;
  }();
  return *features;
}

BundleSession* Session() {
  static BundleSession* const session = [] {
    auto opened = BundleSession::Open(testing::Serialized(*testing::MakeTinyBundle()));
    Require(opened.ok(), "the tiny bundle does not open");
    return std::move(opened)->release();
  }();
  return session;
}

}  // namespace

const char* const kTargetName = "requests";

void RunTarget(const std::string& input) {
  const auto request = converter::ParseRequest(input, Features(), "line 1");
  if (!request.ok()) {
    Require(!request.status().message().empty(), "a request is refused without a reason");
    return;
  }
  const auto scored = Session()->Score(*request);
  if (!scored.ok()) {
    Require(!scored.status().message().empty(), "scoring fails without a reason");
  }
}

std::vector<std::string> Seeds() {
  return {
      R"({"context":{"user":2,"age":0.25},"history":{"seen":[1,3]},"candidates":{"item":[10,20,30]}})",
      R"({"context":{"user":0},"candidates":{"item":[10,7],"tags":[[1,2],[]],"name":["a","c"],"price":[[1,2],[0.5,-1]]}})",
      R"({"context":{"user":4,"age":1e3},"candidates":{"item":[20],"name":["b"]},"logits":[0.25],"labels":[1]})",
      R"({"context":{"user":1},"history":{"seen":[]},"candidates":{"item":[]}})",
  };
}

std::string Mutated(const std::string& input, Random* random) {
  return MutatedBytes(input, random);
}

}  // namespace handpick::fuzz
