// The receive engine on a loopback socket: batches, who sent, what the kernel dropped, and how waiting ends.
#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include "udp_pair.h"

using namespace gw;
using namespace gw::test;

namespace {

// As a stream chooses by itself, and each manner by order.
constexpr std::array<std::optional<Manner>, 4> kManners{std::nullopt, Manner::kCopy, Manner::kScatter,
                                                        Manner::kAggregate};

}  // namespace

TEST_CASE("datagrams arrive in order, in batches, with their sender") {
  Pair pair;
  const auto source = source_for(pair, {.batch = 16, .max_datagram = 2000, .manner = Manner::kCopy});
  for (uint32_t i = 0; i < 40; ++i) pair.send(numbered(i, 4 + i * 40));
  std::array<PacketView, 64> batch;
  uint32_t next = 0;
  for (const size_t expected : {16U, 16U, 8U}) {
    const ReadResult read = source->read(batch, {.deadline_ns = now() + 1000 * kNsPerMs});
    CHECK_FALSE(read.failed);
    REQUIRE(read.count == expected);
    CHECK(read.more == (expected == 16));
    for (size_t i = 0; i < read.count; ++i, ++next) {
      CHECK(batch[i].size == 4 + next * 40);
      const auto bytes = numbered(next, batch[i].size);
      CHECK(std::memcmp(batch[i].data, bytes.data(), bytes.size()) == 0);
      CHECK(batch[i].source_address == 0x7F000001);
      CHECK(batch[i].source_port == pair.sender_port());
      CHECK_FALSE(batch[i].truncated);
    }
  }
  CHECK(source->read(batch, {}).count == 0);
  CHECK(source->kernel_drops() == 0);
}

TEST_CASE("a caller's batch that is smaller than the engine's") {
  Pair pair;
  const auto source = source_for(pair);
  for (uint32_t i = 0; i < 5; ++i) pair.send(numbered(i, 100));
  std::array<PacketView, 3> batch;
  ReadResult read = source->read(batch, {});
  CHECK(read.count == 3);
  CHECK(read.more);
  read = source->read(batch, {});
  CHECK(read.count == 2);
  CHECK_FALSE(read.more);
}

TEST_CASE("empty datagrams and the largest there are") {
  Pair pair;
  std::optional<Manner> manner;
  for (const auto& each : kManners) {
    SUBCASE("") { manner = each; }
  }
  const auto source = source_for(pair, {.batch = 4, .max_datagram = 65507, .manner = manner});
  pair.send({});
  pair.send(numbered(1, 65507));
  std::array<PacketView, 4> batch;
  const ReadResult read = source->read(batch, {});
  REQUIRE(read.count == 2);
  CHECK(batch[0].size == 0);
  CHECK(batch[1].size == 65507);
  CHECK_FALSE(batch[1].truncated);
}

TEST_CASE("datagrams that do not fit are flagged, and never spill into the next") {
  Pair pair;
  std::optional<Manner> manner;
  for (const auto& each : kManners) {
    SUBCASE("") { manner = each; }
  }
  const auto source = source_for(pair, {.batch = 4, .max_datagram = 500, .manner = manner});
  pair.send(numbered(1, 500));
  pair.send(numbered(2, 9000));
  pair.send(numbered(3, 500));
  std::array<PacketView, 4> batch;
  const ReadResult read = source->read(batch, {});
  REQUIRE(read.count == 3);
  CHECK_FALSE(batch[0].truncated);
  CHECK(batch[1].truncated);
  CHECK(batch[1].size < 9000);
  CHECK_FALSE(batch[2].truncated);
  for (const size_t i : {0U, 2U}) {
    const auto bytes = numbered(static_cast<uint32_t>(i + 1), 500);
    REQUIRE(batch[i].size == 500);
    CHECK(std::memcmp(batch[i].data, bytes.data(), 500) == 0);
  }
}

TEST_CASE("the deadline is honoured: not earlier, and not for ever") {
  Pair pair;
  const auto source = source_for(pair);
  std::array<PacketView, 4> batch;
  for (const uint64_t wait : {1U, 20U, 60U}) {
    const uint64_t begin = now();
    const ReadResult read = source->read(batch, {.deadline_ns = begin + wait * kNsPerMs});
    const uint64_t took = now() - begin;
    CHECK(read.count == 0);
    CHECK_FALSE(read.failed);
    CHECK(took >= wait * kNsPerMs);
    CHECK(took < wait * kNsPerMs + 10'000 * kNsPerMs);
  }
  const uint64_t begin = now();
  CHECK(source->read(batch, {}).count == 0);
  CHECK(source->read(batch, {.deadline_ns = 1}).count == 0);  // long over
  CHECK(now() - begin < 5'000 * kNsPerMs);
}

TEST_CASE("a datagram ends the waiting") {
  Pair pair;
  const auto source = source_for(pair);
  std::array<PacketView, 4> batch;
  std::thread sender([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    pair.send(numbered(9, 50));
  });
  const uint64_t begin = now();
  const ReadResult read = source->read(batch, {.deadline_ns = begin + 60'000 * kNsPerMs});
  sender.join();
  CHECK(read.count == 1);
  CHECK(now() - begin < 30'000 * kNsPerMs);
}

TEST_CASE("interrupt() ends the waiting, from another thread and in advance, once") {
  Pair pair;
  const auto source = source_for(pair);
  std::array<PacketView, 4> batch;
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    source->interrupt();
  });
  uint64_t begin = now();
  ReadResult read = source->read(batch, {.deadline_ns = begin + 60'000 * kNsPerMs});
  other.join();
  CHECK(read.count == 0);
  CHECK_FALSE(read.failed);
  CHECK(now() - begin < 30'000 * kNsPerMs);

  source->interrupt();
  source->interrupt();
  begin = now();
  CHECK(source->read(batch, {.deadline_ns = begin + 60'000 * kNsPerMs}).count == 0);
  CHECK(now() - begin < 30'000 * kNsPerMs);

  begin = now();  // it does not linger
  CHECK(source->read(batch, {.deadline_ns = begin + 30 * kNsPerMs}).count == 0);
  CHECK(now() - begin >= 30 * kNsPerMs);
}

TEST_CASE("a camera that vanished makes ICMP errors, which end nothing") {
  // Connected to a port where nobody listens, so that the errors come to this very socket.
  Pair pair;
  REQUIRE(pair.receive.connect(*pair.sender.local_endpoint()).ok());
  pair.sender.close();
  const auto source = source_for(pair);
  std::array<PacketView, 4> batch;
  const std::array<uint8_t, 1> bytes{'x'};
  for (int i = 0; i < 5; ++i) {
    (void)pair.receive.send(bytes);
    const ReadResult read = source->read(batch, {.deadline_ns = now() + 5 * kNsPerMs});
    CHECK(read.count == 0);
    CHECK_FALSE(read.failed);
  }
}

TEST_CASE("a socket that is none is refused, one that was closed fails") {
  UdpSocket none;
  CHECK_FALSE(make_udp_source(none, {}).ok());
  Pair pair;
  const auto source = source_for(pair);
  pair.receive.close();
  std::array<PacketView, 4> batch;
  const ReadResult read = source->read(batch, {.deadline_ns = now() + kNsPerMs});
  CHECK(read.failed);
  CHECK(read.error == EBADF);
}
