// The camera's GenICam description. Purpose: names for the registers of register_map.h, in our own words.
// Thread: any (pure).
#pragma once

#include <span>
#include <string>

#include "sim/options.h"

namespace gw::sim {

constexpr double kMinFrameRate = 0.01;
constexpr double kMaxFrameRate = 1e6;

std::span<const uint32_t> supported_formats();
bool is_supported_format(uint32_t pixel_format);

std::string build_description(const SimOptions& options);
std::string description_file_name(const SimOptions& options);  // gigewire_simulator_1_0_0.zip or .xml

}  // namespace gw::sim
