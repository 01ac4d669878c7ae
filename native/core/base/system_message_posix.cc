// base/system_message.h where the C library knows all its numbers.
#include <system_error>

#include "base/system_message.h"

namespace gw {

std::string system_message(int error) { return std::generic_category().message(error); }

}  // namespace gw
