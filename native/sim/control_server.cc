#include "sim/control_server.h"

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "wire/bootstrap.h"

namespace gw::sim {

namespace {

uint64_t now_ns() { return SteadyClock::instance().now_ns(); }

}  // namespace

ControlServer::ControlServer(const SimOptions& options, Counters& counters, StreamSender& sender,
                             RegisterMap registers)
    : options_(options),
      counters_(counters),
      sender_(sender),
      registers_(std::move(registers)),
      faults_(options.faults),
      events_(counters) {}

ControlServer::~ControlServer() { stop(); }

Result<ControlServer::Sockets> ControlServer::bind_at(uint32_t address, uint16_t port) {
  Sockets sockets;
  Result<CameraSocket> control = CameraSocket::bind(
      {address, port}, {.share = false, .broadcast = true, .packet_info = true, .send_buffer = 0});
  if (!control.ok()) return control.status();
  sockets.control = std::move(*control);
  Result<CameraSocket> stream = CameraSocket::bind(
      {address, 0}, {.share = false, .broadcast = false, .packet_info = false, .send_buffer = 4 << 20});
  if (!stream.ok()) return stream.status();
  sockets.stream = std::make_shared<CameraSocket>(std::move(*stream));

  sockets.control_at = sockets.control.local();
  sockets.stream_at = sockets.stream->local();
  sockets.network_interface = interface_of(address).value_or(NetInterface{});
  const uint32_t directed = address | ~sockets.network_interface.mask;
  for (const uint32_t broadcast : {kLimitedBroadcast, directed}) {
    if (broadcast == address || port == 0) continue;  // a /32 has no broadcast address
    // Where the system lets nobody bind to a broadcast address, unicast discovery is what remains.
    Result<CameraSocket> socket = CameraSocket::bind(
        {broadcast, port}, {.share = true, .broadcast = false, .packet_info = true, .send_buffer = 0});
    if (socket.ok()) sockets.broadcasts.push_back(std::move(*socket));
  }
  return sockets;
}

Result<std::shared_ptr<CameraSocket>> ControlServer::bind() {
  Result<Sockets> bound = bind_at(options_.address, options_.control_port);
  if (!bound.ok()) return bound.status();
  sockets_ = std::move(*bound);
  sockets_.stream->set_checksum(options_.udp_checksum);
  registers_.set_source_port(sockets_.stream_at.port);
  if (const Status events = bind_events(options_.address); !events.ok()) return events;
  if (options_.subnet_mask == 0) {
    registers_.set_address(options_.address, sockets_.network_interface.mask, options_.gateway);
    registers_.set_word(reg::kPersistentMask, sockets_.network_interface.mask);
  }
  publish();
  return sockets_.stream;
}

Status ControlServer::bind_events(uint32_t address) {
  const Status bound = events_.bind(address);
  registers_.set_word(reg::kMessageSourcePort, events_.port());
  return bound;
}

void ControlServer::start() {
  thread_.start("gev-sim-ctl", [this] { run(); });
}

void ControlServer::stop() {
  if (!thread_.joinable()) return;
  post([this] { exit_ = true; });
  thread_.join();
  sockets_ = {};
}

void ControlServer::post(std::function<void()> action) {
  {
    const std::lock_guard lock(post_mutex_);
    posted_.push_back(std::move(action));
  }
  wake_.wake();
}

void ControlServer::crash() {
  post([this] { go_silent(Life::kCrashed); });
}

void ControlServer::reboot(uint32_t silence_ms) {
  post([this, silence_ms] {
    go_silent(Life::kRebooting);
    back_at_ = now_ns() + silence_ms * kNsPerMs;
  });
}

void ControlServer::stall(uint32_t ms) {
  post([this, ms] { stalled_until_ = now_ns() + ms * kNsPerMs; });
}

void ControlServer::lose_control() {
  post([this] {
    if (registers_.word(reg::kControlPrivilege) == 0) return;
    registers_.release_control();
    apply(kEffectControlReleased);
  });
}

void ControlServer::set_faults(const FaultPlan& faults) {
  post([this, faults] {
    faults_ = faults;
    registers_.set_faults(faults);
    stall_done_ = false;
    served_ = 0;
    tests_fired_ = 0;
  });
}

void ControlServer::on_sender_event(SenderEvent event, uint64_t value) {
  post([this, event, value] {
    if (event == SenderEvent::kDone) {
      if (value == epoch_) registers_.set_acquiring(false);
    } else if (event == SenderEvent::kBlockSent) {
      send_event(EventKind::kFrameEnd, value);
    } else if (event == SenderEvent::kCrashed) {
      go_silent(Life::kCrashed);
    } else {
      go_silent(Life::kRebooting);
      back_at_ = now_ns() + faults_.reboot_ms * kNsPerMs;
    }
  });
}

void ControlServer::run() {
  while (!exit_) {
    const bool stalled = now_ns() < stalled_until_ && !faults_.control_stall_drops;
    std::array<const CameraSocket*, kMostWaitedFor> heard{sockets_.stream.get(), &events_.socket()};
    size_t n = 2;
    if (!stalled) {  // else the requests wait in the sockets, as in a camera whose firmware is busy
      heard[n++] = &sockets_.control;
      for (const CameraSocket& socket : sockets_.broadcasts) {
        if (n < heard.size()) heard[n++] = &socket;
      }
    }
    wait_readable(std::span(heard).first(n), wake_, next_deadline());
    wake_.clear();
    run_posted();
    const uint64_t now = now_ns();
    run_deferred(now);
    events_.hear();
    if (!silent()) events_.run(now);
    if (now >= stalled_until_ || faults_.control_stall_drops) {
      const bool discard = silent() || now < stalled_until_;
      // Indexed: FORCEIP replaces the sockets while they are drained.
      drain(sockets_.control, false, discard);
      for (size_t i = 0; i < sockets_.broadcasts.size(); ++i) drain(sockets_.broadcasts[i], true, discard);
    }
    uint8_t sink[64];
    while (sockets_.stream->receive(sink)) count(counters_.punches);
    check_heartbeat(now_ns());  // after what was waiting has been heard
    publish();
  }
}

void ControlServer::run_posted() {
  std::vector<std::function<void()>> actions;
  {
    const std::lock_guard lock(post_mutex_);
    actions.swap(posted_);
  }
  for (const auto& action : actions) action();
}

void ControlServer::drain(CameraSocket& socket, bool broadcast, bool discard) {
  std::array<uint8_t, 1024> buffer;  // larger than any legal request
  const uint64_t moves = moves_;
  while (const std::optional<Received> received = socket.receive(buffer)) {
    if (!discard) handle(ConstBytes(buffer.data(), received->size), *received, broadcast);
    const bool stall_began = now_ns() < stalled_until_;
    if (exit_ || silent() || stall_began || moves_ != moves) return;  // moved: the socket is gone
  }
}

uint64_t ControlServer::next_deadline() const {
  uint64_t deadline = kNever;
  const uint64_t now = now_ns();
  if (now < stalled_until_) deadline = stalled_until_;
  if (life_ == Life::kRebooting) deadline = std::min(deadline, back_at_);
  if (!silent()) deadline = std::min(deadline, events_.next_due());
  for (const Deferred& d : deferred_) deadline = std::min(deadline, d.due_ns);
  const bool watched = registers_.word(reg::kControlPrivilege) != 0 &&
                       (registers_.word(reg::kGvcpConfiguration) & reg::kCfgHeartbeatDisable) == 0;
  if (watched && now >= stalled_until_) {
    deadline = std::min(deadline, heard_at_ + registers_.word(reg::kHeartbeatTimeout) * kNsPerMs);
  }
  return deadline;
}

void ControlServer::run_deferred(uint64_t now) {
  if (life_ == Life::kRebooting && now >= back_at_) come_back();
  for (size_t i = 0; i < deferred_.size();) {
    if (deferred_[i].due_ns > now) {
      ++i;
      continue;
    }
    const Deferred due = std::move(deferred_[i]);
    deferred_.erase(deferred_.begin() + static_cast<std::ptrdiff_t>(i));
    if (silent()) continue;
    if (!due.is_command) {
      sockets_.control.send(due.bytes, due.to);
    } else if (const auto header = gvcp::parse_command(due.bytes)) {
      execute({*header, due.bytes, gvcp::payload(due.bytes, header->length), due.to, now});
    }
  }
}

void ControlServer::check_heartbeat(uint64_t now) {
  const bool watched = registers_.word(reg::kControlPrivilege) != 0 && now >= stalled_until_ &&
                       (registers_.word(reg::kGvcpConfiguration) & reg::kCfgHeartbeatDisable) == 0;
  if (watched && now >= heard_at_ + registers_.word(reg::kHeartbeatTimeout) * kNsPerMs) {
    count(counters_.heartbeat_expired);
    registers_.release_control();
    apply(kEffectControlReleased);
  }
}

void ControlServer::go_silent(Life life) {
  life_ = life;
  back_at_ = kNever;
  deferred_.clear();
  registers_.release_control();
  registers_.set_acquiring(false);
  sender_.set_silent(true);
}

void ControlServer::come_back() {
  life_ = Life::kUp;
  back_at_ = kNever;
  registers_.power_up();
  last_write_ = {};
  tests_fired_ = 0;
  ++epoch_;
  count(counters_.reboots);
  sender_.set_silent(false);
}

LiveSettings ControlServer::live_settings() const {
  LiveSettings live;
  live.frame_rate =
      registers_.word(feature::kFrameRateEnable) != 0 ? registers_.float64(feature::kFrameRate) : 0;
  live.triggered = registers_.word(feature::kTriggerMode) != 0;
  live.pattern = static_cast<TestPattern>(registers_.word(feature::kTestPattern));
  live.gap_ns = registers_.word(reg::stream(0, reg::kScpd));  // ticks are nanoseconds
  live.timestamp_base = registers_.timestamp_base();
  live.tells_blocks = registers_.word(feature::kFrameEndNotification) != 0;
  return live;
}

void ControlServer::start_acquisition() {
  StreamFormat format;
  format.payload_type = options_.payload_type != 0 ? options_.payload_type : uint16_t{gvsp::kImage};
  const bool old_chunk_type = gvsp::base_type(format.payload_type) == gvsp::kChunkData ||
                              gvsp::base_type(format.payload_type) == gvsp::kExtendedChunk;
  if (registers_.word(feature::kChunkModeActive) != 0 && !old_chunk_type)
    format.payload_type |= gvsp::kChunkBit;
  format.pixel_format = registers_.word(feature::kPixelFormat);
  format.width = registers_.word(feature::kWidth);
  format.height = registers_.word(feature::kHeight);
  format.offset_x = registers_.word(feature::kOffsetX);
  format.offset_y = registers_.word(feature::kOffsetY);
  format.padding_x = options_.padding_x;
  format.packet_size = registers_.effective_packet_size();
  format.extended_ids = (registers_.word(reg::kGvspConfiguration) & reg::kGvspCfgExtendedIds) != 0;
  format.all_in = (registers_.word(reg::stream(0, reg::kSccfg)) & reg::kSccAllIn) != 0;
  format.variable_height = options_.variable_height;
  format.extended_status = (registers_.word(reg::kGvcpConfiguration) & reg::kCfgExtendedStatus11) != 0;

  Acquisition acquisition;
  acquisition.format = std::make_shared<const StreamFormat>(format);
  acquisition.live = live_settings();
  acquisition.dont_fragment = (registers_.word(reg::stream(0, reg::kScps)) & reg::kScpsDontFragment) != 0;
  const uint32_t mode = registers_.word(feature::kAcquisitionMode);
  acquisition.frame_count = mode == 0 ? 0 : mode == 1 ? 1 : registers_.word(feature::kFrameCount);
  acquisition.epoch = ++epoch_;
  registers_.set_acquiring(true);
  sender_.begin(acquisition);
}

void ControlServer::fire_test() {
  if (!options_.test_packets || faults_.packet_size == PacketSizeFault::kNoTestPacket) return;
  if (faults_.packet_size == PacketSizeFault::kFireOnce && tests_fired_ > 0) return;
  ++tests_fired_;
  const uint32_t scps = registers_.word(reg::stream(0, reg::kScps));
  const bool extended = (registers_.word(reg::kGvspConfiguration) & reg::kGvspCfgExtendedIds) != 0;
  sender_.fire_test(registers_.effective_packet_size(), (scps & reg::kScpsDontFragment) != 0, extended);
}

void ControlServer::send_event(EventKind kind, uint64_t block_id) {
  const bool wanted = registers_.word(kind == EventKind::kTest ? feature::kTestNotification
                                                               : feature::kFrameEndNotification) != 0;
  if (!wanted || silent()) return;
  const uint64_t now = now_ns();
  Event event{.id = static_cast<uint16_t>(kind), .timestamp = registers_.timestamp(now)};
  if (kind == EventKind::kFrameEnd) {
    event.stream_channel = 0;
    event.block_id = block_id;
    event.data.resize(8);
    store_be64(event.data.data(), block_id);
  }
  EventChannel channel;
  channel.destination = {registers_.word(reg::kMessageAddress),
                         static_cast<uint16_t>(registers_.word(reg::kMessagePort))};
  channel.timeout_ms = registers_.word(reg::kMessageTimeout);
  channel.retransmissions = registers_.word(reg::kMessageRetransmissions);
  channel.extended_ids = (registers_.word(reg::kGvspConfiguration) & reg::kGvspCfgExtendedIds) != 0;
  events_.send(event, channel, now);
}

void ControlServer::apply(uint32_t effects) {
  if ((effects & kEffectControlTaken) != 0) {
    count(counters_.control_taken);
    heard_at_ = now_ns();
    tests_fired_ = 0;
  }
  if ((effects & kEffectControlReleased) != 0) {
    count(counters_.control_released);
    events_.forget();
    sender_.close();
  }
  if ((effects & kEffectChannel) != 0) {
    const Endpoint destination{registers_.word(reg::stream(0, reg::kScda)),
                               static_cast<uint16_t>(registers_.word(reg::stream(0, reg::kScp)))};
    if (destination.port != 0 && destination.address != 0) {
      sender_.open(destination);
    } else {
      sender_.close();
    }
  }
  if ((effects & kEffectFireTest) != 0) fire_test();
  if ((effects & kEffectStart) != 0 && !registers_.acquiring()) start_acquisition();
  if ((effects & kEffectStop) != 0) {
    registers_.set_acquiring(false);
    sender_.end();
  }
  if ((effects & kEffectLive) != 0) sender_.update(live_settings());
  if ((effects & kEffectSoftwareTrigger) != 0) sender_.trigger();
  if ((effects & kEffectTestEvent) != 0) send_event(EventKind::kTest);
  if ((effects & kEffectReset) != 0)
    reboot(options_.reset_ms);  // posted: the ack of this write goes out first
}

void ControlServer::publish() {
  SimStats status;
  status.control = sockets_.control_at;
  status.controller = registers_.controller();
  status.control_privilege = registers_.word(reg::kControlPrivilege);
  status.destination = {registers_.word(reg::stream(0, reg::kScda)),
                        static_cast<uint16_t>(registers_.word(reg::stream(0, reg::kScp)))};
  status.source_port = sockets_.stream_at.port;
  status.packet_size = registers_.word(reg::stream(0, reg::kScps)) & reg::kScpsSizeMask;
  status.silent = silent();
  const std::lock_guard lock(status_mutex_);
  status_ = status;
}

void ControlServer::copy_status(SimStats& out) const {
  const std::lock_guard lock(status_mutex_);
  out.control = status_.control;
  out.controller = status_.controller;
  out.control_privilege = status_.control_privilege;
  out.destination = status_.destination;
  out.source_port = status_.source_port;
  out.packet_size = status_.packet_size;
  out.silent = status_.silent;
}

}  // namespace gw::sim
