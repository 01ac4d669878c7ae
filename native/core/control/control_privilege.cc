// Opening, the control privilege and its end. Part of ControlChannel.
#include <algorithm>
#include <array>
#include <utility>

#include "base/clock.h"
#include "control/control_channel.h"

namespace gw {

namespace {

constexpr uint32_t kModes = reg::kCcpControl | reg::kCcpExclusive;
constexpr int kReleaseTries = 3;
constexpr uint32_t kReleaseTryMs = 75;
constexpr uint64_t kReleaseNs = 250 * kNsPerMs;
// The privilege matters more: this leaves it two tries, even where the camera is silent.
constexpr int kPutBackTries = 2;
constexpr uint32_t kPutBackTryMs = 50;

}  // namespace

Result<std::unique_ptr<ControlChannel>> ControlChannel::open(const ControlOptions& options) {
  std::unique_ptr<ControlChannel> channel = create();
  if (Status status = channel->connect(options); !status.ok()) return status;
  return channel;
}

std::unique_ptr<ControlChannel> ControlChannel::create() {
  return std::unique_ptr<ControlChannel>(new ControlChannel);
}

Status ControlChannel::connect(const ControlOptions& options) {
  if (Status status = client_.open(options); !status.ok()) return status;
  return read_capabilities();
}

ControlChannel::~ControlChannel() { (void)release(); }

Status ControlChannel::read_capabilities() {
  Capabilities found;
  const Result<uint32_t> version = read_register(reg::kVersion);
  if (!version.ok()) {
    if (version.status().code == Errc::kAccessDenied) {
      capabilities_ = {};
      capabilities_.reads_denied = true;
      return {};
    }
    if (version.status().gvcp_status == 0) return version.status();
  } else {
    found.spec_major = static_cast<uint16_t>(*version >> 16);
    found.spec_minor = static_cast<uint16_t>(*version);
  }
  int silent = 0;
  uint32_t high = 0;
  uint32_t low = 0;
  const std::pair<uint32_t, uint32_t*> registers[] = {
      {reg::kDeviceMode, &found.device_mode},
      {reg::kGvcpCapability, &found.gvcp},
      {reg::kGvspCapability, &found.gvsp},
      {reg::kPendingTimeout, &found.pending_timeout_ms},
      {reg::kHeartbeatTimeout, &found.heartbeat_timeout_ms},
      {reg::kTickFrequencyHigh, &high},
      {reg::kTickFrequencyLow, &low},
      {reg::kStreamChannels, &found.stream_channels},
  };
  for (const auto& [address, into] : registers) {
    const Result<uint32_t> value = read_optional(address, &silent);
    if (!value.ok()) return value.status();
    *into = *value;
  }
  found.tick_frequency = static_cast<uint64_t>(high) << 32 | low;
  capabilities_ = found;
  client_.set_pending_timeout(found.pending_timeout_ms);
  return {};
}

// A register that a camera may lack: an error answer means 0, and so does silence, but not twice.
Result<uint32_t> ControlChannel::read_optional(uint32_t address, int* silent) {
  Result<uint32_t> value = read_register(address);
  if (value.ok() || value.status().gvcp_status != 0) return value.ok() ? *value : 0U;
  if (value.status().code == Errc::kTimeout && ++*silent < 2) return 0U;
  return value;
}

std::optional<Endpoint> ControlChannel::holder() const {
  const std::lock_guard lock(holder_mutex_);
  return holder_;
}

void ControlChannel::set_holder(std::optional<Endpoint> holder) {
  const std::lock_guard lock(holder_mutex_);
  holder_ = holder;
}

std::optional<Endpoint> ControlChannel::read_holder() {
  if (!can(reg::kCapPrimaryInfo) && !capabilities_.reads_denied) return std::nullopt;
  const Result<uint32_t> address = read_register(reg::kPrimaryIp);
  if (!address.ok() || *address == 0) return std::nullopt;
  const Result<uint32_t> port = read_register(reg::kPrimaryPort);
  return Endpoint{*address, port.ok() ? static_cast<uint16_t>(*port) : uint16_t{0}};
}

Status ControlChannel::denied() {
  maybe_ours_.store(false);  // whoever has it, it is not ours to release
  set_holder(read_holder());
  const std::optional<Endpoint> other = holder();
  Status status = Status::error(Errc::kAccessDenied, "another application controls the camera");
  status.gvcp_status = gvcp::kAccessDenied;
  if (other) status.message += ": " + to_string(*other);
  return status;
}

Status ControlChannel::write_once(uint32_t address, uint32_t value, int tries, uint32_t timeout_ms,
                                  uint64_t deadline_ns, bool closing) {
  std::array<uint8_t, 8> message;
  store_be32(&message[0], address);
  store_be32(&message[4], value);
  GvcpClient::Request request;
  request.command = gvcp::kWriteRegCmd;
  request.payload = message;
  request.tries = tries;
  request.timeout_ms = timeout_ms;
  request.deadline_ns = deadline_ns;
  request.urgent = closing;
  request.uninterruptible = closing;
  std::array<uint8_t, 16> reply;
  return client_.transact(request, reply).status();
}

// Writes CCP until it is clear whose the camera is. Where the answer to the write is lost, the write may have
// been granted all the same; and some cameras answer a stranger's write with silence. Writing again tells:
// the owner may repeat itself, a stranger is refused.
Status ControlChannel::claim(uint32_t wanted) {
  bool held_before = false;
  if (!in_control()) {
    const Result<uint32_t> ccp = read_register(reg::kControlPrivilege);
    if (!ccp.ok() && ccp.status().gvcp_status == 0) return ccp.status();
    held_before = !ccp.ok() || (*ccp & kModes) != 0;
  }
  // A camera that is taken is asked all the same: it may allow a switchover, but usually it says no.
  Status status;
  for (int i = 0; i < client_.tries(); ++i) {
    if (!held_before) maybe_ours_.store(true);
    status = write_once(reg::kControlPrivilege, wanted, 1, 0, 0, false);
    if (status.ok()) return status;
    if (status.code == Errc::kAccessDenied) return denied();
    if (status.code != Errc::kTimeout && status.code != Errc::kNetwork) return status;
    const Result<uint32_t> ccp = read_register(reg::kControlPrivilege);
    if (!ccp.ok() && ccp.status().gvcp_status == 0) return ccp.status();
    if (ccp.ok() && (*ccp & kModes) == 0) {
      held_before = false;
      continue;
    }
    const std::optional<Endpoint> owner = read_holder();
    if (owner && *owner == local_endpoint()) return {};
    const bool neighbour = owner && owner->address == local_endpoint().address;  // on this machine
    if (neighbour) held_before = true;
    if (held_before) return denied();
  }
  return held_before ? denied() : status;
}

Status ControlChannel::take_control(Access access, uint32_t heartbeat_timeout_ms) {
  set_holder(std::nullopt);
  loss_.store(LossReason::kNone, std::memory_order_release);
  plan_ = {};
  if (access == Access::kMonitor) {
    plan_.controls = false;
    plan_.timeout_ms = heartbeat_timeout_ms;
    return {};
  }
  const uint32_t wanted = access == Access::kExclusive ? reg::kCcpExclusive : reg::kCcpControl;
  if (Status status = claim(wanted); !status.ok()) return status;
  maybe_ours_.store(true);
  if (capabilities_.reads_denied) {
    if (Status status = read_capabilities(); !status.ok()) return status;
  }
  const Result<uint32_t> ccp = read_register(reg::kControlPrivilege);
  if (!ccp.ok() && ccp.status().gvcp_status == 0) return ccp.status();
  if (ccp.ok() && (*ccp & kModes) == 0) {
    maybe_ours_.store(false);
    return Status::error(Errc::kProtocol, "the camera acknowledged that we control it, but CCP reads 0");
  }
  plan_.granted = ccp.ok() ? *ccp & kModes : wanted;
  in_control_.store(true, std::memory_order_release);
  enable_extras(heartbeat_timeout_ms);
  if (can(reg::kCapConcatenation)) plan_.owner = read_holder();
  return {};
}

// What makes life easier, where the camera has it. None of it is worth failing for: a camera that has gone
// silent meanwhile is the heartbeat's business.
void ControlChannel::enable_extras(uint32_t heartbeat_timeout_ms) {
  uint32_t wanted = 0;
  if (can(reg::kCapPendingAck)) wanted |= reg::kCfgPendingAck;
  if (can(reg::kCapExtendedStatus11)) wanted |= reg::kCfgExtendedStatus11;
  if (can(reg::kCapExtendedStatus20)) wanted |= reg::kCfgExtendedStatus20;
  if (wanted != 0) {
    const Result<uint32_t> now = read_register(reg::kGvcpConfiguration);
    if (now.ok() && (*now & wanted) != wanted) (void)write_register(reg::kGvcpConfiguration, *now | wanted);
    const Result<uint32_t> set = read_register(reg::kGvcpConfiguration);
    if (set.ok()) capabilities_.gvcp_configuration = *set;
  }
  if (heartbeat_timeout_ms != 0 && heartbeat_timeout_ms != capabilities_.heartbeat_timeout_ms) {
    (void)write_register(reg::kHeartbeatTimeout, heartbeat_timeout_ms);
  }
  // The last user may have left any value, and the camera may have clamped ours.
  const Result<uint32_t> timeout = read_register(reg::kHeartbeatTimeout);
  if (timeout.ok()) capabilities_.heartbeat_timeout_ms = *timeout;
}

void ControlChannel::start_heartbeat(LostCallback on_lost) {
  Heartbeat::Plan plan = plan_;
  if (plan.timeout_ms == 0) plan.timeout_ms = capabilities_.heartbeat_timeout_ms;
  if (plan.timeout_ms == 0) plan.timeout_ms = reg::kDefaultHeartbeatMs;
  heartbeat_.start(plan, [this, on_lost = std::move(on_lost)](const Loss& loss) { lost(loss, on_lost); });
}

void ControlChannel::lost(const Loss& loss, const LostCallback& on_lost) {
  const bool had_control = in_control_.exchange(false);
  loss_.store(loss.reason, std::memory_order_release);
  // Only a camera that went silent may still wait for our release when it can be heard again.
  const bool silent = loss.reason == LossReason::kTimeout || loss.reason == LossReason::kNetworkDown;
  maybe_ours_.store(had_control && silent);
  if (loss.holder) set_holder(loss.holder);
  client_.interrupt(Errc::kControlLost);
  if (on_lost) on_lost(loss.reason, loss.message);
}

Status ControlChannel::release() {
  const uint64_t deadline = GvcpClient::now() + kReleaseNs;
  heartbeat_.stop();
  client_.interrupt(Errc::kClosed);
  const bool ours = in_control_.exchange(false);
  const bool maybe = maybe_ours_.exchange(false);
  const uint64_t put_back = put_back_.exchange(0);
  if (!ours && !maybe) return {};
  if (put_back != 0) {
    (void)write_once(static_cast<uint32_t>(put_back >> 32), static_cast<uint32_t>(put_back), kPutBackTries,
                     kPutBackTryMs, deadline, true);
  }
  Status status = write_once(reg::kControlPrivilege, 0, kReleaseTries, kReleaseTryMs, deadline, true);
  if (status.code == Errc::kAccessDenied) return {};  // it is somebody else's by now
  if (!status.ok()) status.message = "releasing control: " + status.message;
  return status;
}

}  // namespace gw
