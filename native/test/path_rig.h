// A camera, a consumer and a clock for tests of the packet path. Purpose: packets are written byte by byte,
// without the code under test; time only moves when a test says so; and every test can ask whether the
// statistics add up. Thread: one.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/replay_source.h"
#include "path/block_assembler.h"
#include "path/side_channel.h"
#include "path/slot_pool.h"

namespace gw::test {

using Bytes = std::vector<uint8_t>;

constexpr uint64_t kMs = 1'000'000;
constexpr uint32_t kMono8 = 0x01080001;

void put16(Bytes& out, uint64_t value);
void put32(Bytes& out, uint64_t value);
void put48(Bytes& out, uint64_t value);
void put64(Bytes& out, uint64_t value);
Bytes joined(Bytes head, const Bytes& tail);

Bytes gvsp_header(bool extended, uint16_t status, uint64_t block_id, uint8_t format, uint32_t packet_id);
Bytes image_leader(uint16_t type, uint64_t timestamp, uint32_t pixel, uint32_t width, uint32_t height);
Bytes sized_leader(uint16_t type, uint64_t timestamp, uint64_t size);  // raw, file
Bytes trailer(uint16_t type, std::initializer_list<uint32_t> fields);
// Bytes that differ with their place and their seed, so that a packet at a wrong place is seen.
Bytes pattern(uint64_t seed, size_t size);

// One block as a camera sends it: leader 0, data 1..N, trailer N + 1.
struct TestBlock {
  // An image of Mono8.
  TestBlock(uint64_t id, uint32_t width, uint32_t height, uint32_t data_size, bool extended = false);
  // Anything else.
  TestBlock(uint64_t id, Bytes leader_body, Bytes payload, Bytes trailer_body, uint32_t data_size,
            bool extended = false);

  TestBlock at_time(uint64_t timestamp) const;  // the same with another time in its leader
  uint32_t data_packets() const {
    return static_cast<uint32_t>((payload.size() + data_size - 1) / data_size);
  }
  uint32_t trailer_id() const { return data_packets() + 1; }
  uint32_t packets() const { return data_packets() + 2; }
  Bytes packet(uint32_t packet_id, uint16_t status = 0) const;
  Bytes refusal(uint32_t packet_id, uint16_t status) const {
    return gvsp_header(extended, status, id, 3, packet_id);
  }

  uint64_t id;
  bool extended;
  uint32_t data_size;
  Bytes leader_body;
  Bytes payload;
  Bytes trailer_body;
};

class TestCamera final : public SideChannel {
 public:
  void request_resend(const gvcp::Resend& resend) override { requests.push_back(resend); }
  void keep_alive() override { ++keep_alives; }
  void stream_alive(uint64_t /*now_ns*/) override { ++alive; }
  std::vector<gvcp::Resend> requests;
  int keep_alives = 0;
  int alive = 0;
};

struct TestFrame {
  SlotHeader header{};
  Bytes data;  // payload_bytes of it
  Bytes map;
  bool complete() const { return (header.flags & kFrameComplete) != 0; }
  bool has_packet(uint32_t id) const { return (map[id / 8] >> (id % 8) & 1) != 0; }
};

// Memory for a pool, aligned as shared memory is, and dirty as a former frame left it.
class PoolMemory {
 public:
  PoolMemory(uint32_t slots, uint64_t payload_bytes, uint32_t packet_data_size);
  SlotPool& pool() { return *pool_; }
  void soil();  // fills all frame data with bytes that no test packet has

 private:
  struct Free {
    void operator()(uint8_t* p) const;
  };
  std::unique_ptr<uint8_t, Free> memory_;
  std::optional<SlotPool> pool_;
};

using Counts = std::map<std::string, uint64_t>;
Counts to_map(const StreamCounters& counters);
// All identities of path/stream_stats.h; open_packets: accepted packets of blocks that are still open.
// incomplete_delivered: frames that a consumer got, or may yet get, which were not complete.
void check_identities(const StreamCounters& counters, uint64_t open_packets, uint64_t incomplete_delivered);

class Rig {
 public:
  // Images of 100 x 20 in packets of 200 data bytes (10 of them), standard ids, packet size confirmed,
  // resend off, 8 slots.
  static StreamConfig defaults();
  static StreamConfig with_resend();
  explicit Rig(const StreamConfig& config = defaults(), uint32_t slots = 8, uint64_t capacity = 0);

  static TestBlock image(uint64_t id, bool extended = false) { return {id, 100, 20, 200, extended}; }

  // Packets are taken in at once, or, where the environment says GW_TEST_LANDING=1, many at a time after they
  // landed where the assembler foresaw them: every test must come to the same either way.
  void send(const Bytes& datagram, uint32_t address = 0, bool truncated = false);
  void send_from(uint16_t port, const Bytes& datagram, uint32_t address, bool truncated = false);
  void send(const TestBlock& block);
  void send(const TestBlock& block, std::initializer_list<uint32_t> packet_ids);
  void send_all_but(const TestBlock& block, std::initializer_list<uint32_t> packet_ids);
  void send_range(const TestBlock& block, uint32_t first, uint32_t last);
  // Time passes; the assembler is called whenever it asked to be.
  void pass(uint64_t ns);
  // What the receiver does after each batch.
  void settle() {
    flush();
    assembler.on_time(now);
  }
  void finish() {
    flush();
    assembler.finish(now);
  }
  bool take_wake() {
    flush();
    return assembler.take_wake();
  }
  uint64_t next_deadline() {
    flush();
    return assembler.next_deadline();
  }
  void flush();  // what was sent and not taken in yet

  std::optional<TestFrame> take();
  size_t take_all();                     // how many there were
  std::vector<gvcp::Resend> requests();  // since the last call
  void check();
  // Every counter that is not named must be 0; bytes and last_block_id are left out.
  void check_counts(Counts expected);
  uint64_t count(const std::string& name) { return to_map(assembler_counters()).at(name); }
  // But for how the packets were brought in.
  StreamCounters assembler_counters() {
    flush();
    StreamCounters counters = assembler.counters();
    counters.in_place = 0;
    return counters;
  }
  // The next frame is this block, whole.
  void expect_complete(const TestBlock& block);

  StreamConfig config;
  PoolMemory memory;
  SlotPool& pool;
  TestCamera camera;
  BlockAssembler assembler;
  uint64_t now = 1000 * kMs;

 private:
  const bool landing_;
  ReplaySource source_;
  uint64_t sent_at_ = 0;
};

// Of so many packets, for losses that an image of ten has no room for.
TestBlock long_image(uint64_t id, uint32_t packets = 100);
StreamConfig for_long(uint32_t packets = 100);

// What other threads come to, within 20 s.
void wait_for(const std::function<bool()>& done);
uint32_t state_of(SlotPool& pool);

bool same(const gvcp::Resend& request, uint64_t block_id, uint32_t first, uint32_t last);

}  // namespace gw::test
