// Fuzz target: the assembler under arbitrary packet sequences. The input is a program: send packets of a
// well-behaved camera, or of a mad one; let time pass; take and release frames; answer or refuse what was
// asked for. Properties, after every step: the statistics add up, it never asks to be called for ever, it
// asks for no more than its budget, and every complete frame is made of packets that were sent for that
// block.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "fuzz/input.h"
#include "net/replay_source.h"
#include "path/block_assembler.h"
#include "path_identities.h"

using namespace gw;
using gw::fuzz::Bytes;
using gw::fuzz::Input;
using gw::fuzz::require;

namespace {

constexpr uint64_t kCapacity = 2400;
constexpr uint32_t kData = 100;
constexpr uint32_t kWidth = 50;

void put(Bytes& out, uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

class FuzzCamera final : public SideChannel {
 public:
  void request_resend(const gvcp::Resend& resend) override {
    require(resend.first_packet <= resend.last_packet, "range of a request");
    if (requests.size() < 64) requests.push_back(resend);
  }
  void keep_alive() override {}
  void stream_alive(uint64_t) override {}
  std::vector<gvcp::Resend> requests;
};

// Everything that was sent, by block and packet id: what a frame may be made of.
struct Key {
  bool extended;
  uint64_t block;
  uint32_t packet;
  auto operator<=>(const Key&) const = default;
};
struct Sent {
  uint8_t format;
  Bytes body;
};

class Run {
 public:
  explicit Run(Input input) : input_(input), config_(make_config(input_.byte(), input_.byte())) {
    const uint8_t shape = input_.byte();
    const uint8_t slots = shape % 5 + 1;
    batched_ = (shape / 5 & 1) != 0;
    const ControlLayout layout = control_layout(slots, kCapacity, kData);
    memory_.reset(static_cast<uint8_t*>(
        std::aligned_alloc(kPage, layout.total_size + kPage - layout.total_size % kPage)));
    pool_.emplace(memory_.get(), layout);
    std::memset(memory_.get() + layout.data_offset, 0xEE, layout.slot_stride * slots);
    assembler_.emplace(config_, *pool_, camera_);
    extended_ = (input_.byte() & 1) != 0;
    block_ = input_.number(2) | 1;
  }

  void go() {
    for (int step = 0; step < 400 && !input_.empty(); ++step) {
      one();
      flush();
      check();
    }
    assembler_->finish(now_);
    check();
    require(assembler_->open_packets() == 0, "nothing is open after the end");
    while (take()) {
    }
    for (const SlotPool::Lease& lease : leases_) require(pool_->release(lease), "a lease can be released");
    for (uint32_t slot = 0; slot < pool_->layout().slot_count; ++slot) {
      require((pool_->slot(slot).state & kSlotStateMask) == kSlotFree, "every slot is free in the end");
    }
  }

 private:
  struct Free {
    void operator()(uint8_t* p) const { std::free(p); }
  };

  static StreamConfig make_config(uint8_t flags, uint8_t more) {
    StreamConfig config;
    config.packet_size = (flags & 1) != 0 ? kData + 36 : (flags & 2) != 0 ? kData + 48 : more * 8U;
    config.packet_size_confirmed = (flags & 4) != 0;
    config.payload_size = (flags & 8) != 0 ? 2000 : 0;
    config.deliver_incomplete = (flags & 16) != 0;
    config.resend.enabled = (flags & 32) != 0;
    config.handling = static_cast<BufferHandling>((flags >> 6) % 3);
    config.resend.budget_burst = (more & 1) != 0 ? 5000 : 20;
    config.resend.max_tries = more % 7 + 1;
    config.channel_is_new = (more & 64) != 0;
    return config;
  }

  // The camera's own packets: block n has lines by its id, packet contents by block and packet id.
  uint32_t lines(uint64_t block) const { return static_cast<uint32_t>(block % 40) + 1; }
  uint32_t trailer_id(uint64_t block) const { return (lines(block) * kWidth + kData - 1) / kData + 1; }
  void send_own(uint64_t block, uint32_t packet, uint16_t status = 0, size_t cut = 0) {
    Bytes body;
    uint8_t format = gvsp::kPayload;
    if (packet == 0) {
      format = gvsp::kLeader;
      put(body, 1, 4);
      put(body, epoch_ + block, 8);
      put(body, 0x01080001, 4);
      put(body, kWidth, 4);
      put(body, lines(block), 4);
      put(body, 0, 8);
      put(body, 0, 4);
    } else if (packet == trailer_id(block)) {
      format = gvsp::kTrailer;
      put(body, 1, 4);
      put(body, lines(block), 4);
    } else {
      const uint32_t size =
          std::min(kData, lines(block) * kWidth - std::min(lines(block) * kWidth, (packet - 1) * kData));
      body.assign(size, static_cast<uint8_t>(epoch_ * 31 + block * 7 + packet));
    }
    body.resize(body.size() - std::min(cut, body.size()));
    send(extended_, status, block, format, packet, body);
  }
  void send(bool extended, uint16_t status, uint64_t block, uint8_t format, uint32_t packet,
            const Bytes& body) {
    Bytes out;
    put(out, status, 2);
    if (extended) {
      put(out, 0, 2);
      put(out, 0x80000000U | static_cast<uint32_t>(format) << 24, 4);
      put(out, block, 8);
      put(out, packet, 4);
    } else {
      put(out, block, 2);
      put(out, static_cast<uint32_t>(format) << 24 | (packet & 0xFFFFFF), 4);
    }
    out.insert(out.end(), body.begin(), body.end());
    datagram(out);
  }
  void datagram(const Bytes& bytes, bool truncated = false) {
    if (const auto header = gvsp::parse_header(bytes); header && !truncated) {
      sent_[{header->extended, header->block_id, header->packet_id}].push_back(
          {header->format, Bytes(bytes.begin() + header->size, bytes.end())});
    }
    source_.push(bytes, 0, 0, truncated);
    if (!batched_) flush();
  }
  // What was sent comes in, landing where it was foreseen.
  void flush() {
    std::array<Landing, 64> landings;
    std::array<PacketView, 64> batch;
    while (!source_.empty()) {
      ReadRequest request;
      request.plan = assembler_->plan(landings);
      const ReadResult read = source_.read(batch, request);
      const std::span<PacketView> packets(batch.data(), read.count);
      assembler_->settle(packets);
      for (const PacketView& packet : packets) assembler_->on_packet(packet, now_);
    }
  }

  void one() {
    const uint8_t op = input_.byte();
    switch (op % 16) {
      case 0:
      case 1:
      case 2: {  // one packet of the camera
        const uint64_t block =
            block_ + static_cast<uint64_t>(static_cast<int64_t>(static_cast<int8_t>(input_.byte())) / 8);
        send_own(block, input_.byte() % (trailer_id(block) + 1), op > 200 ? 0x0100 : 0);
        break;
      }
      case 3:
      case 4:
      case 5: {  // the next block, some of it lost
        const uint64_t lost = op > 128 ? input_.number(3) : 0;
        for (uint32_t at = 0; at <= trailer_id(block_); ++at) {
          if ((lost >> at & 1) == 0) send_own(block_, at);
        }
        next_block();
        break;
      }
      case 6: {  // any bytes
        const size_t size = input_.byte();
        datagram(input_.bytes(size), op == 22);
        break;
      }
      case 7: {  // any packet near the ids of the moment
        const uint8_t kind = input_.byte();
        const uint64_t block = (kind & 64) != 0 ? input_.number(8) : block_ + kind % 4;
        const uint32_t packet =
            (kind & 32) != 0 ? static_cast<uint32_t>(input_.number(4)) : input_.byte() % 32;
        const auto status = static_cast<uint16_t>((kind & 16) != 0 ? input_.number(2) : 0);
        const size_t size = input_.byte();
        send((kind & 128) != 0 ? !extended_ : extended_, status, block, input_.byte() % 10, packet,
             input_.bytes(size));
        break;
      }
      case 8:
        pass(uint64_t{1} << input_.byte() % 33);
        break;
      case 9:
        take();
        break;
      case 10:
        if (!leases_.empty()) {
          const size_t which = input_.byte() % leases_.size();
          require(pool_->release(leases_[which]), "a lease is released");
          require(!pool_->release(leases_[which]), "but once");
          leases_.erase(leases_.begin() + static_cast<std::ptrdiff_t>(which));
        }
        break;
      case 11:
      case 12: {  // what was asked for, or refusals of it
        const auto requests = std::exchange(camera_.requests, {});
        const uint16_t status =
            op % 16 == 12 ? std::array<uint16_t, 5>{0x800C, 0x8010, 0x8011, 0x8012, 0x8014}[op / 16 % 5] : 0;
        for (const gvcp::Resend& request : requests) {
          if (request.extended != extended_) continue;
          const uint32_t last = std::min(request.last_packet, trailer_id(request.block_id));
          for (uint32_t at = request.first_packet; at <= last; ++at) {
            if (status != 0) {
              send(extended_, status, request.block_id, gvsp::kPayload, at, {});
            } else {
              send_own(request.block_id, at, 0x0100);
            }
          }
        }
        break;
      }
      case 13:
        send_own(block_, input_.byte() % (trailer_id(block_) + 1), 0, input_.byte());  // cut on its way
        break;
      case 14:
        if (op > 192) {
          block_ = input_.number(extended_ ? 8 : 2) | 1;
        } else if (op > 128) {
          block_ = 1;  // acquisition begins anew
          epoch_ += 1'000'000;
        } else {
          next_block();
        }
        break;
      default:
        assembler_->on_time(now_);
        break;
    }
  }
  void next_block() { block_ = extended_ ? block_ + 1 : block_ % 65535 + 1; }

  void pass(uint64_t ns) {
    const uint64_t end = now_ + ns;
    assembler_->on_time(now_);
    for (int calls = 0; assembler_->next_deadline() <= end; ++calls) {
      require(calls < 20'000, "it asks to be called for ever");
      now_ = std::max(now_, assembler_->next_deadline());
      assembler_->on_time(now_);
    }
    now_ = end;
    assembler_->on_time(now_);
  }

  bool take() {
    const auto lease = pool_->take();
    if (!lease) return false;
    const SlotHeader& header = pool_->slot(lease->slot);
    require(header.payload_bytes <= kCapacity, "payload within the slot");
    if ((header.flags & kFrameComplete) != 0) check_frame(header, pool_->data(lease->slot));
    leases_.push_back(*lease);
    return true;
  }

  const std::vector<Sent>* find(const SlotHeader& header, uint32_t packet) const {
    const auto found = sent_.find({(header.flags & kFrameExtendedIds) != 0, header.block_id, packet});
    return found == sent_.end() ? nullptr : &found->second;
  }
  bool any(const SlotHeader& header, uint32_t packet, const auto& matches) const {
    const std::vector<Sent>* packets = find(header, packet);
    return packets != nullptr && std::any_of(packets->begin(), packets->end(), matches);
  }
  void check_frame(const SlotHeader& header, const uint8_t* data) const {
    require(header.packets_received == header.packets_expected, "a complete frame has all packets");
    if (header.packets_expected == 1) {
      require(any(header, 0,
                  [&](const Sent& sent) {
                    const auto all = gvsp::parse_all_in(sent.body);
                    return sent.format == gvsp::kAllIn && all &&
                           sent.body.size() - all->data_offset == header.payload_bytes &&
                           std::memcmp(sent.body.data() + all->data_offset, data, header.payload_bytes) == 0;
                  }),
              "an all-in frame is one that was sent");
      return;
    }
    require(any(header, 0,
                [&](const Sent& sent) {
                  const auto leader = gvsp::parse_leader(sent.body);
                  return sent.format == gvsp::kLeader && leader && leader->timestamp == header.timestamp &&
                         leader->width == header.width && leader->payload_type == header.payload_type;
                }),
            "its leader was sent");
    require(any(header, header.packets_expected - 1,
                [](const Sent& sent) { return sent.format == gvsp::kTrailer; }),
            "its trailer was sent");
    if ((header.flags & kFrameExplicitOffsets) != 0) return;
    uint64_t at = 0;
    for (uint32_t id = 1; id + 1 < header.packets_expected; ++id) {
      const uint64_t size = std::min<uint64_t>(header.data_size, header.payload_bytes - at);
      require(any(header, id,
                  [&](const Sent& sent) {
                    const size_t prefix = sent.format == gvsp::kH264 ? 8 : 0;
                    return (sent.format == gvsp::kPayload || sent.format == gvsp::kH264) &&
                           sent.body.size() == size + prefix &&
                           std::memcmp(sent.body.data() + prefix, data + at, size) == 0;
                  }),
              "each of its packets was sent, for that block and that place");
      at += size;
    }
    require(at == header.payload_bytes, "and they are all of it");
    if (header.payload_type == gvsp::kImage && header.pixel_format == 0x01080001 && header.padding_x == 0 &&
        header.payload_bytes != config_.payload_size) {
      require(static_cast<uint64_t>(header.width) * header.height <= header.payload_bytes,
              "no line is missing");
    }
  }

  void check() {
    const StreamCounters& c = assembler_->counters();
    const uint64_t delivered = c.frames_queued - c.blocks_complete;
    if (const char* broken = test::broken_identity(c, assembler_->open_packets(), delivered))
      require(false, broken);
    require(config_.deliver_incomplete || delivered == 0, "incomplete frames only where they are wanted");
    require(c.resend_requested <= config_.resend.budget_burst +
                                      (c.accepted + c.malformed) * config_.resend.budget_percent / 100 + 1,
            "the budget");
    require(config_.resend.enabled || c.resend_requests == 0, "no requests where they are off");
  }

  Input input_;
  const StreamConfig config_;
  FuzzCamera camera_;
  std::unique_ptr<uint8_t, Free> memory_;
  std::optional<SlotPool> pool_;
  std::optional<BlockAssembler> assembler_;
  std::map<Key, std::vector<Sent>> sent_;
  std::vector<SlotPool::Lease> leases_;
  uint64_t now_ = 1'000'000'000;
  uint64_t block_ = 1;
  uint64_t epoch_ = 1;
  bool extended_ = false;
  bool batched_ = false;
  ReplaySource source_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 4096) return -1;
  Run(Input{data, data + size}).go();
  return 0;
}
