// Fuzz target: discovery answers and force-ip. Properties: nothing is read outside the input, text never
// carries control characters to a terminal, and what was parsed survives being written and parsed again.
#include <cstdio>
#include <cstdlib>

#include "wire/gvcp.h"

using namespace gw;

namespace {

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void printable(const std::string& text) {
  for (const char c : text) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F, "printable text");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ConstBytes input(data, size);
  if (const auto device = gvcp::parse_discovery(input)) {
    for (const std::string* text : {&device->manufacturer, &device->model, &device->version,
                                    &device->manufacturer_info, &device->serial, &device->user_name}) {
      printable(*text);
    }
    uint8_t out[gvcp::kDiscoveryAckSize];
    gvcp::write_discovery(out, *device);
    const auto again = gvcp::parse_discovery(out);
    require(again && again->mac == device->mac && again->address == device->address &&
                again->subnet_mask == device->subnet_mask && again->gateway == device->gateway &&
                again->manufacturer == device->manufacturer && again->model == device->model &&
                again->version == device->version && again->manufacturer_info == device->manufacturer_info &&
                again->serial == device->serial && again->user_name == device->user_name &&
                again->device_mode == device->device_mode,
            "discovery written and parsed again");
  }
  if (const auto force = gvcp::parse_force_ip(input)) {
    uint8_t out[gvcp::kForceIpSize];
    gvcp::write_force_ip(out, *force);
    const auto again = gvcp::parse_force_ip(out);
    require(again && again->mac == force->mac && again->address == force->address &&
                again->subnet_mask == force->subnet_mask && again->gateway == force->gateway,
            "force-ip written and parsed again");
  }
  printable(gvcp::read_text(input));
  return 0;
}
