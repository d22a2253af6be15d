#include "converter/cli/check_files.h"

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <system_error>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "converter/cli/flags.h"
#include "converter/io/files.h"

namespace handpick::converter {
namespace {

namespace fs = std::filesystem;

struct NamedFile {
  std::string what;  // A flag, or "the argument".
  std::string path;
};

std::vector<NamedFile> Written() {
  std::vector<NamedFile> files;
  const auto add = [&](const char* flag, const std::optional<std::string>& path) {
    if (path.has_value()) files.push_back({flag, *path});
  };
  add("--out", absl::GetFlag(FLAGS_out));
  add("--report", absl::GetFlag(FLAGS_report));
  add("--plot", absl::GetFlag(FLAGS_plot));
  add("--junit", absl::GetFlag(FLAGS_junit));
  add("--markdown", absl::GetFlag(FLAGS_markdown));
  add("--write-verdict", absl::GetFlag(FLAGS_write_verdict));
  if (absl::GetFlag(FLAGS_partial) != "-") add("--partial", absl::GetFlag(FLAGS_partial));
  return files;
}

// A bundle is not among them for --out: it may get its index where it is, being read before and
// replaced when all went well. Nothing else could be made again from what is written over it.
std::vector<NamedFile> FilesRead(const std::vector<std::string>& arguments) {
  std::vector<NamedFile> files;
  const auto add = [&](const char* flag, const std::optional<std::string>& path) {
    if (path.has_value()) files.push_back({flag, *path});
  };
  add("--header", absl::GetFlag(FLAGS_header));
  add("--spec", absl::GetFlag(FLAGS_spec));
  add("--weights", absl::GetFlag(FLAGS_weights));
  add("--embeddings", absl::GetFlag(FLAGS_embeddings));
  add("--trees", absl::GetFlag(FLAGS_trees));
  add("--catalog", absl::GetFlag(FLAGS_catalog));
  add("--counts", absl::GetFlag(FLAGS_counts));
  add("--golden", absl::GetFlag(FLAGS_golden));
  add("--columns", absl::GetFlag(FLAGS_columns));
  add("--requests", absl::GetFlag(FLAGS_requests));
  add("--vectors", absl::GetFlag(FLAGS_vectors));
  add("--ids", absl::GetFlag(FLAGS_ids));
  add("--queries", absl::GetFlag(FLAGS_queries));
  add("--eges", absl::GetFlag(FLAGS_eges));
  add("--key", absl::GetFlag(FLAGS_key));
  add("--conversion", absl::GetFlag(FLAGS_conversion));
  add("--against", absl::GetFlag(FLAGS_against));
  const auto add_each = [&](const char* flag, const std::optional<std::string>& paths) {
    if (!paths.has_value()) return;
    for (const auto path : absl::StrSplit(*paths, ',')) add(flag, std::string(path));
  };
  add_each("--evaluation", absl::GetFlag(FLAGS_evaluation));
  add_each("--rows", absl::GetFlag(FLAGS_rows));
  add_each("--merge", absl::GetFlag(FLAGS_merge));
  for (const std::string& argument : arguments) add("the argument", argument);
  return files;
}

// Whether two names lead to one file, which need not be there yet.
bool AreSame(const std::string& a, const std::string& b) {
  std::error_code error;
  if (fs::equivalent(a, b, error) && !error) return true;
  const fs::path one = fs::weakly_canonical(a, error);
  if (error) return a == b;
  const fs::path other = fs::weakly_canonical(b, error);
  return error ? a == b : one == other;
}

}  // namespace

absl::Status CheckFiles(const std::vector<std::string>& arguments) {
  const std::vector<NamedFile> written = Written();
  if (written.empty()) return absl::OkStatus();
  std::vector<NamedFile> others = FilesRead(arguments);
  const std::optional<std::string> bundle = absl::GetFlag(FLAGS_bundle);
  const bool replaces_bundle = absl::GetFlag(FLAGS_out).has_value();
  if (bundle.has_value() && !replaces_bundle) others.push_back({"--bundle", *bundle});
  for (const NamedFile& file : written) {
    for (const NamedFile& other : others) {
      if (other.path == "-" || !AreSame(file.path, other.path)) continue;
      return absl::InvalidArgumentError(absl::StrCat(file.what, " is ", file.path,
                                                     ": the same file as ", other.what, ", ",
                                                     other.path, "; nothing was written"));
    }
    others.push_back(file);
    if (file.what == "--out" && bundle.has_value()) others.push_back({"--bundle", *bundle});
  }
  // What cannot be written is said before hours of work, by the one who would write it.
  for (const NamedFile& file : written) {
    const absl::StatusOr<AtomicFile> tried = AtomicFile::Create(file.path);
    if (!tried.ok()) return tried.status();
  }
  return absl::OkStatus();
}

}  // namespace handpick::converter
