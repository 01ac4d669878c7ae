// A zip archive with one stored member. Purpose: the camera's description in the form in which cameras serve
// it, without a library. Thread: any (pure).
#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace gw::sim {

uint32_t crc32(ConstBytes data);
std::vector<uint8_t> zip_store(std::string_view file_name, ConstBytes content);

}  // namespace gw::sim
