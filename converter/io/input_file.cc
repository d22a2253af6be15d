#include "converter/io/input_file.h"

#include <errno.h>
#include <sys/stat.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "xxhash.h"

namespace handpick::converter {
namespace {

constexpr size_t kBlockBytes = size_t{1} << 18;

struct Close {
  void operator()(std::FILE* file) const { (void)std::fclose(file); }
};

absl::Status CannotRead(const std::string& path, int error) {
  return absl::UnavailableError(absl::StrCat("cannot read ", path, ": ", strerror(error)));
}

}  // namespace

absl::Status AddInputFile(absl::string_view role, const std::string& path, InputFiles* inputs) {
  if (path == "-") return absl::OkStatus();
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return CannotRead(path, errno);
  // A pipe was emptied by whoever read it: to open it again would wait for ever.
  if (!S_ISREG(info.st_mode)) return absl::OkStatus();
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
  if (file == nullptr) return CannotRead(path, errno);
  const auto state = std::make_unique<XXH3_state_t>();
  XXH3_64bits_reset(state.get());
  auto input = std::make_unique<schema::InputFileT>();
  std::vector<uint8_t> block(kBlockBytes);
  while (const size_t count = std::fread(block.data(), 1, block.size(), file.get())) {
    XXH3_64bits_update(state.get(), block.data(), count);
    input->size += count;
  }
  if (std::ferror(file.get()) != 0) return CannotRead(path, errno);
  input->role = std::string(role);
  input->name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0.
  input->xxh3 = XXH3_64bits_digest(state.get());
  inputs->push_back(std::move(input));
  return absl::OkStatus();
}

}  // namespace handpick::converter
