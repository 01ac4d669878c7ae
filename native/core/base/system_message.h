// What an errno means, for people. Purpose: Windows has the numbers of network errors, but no text for them.
// Thread: any.
#pragma once

#include <string>

namespace gw {

std::string system_message(int error);

}  // namespace gw
