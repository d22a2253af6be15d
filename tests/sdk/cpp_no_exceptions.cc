#include "tests/sdk/cpp_no_exceptions.h"

#include <handpick/handpick.hpp>

uint64_t OpenWithoutExceptions(const std::string& path) {
  const handpick::Model model = handpick::Model::open_file(path);
  handpick::Session session(model);
  session.set_context(handpick::Rows().set(model.feature(handpick::Side::kContext, "user"), 1));
  return model.info().bundle_bytes;
}
