// Fuzz target: frames from below the IP stack. The first byte says what is known of the checksum. Properties:
// nothing is read or claimed outside of the input, what is whole has the length that its headers say, and a
// datagram with a checksum that was not vouched for is right by the plain way of summing.
#include "../frame_builder.h"
#include "input.h"
#include "wire/udp_frame.h"

using namespace gw;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto checksum = static_cast<frame::Checksum>(data[0] % 3);
  const ConstBytes input(data + 1, size - 1);
  const frame::Frame found = frame::parse(input, checksum);
  require(uint64_t{found.payload_offset} + found.payload_size <= input.size(), "payload within the frame");
  if (found.kind != frame::Kind::kDatagram) return 0;
  require(found.payload_offset >= 14 + 20 + 8, "payload behind the headers");
  const uint8_t* const udp = input.data() + found.payload_offset - 8;
  const uint32_t length = load_be16(udp + 4);
  require(found.cut ? found.payload_size + 8 < length : found.payload_size + 8 == length,
          "length as claimed");
  if (found.cut || checksum != frame::Checksum::kUnknown || load_be16(udp + 6) == 0) return 0;
  test::Bytes summed;
  test::put32(summed, found.source_address);
  test::put32(summed, found.destination_address);
  test::put16(summed, 17);
  test::put16(summed, length);
  summed.insert(summed.end(), udp, udp + length);
  require(test::plain_checksum(summed) == 0, "checksum");
  return 0;
}
