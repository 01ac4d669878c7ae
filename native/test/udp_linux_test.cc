// The engine on Linux alone: what the kernel dropped, packets that it put together come apart again, and a
// stream that finds out by itself whether it does.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <array>

#include "udp_pair.h"

using namespace gw;
using namespace gw::test;

namespace {

constexpr uint32_t kSize = 1000;

std::vector<uint8_t> many(uint32_t first, uint32_t count, uint32_t last_size = kSize) {
  std::vector<uint8_t> all;
  for (uint32_t i = 0; i < count; ++i) {
    const auto one = numbered(first + i, i + 1 == count ? last_size : kSize);
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

// Several packets in one call, as a NIC hands them over: UDP_SEGMENT.
void send_together(const Pair& pair, const std::vector<uint8_t>& bytes, uint16_t segment) {
  iovec part{const_cast<uint8_t*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof segment)] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = IPPROTO_UDP;
  header->cmsg_type = UDP_SEGMENT;
  header->cmsg_len = CMSG_LEN(sizeof segment);
  std::memcpy(CMSG_DATA(header), &segment, sizeof segment);
  REQUIRE(::sendmsg(pair.sender.fd(), &message, 0) == static_cast<ssize_t>(bytes.size()));
}

void check_packet(const PacketView& view, uint32_t number, uint32_t size) {
  CAPTURE(number);
  REQUIRE(view.size == size);
  CHECK_FALSE(view.truncated);
  CHECK(view.landed == nullptr);
  const auto bytes = numbered(number, size);
  CHECK(std::memcmp(view.data, bytes.data(), size) == 0);
}

// Reads until nothing comes; returns how many packets that were, all of them checked.
uint32_t read_all(PacketSource& source, uint32_t first, size_t batch_size = 64) {
  std::vector<PacketView> batch(batch_size);
  uint32_t number = first;
  for (;;) {
    const ReadResult read = source.read(batch, {});
    REQUIRE_FALSE(read.failed);
    if (read.count == 0) return number - first;
    for (size_t i = 0; i < read.count; ++i) check_packet(batch[i], number++, kSize);
  }
}

}  // namespace

TEST_CASE("what the kernel drops is counted, exactly, also where nothing comes after") {
  Pair pair(8192);
  const auto source = source_for(pair);
  constexpr uint64_t kSent = 500;
  for (uint32_t i = 0; i < kSent; ++i) pair.send(numbered(i, 1000));
  std::array<PacketView, 64> batch;
  uint64_t received = 0;
  while (const size_t count = source->read(batch, {}).count) received += count;
  CHECK(received < kSent);
  CHECK(received > 0);
  SUBCASE("told by the next datagram") {
    pair.send(numbered(0, 100));
    REQUIRE(source->read(batch, {}).count == 1);
    CHECK(source->kernel_drops() == kSent - received);
  }
  SUBCASE("asked for") {
    source->refresh_kernel_drops();
    CHECK(source->kernel_drops() == kSent - received);
  }
  SUBCASE("told by waiting in vain") {
    CHECK(source->read(batch, {.deadline_ns = now() + kNsPerMs}).count == 0);
    CHECK(source->kernel_drops() == kSent - received);
  }
  SUBCASE("again and again: each drop once, whichever way it was learned") {
    uint64_t dropped = kSent - received;
    for (int round = 0; round < 5; ++round) {
      source->refresh_kernel_drops();
      CHECK(source->kernel_drops() == dropped);
      uint64_t got = 0;
      for (uint32_t i = 0; i < 100; ++i) pair.send(numbered(i, 1000));
      while (const size_t count = source->read(batch, {}).count) got += count;
      dropped += 100 - got;
      pair.send(numbered(0, 100));
      REQUIRE(source->read(batch, {}).count == 1);
      CHECK(source->kernel_drops() == dropped);
    }
  }
}

TEST_CASE("packets that were put together come apart, whatever the caller's batch") {
  Pair pair(4 << 20);
  const auto source = source_for(pair, {.max_datagram = 2000, .manner = Manner::kAggregate});
  CHECK(source->manner() == Manner::kAggregate);
  for (const size_t batch : {1U, 3U, 64U, 1000U}) {
    CAPTURE(batch);
    for (uint32_t at = 0; at < 120; at += 40) send_together(pair, many(at, 40), kSize);
    for (uint32_t at = 120; at < 130; ++at) pair.send(numbered(at, kSize));
    send_together(pair, many(130, 40), kSize);
    CHECK(read_all(*source, 0, batch) == 170);
  }
}

TEST_CASE("the last of them may be shorter") {
  Pair pair;
  const auto source = source_for(pair, {.max_datagram = 2000, .manner = Manner::kAggregate});
  send_together(pair, many(5, 20, 17), kSize);
  std::array<PacketView, 64> batch;
  const ReadResult read = source->read(batch, {});
  REQUIRE(read.count == 20);
  CHECK_FALSE(read.more);
  for (uint32_t i = 0; i < 19; ++i) check_packet(batch[i], 5 + i, kSize);
  check_packet(batch[19], 24, 17);
  CHECK(batch[19].source_port == pair.sender_port());
}

TEST_CASE("what the kernel drops is counted in packets also where it put them together") {
  Pair pair(65536);
  const auto source = source_for(pair, {.max_datagram = 2000, .manner = Manner::kAggregate});
  constexpr uint32_t kCalls = 50;
  for (uint32_t i = 0; i < kCalls; ++i) send_together(pair, many(i * 40, 40), kSize);
  std::array<PacketView, 64> batch;
  uint64_t received = 0;
  while (const size_t count = source->read(batch, {}).count) received += count;
  CHECK(received < kCalls * 40);
  source->refresh_kernel_drops();
  CHECK(source->kernel_drops() == kCalls * 40 - received);
}

TEST_CASE("a stream finds out whether packets are put together, and loses none by it") {
  Pair pair(4 << 20);
  const auto source = source_for(pair, {.max_datagram = 9216, .packet_bytes = kSize});
  CHECK(source->manner() == Manner::kAggregate);
  SUBCASE("they are") {
    for (uint32_t round = 0; round < 30; ++round) {
      for (uint32_t at = 0; at < 120; at += 40) send_together(pair, many(at, 40), kSize);
      CHECK(read_all(*source, 0) == 120);
    }
    CHECK(source->manner() == Manner::kAggregate);
  }
  SUBCASE("they come one by one") {
    for (uint32_t i = 0; i < 400; ++i) pair.send(numbered(i, kSize));
    CHECK(read_all(*source, 0) == 400);
    CHECK(source->manner() == Manner::kCopy);
    // Now the kernel takes apart itself.
    send_together(pair, many(0, 40), kSize);
    CHECK(read_all(*source, 0) == 40);
  }
  SUBCASE("some wait that were put together before it was given up") {
    for (uint32_t i = 0; i < 256; ++i) pair.send(numbered(i, kSize));
    for (uint32_t at = 256; at < 256 + 120; at += 40) send_together(pair, many(at, 40), kSize);
    send_together(pair, many(376, 3), kSize);  // no longer than a large packet might be
    CHECK(read_all(*source, 0) == 379);
    CHECK(source->manner() == Manner::kCopy);
  }
}
