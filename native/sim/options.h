// What a simulated camera is, what it does wrong, and what it counted. Purpose: the three plain structs that
// the binding, the command line and the tests fill and read. Thread: any (values).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "net/socket.h"
#include "wire/pixel_format.h"

namespace gw::sim {

using gw::Endpoint;

constexpr uint64_t kEveryBlock = ~uint64_t{0};
constexpr uint32_t kTrailerPacket = ~uint32_t{0};

struct ChosenPacket {
  uint64_t block = kEveryBlock;  // ordinal since the start of the acquisition, 0-based
  uint32_t packet = 0;           // packet id; 0 = leader, kTrailerPacket = trailer
  uint32_t count = 1;            // sends to drop, resends included; 1 = only the first
};

enum class PacketSizeFault : uint8_t {
  kNone,
  kClamp,         // larger sizes become clamp_size; reads back clamp_size
  kRound,         // rounded down to a multiple of round_to
  kIgnore,        // the register keeps its size
  kNoTestPacket,  // the fire bit does nothing
  kFireOnce,      // only the first test packet of a control session is sent
  kIgnoreDf,      // packets go out without don't-fragment whatever the register says
  kSilentClamp,   // reads back what was asked for, packets have at most clamp_size
  kUnaligned,     // sizes that are no multiple of round_to answer BAD_ALIGNMENT
};

enum class ResendFault : uint8_t {
  kNone,
  kSilent,           // no answer at all
  kUnavailable,      // 0x800C for every packet
  kNotYetFirst,      // 0x8010 for the first request of a packet, then data
  kRemovedPrevious,  // 0x8011 for every packet
  kPlainStatus,      // data with status 0 instead of 0x0100
};

// Probabilities are 0..1 per packet unless said otherwise. Every decision is a function of the camera's seed,
// the block's ordinal, the packet id and the number of the attempt: the same run again loses the same
// packets.
struct FaultPlan {
  double loss = 0;
  double burst_loss = 0;  // chance that a burst starts at a packet
  uint32_t burst_length = 20;
  std::vector<ChosenPacket> drop_packets;
  double lose_leader = 0;   // per block
  double lose_trailer = 0;  // per block
  double lose_tail = 0;     // per block: its last tail_length packets, trailer included
  uint32_t tail_length = 3;
  double lose_block = 0;  // per block: its id is used up, nothing is sent
  double duplicate = 0;
  double reorder = 0;  // sent reorder_distance packets later
  uint32_t reorder_distance = 4;
  double delay = 0;  // sent delay_us later
  uint32_t delay_us = 2000;
  double truncate = 0;            // data packets only: half of the payload is cut off
  double wrong_id = 0;            // the block id is far off
  double corrupt_header = 0;      // the packet format or the packet id makes no sense
  double foreign_packets = 0;     // a packet that looks right comes from another port before this one
  bool faults_on_resend = false;  // loss and burst_loss (as single losses) also hit resent packets
  uint32_t path_mtu =
      0;  // IP packets above it vanish without a word, as behind a narrow switch; 0 = no limit

  PacketSizeFault packet_size = PacketSizeFault::kNone;
  uint32_t clamp_size = 1400;
  uint32_t round_to = 64;

  ResendFault resend = ResendFault::kNone;
  uint32_t resend_delay_us = 0;
  uint32_t test_packet_delay_ms = 0;  // some cameras need a third of a second for each

  uint32_t control_stall_ms = 0;     // once: no answers for this long, then late ones
  uint32_t control_stall_after = 0;  // requests served before the stall begins
  bool control_stall_drops = false;  // requests during a stall are lost instead of answered late
  double control_loss = 0;           // per ack: done, but not answered
  double control_request_loss = 0;   // per request: never arrived
  double control_duplicate = 0;      // per ack: sent twice
  uint32_t pending_ack_ms = 0;     // commands on a slow register take this long and answer PENDING_ACK first
  uint32_t pending_ack_count = 1;  // PENDING_ACKs within that time
  double control_stale_acks = 0;   // per ack: preceded by an ack with another id

  uint64_t crash_after_blocks = 0;  // 0 = never; everything goes silent
  uint64_t reboot_after_blocks =
      0;  // 0 = never; silent for reboot_ms, then back, free, block ids from the start
  uint32_t reboot_ms = 500;
  bool no_scsp = false;            // the source port register reads 0 and its capability bit is off
  bool no_discovery = false;       // does not answer DISCOVERY
  bool short_readmem_ack = false;  // READMEM_ACK without the address echo
};

// What the image bytes are; the value of the TestPattern feature.
enum class TestPattern : uint32_t {
  kCheckable = 0,
  kTestCard = 1,
  kGreyHorizontalRampMoving = 2,
  kBlack = 3,
  kWhite = 4
};

struct SimOptions {
  uint32_t address = 0x7F000001;  // its own; must be bindable here
  uint16_t control_port = 3956;   // another one, or 0 = any, for tests that cannot have 3956
  uint32_t subnet_mask = 0;       // 0 = that of the network interface
  uint32_t gateway = 0;
  std::array<uint8_t, 6> mac{};  // all zero = derived from the serial number
  std::string manufacturer = "gigewire";
  std::string model = "Simulator";
  std::string device_version = "1.0.0";
  std::string manufacturer_info = "simulated camera";
  std::string serial = "GW-SIM-1";
  std::string user_name;

  uint32_t width = 1936, height = 1216;          // initial Width and Height
  uint32_t sensor_width = 0, sensor_height = 0;  // their maxima; 0 = the same
  uint32_t pixel_format = pfnc::kMono8;
  TestPattern test_pattern = TestPattern::kCheckable;
  double frame_rate = 30;  // 0 = as fast as it can
  uint64_t seed = 1;       // of the pattern and of the faults

  bool extended_ids = false;  // 64-bit block ids from power-up, as some cameras do; else the host may switch
  uint64_t first_block_id = 1;
  uint32_t packet_size = 1500;  // initial SCPS; 0: none until the host sets one
  uint32_t packet_size_min = 220, packet_size_max = 16384, packet_size_increment = 4;
  bool test_packets = true;  // false: it neither sends nor describes them
  bool resend = true;
  uint32_t resend_history_blocks = 512;
  bool chunk_mode = false;       // initial ChunkModeActive
  bool variable_height = false;  // each block has its own height, told by its trailer
  bool all_in = false;           // blocks that fit go as one all-in packet
  uint16_t payload_type =
      0;  // 0 = image; else the type that leader and trailer name (raw data, file, JPEG, ...)
  uint16_t padding_x = 0;                                              // bytes behind each line
  bool concatenation = true, write_memory = true, pending_ack = true;  // capability bits

  bool zip = true;  // description served as a stored zip; else as plain text
  uint32_t heartbeat_timeout_ms = 3000;
  uint32_t discovery_delay_ms = 0;  // answers come up to this much later
  uint32_t reset_ms = 500;          // DeviceReset, silence before it is back

  bool udp_checksum = true;    // false: UDP checksum 0, as cameras commonly send; excludes gso
  bool gso = true;             // UDP_SEGMENT where the system has it
  uint64_t line_rate_bps = 0;  // pacing inside a frame, IP bits; 0 = one burst
  uint32_t burst_packets =
      1;  // so many at once, and then a longer gap: as a NIC that moderates its interrupts hands them on
  uint32_t send_times = 0;  // blocks whose last packet's time of sending is kept
  bool spin = false;        // hold packet times by spinning: exact, costs a core
  FaultPlan faults;
};

// Counters, each moved by one cause. packets_planned = packets_sent + packets_lost + send_errors_stream; the
// lost_* add up to packets_lost; truncated, wrong_ids and corrupted are part of packets_sent.
// clang-format off
#define GW_SIM_COUNTERS(X) \
  X(blocks_sent) X(blocks_lost) X(packets_planned) X(packets_sent) X(packets_lost) X(lost_random)          \
  X(lost_burst) X(lost_chosen) X(lost_leader) X(lost_trailer) X(lost_tail) X(lost_block)                   \
  X(lost_path_mtu) X(duplicates) X(reordered) X(delayed) X(truncated) X(wrong_ids) X(corrupted)            \
  X(foreign) X(bytes_sent) X(send_errors) X(send_errors_stream) X(resend_requests)                         \
  X(resend_packets_requested) X(packets_resent) X(resend_refused) X(resend_ignored) X(resend_lost)         \
  X(test_packets) X(punches) X(events_sent) X(events_sent_again) X(events_acknowledged) X(frames_late) X(requests) X(discovery) X(force_ip) X(read_reg)               \
  X(write_reg) X(read_mem) X(write_mem) X(resend_cmd) X(unknown_commands) X(malformed) X(access_denied)    \
  X(control_errors) X(retransmissions) X(pending_acks) X(acks_lost) X(requests_lost) X(acks_duplicated)    \
  X(heartbeat_expired) X(control_taken) X(control_released) X(reboots)
// clang-format on

struct SimStats {
#define GW_SIM_FIELD(name) uint64_t name = 0;
  GW_SIM_COUNTERS(GW_SIM_FIELD)
#undef GW_SIM_FIELD
  Endpoint control;                // where the camera listens
  Endpoint controller;             // who holds control; all zero when nobody does
  Endpoint destination;            // of the stream; port 0 = closed
  uint16_t source_port = 0;        // of the stream
  uint32_t control_privilege = 0;  // CCP
  uint32_t packet_size = 0;        // SCPS as read back
  uint64_t last_block_id = 0;
  bool streaming = false;  // acquisition runs
  bool silent = false;     // crashed or rebooting
  int last_send_errno = 0;
};

// f(const char* name, uint64_t value) for each counter.
template <typename F>
void for_each_counter(const SimStats& stats, F&& f) {
#define GW_SIM_VISIT(name) f(#name, stats.name);
  GW_SIM_COUNTERS(GW_SIM_VISIT)
#undef GW_SIM_VISIT
}

// The live side of SimStats: relaxed atomics, written by the camera's two threads, read by anyone.
struct Counters {
#define GW_SIM_FIELD(name) std::atomic<uint64_t> name{0};
  GW_SIM_COUNTERS(GW_SIM_FIELD)
#undef GW_SIM_FIELD
  std::atomic<uint64_t> last_block_id{0};
  std::atomic<bool> streaming{false};
  std::atomic<int> last_send_errno{0};

  void copy_to(SimStats& out) const {
#define GW_SIM_COPY(name) out.name = name.load(std::memory_order_relaxed);
    GW_SIM_COUNTERS(GW_SIM_COPY)
    GW_SIM_COPY(last_block_id)
    GW_SIM_COPY(streaming)
    GW_SIM_COPY(last_send_errno)
#undef GW_SIM_COPY
  }
};

inline void count(std::atomic<uint64_t>& counter, uint64_t n = 1) {
  counter.fetch_add(n, std::memory_order_relaxed);
}

}  // namespace gw::sim
