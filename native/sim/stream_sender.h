// The stream channel: blocks become packets on the wire, in time, with their faults; resends are answered in
// between. Purpose: the load. Thread: gev-sim-snd runs everything but the public functions, which post to it
// from any thread and run in the order in which they were posted. Owner: SimulatedCamera.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "base/status.h"
#include "base/thread.h"
#include "base/waker.h"
#include "sim/fault_plan.h"
#include "sim/pattern.h"
#include "sim/picture.h"
#include "sim/resend_history.h"
#include "sim/send_batch.h"
#include "sim/send_times.h"
#include "sim/sim_socket.h"
#include "wire/gvcp.h"

namespace gw::sim {

// What a running acquisition takes over without being restarted.
struct LiveSettings {
  double frame_rate = 0;  // 0 = as fast as it can
  bool triggered = false;
  TestPattern pattern = TestPattern::kCheckable;
  uint64_t gap_ns = 0;          // between packets
  uint64_t timestamp_base = 0;  // monotonic time that is tick 0
  bool tells_blocks = false;    // each block's end is notified
};

struct Acquisition {
  std::shared_ptr<const StreamFormat> format;
  LiveSettings live;
  bool dont_fragment = true;
  uint64_t frame_count = 0;  // 0 = until stopped
  uint64_t epoch = 0;        // names this acquisition in notifications
};

enum class SenderEvent : uint8_t { kDone, kCrashed, kWantsReboot, kBlockSent };

class StreamSender {
 public:
  // Called on the stream thread; value: the acquisition's epoch, or the id of the block that was sent.
  using Notify = std::function<void(SenderEvent, uint64_t value)>;

  StreamSender(const SimOptions& options, Counters& counters);
  ~StreamSender();

  void start(std::shared_ptr<CameraSocket> socket, Notify notify);
  void stop();  // joins; idempotent

  void open(const Endpoint& destination);  // block ids begin anew
  void close();                            // cuts the block that is being sent
  void begin(const Acquisition& acquisition);
  void end();  // finishes the block that is being sent
  void update(const LiveSettings& live);
  void trigger();
  void fire_test(uint32_t packet_size, bool dont_fragment, bool extended_ids);
  void resend(const gvcp::Resend& request);
  void set_faults(const FaultPlan& faults);
  void set_silent(bool silent);  // true also ends the acquisition at once
  void set_socket(std::shared_ptr<CameraSocket> socket);
  std::vector<SendTimes::Entry> send_times() const { return send_times_.copy(); }

 private:
  struct Held {  // a packet that is sent later than its turn
    uint64_t block_id;
    uint32_t packet;
    uint8_t flags;
    uint64_t due_count;  // packets_passed_ at which it goes; kNever = by time alone
    uint64_t due_ns;     // when it goes at the latest
  };
  struct PendingTest {
    uint32_t packet_size;
    bool dont_fragment;
    bool extended_ids;
    uint64_t due_ns;
  };
  struct PendingResend {
    gvcp::Resend request;
    uint64_t due_ns;
  };
  struct PictureBuffer {
    std::vector<uint8_t> bytes;
    uint64_t block_id = 0;
    TestPattern pattern = TestPattern::kCheckable;
  };

  void post(std::function<void()> action);
  void run();
  void run_posted();
  void wait_until(uint64_t deadline_ns);

  // Each does what is due and gives the time at which it wants to be called again.
  uint64_t advance(uint64_t now);
  uint64_t serve_resends(uint64_t now);
  uint64_t fire_tests(uint64_t now);
  uint64_t release_held(uint64_t now, bool all = false);

  uint64_t begin_block(uint64_t now);
  uint64_t send_packets(uint64_t now);
  void end_block();
  void finish(bool notify);
  bool due_faults();  // crash or reboot by plan

  void send_first(ResendHistory::Entry& entry, uint32_t packet, const PacketFate& fate);
  void emit(ResendHistory::Entry& entry, uint32_t packet, uint8_t flags);
  void send_foreign(const Packet& packet);
  void answer(const gvcp::Resend& request);
  void answer_packet(ResendHistory::Entry& entry, uint32_t packet);
  void refuse(const gvcp::Resend& request, uint32_t packet, uint16_t status);
  void send_test(const PendingTest& test);
  void count_loss(LossCause cause);
  bool too_big(const Packet& packet) const;
  ConstBytes image_of(const Block& block, bool resent);
  double packet_interval_ns() const;
  void make_room();
  void flush();
  void apply_dont_fragment(bool on);

  const SimOptions options_;
  Counters& counters_;
  Notify notify_;
  NamedThread thread_;
  Waker wake_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;  // under mutex_
  std::atomic<bool> has_posted_{false};
  SendTimes send_times_;

  // Everything below belongs to the stream thread.
  std::shared_ptr<CameraSocket> socket_;
  CameraSocket foreign_socket_;
  FaultPlanner faults_;
  PatternTable table_;
  PictureMaker picture_maker_;
  PictureBuffer pictures_[2];  // [0] the block being sent, [1] the block being resent
  ResendHistory history_;
  SendBatch batch_;
  std::vector<uint8_t> test_packet_;
  Endpoint destination_;
  Acquisition acquisition_;
  bool exit_ = false, silent_ = false, rebooted_ = false;
  bool acquiring_ = false, ending_ = false, in_block_ = false;
  int dont_fragment_ = -1;  // as set on the socket; -1 = not known
  uint64_t next_id_ = 1, ordinal_ = 0, triggers_ = 0;
  uint64_t next_frame_ns_ = 0, block_begin_ns_ = 0, line_free_ns_ = 0;
  uint64_t packets_passed_ = 0, next_held_count_ = kNever;
  std::vector<PacketFate> fates_;
  std::deque<Held> held_;
  std::deque<PendingResend> resends_;
  std::deque<PendingTest> tests_;
};

}  // namespace gw::sim
