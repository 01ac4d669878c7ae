// The walk along a packet ring's slots, on memory that plays the kernel; and who bypasses a firewall.
#include <doctest/doctest.h>
#include <linux/if_packet.h>

#include <cstring>
#include <vector>

#include "net/firewall_witness.h"
#include "net/packet_ring_linux.h"
#include "udp_pair.h"

using namespace gw;
using namespace gw::test;

namespace {

// A ring of its own, and the kernel's part in it.
struct Ring {
  Ring() : memory(geometry.bytes()) {}

  tpacket2_hdr* header(uint32_t slot) {
    return reinterpret_cast<tpacket2_hdr*>(&memory[size_t{slot / 3} * 4096 + size_t{slot % 3} * 1024]);
  }
  // The kernel fills the next slot; false: it is not free.
  bool fill(uint8_t mark, uint32_t size = 100, uint32_t status = TP_STATUS_USER) {
    tpacket2_hdr* const at = header(next);
    if (at->tp_status != TP_STATUS_KERNEL) return false;
    next = (next + 1) % geometry.slots();
    at->tp_mac = 80;
    at->tp_snaplen = size;
    at->tp_len = size;
    std::memset(reinterpret_cast<uint8_t*>(at) + 70, 0, 10);
    reinterpret_cast<uint8_t*>(at)[80] = mark;
    at->tp_status = status;
    return true;
  }

  const RingGeometry geometry{.slot_bytes = 1024, .slots_per_block = 3, .block_bytes = 4096, .blocks = 2};
  std::vector<uint8_t> memory;
  RingWalk walk{memory.data(), geometry};
  uint32_t next = 0;
};

}  // namespace

TEST_CASE("slots come in order, across blocks and round the end, and go back when they are released") {
  Ring ring;
  uint8_t sent = 0, got = 0;
  CHECK_FALSE(ring.walk.next());
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 4; ++i) REQUIRE(ring.fill(sent++));
    for (int i = 0; i < 4; ++i) {
      const auto slot = ring.walk.next();
      REQUIRE(slot);
      CHECK(slot->size == 100);
      CHECK(slot->data[0] == got++);
    }
    CHECK_FALSE(ring.walk.next());
    ring.walk.release(0);
    CHECK(ring.walk.held() == 0);
  }
}

TEST_CASE("what is held stays ours, and a full ring is not walked twice") {
  Ring ring;
  for (uint8_t i = 0; i < 6; ++i) REQUIRE(ring.fill(i));
  CHECK_FALSE(ring.fill(99));
  for (uint8_t i = 0; i < 6; ++i) REQUIRE(ring.walk.next());
  CHECK_FALSE(ring.walk.next());
  CHECK_FALSE(ring.fill(99));
  ring.walk.release(2);
  CHECK(ring.walk.held() == 2);
  for (uint8_t i = 0; i < 4; ++i) REQUIRE(ring.fill(10 + i));
  CHECK_FALSE(ring.fill(99));
  for (uint8_t i = 0; i < 4; ++i) CHECK(ring.walk.next()->data[0] == 10 + i);
  CHECK_FALSE(ring.walk.next());
}

TEST_CASE("whatever a slot says of itself, nothing outside of it is handed out") {
  struct Claim {
    uint32_t begin, size;
  };
  for (const Claim claim : {Claim{0, 100}, {41, 100}, {1025, 0}, {80, 945}, {65535, 1}, {80, 0xFFFFFFFF}}) {
    Ring ring;
    REQUIRE(ring.fill(1));
    ring.header(0)->tp_mac = static_cast<uint16_t>(claim.begin);
    ring.header(0)->tp_snaplen = claim.size;
    const auto slot = ring.walk.next();
    REQUIRE(slot);
    CHECK(slot->size == 0);
    CHECK(slot->data == nullptr);
  }
  Ring ring;
  REQUIRE(ring.fill(1, 944));
  CHECK(ring.walk.next()->size == 944);
}

TEST_CASE("what the kernel says beside the packet") {
  Ring ring;
  REQUIRE(ring.fill(1, 900, TP_STATUS_USER | TP_STATUS_COPY | TP_STATUS_LOSING));
  ring.header(0)->tp_len = 5000;
  uint8_t* const offload = reinterpret_cast<uint8_t*>(ring.header(0)) + 70;
  const uint16_t segment = 1472;
  offload[0] = 1;         // checksum to be filled in
  offload[1] = 5 | 0x80;  // UDP segments, congestion
  std::memcpy(offload + 4, &segment, sizeof segment);
  const auto slot = ring.walk.next();
  REQUIRE(slot);
  CHECK(slot->queued);
  CHECK(slot->losing);
  CHECK(slot->length == 5000);
  CHECK(slot->offload.checksum_done);
  CHECK(slot->offload.segment == 1472);
  REQUIRE(ring.fill(2));
  const auto plain = ring.walk.next();
  CHECK_FALSE(plain->queued);
  CHECK_FALSE(plain->losing);
  CHECK_FALSE(plain->offload.checksum_done);
  CHECK(plain->offload.segment == 0);
}

TEST_CASE("geometry: slots fit the packets, blocks are pages, memory is bounded") {
  for (const uint32_t packet : {0U, 46U, 576U, 1500U, 4000U, 9000U, 16000U, 65535U, 0xFFFFFFFFU}) {
    for (const uint64_t bytes : {0ULL, 1ULL << 20, 64ULL << 20, 1ULL << 40}) {
      const RingGeometry geometry = ring_geometry(packet, bytes);
      CAPTURE(packet);
      CAPTURE(bytes);
      CHECK(geometry.slot_bytes % TPACKET_ALIGNMENT == 0);
      CHECK(geometry.slot_bytes >= std::min(packet, 65535U) + 90);
      CHECK(geometry.block_bytes % 65536 == 0);
      CHECK(geometry.slots_per_block * geometry.slot_bytes <= geometry.block_bytes);
      CHECK(geometry.slots() >= 1024);
      CHECK(geometry.bytes() <= std::max<uint64_t>(std::min<uint64_t>(bytes, 1 << 30), 256ULL << 20));
    }
  }
  CHECK(ring_geometry(1500, 4 << 20).bytes() == 4 << 20);
}

TEST_CASE("the firewall's witness: bypassed when nothing reaches the socket, twice, with time between") {
  FirewallWitness witness;
  witness.note(0, 7, 0);
  CHECK_FALSE(witness.due(15, 1000 * kMs));
  CHECK_FALSE(witness.due(16, 49 * kMs));
  CHECK(witness.due(16, 50 * kMs));
  SUBCASE("packets reach the socket") {
    for (uint32_t i = 1; i < 100; ++i) {
      witness.note(16ULL * i, 7 + i, 50 * kMs * i);
      CHECK_FALSE(witness.bypassed());
    }
  }
  SUBCASE("a burst that the socket has not got yet is no proof") {
    witness.note(16, 7, 50 * kMs);
    CHECK_FALSE(witness.bypassed());
    CHECK_FALSE(witness.due(32, 99 * kMs));
    CHECK(witness.due(32, 100 * kMs));
    witness.note(32, 9, 100 * kMs);
    CHECK_FALSE(witness.bypassed());
    witness.note(48, 9, 150 * kMs);
    CHECK_FALSE(witness.bypassed());
  }
  SUBCASE("nothing comes") {
    witness.note(16, 7, 50 * kMs);
    witness.note(32, 7, 100 * kMs);
    CHECK(witness.bypassed());
    CHECK_FALSE(witness.due(1000, 1000 * kMs));
  }
}
