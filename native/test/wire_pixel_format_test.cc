// Sizes of images (reference page, 4.7 and 8.4) and the table of pixel formats.
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "wire/pfnc_table.h"
#include "wire/pixel_format.h"

using namespace gw::pfnc;

TEST_CASE("the table: sorted, complete, every name and code once, all names found both ways") {
  CHECK(std::size(kTable) == 276);
  std::set<std::string_view> names;
  uint32_t last = 0;
  for (const Entry& entry : kTable) {
    CAPTURE(std::string(entry.name));
    CHECK(entry.code > last);
    last = entry.code;
    CHECK(names.insert(entry.name).second);
    CHECK(name(entry.code) == entry.name);
    CHECK(code(entry.name) == entry.code);
    CHECK(bits_per_pixel(entry.code) > 0);
    CHECK((entry.code >> 24 == 1 || entry.code >> 24 == 2));  // mono or colour
  }
  for (const OldName& old : kOldNames) {
    CAPTURE(std::string(old.old_name));
    CHECK(names.count(old.name) == 1);
    CHECK(names.count(old.old_name) == 0);
    CHECK(code(old.old_name) == code(old.name));
  }
  CHECK(name(0).empty());
  CHECK(name(0xFFFFFFFF).empty());
  CHECK(name(0x01080000).empty());
  CHECK_FALSE(code("").has_value());
  CHECK_FALSE(code("mono8").has_value());
}

TEST_CASE("codes that others got wrong, and ends of the table") {
  CHECK(code("Mono8") == 0x01080001);
  CHECK(code("Mono1p") == 0x01010037);
  CHECK(code("Mono10Packed") == 0x010C0004);
  CHECK(code("Mono12Packed") == 0x010C0006);
  CHECK(code("Mono14p") == 0x010E0104);
  CHECK(code("Mono16") == 0x01100007);
  CHECK(code("BayerGR12Packed") == 0x010C002A);
  CHECK(code("BayerRG12Packed") == 0x010C002B);
  CHECK(code("BayerGB12Packed") == 0x010C002C);
  CHECK(code("BayerBG12Packed") == 0x010C002D);
  CHECK(code("R10") == 0x01100120);
  CHECK(code("RGB8") == 0x02180014);
  CHECK(code("RGB8Packed") == 0x02180014);
  CHECK(code("YUV422Packed") == code("YUV422_8_UYVY"));
  CHECK(code("YCbCr2020_422_12") == 0x02200100);
  CHECK(code("Coord3D_ABC32f") == 0x026000C0);
}

TEST_CASE("image sizes") {
  const struct {
    uint32_t format, width, height, padding_x, padding_y;
    uint64_t bytes;
  } cases[] = {
      {kMono8, 2591, 64, 0, 0, 165'824},
      {kMono12Packed, 2591, 64, 0, 0, 248'736},  // measured: one continuous run, lines do not start on bytes
      {kMono12p, 2591, 64, 0, 0, 248'736},
      {kMono12Packed, 3, 1, 0, 0, 5},
      {kMono12Packed, 3, 1, 1, 0, 7},  // with padding each line has whole pairs
      {kMono12p, 3, 1, 1, 0, 6},
      {kMono12p, 3, 3, 0, 0, 14},
      {kMono10p, 5, 1, 0, 0, 7},
      {kMono10p, 4, 1, 0, 0, 5},
      {kMono10p, 4, 3, 2, 7, 28},
      {0x01010037, 9, 3, 0, 0, 4},  // Mono1p: 27 bits
      {0x01010037, 9, 3, 1, 0, 9},
      {kMono16, 101, 3, 0, 5, 611},
      {kMono16, 101, 3, 2, 0, 612},
      {kRgb8, 640, 480, 0, 0, 921'600},
      {0x0210001F, 640, 480, 0, 0, 614'400},  // YUV422_8_UYVY
      {0x020C001E, 640, 480, 0, 0, 460'800},  // YUV411_8_UYYVYY
      {kMono8, 0, 100, 0, 0, 0},
      {kMono8, 100, 0, 4, 9, 9},
      {kMono8, 65536, 65536, 0, 0, 1ULL << 32},
  };
  for (const auto& c : cases) {
    CAPTURE(c.format);
    CAPTURE(c.width);
    CAPTURE(c.padding_x);
    CHECK(image_bytes(c.format, c.width, c.height, c.padding_x, c.padding_y) == c.bytes);
  }
}

TEST_CASE("lines") {
  CHECK(line_bytes(kMono8, 100, 4) == 104);
  CHECK(line_bytes(kMono12p, 3, 0) == 5);
  CHECK(line_bytes(kMono12Packed, 3, 0) == 6);
  CHECK(line_bytes(kMono12Packed, 4, 2) == 8);
  CHECK(is_gige_packed(0x010C0026));
  CHECK_FALSE(is_gige_packed(kMono12p));
}

TEST_CASE("dimensions that no camera has do not overflow") {
  const uint32_t most = 0xFFFFFFFF;
  for (const uint32_t format : {kMono8, 0x01FF0001U, most, 0U, kMono12Packed}) {
    for (const uint32_t padding : {0U, 1U, 0xFFFFU}) {
      CAPTURE(format);
      CAPTURE(padding);
      CHECK(image_bytes(format, most, most, padding, padding) >= kAbsurdBytes);
      // Never less for more lines, whatever the width.
      for (const uint32_t width : {1U, 1000U, 0x10000U, most}) {
        uint64_t last = 0;
        for (uint32_t height = 1; height != 0 && height < 0x80000000U; height *= 2) {
          const uint64_t bytes = image_bytes(format, width, height, padding, 0);
          CHECK(bytes >= last);
          last = bytes;
        }
      }
    }
  }
}
