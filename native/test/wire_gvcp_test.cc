// Control messages as bytes, both ways. The vectors are those of reference page "GigE Vision on the
// wire", 1.13, and hand-written ones after sections 1.7, 1.8 and 1.11: no byte of them was produced by our
// own code.
#include <doctest/doctest.h>

#include <vector>

#include "wire/gvcp.h"

using namespace gw;
using namespace gw::gvcp;

namespace {

using Bytes = std::vector<uint8_t>;

Bytes written(const CommandHeader& header) {
  Bytes out(kHeaderSize);
  write_command(out, header);
  return out;
}

Bytes written(const AckHeader& header) {
  Bytes out(kHeaderSize);
  write_ack(out, header);
  return out;
}

void put_text(Bytes& bytes, size_t at, const std::string& text) {
  std::copy(text.begin(), text.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

}  // namespace

TEST_CASE("command headers: the vectors") {
  struct Vector {
    Bytes bytes;
    uint8_t flags;
    uint16_t command, length, id;
  };
  const Vector vectors[] = {
      {{0x42, 0x01, 0x00, 0x02, 0x00, 0x00, 0x00, 0x01}, 0x01, kDiscoveryCmd, 0, 1},
      {{0x42, 0x01, 0x00, 0x80, 0x00, 0x04, 0x00, 0x02, 0, 0, 0x0a, 0}, 0x01, kReadRegCmd, 4, 2},
      {{0x42, 0x01, 0x00, 0x82, 0x00, 0x08, 0x00, 0x03, 0, 0, 0x0a, 0, 0, 0, 0, 2}, 0x01, kWriteRegCmd, 8, 3},
      {{0x42, 0x01, 0x00, 0x84, 0x00, 0x08, 0x00, 0x04, 0, 0, 2, 0, 0, 0, 2, 0}, 0x01, kReadMemCmd, 8, 4},
  };
  for (const Vector& v : vectors) {
    const auto header = parse_command(v.bytes);
    REQUIRE(header.has_value());
    CHECK(header->flags == v.flags);
    CHECK(header->command == v.command);
    CHECK(header->length == v.length);
    CHECK(header->req_id == v.id);
    CHECK(written(*header) == Bytes(v.bytes.begin(), v.bytes.begin() + 8));
    CHECK_FALSE(parse_ack(v.bytes).has_value());  // the key tells a command from an answer
    for (size_t cut = 0; cut < v.bytes.size(); ++cut) {
      CHECK_FALSE(parse_command(ConstBytes(v.bytes).first(cut)).has_value());
    }
    Bytes more = v.bytes;
    more.push_back(0x55);  // excess is tolerated, and no payload
    REQUIRE(parse_command(more).has_value());
    CHECK(payload(more, header->length).size() == v.length);
    Bytes other = v.bytes;
    other[0] = 0x43;
    CHECK_FALSE(parse_command(other).has_value());
  }
}

TEST_CASE("answer headers: the vectors") {
  struct Vector {
    Bytes bytes;
    uint16_t status, command, length, id;
  };
  const Vector vectors[] = {
      {{0, 0, 0x00, 0x81, 0, 4, 0, 2, 0, 0, 0, 0}, kSuccess, kReadRegAck, 4, 2},
      {{0, 0, 0x00, 0x83, 0, 4, 0, 3, 0, 0, 0, 1}, kSuccess, kWriteRegAck, 4, 3},
      {{0x80, 0x06, 0x00, 0x83, 0, 0, 0, 3}, kAccessDenied, kWriteRegAck, 0, 3},
      {{0, 0, 0x00, 0x89, 0, 4, 0, 4, 0, 0, 0x01, 0x2c}, kSuccess, kPendingAck, 4, 4},
  };
  for (const Vector& v : vectors) {
    const auto header = parse_ack(v.bytes);
    REQUIRE(header.has_value());
    CHECK(header->status == v.status);
    CHECK(header->command == v.command);
    CHECK(header->length == v.length);
    CHECK(header->ack_id == v.id);
    CHECK(written(*header) == Bytes(v.bytes.begin(), v.bytes.begin() + 8));
    for (size_t cut = 0; cut < v.bytes.size(); ++cut) {
      CHECK_FALSE(parse_ack(ConstBytes(v.bytes).first(cut)).has_value());
    }
  }
  Bytes memory{0, 0, 0x00, 0x85, 0x02, 0x04, 0, 4, 0, 0, 2, 0};
  CHECK_FALSE(parse_ack(memory).has_value());  // announces 512 bytes more
  memory.resize(8 + 516);
  const auto header = parse_ack(memory);
  REQUIRE(header.has_value());
  CHECK(header->length == 516);
  CHECK(payload(memory, header->length).size() == 516);
}

TEST_CASE("packet resend: the vectors, both layouts") {
  const Bytes standard{0x42, 0x00, 0x00, 0x40, 0x00, 0x0c, 0x00, 0x05, 0x00, 0x00,
                       0x00, 0x42, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x07};
  const Bytes extended{0x42, 0x10, 0x00, 0x40, 0x00, 0x14, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                       0x00, 0x05, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x42};
  for (const bool wide : {false, true}) {
    const Bytes& expected = wide ? extended : standard;
    Bytes out(kMaxResendSize, 0xAA);
    const size_t size = write_resend(out, {0, 0x42, 5, 7, wide}, 5);
    CHECK(size == expected.size());
    CHECK(Bytes(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size)) == expected);
    const auto header = parse_command(expected);
    REQUIRE(header.has_value());
    const auto resend = parse_resend(payload(expected, header->length), header->flags);
    REQUIRE(resend.has_value());
    CHECK(resend->channel == 0);
    CHECK(resend->block_id == 0x42);
    CHECK(resend->first_packet == 5);
    CHECK(resend->last_packet == 7);
    CHECK(resend->extended == wide);
    for (size_t cut = 0; cut + 8 < expected.size(); ++cut) {
      CHECK_FALSE(parse_resend(ConstBytes(expected).subspan(8, cut), header->flags).has_value());
    }
  }
}

TEST_CASE("packet resend to the end, other channels, large ids") {
  Bytes out(kMaxResendSize);
  CHECK(write_resend(out, {3, 65535, 0x00123456, kToEnd, false}, 9) == 20);
  CHECK(Bytes(out.begin() + 8, out.begin() + 20) ==
        Bytes{0, 3, 0xff, 0xff, 0x00, 0x12, 0x34, 0x56, 0x00, 0xff, 0xff, 0xff});
  auto resend = parse_resend(ConstBytes(out).subspan(8, 12), 0);
  REQUIRE(resend.has_value());
  CHECK(resend->last_packet == kToEnd);
  CHECK(resend->channel == 3);

  CHECK(write_resend(out, {0x1FF, 0x0102030405060708, 0xFFFFFFF0, kToEnd, true}, 9) == 28);
  CHECK(Bytes(out.begin() + 8, out.end()) ==
        Bytes{1, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xf0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5, 6, 7, 8});
  resend = parse_resend(ConstBytes(out).subspan(8, 20), kExtendedIds);
  REQUIRE(resend.has_value());
  CHECK(resend->block_id == 0x0102030405060708);
  CHECK(resend->first_packet == 0xFFFFFFF0);
  CHECK(resend->last_packet == kToEnd);
  // The bits above the low 24 of a standard request are not part of the ids.
  const Bytes dirty{0, 0, 0, 1, 0xAB, 0, 0, 2, 0xCD, 0, 0, 3};
  resend = parse_resend(dirty, 0);
  REQUIRE(resend.has_value());
  CHECK(resend->first_packet == 2);
  CHECK(resend->last_packet == 3);
}

TEST_CASE("discovery answer: every field at its place") {
  Bytes bytes(248, 0);
  const Bytes head{0,    2,    0,    1,    0x80, 0, 0, 1, 0xEE, 0xEE, 0x00, 0x11,
                   0x1c, 0xAA, 0xBB, 0xCC, 0x80, 0, 0, 7, 0,    0,    0,    6};
  std::copy(head.begin(), head.end(), bytes.begin());
  const Bytes address{192, 168, 1, 10};
  const Bytes mask{255, 255, 254, 0};
  const Bytes gateway{192, 168, 1, 1};
  std::copy(address.begin(), address.end(), bytes.begin() + 36);
  std::copy(mask.begin(), mask.end(), bytes.begin() + 52);
  std::copy(gateway.begin(), gateway.end(), bytes.begin() + 68);
  put_text(bytes, 72, "Maker");
  put_text(bytes, 104, std::string(32, 'M'));  // full length, not terminated
  put_text(bytes, 136, "1.2.3");
  put_text(bytes, 168, "info");
  put_text(bytes, 216, "");  // empty serial numbers exist
  put_text(bytes, 232, "front camera");
  const auto device = parse_discovery(bytes);
  REQUIRE(device.has_value());
  CHECK(device->spec_major == 2);
  CHECK(device->spec_minor == 1);
  CHECK(device->device_mode == 0x80000001);
  CHECK(device->mac == std::array<uint8_t, 6>{0x00, 0x11, 0x1c, 0xAA, 0xBB, 0xCC});
  CHECK(device->ip_config_supported == 0x80000007);
  CHECK(device->ip_config_current == 6);
  CHECK(device->address == 0xC0A8010A);
  CHECK(device->subnet_mask == 0xFFFFFE00);
  CHECK(device->gateway == 0xC0A80101);
  CHECK(device->manufacturer == "Maker");
  CHECK(device->model == std::string(32, 'M'));
  CHECK(device->version == "1.2.3");
  CHECK(device->manufacturer_info == "info");
  CHECK(device->serial.empty());
  CHECK(device->user_name == "front camera");
  Bytes again(248, 0xAA);
  write_discovery(again, *device);
  bytes[8] = bytes[9] = 0;  // reserved
  CHECK(again == bytes);
  for (const size_t cut : {0U, 8U, 247U})
    CHECK_FALSE(parse_discovery(ConstBytes(bytes).first(cut)).has_value());
}

TEST_CASE("text of a camera goes to terminals: no control characters, no bytes behind its end") {
  const Bytes field{'a', 0x1b, '[', 0x07, 0x7f, '\n', 'b', 0, 'x'};
  CHECK(read_text(field) == "a?[???b");
  CHECK(read_text(Bytes{}) == "");
  Bytes out(4, 0xAA);
  write_text(out, "ab");
  CHECK(out == Bytes{'a', 'b', 0, 0});
  write_text(out, "abcdef");
  CHECK(out == Bytes{'a', 'b', 'c', 'd'});
}

TEST_CASE("force-ip: every field at its place") {
  Bytes bytes(56, 0);
  const Bytes mac{0x00, 0x11, 0x1c, 0xAA, 0xBB, 0xCC};
  std::copy(mac.begin(), mac.end(), bytes.begin() + 2);
  const Bytes address{10, 0, 0, 7};
  const Bytes mask{255, 0, 0, 0};
  const Bytes gateway{10, 0, 0, 1};
  std::copy(address.begin(), address.end(), bytes.begin() + 20);
  std::copy(mask.begin(), mask.end(), bytes.begin() + 36);
  std::copy(gateway.begin(), gateway.end(), bytes.begin() + 52);
  const auto force = parse_force_ip(bytes);
  REQUIRE(force.has_value());
  CHECK(force->mac == std::array<uint8_t, 6>{0x00, 0x11, 0x1c, 0xAA, 0xBB, 0xCC});
  CHECK(force->address == 0x0A000007);
  CHECK(force->subnet_mask == 0xFF000000);
  CHECK(force->gateway == 0x0A000001);
  Bytes again(56, 0xAA);
  write_force_ip(again, *force);
  CHECK(again == bytes);
  CHECK_FALSE(parse_force_ip(ConstBytes(bytes).first(55)).has_value());
}

TEST_CASE("status names") {
  CHECK(std::string(status_name(0x0000)) == "SUCCESS");
  CHECK(std::string(status_name(0x0100)) == "PACKET_RESEND");
  CHECK(std::string(status_name(0x8006)) == "ACCESS_DENIED");
  CHECK(std::string(status_name(0x8007)) == "BUSY");
  CHECK(std::string(status_name(0x800C)) == "PACKET_UNAVAILABLE");
  CHECK(std::string(status_name(0x8010)) == "PACKET_NOT_YET_AVAILABLE");
  CHECK(std::string(status_name(0x8014)) == "PACKET_TEMPORARILY_UNAVAILABLE");
  CHECK(std::string(status_name(0x8FFF)) == "ERROR");
  CHECK(std::string(status_name(0x4004)) == "UNKNOWN");
  CHECK_FALSE(is_error(0x4004));
  CHECK_FALSE(is_error(0x0100));
  CHECK(is_error(0x8001));
}
