#include "path_rig.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>
#include <utility>

#include "path_identities.h"

namespace gw::test {

namespace {

void put(Bytes& out, uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

constexpr uint8_t kSoil = 0xEE;

}  // namespace

void put16(Bytes& out, uint64_t value) { put(out, value, 2); }
void put32(Bytes& out, uint64_t value) { put(out, value, 4); }
void put48(Bytes& out, uint64_t value) { put(out, value, 6); }
void put64(Bytes& out, uint64_t value) { put(out, value, 8); }

Bytes joined(Bytes head, const Bytes& tail) {
  head.insert(head.end(), tail.begin(), tail.end());
  return head;
}

Bytes gvsp_header(bool extended, uint16_t status, uint64_t block_id, uint8_t format, uint32_t packet_id) {
  Bytes out;
  put16(out, status);
  if (extended) {
    put16(out, 0);
    put32(out, 0x80000000U | static_cast<uint32_t>(format) << 24);
    put64(out, block_id);
    put32(out, packet_id);
  } else {
    put16(out, block_id);
    put32(out, static_cast<uint32_t>(format) << 24 | (packet_id & 0xFFFFFF));
  }
  return out;
}

Bytes image_leader(uint16_t type, uint64_t timestamp, uint32_t pixel, uint32_t width, uint32_t height) {
  Bytes out;
  put16(out, 0);
  put16(out, type);
  put64(out, timestamp);
  put32(out, pixel);
  put32(out, width);
  put32(out, height);
  put32(out, 0);
  put32(out, 0);
  put16(out, 0);
  put16(out, 0);
  return out;
}

Bytes sized_leader(uint16_t type, uint64_t timestamp, uint64_t size) {
  Bytes out;
  put16(out, 0);
  put16(out, type);
  put64(out, timestamp);
  put64(out, size);
  return out;
}

Bytes trailer(uint16_t type, std::initializer_list<uint32_t> fields) {
  Bytes out;
  put16(out, 0);
  put16(out, type);
  for (const uint32_t field : fields) put32(out, field);
  return out;
}

Bytes pattern(uint64_t seed, size_t size) {
  Bytes out(size);
  uint64_t state = seed * 0x9E3779B97F4A7C15ULL + 1;
  for (uint8_t& byte : out) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    byte = static_cast<uint8_t>(state >> 56);
    if (byte == kSoil) byte = 1;
  }
  return out;
}

TestBlock::TestBlock(uint64_t id, uint32_t width, uint32_t height, uint32_t data_size, bool extended)
    : id(id),
      extended(extended),
      data_size(data_size),
      leader_body(image_leader(1, 1000 + id * 10, kMono8, width, height)),
      payload(pattern(id, static_cast<size_t>(width) * height)),
      trailer_body(trailer(1, {height})) {}

TestBlock::TestBlock(uint64_t id, Bytes leader_body, Bytes payload, Bytes trailer_body, uint32_t data_size,
                     bool extended)
    : id(id),
      extended(extended),
      data_size(data_size),
      leader_body(std::move(leader_body)),
      payload(std::move(payload)),
      trailer_body(std::move(trailer_body)) {}

TestBlock TestBlock::at_time(uint64_t timestamp) const {
  TestBlock other = *this;
  Bytes time;
  put64(time, timestamp);
  std::copy(time.begin(), time.end(), other.leader_body.begin() + 4);
  return other;
}

Bytes TestBlock::packet(uint32_t packet_id, uint16_t status) const {
  if (packet_id == 0) return joined(gvsp_header(extended, status, id, 1, 0), leader_body);
  if (packet_id == trailer_id()) {
    return joined(gvsp_header(extended, status, id, 2, packet_id), trailer_body);
  }
  REQUIRE(packet_id < trailer_id());
  const size_t begin = static_cast<size_t>(packet_id - 1) * data_size;
  const size_t end = std::min(payload.size(), begin + data_size);
  const auto at = [&](size_t i) { return payload.begin() + static_cast<std::ptrdiff_t>(i); };
  return joined(gvsp_header(extended, status, id, 3, packet_id), Bytes(at(begin), at(end)));
}

void PoolMemory::Free::operator()(uint8_t* p) const { ::operator delete(p, std::align_val_t{kPage}); }

PoolMemory::PoolMemory(uint32_t slots, uint64_t payload_bytes, uint32_t packet_data_size) {
  const ControlLayout layout = control_layout(slots, payload_bytes, packet_data_size);
  REQUIRE(layout.slot_count == slots);
  memory_.reset(static_cast<uint8_t*>(::operator new(layout.total_size, std::align_val_t{kPage})));
  pool_.emplace(memory_.get(), layout);
  soil();
}

void PoolMemory::soil() {
  const ControlLayout& layout = pool_->layout();
  std::memset(memory_.get() + layout.data_offset, kSoil, layout.slot_stride * layout.slot_count);
}

Counts to_map(const StreamCounters& counters) {
  Counts map;
#define GW_TEST_FIELD(name) map[#name] = counters.name;
  GW_STREAM_COUNTERS(GW_TEST_FIELD)
#undef GW_TEST_FIELD
  return map;
}

void check_identities(const StreamCounters& counters, uint64_t open_packets, uint64_t incomplete_delivered) {
  const char* broken = broken_identity(counters, open_packets, incomplete_delivered);
  INFO("identity: " << std::string(broken != nullptr ? broken : ""));
  CHECK(broken == nullptr);
}

StreamConfig Rig::defaults() {
  StreamConfig config;
  config.packet_size = 200 + 36;
  config.packet_size_confirmed = true;
  config.payload_size = 2000;
  return config;
}

StreamConfig Rig::with_resend() {
  StreamConfig config = defaults();
  config.resend.enabled = true;
  return config;
}

Rig::Rig(const StreamConfig& config, uint32_t slots, uint64_t capacity)
    : config(config),
      memory(slots, capacity != 0 ? capacity : std::max<uint64_t>(config.payload_size, 1),
             gvsp::data_size(config.packet_size, false)),
      pool(memory.pool()),
      assembler(config, pool, camera),
      landing_(std::getenv("GW_TEST_LANDING") != nullptr) {}

void Rig::send(const Bytes& datagram, uint32_t address, bool truncated) {
  send_from(config.camera_port, datagram, address != 0 ? address : config.camera_address, truncated);
}

void Rig::send_from(uint16_t port, const Bytes& datagram, uint32_t address, bool truncated) {
  if (landing_) {
    if (now != sent_at_) flush();
    sent_at_ = now;
    source_.push(datagram, address, port, truncated);
    return;
  }
  // A copy of exactly its size, so that a sanitizer sees what is read behind it.
  const auto bytes = std::make_unique<uint8_t[]>(datagram.size());
  std::copy(datagram.begin(), datagram.end(), bytes.get());
  PacketView view;
  view.data = bytes.get();
  view.size = static_cast<uint32_t>(datagram.size());
  view.source_address = address;
  view.source_port = port;
  view.truncated = truncated;
  assembler.on_packet(view, now);
}

void Rig::flush() {
  std::array<Landing, 64> landings;
  std::array<PacketView, 64> batch;
  while (!source_.empty()) {
    ReadRequest request;
    request.plan = assembler.plan(landings);
    const ReadResult read = source_.read(batch, request);
    const std::span<PacketView> packets(batch.data(), read.count);
    assembler.settle(packets);
    for (const PacketView& packet : packets) assembler.on_packet(packet, sent_at_);
  }
}

void Rig::send(const TestBlock& block) { send_range(block, 0, block.trailer_id()); }

void Rig::send(const TestBlock& block, std::initializer_list<uint32_t> packet_ids) {
  for (const uint32_t id : packet_ids) send(block.packet(id));
}

void Rig::send_all_but(const TestBlock& block, std::initializer_list<uint32_t> packet_ids) {
  for (uint32_t id = 0; id <= block.trailer_id(); ++id) {
    if (std::find(packet_ids.begin(), packet_ids.end(), id) == packet_ids.end()) send(block.packet(id));
  }
}

void Rig::send_range(const TestBlock& block, uint32_t first, uint32_t last) {
  for (uint32_t id = first; id <= last; ++id) send(block.packet(id));
}

void Rig::pass(uint64_t ns) {
  const uint64_t end = now + ns;
  settle();
  for (int calls = 0; assembler.next_deadline() <= end; ++calls) {
    REQUIRE(calls < 100'000);  // it asks to be called again and again without time passing
    now = std::max(now, assembler.next_deadline());
    settle();
  }
  now = end;
  settle();
}

std::optional<TestFrame> Rig::take() {
  flush();
  const auto lease = pool.take();
  if (!lease) return std::nullopt;
  TestFrame frame;
  frame.header = pool.slot(lease->slot);
  REQUIRE(frame.header.payload_bytes <= pool.layout().slot_capacity);
  const uint8_t* data = pool.data(lease->slot);
  frame.data.assign(data, data + frame.header.payload_bytes);
  const uint8_t* map = pool.packet_map(lease->slot);
  frame.map.assign(map, map + pool.layout().map_stride);
  REQUIRE(pool.release(*lease));
  return frame;
}

size_t Rig::take_all() {
  size_t frames = 0;
  while (take()) ++frames;
  return frames;
}

std::vector<gvcp::Resend> Rig::requests() {
  flush();
  return std::exchange(camera.requests, {});
}

void Rig::check() {
  const StreamCounters c = assembler_counters();
  const uint64_t delivered = c.frames_queued - c.blocks_complete;
  if (!config.deliver_incomplete) CHECK(delivered == 0);
  check_identities(c, assembler.open_packets(), delivered);
}

void Rig::check_counts(Counts expected) {
  check();
  for (const auto& [name, value] : to_map(assembler_counters())) {
    if (name == "bytes" || name == "last_block_id") continue;
    INFO(name);
    const auto wanted = expected.find(name);
    CHECK(value == (wanted == expected.end() ? 0 : wanted->second));
    if (wanted != expected.end()) expected.erase(wanted);
  }
  REQUIRE(expected.empty());  // a name that is no counter
}

namespace {
uint64_t timestamp_of(const TestBlock& block) {
  uint64_t time = 0;
  for (size_t i = 4; i < 12; ++i) time = time << 8 | block.leader_body.at(i);
  return time;
}
}  // namespace

void Rig::expect_complete(const TestBlock& block) {
  INFO("block " << block.id);
  const auto frame = take();
  REQUIRE(frame.has_value());
  CHECK(frame->complete());
  CHECK(frame->header.block_id == block.id);
  CHECK(frame->header.timestamp == timestamp_of(block));
  CHECK(frame->data.size() == block.payload.size());
  CHECK(frame->data == block.payload);
}

TestBlock long_image(uint64_t id, uint32_t packets) { return {id, 100, packets * 2, 200}; }

StreamConfig for_long(uint32_t packets) {
  StreamConfig config = Rig::with_resend();
  config.payload_size = packets * 200;
  return config;
}

void wait_for(const std::function<bool()>& done) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done()) {
    REQUIRE(std::chrono::steady_clock::now() < give_up);
    std::this_thread::yield();
  }
}

uint32_t state_of(SlotPool& pool) { return std::atomic_ref<uint32_t>(pool.header().stream_state).load(); }

bool same(const gvcp::Resend& request, uint64_t block_id, uint32_t first, uint32_t last) {
  return request.block_id == block_id && request.first_packet == first && request.last_packet == last;
}

}  // namespace gw::test
