// Frames as engines below the IP stack get them: what is a datagram, a fragment, damaged, or somebody else's.
#include <doctest/doctest.h>

#include <memory>

#include "frame_builder.h"
#include "wire/udp_frame.h"

using namespace gw;
using namespace gw::frame;
using namespace gw::test;

namespace {

const Bytes kCarried{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

// On memory of exactly its size, so that a sanitizer sees what is read behind it.
Frame parsed(const Bytes& bytes, Checksum checksum = Checksum::kUnknown) {
  const std::unique_ptr<uint8_t[]> copy(new uint8_t[bytes.size()]);
  std::copy(bytes.begin(), bytes.end(), copy.get());
  return parse({copy.get(), bytes.size()}, checksum);
}

Bytes payload_of(const Frame& frame, const Bytes& bytes) {
  return {bytes.begin() + frame.payload_offset, bytes.begin() + frame.payload_offset + frame.payload_size};
}

}  // namespace

TEST_CASE("a datagram: who, where to, and what") {
  for (const uint8_t ip_options : {0, 1, 10}) {
    for (const size_t padding : {0, 1, 18}) {
      const Bytes bytes = build_frame(kCarried, {.ip_options = ip_options, .padding = padding});
      const Frame frame = parsed(bytes);
      REQUIRE(frame.kind == Kind::kDatagram);
      CHECK_FALSE(frame.cut);
      CHECK(frame.source_address == 0xC0A80002);
      CHECK(frame.destination_address == 0xC0A80001);
      CHECK(frame.source_port == 20202);
      CHECK(frame.destination_port == 5000);
      CHECK(payload_of(frame, bytes) == kCarried);
    }
  }
}

TEST_CASE("the header checksum of a packet that others have published") {
  // Wikipedia, "Internet checksum": the example's header says UDP.
  const Bytes header{0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                     0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
  CHECK(ones_complement_sum(header) == 0xFFFF);
  Bytes bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0};
  bytes.insert(bytes.end(), header.begin(), header.end());
  for (const uint8_t byte : {0x13, 0x88, 0x13, 0x89, 0x00, 0x5f, 0x00, 0x00}) bytes.push_back(byte);
  bytes.resize(14 + 0x73, 0x55);
  const Frame frame = parsed(bytes);
  CHECK(frame.kind == Kind::kDatagram);
  CHECK(frame.payload_size == 0x5f - 8);
}

TEST_CASE("sums of every length and start, against the plain way") {
  Bytes bytes;
  for (uint32_t i = 0; i < 70; ++i) {
    CHECK(static_cast<uint16_t>(~ones_complement_sum(bytes)) == plain_checksum(bytes));
    bytes.push_back(static_cast<uint8_t>(i * 37 + 200));
  }
  const Bytes full(9000, 0xFF);
  CHECK(ones_complement_sum(full) == 0xFFFF);
}

TEST_CASE("tags: a priority alone is ours, a VLAN is not") {
  CHECK(parsed(build_frame(kCarried, {.tags = {0}})).kind == Kind::kDatagram);
  CHECK(parsed(build_frame(kCarried, {.tags = {0xE000}})).kind == Kind::kDatagram);
  CHECK(parsed(build_frame(kCarried, {.tags = {0, 0}})).kind == Kind::kDatagram);
  CHECK(parsed(build_frame(kCarried, {.tags = {5}})).kind == Kind::kOther);
  CHECK(parsed(build_frame(kCarried, {.tags = {0, 5}})).kind == Kind::kOther);
  CHECK(parsed(build_frame(kCarried, {.tags = {0, 0, 0}})).kind == Kind::kOther);
}

TEST_CASE("fragments are never datagrams") {
  const Frame first = parsed(build_frame(kCarried, {.fragment = 0x2000}));
  CHECK(first.kind == Kind::kFragment);
  CHECK(first.destination_port == 5000);
  const Frame middle = parsed(build_frame(kCarried, {.fragment = 0x2001}));
  CHECK(middle.kind == Kind::kFragment);
  CHECK(middle.destination_port == 0);
  CHECK(parsed(build_frame(kCarried, {.fragment = 0x0001})).kind == Kind::kFragment);
  CHECK(parsed(build_frame(kCarried, {.fragment = 0x4000})).kind == Kind::kDatagram);  // don't fragment
}

TEST_CASE("each flipped bit behind the hardware addresses is noticed, or makes it somebody else's") {
  const Bytes good = build_frame(kCarried);
  for (size_t bit = 12 * 8; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    CAPTURE(bit);
    CHECK(parsed(bad).kind != Kind::kDatagram);
  }
}

TEST_CASE("UDP checksums: none, one that others have verified, one that is still to be filled in") {
  CHECK(parsed(build_frame(kCarried, {.udp_checksum = false})).kind == Kind::kDatagram);
  Bytes bad = build_frame(kCarried);
  bad.back() ^= 1;
  CHECK(parsed(bad).kind == Kind::kDamaged);
  CHECK(parsed(bad, Checksum::kPending).kind == Kind::kDamaged);
  CHECK(parsed(bad, Checksum::kDone).kind == Kind::kDatagram);

  Bytes pending = build_frame(kCarried, {.udp_checksum = false});
  Bytes pseudo;
  put32(pseudo, 0xC0A80002);
  put32(pseudo, 0xC0A80001);
  put16(pseudo, 17);
  put16(pseudo, static_cast<uint32_t>(8 + kCarried.size()));
  const auto sum = static_cast<uint16_t>(~plain_checksum(pseudo));
  pending[14 + 20 + 6] = static_cast<uint8_t>(sum >> 8);
  pending[14 + 20 + 7] = static_cast<uint8_t>(sum);
  CHECK(parsed(pending, Checksum::kPending).kind == Kind::kDatagram);
  CHECK(parsed(pending).kind == Kind::kDamaged);
}

TEST_CASE("cut at any byte: no more is claimed than is there, and nothing is whole") {
  const Bytes good = build_frame(kCarried, {.tags = {0}, .ip_options = 2});
  for (size_t size = 0; size < good.size(); ++size) {
    const Bytes bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    const Frame frame = parsed(bytes, Checksum::kDone);
    CAPTURE(size);
    CHECK((frame.kind != Kind::kDatagram || frame.cut));
    CHECK(uint64_t{frame.payload_offset} + frame.payload_size <= size);
  }
}

TEST_CASE("lengths that contradict each other") {
  const auto with = [](size_t at, uint16_t value, bool fix_header) {
    Bytes bytes = build_frame(kCarried, {.udp_checksum = false, .padding = 40});
    bytes[at] = static_cast<uint8_t>(value >> 8);
    bytes[at + 1] = static_cast<uint8_t>(value);
    if (fix_header) {
      bytes[24] = bytes[25] = 0;
      const uint16_t sum = plain_checksum({bytes.begin() + 14, bytes.begin() + 34});
      bytes[24] = static_cast<uint8_t>(sum >> 8);
      bytes[25] = static_cast<uint8_t>(sum);
    }
    return parsed(bytes);
  };
  const auto total = static_cast<uint16_t>(28 + kCarried.size());
  for (const uint16_t length : {0, 19, 20, 27, total - 1}) {
    CHECK(with(16, length, true).kind == Kind::kDamaged);
  }
  for (const uint16_t length : {0, 7, total - 19, 65535})
    CHECK(with(38, length, false).kind == Kind::kDamaged);
  // More than is here, and a datagram shorter than its packet: as the stack takes it.
  CHECK(with(16, 2000, true).kind == Kind::kDatagram);
  const Frame shorter = with(38, 10, false);
  CHECK(shorter.kind == Kind::kDatagram);
  CHECK(shorter.payload_size == 2);
}
