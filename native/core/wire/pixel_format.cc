#include "wire/pixel_format.h"

#include <algorithm>
#include <iterator>

#include "wire/pfnc_table.h"

namespace gw::pfnc {

std::string_view name(uint32_t code) {
  const auto* found =
      std::lower_bound(std::begin(kTable), std::end(kTable), code,
                       [](const Entry& entry, uint32_t wanted) { return entry.code < wanted; });
  return found != std::end(kTable) && found->code == code ? found->name : std::string_view{};
}

std::optional<uint32_t> code(std::string_view wanted) {
  for (const OldName& old : kOldNames) {
    if (old.old_name == wanted) wanted = old.name;
  }
  for (const Entry& entry : kTable) {
    if (entry.name == wanted) return entry.code;
  }
  return std::nullopt;
}

bool is_gige_packed(uint32_t code) {
  switch (code) {
    case 0x010C0004:
    case 0x010C0006:  // Mono10Packed, Mono12Packed
    case 0x010C0026:
    case 0x010C0027:
    case 0x010C0028:
    case 0x010C0029:  // Bayer..10Packed
    case 0x010C002A:
    case 0x010C002B:
    case 0x010C002C:
    case 0x010C002D:  // Bayer..12Packed
      return true;
    default:
      return false;
  }
}

uint64_t line_bytes(uint32_t code, uint32_t width, uint32_t padding_x) {
  if (is_gige_packed(code)) return (static_cast<uint64_t>(width) + 1) / 2 * 3 + padding_x;
  return (static_cast<uint64_t>(width) * bits_per_pixel(code) + 7) / 8 + padding_x;
}

uint64_t image_bytes(uint32_t code, uint32_t width, uint32_t height, uint32_t padding_x, uint32_t padding_y) {
  // width and height come from the network: refuse to multiply what would not fit.
  const uint64_t pixels = static_cast<uint64_t>(width) * height;
  if (pixels > kAbsurdBytes) return kAbsurdBytes;
  if (padding_x > 0) {
    const uint64_t line = line_bytes(code, width, padding_x);
    return height != 0 && line > kAbsurdBytes / height ? kAbsurdBytes : line * height + padding_y;
  }
  const uint64_t bits = bits_per_pixel(code);
  return std::min(pixels / 8 * bits + (pixels % 8 * bits + 7) / 8 + padding_y, kAbsurdBytes);
}

}  // namespace gw::pfnc
