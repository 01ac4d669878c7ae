// The strategy of the negotiation: which size to try next, and when to believe the answer.
#include "control/packet_size.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/clock.h"
#include "control/test_packet.h"
#include "net/interfaces.h"
#include "wire/bootstrap.h"
#include "wire/gvsp.h"

namespace gw {

namespace {

constexpr uint32_t kLargestIp = 65535;
constexpr uint32_t kSafeSize = 576;      // what every network carries
constexpr uint32_t kEthernetMtu = 1500;  // by far the most likely limit
constexpr int kLaterTries = 2;
constexpr size_t kMostProbes = 64;
constexpr int kPunches = 3;
constexpr uint32_t kRoundingSlack = 64;  // a size this close to the bound was rounded, not limited
constexpr uint32_t kCoarsestStep = 128;

using Verdict = TestPackets::Verdict;

uint32_t local_mtu(uint32_t address) {
  const auto nics = list_interfaces();
  if (!nics.ok()) return 0;
  for (const Interface& nic : *nics) {
    if (nic.address == address || (nic.loopback && nic.contains(address))) return nic.mtu;
  }
  return 0;
}

class Negotiation {
 public:
  Negotiation(ControlChannel& control, UdpSocket& socket, const NegotiationOptions& options,
              const CancelToken* cancel)
      : control_(control), socket_(socket), options_(options), packets_(control, socket, options, cancel) {}

  PacketSizeResult run();

 private:
  Status set_bounds();
  Status open_channel();
  Status reopen();
  void punch_through();

  bool find_first();
  void find_largest();
  uint32_t next_candidate() const;
  bool try_size(uint32_t size, int tries);
  bool try_rounder(uint32_t size, int tries);
  Verdict probe(uint32_t size, int tries, uint32_t patience_ms);
  bool still_fires(uint32_t in_doubt);
  uint32_t align_down(uint32_t size) const {
    return size < origin_ ? size : size - (size - origin_) % increment_;
  }

  Status finish();
  void restore();
  Status keeps_another(uint32_t size) const;
  Status nothing_arrived() const;
  PacketSizeLimit limit() const;

  ControlChannel& control_;
  UdpSocket& socket_;
  const NegotiationOptions& options_;
  TestPackets packets_;
  PacketSizeResult result_;

  uint32_t mtu_ = 0, lower_ = 0, upper_ = 0;
  uint32_t increment_ = 4, origin_ = 0;  // sizes are origin + n * increment
  uint32_t old_scps_ = 0, old_scda_ = 0, old_scp_ = 0;
  Endpoint destination_;

  uint32_t lo_ = 0;                   // the largest value asked for that brought a packet
  uint32_t brought_ = 0;              // the packet that this one brought
  uint32_t best_ = 0;                 // the largest packet that came
  std::vector<uint32_t> failed_;      // values that brought none
  std::vector<uint32_t> refused_;     // of these, those the camera would not take
  uint32_t loosest_ = kCoarsestStep;  // the camera has taken a size that is a multiple of no more than this
  bool fires_again_ = false;          // known to send more than one test packet
};

PacketSizeResult Negotiation::run() {
  const uint64_t begin = SteadyClock::instance().now_ns();
  result_.fragment_check = socket_.report_fragments(true).ok();
  Status& status = result_.status;
  status = set_bounds();
  const bool possible = status.ok();
  if (status.ok()) status = open_channel();
  if (status.ok()) {
    if (find_first()) find_largest();
    status = packets_.fatal();
    if (status.ok()) status = best_ != 0 ? finish() : nothing_arrived();
  }
  if (!status.ok() && possible) restore();
  (void)socket_.report_fragments(false);
  result_.source = packets_.source();
  result_.foreign = packets_.foreign();
  result_.dont_fragment_kept = packets_.dont_fragment_kept();
  result_.ms = static_cast<double>(SteadyClock::instance().now_ns() - begin) / 1e6;
  return std::move(result_);
}

Status Negotiation::set_bounds() {
  mtu_ = options_.interface_mtu;
  if (const uint32_t real = local_mtu(control_.local_endpoint().address); real != 0) {
    mtu_ = mtu_ == 0 ? real : std::min(mtu_, real);
  }
  if (mtu_ == 0) mtu_ = kEthernetMtu;
  increment_ = std::max(options_.increment, 1U);
  origin_ = options_.camera_min;
  upper_ = std::min(mtu_, kLargestIp);
  if (options_.camera_max != 0) upper_ = std::min(upper_, options_.camera_max);
  if (options_.max != 0) upper_ = std::min(upper_, options_.max);
  lower_ = std::max(options_.min, options_.camera_min);
  if (upper_ < lower_ || upper_ <= gvsp::kIpUdpHeaders + gvsp::kStandardHeader) {
    return Status::error(Errc::kInvalidArgument, "no packet size from " + std::to_string(lower_) + " to " +
                                                     std::to_string(upper_) + " is possible (interface MTU " +
                                                     std::to_string(mtu_) + ")");
  }
  upper_ = std::max(align_down(upper_), lower_);
  packets_.most = upper_;
  return {};
}

Status Negotiation::open_channel() {
  const Result<uint32_t> scps = packets_.read(reg::kScps);
  if (!scps.ok()) return scps.status();
  const Result<Endpoint> local = socket_.local_endpoint();
  if (!local.ok()) return local.status();
  const Result<uint32_t> scda = packets_.read(reg::kScda);
  if (!scda.ok()) return scda.status();
  const Result<uint32_t> scp = packets_.read(reg::kScp);
  if (!scp.ok()) return scp.status();
  old_scps_ = *scps & ~reg::kScpsFireTest;
  old_scda_ = *scda;
  old_scp_ = *scp;
  packets_.keep_flags = old_scps_ & ~(reg::kScpsDontFragment | reg::kScpsSizeMask);
  result_.previous = old_scps_ & reg::kScpsSizeMask;
  // A channel that is closed under our hands takes no more writes of ours.
  control_.promise_put_back(reg::stream(options_.channel, reg::kScps), old_scps_);

  if (*scda != 0 && (*scp & 0xFFFF) == local->port) {  // the caller has opened it
    destination_ = {*scda, local->port};
    const Result<uint32_t> source = packets_.read(reg::kScsp);
    if (source.ok()) result_.scsp = static_cast<uint16_t>(*source);
  } else {
    destination_ = {options_.destination, local->port};
    if (destination_.address == 0) destination_.address = local->address;
    if (destination_.address == 0) destination_.address = control_.local_endpoint().address;
    result_.opened_channel = true;
    if (Status status = reopen(); !status.ok()) return status;
  }
  punch_through();
  packets_.on_silence = [this] {
    if (packets_.arrivals() == 0) punch_through();
  };
  return {};
}

Status Negotiation::reopen() {
  const Result<StreamChannel> opened = open_stream_channel(control_, options_.channel, destination_);
  if (!opened.ok()) return opened.status();
  result_.scsp = opened->source_port;
  return {};
}

void Negotiation::punch_through() {
  if (!options_.send_punch) return;
  // One maker's register reads 0 while the packets come from a port with the number of the host's own.
  const Endpoint source{control_.camera().address, result_.scsp != 0 ? result_.scsp : destination_.port};
  for (int i = 0; i < kPunches; ++i) punch(socket_, source);
  result_.punched = result_.punched || result_.scsp != 0;
}

bool Negotiation::find_first() {
  uint32_t first = std::max(kSafeSize, lower_);
  if (align_down(first) != first) first = align_down(first) + increment_;
  first = std::min(first, upper_);
  if (try_size(first, std::max(options_.tries, 1))) return true;
  // Perhaps it only dislikes that size.
  for (const uint32_t other : {result_.previous, align_down(kEthernetMtu)}) {
    if (!packets_.fatal().ok()) return false;
    const bool known = std::any_of(result_.tried.begin(), result_.tried.end(),
                                   [&](const PacketSizeAttempt& attempt) { return attempt.size == other; });
    if (other <= first || other > upper_ || known) continue;
    if (try_size(other, 1)) return true;
  }
  return false;
}

uint32_t Negotiation::next_candidate() const {
  uint32_t hi = upper_ + increment_;
  for (const uint32_t size : failed_) {
    if (size > lo_) hi = std::min(hi, size);
  }
  if (hi > upper_) return lo_ < upper_ ? upper_ : 0;
  if (hi - lo_ <= increment_) return 0;
  const uint32_t likely = align_down(kEthernetMtu);
  if (lo_ < likely && likely < hi) return likely;
  if (lo_ == likely && likely + increment_ < hi) return likely + increment_;
  const uint32_t middle = align_down(lo_ + (hi - lo_) / 2);
  if (middle > lo_) return middle;
  return lo_ + increment_ < hi ? lo_ + increment_ : 0;
}

void Negotiation::find_largest() {
  while (packets_.fatal().ok() && result_.tried.size() < kMostProbes) {
    const uint32_t size = next_candidate();
    if (size == 0) return;
    const size_t refusals = refused_.size();
    const bool arrived = try_size(size, kLaterTries);
    if (!arrived && refused_.size() == refusals && !fires_again_ && packets_.fatal().ok()) {
      if (!still_fires(size)) return;
    }
    for (const uint32_t late : packets_.take_late()) std::erase(failed_, late);
  }
}

// Nothing came of the second size. Too large, or does this camera only ever send one test packet? (Some do.)
bool Negotiation::still_fires(uint32_t in_doubt) {
  const uint32_t good = lo_;
  if (probe(good, 1, options_.timeout_ms) == Verdict::kArrived) return true;
  if (!packets_.fatal().ok()) return false;
  packets_.prepare = [this] {
    Status status = reopen();
    if (status.ok()) punch_through();  // the source port may be another one now
    return status;
  };
  if (probe(good, 1, options_.timeout_ms) == Verdict::kArrived) {
    std::erase(failed_, in_doubt);
    return true;
  }
  packets_.prepare = nullptr;
  result_.fires_once = packets_.fatal().ok();
  return false;
}

Verdict Negotiation::probe(uint32_t size, int tries, uint32_t patience_ms) {
  PacketSizeAttempt attempt;
  const int before = packets_.arrivals();
  const Verdict verdict = packets_.ask(size, tries, patience_ms, &attempt);
  result_.tried.push_back(attempt);
  fires_again_ = fires_again_ || packets_.arrivals() > std::max(before, 1);
  if (attempt.fired != 0) loosest_ = std::min(loosest_, size & (~size + 1));
  if (verdict == Verdict::kArrived) {
    if (size >= lo_) {
      lo_ = size;
      brought_ = attempt.actual;
    }
    best_ = std::max(best_, attempt.actual);
  }
  return verdict;
}

bool Negotiation::try_size(uint32_t size, int tries) {
  switch (probe(size, tries, packets_.patience_ms())) {
    case Verdict::kArrived:
      return true;
    case Verdict::kFatal:
      return false;
    case Verdict::kRefused:
      return try_rounder(size, tries);
    case Verdict::kTooLarge:
      refused_.push_back(size);
      break;
    case Verdict::kSilent:
      break;
  }
  failed_.push_back(size);
  return false;
}

// The camera does not take the value. Too large, or not round enough? A description that tells is not at
// hand.
bool Negotiation::try_rounder(uint32_t size, int tries) {
  uint32_t last = size;
  for (uint32_t step = 8; step <= loosest_; step *= 2) {
    const uint32_t rounder = size - size % step;
    if (step <= increment_ || rounder == last || rounder <= lo_ || rounder < lower_) continue;
    last = rounder;
    const Verdict verdict = probe(rounder, tries, packets_.patience_ms());
    if (verdict == Verdict::kFatal) return false;
    if (verdict == Verdict::kRefused) continue;
    increment_ = step;
    origin_ = 0;
    upper_ = size == upper_ ? rounder : align_down(upper_);
    if (verdict != Verdict::kArrived) failed_.push_back(rounder);
    if (verdict == Verdict::kTooLarge) refused_.push_back(rounder);
    return verdict == Verdict::kArrived;
  }
  refused_.push_back(size);
  failed_.push_back(size);
  return false;
}

Status Negotiation::finish() {
  // The size that arrived, where the camera takes it literally; else the largest wish, and what it brought.
  const Result<uint32_t> literally = packets_.set_size(best_);
  result_.packet_size = best_;
  if (!literally.ok() || *literally != best_) {
    const Result<uint32_t> as_wished = packets_.set_size(lo_);
    if (!as_wished.ok()) return as_wished.status();
    if (*as_wished != best_) result_.packet_size = brought_;
    if (*as_wished != best_ && *as_wished != lo_ && *as_wished != brought_) return keeps_another(*as_wished);
  }
  control_.forget_put_back();
  result_.limited_by = limit();
  return {};
}

Status Negotiation::keeps_another(uint32_t size) const {
  return Status::error(Errc::kNegotiation, address_to_string(control_.camera().address) +
                                               " keeps a packet size of " + std::to_string(size) +
                                               ", for which nothing came, in place of " +
                                               std::to_string(lo_));
}

void Negotiation::restore() {
  const Status status = packets_.write(reg::kScps, old_scps_);
  if (status.code != Errc::kCanceled && status.code != Errc::kClosed) control_.forget_put_back();
  if (!result_.opened_channel || status.code == Errc::kTimeout) return;
  (void)packets_.write(reg::kScp, old_scp_);
  (void)packets_.write(reg::kScda, old_scda_);
  result_.opened_channel = false;
}

Status Negotiation::nothing_arrived() const {
  const std::string camera = address_to_string(control_.camera().address);
  const bool fired = std::any_of(result_.tried.begin(), result_.tried.end(),
                                 [](const PacketSizeAttempt& attempt) { return attempt.fired != 0; });
  std::string message = fired ? "no test packet from " + camera + " arrived on " + to_string(destination_)
                              : camera + " takes none of the packet sizes that may be (up to " +
                                    std::to_string(upper_) + "); its register says " +
                                    std::to_string(result_.previous);
  return Status::error(Errc::kNegotiation, std::move(message));
}

PacketSizeLimit Negotiation::limit() const {
  if (result_.fires_once) return PacketSizeLimit::kCamera;
  if (lo_ >= upper_) {
    if (best_ + kRoundingSlack <= upper_) return PacketSizeLimit::kCamera;
    const uint32_t camera_most = options_.camera_max != 0 ? options_.camera_max : kLargestIp;
    if (options_.max != 0 && options_.max < std::min(mtu_, camera_most)) return PacketSizeLimit::kOption;
    return camera_most < mtu_ ? PacketSizeLimit::kCamera : PacketSizeLimit::kInterfaceMtu;
  }
  uint32_t barrier = 0;
  for (const uint32_t size : failed_) {
    if (size > lo_ && (barrier == 0 || size < barrier)) barrier = size;
  }
  const bool by_camera = std::find(refused_.begin(), refused_.end(), barrier) != refused_.end();
  return by_camera ? PacketSizeLimit::kCamera : PacketSizeLimit::kPath;
}

}  // namespace

const char* packet_size_limit_name(PacketSizeLimit limit) {
  switch (limit) {
    case PacketSizeLimit::kInterfaceMtu:
      return "interface-mtu";
    case PacketSizeLimit::kPath:
      return "path";
    case PacketSizeLimit::kCamera:
      return "camera";
    case PacketSizeLimit::kOption:
      return "option";
  }
  return "unknown";
}

PacketSizeResult negotiate_packet_size(ControlChannel& control, UdpSocket& stream_socket,
                                       const NegotiationOptions& options, const CancelToken* cancel) {
  return Negotiation(control, stream_socket, options, cancel).run();
}

}  // namespace gw
