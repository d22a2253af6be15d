// flatc that knows one language: C++. Takes upstream's command line.

#include <cstdio>
#include <cstdlib>
#include <string>

#include "flatbuffers/flatc.h"
#include "idl_gen_cpp.h"

using flatbuffers::FlatCompiler;

static void Warn(const FlatCompiler*, const std::string& text, bool) {
  fprintf(stderr, "flatc: warning: %s\n", text.c_str());
}

static void Error(const FlatCompiler*, const std::string& text, bool, bool) {
  fprintf(stderr, "flatc: %s\n", text.c_str());
  exit(1);
}

namespace flatbuffers {
void LogCompilerWarn(const std::string& text) { Warn(nullptr, text, true); }
void LogCompilerError(const std::string& text) { Error(nullptr, text, false, true); }
bool GenerateCppGRPC(const Parser&, const std::string&, const std::string&) { return false; }
}  // namespace flatbuffers

int main(int argc, const char* argv[]) {
  FlatCompiler::InitParams params;
  params.warn_fn = Warn;
  params.error_fn = Error;
  FlatCompiler flatc(params);
  flatc.RegisterCodeGenerator({"c", "cpp", "", "Generate C++ headers for tables/structs"},
                              flatbuffers::NewCppCodeGenerator());
  return flatc.Compile(flatc.ParseFromCommandLineArguments(argc, argv));
}
