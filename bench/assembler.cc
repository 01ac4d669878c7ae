// What putting packets together costs by itself: packets from hot memory into BlockAssembler, one thread, no
// system calls. Prints ns per packet (median and lowest of the rounds), with the copy into the frame. Built
// and run by assembler.mjs.

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "path/block_assembler.h"
#include "path/side_channel.h"
#include "path/slot_pool.h"
#include "wire/gvsp.h"

namespace {

using namespace gw;

constexpr uint32_t kPacketSize = 1500, kData = 1464, kBatch = 64, kRounds = 21, kPacketsPerRound = 60'000;

class Nobody final : public SideChannel {
 public:
  void request_resend(const gvcp::Resend&) override {}
  void keep_alive() override {}
  void stream_alive(uint64_t) override {}
};

double cpu_ns() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

struct Image {
  uint32_t width, height;
  uint64_t bytes() const { return uint64_t{width} * height; }
  uint32_t data_packets() const { return static_cast<uint32_t>((bytes() + kData - 1) / kData); }
};

uint32_t write_packet(MutableBytes out, const Image& image, uint64_t block, uint32_t id) {
  const uint32_t last = image.data_packets() + 1;
  gvsp::Header header;
  header.block_id = block;
  header.packet_id = id;
  header.format = id == 0 ? gvsp::kLeader : id == last ? gvsp::kTrailer : gvsp::kPayload;
  size_t size = gvsp::write_header(out, header);
  if (id == 0) {
    gvsp::Leader leader;
    leader.payload_type = gvsp::kImage;
    leader.timestamp = block * 1000;
    leader.pixel_format = 0x01080001;
    leader.width = image.width;
    leader.height = image.height;
    size += gvsp::write_leader(out.subspan(size), leader);
  } else if (id == last) {
    gvsp::Trailer trailer;
    trailer.payload_type = gvsp::kImage;
    trailer.size_y = image.height;
    size += gvsp::write_trailer(out.subspan(size), trailer);
  } else {
    size += std::min<uint64_t>(kData, image.bytes() - uint64_t{id - 1} * kData);
  }
  return static_cast<uint32_t>(size);
}

// Of one round.
double ns_per_packet(BlockAssembler& assembler, SlotPool& pool, const Image& image, uint64_t& block,
                     uint64_t& now) {
  static uint8_t buffers[kBatch][1536];
  const uint32_t packets = image.data_packets() + 2;
  double spent = 0;
  uint64_t count = 0;
  while (count < kPacketsPerRound) {
    block = block == 0xFFFF ? 1 : block + 1;
    for (uint32_t id = 0; id < packets;) {
      PacketView views[kBatch];
      uint32_t n = 0;
      for (; n < kBatch && id < packets; ++n, ++id) {
        views[n].data = buffers[n];
        views[n].size = write_packet(MutableBytes(buffers[n]), image, block, id);
        views[n].source_port = 1;
      }
      const double before = cpu_ns();
      for (uint32_t i = 0; i < n; ++i) assembler.on_packet(views[i], now);
      assembler.on_time(now);
      spent += cpu_ns() - before;
      now += 100'000;
      count += n;
    }
    while (const auto lease = pool.take()) pool.release(*lease);
  }
  return spent / static_cast<double>(count);
}

void measure(const Image& image) {
  const ControlLayout layout = control_layout(8, image.bytes(), kData);
  const size_t size = (layout.total_size + 4095) / 4096 * 4096;
  const std::unique_ptr<uint8_t, void (*)(void*)> memory(
      static_cast<uint8_t*>(std::aligned_alloc(4096, size)), std::free);
  SlotPool pool(memory.get(), layout);
  Nobody camera;
  StreamConfig config;
  config.camera_port = 1;
  config.camera_port_proven = true;
  config.packet_size = kPacketSize;
  config.packet_size_confirmed = true;
  config.payload_size = image.bytes();
  config.resend.enabled = true;
  BlockAssembler assembler(config, pool, camera);
  std::vector<double> rounds;
  uint64_t block = 0, now = 1'000'000;
  for (uint32_t i = 0; i < kRounds; ++i) rounds.push_back(ns_per_packet(assembler, pool, image, block, now));
  std::sort(rounds.begin(), rounds.end());
  std::printf("%u x %u: %.0f ns per packet (lowest %.0f), %llu frames complete\n", image.width, image.height,
              rounds[rounds.size() / 2], rounds.front(),
              static_cast<unsigned long long>(assembler.counters().blocks_complete));
}

}  // namespace

int main() {
  for (const Image& image : {Image{1936, 1216}, Image{64, 64}}) measure(image);
}
