// Text within XML and HTML.
#ifndef HANDPICK_CONVERTER_REPORT_XML_H_
#define HANDPICK_CONVERTER_REPORT_XML_H_

#include <string>

#include "absl/strings/string_view.h"

namespace handpick::converter {

// As content or between double quotes. Control characters, which XML has no place for, become '?'.
std::string XmlText(absl::string_view text);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_REPORT_XML_H_
