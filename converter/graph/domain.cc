#include "converter/graph/domain.h"

namespace handpick::converter {

const char* DomainName(Domain domain) {
  if (domain == Domain::Pair()) return "pair";
  if (domain == Domain::Candidate()) return "candidate";
  if (domain == Domain::History()) return "history";
  return "context";
}

Domain DomainOf(schema::Side side) {
  if (side == schema::Side::History) return Domain::History();
  if (side == schema::Side::Candidate) return Domain::Candidate();
  return Domain::Context();
}

}  // namespace handpick::converter
