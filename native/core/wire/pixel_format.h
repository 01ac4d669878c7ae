// PFNC pixel formats: names, bits, line and image sizes. Purpose: how many bytes an image has.
// Thread: any (pure functions). Source: reference page "GigE Vision on the wire", sections 4.7 and 8.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gw::pfnc {

constexpr uint32_t kMono8 = 0x01080001;
constexpr uint32_t kMono10p = 0x010A0046;
constexpr uint32_t kMono12p = 0x010C0047;
constexpr uint32_t kMono12Packed = 0x010C0006;
constexpr uint32_t kMono16 = 0x01100007;
constexpr uint32_t kRgb8 = 0x02180014;

constexpr uint32_t bits_per_pixel(uint32_t code) { return code >> 16 & 0xFF; }
std::string_view name(uint32_t code);                 // empty when unknown
std::optional<uint32_t> code(std::string_view name);  // exact PFNC name or one of the older GigE names
bool is_gige_packed(uint32_t code);                   // the old MSB-first *Packed layouts

// Bytes of one line incl. padding x, rounded up to a byte; the pitch only where lines start on bytes.
uint64_t line_bytes(uint32_t code, uint32_t width, uint32_t padding_x);
// Bytes of an image as sent. padding x = 0: one continuous bit run; else every line starts on a byte.
// kAbsurdBytes for dimensions that no camera has.
constexpr uint64_t kAbsurdBytes = 1ULL << 48;
uint64_t image_bytes(uint32_t code, uint32_t width, uint32_t height, uint32_t padding_x, uint32_t padding_y);

}  // namespace gw::pfnc
