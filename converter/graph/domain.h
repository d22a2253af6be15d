// Domains: along which axes a value varies, and so how often it has to be computed.
#ifndef HANDPICK_CONVERTER_GRAPH_DOMAIN_H_
#define HANDPICK_CONVERTER_GRAPH_DOMAIN_H_

#include <cstdint>

#include "schema/bundle_enums_generated.h"

namespace handpick::converter {

// A set of axes. The domain of a result is the union of its operands' axes; a reduction over the
// history removes the event axis.
//
//   {}                  context     one row
//   {event}             history     one row per event
//   {candidate}         candidate   one row per candidate
//   {candidate, event}  pair        one row per candidate and event
class Domain {
 public:
  constexpr Domain() = default;  // Context.

  static constexpr Domain Context() { return Domain(0); }
  static constexpr Domain History() { return Domain(kEvent); }
  static constexpr Domain Candidate() { return Domain(kCandidate); }
  static constexpr Domain Pair() { return Domain(kEvent | kCandidate); }

  // Of a domain that is one of the four.
  static constexpr Domain FromSchema(schema::Domain domain) {
    return Domain(static_cast<int>(domain) - 1);
  }

  constexpr bool has_event() const { return (axes_ & kEvent) != 0; }
  constexpr bool has_candidate() const { return (axes_ & kCandidate) != 0; }

  constexpr Domain Union(Domain other) const { return Domain(axes_ | other.axes_); }
  constexpr Domain WithoutEvent() const { return Domain(axes_ & kCandidate); }
  // True when every axis of this one is an axis of `other`: values of this domain can be broadcast
  // to `other`.
  constexpr bool SubsetOf(Domain other) const { return (axes_ & ~other.axes_) == 0; }

  // Position in the order of the session's regions: context, history, candidate, pair.
  constexpr int index() const { return axes_; }
  constexpr schema::Domain ToSchema() const { return static_cast<schema::Domain>(axes_ + 1); }

  friend constexpr bool operator==(Domain a, Domain b) { return a.axes_ == b.axes_; }
  friend constexpr bool operator!=(Domain a, Domain b) { return a.axes_ != b.axes_; }

 private:
  static constexpr uint8_t kEvent = 1;
  static constexpr uint8_t kCandidate = 2;
  constexpr explicit Domain(int axes) : axes_(static_cast<uint8_t>(axes)) {}

  uint8_t axes_ = 0;
};

inline constexpr int kDomainCount = 4;

// "context", "history", "candidate", "pair".
const char* DomainName(Domain domain);

// The domain of a feature that is given on `side`.
Domain DomainOf(schema::Side side);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_GRAPH_DOMAIN_H_
