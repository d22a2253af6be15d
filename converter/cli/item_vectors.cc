// handpick item-vectors
#include "converter/vectors/item_vectors.h"

#include <stdio.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "converter/cli/commands.h"
#include "converter/cli/flags.h"
#include "converter/cli/output.h"
#include "converter/io/files.h"
#include "converter/io/status_macros.h"
#include "converter/io/with_commas.h"
#include "converter/vectors/eges.h"
#include "converter/vectors/write.h"
#include "converter/weights/archive.h"

namespace handpick::converter {
namespace {

absl::Status WriteVectors() {
  const std::string spec_path = *absl::GetFlag(FLAGS_eges);
  const std::string weights_path = *absl::GetFlag(FLAGS_weights);
  const std::string out = *absl::GetFlag(FLAGS_out);
  if (!absl::EndsWithIgnoreCase(out, ".safetensors")) {
    return absl::InvalidArgumentError(
        absl::StrCat("--out is '", out, "', expected a name that ends in .safetensors"));
  }
  HP_ASSIGN_OR_RETURN(const std::string text, ReadFile(spec_path));
  HP_ASSIGN_OR_RETURN(const EgesSpec spec, ParseEgesSpec(text, spec_path));
  HP_ASSIGN_OR_RETURN(const std::unique_ptr<Archive> weights, OpenArchive(weights_path));
  HP_ASSIGN_OR_RETURN(
      const ItemVectors items,
      MergeEges(spec, *weights, absl::GetFlag(FLAGS_new_items_alone), weights_path));
  printf("%s: %s items of %u numbers\n", out.c_str(), WithCommas(items.ids.size()).c_str(),
         items.dimension);
  HP_RETURN_IF_ERROR(FlushOutput());
  return WriteFileAtomically(out, SafetensorsOfVectors(items));
}

}  // namespace

int RunItemVectors(const std::vector<std::string>&) {
  const absl::Status status = WriteVectors();
  return status.ok() ? 0 : Fail("item-vectors", status);
}

}  // namespace handpick::converter
