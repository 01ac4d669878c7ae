#include "sim/zip_store.h"

#include <array>

namespace gw::sim {

namespace {

constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c & 1) != 0 ? 0xEDB88320U ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  return table;
}();

class LittleEndianWriter {
 public:
  void u16(uint32_t v) {
    bytes.push_back(static_cast<uint8_t>(v));
    bytes.push_back(static_cast<uint8_t>(v >> 8));
  }
  void u32(uint32_t v) {
    u16(v & 0xFFFF);
    u16(v >> 16);
  }
  void text(std::string_view s) { bytes.insert(bytes.end(), s.begin(), s.end()); }
  std::vector<uint8_t> bytes;
};

}  // namespace

uint32_t crc32(ConstBytes data) {
  uint32_t c = 0xFFFFFFFF;
  for (const uint8_t byte : data) c = kCrcTable[(c ^ byte) & 0xFF] ^ (c >> 8);
  return ~c;
}

std::vector<uint8_t> zip_store(std::string_view file_name, ConstBytes content) {
  constexpr uint32_t kVersion = 10, kDate = 33;  // 1980-01-01: the same bytes at every start
  const auto size = static_cast<uint32_t>(content.size());
  const auto name_size = static_cast<uint32_t>(file_name.size());
  const uint32_t crc = crc32(content);
  LittleEndianWriter out;
  const auto common_fields = [&] {
    out.u16(kVersion);
    out.u16(0);  // flags
    out.u16(0);  // method: stored
    out.u16(0);  // time
    out.u16(kDate);
    out.u32(crc);
    out.u32(size);
    out.u32(size);
    out.u16(name_size);
    out.u16(0);  // extra field
  };
  out.u32(0x04034B50);
  common_fields();
  out.text(file_name);
  out.bytes.insert(out.bytes.end(), content.begin(), content.end());

  const auto directory = static_cast<uint32_t>(out.bytes.size());
  out.u32(0x02014B50);
  out.u16(kVersion);
  common_fields();
  out.u16(0);  // comment
  out.u16(0);  // disk
  out.u16(0);  // internal attributes
  out.u32(0);  // external attributes
  out.u32(0);  // offset of the local header
  out.text(file_name);

  const auto directory_size = static_cast<uint32_t>(out.bytes.size()) - directory;
  out.u32(0x06054B50);
  out.u16(0);
  out.u16(0);
  out.u16(1);
  out.u16(1);
  out.u32(directory_size);
  out.u32(directory);
  out.u16(0);
  return out.bytes;
}

}  // namespace gw::sim
