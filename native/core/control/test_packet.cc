#include "control/test_packet.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "wire/bootstrap.h"
#include "wire/gvsp.h"

namespace gw {

namespace {

constexpr size_t kBufferSize = 65536;
constexpr uint32_t kLeastPatienceMs = 30;
constexpr int kMostDrained = 4096;  // a flood must not hold the negotiation up for ever
constexpr int kMostOvertime = 256;  // datagrams looked at after the time was up

uint64_t now() { return SteadyClock::instance().now_ns(); }
double ms_since(uint64_t begin) { return static_cast<double>(now() - begin) / 1e6; }

}  // namespace

TestPackets::TestPackets(ControlChannel& control, UdpSocket& socket, const NegotiationOptions& options,
                         const CancelToken* cancel)
    : control_(control),
      socket_(socket),
      options_(options),
      cancel_(cancel),
      fragment_bit_(options.dont_fragment ? reg::kScpsDontFragment : 0),
      buffer_(new uint8_t[kBufferSize]),
      patience_ms_(std::max(options.timeout_ms, 1U)) {}

Result<uint32_t> TestPackets::set_size(uint32_t size) {
  Status status = write(reg::kScps, keep_flags | fragment_bit_ | size);
  if (!status.ok()) return status;
  const Result<uint32_t> now_is = read(reg::kScps);
  if (!now_is.ok()) return now_is.status();
  dont_fragment_kept_ = (*now_is & reg::kScpsDontFragment) != 0;
  const uint32_t effective = *now_is & reg::kScpsSizeMask;
  return effective != 0 ? effective : size;
}

TestPackets::Verdict TestPackets::ask(uint32_t size, int tries, uint32_t patience_ms,
                                      PacketSizeAttempt* attempt) {
  *attempt = {};
  attempt->size = size;
  const uint64_t begin = now();
  uint32_t other = 0;  // a size that came instead
  Verdict verdict = Verdict::kSilent;
  for (int i = 0; i < tries; ++i) {
    Wait wait = Wait::kNothing;
    uint32_t came = 0;
    const uint32_t patience = std::min(patience_ms << std::min(i, 8), std::max(options_.timeout_ms, 1U));
    if (!once(size, patience, attempt, &wait, &came, &verdict)) break;
    if (wait == Wait::kNothing) {
      if (on_silence) on_silence();
      continue;
    }
    attempt->actual = came;
    if (wait == Wait::kFragmented) {
      attempt->fragmented = true;
      break;
    }
    if (wait == Wait::kOtherSize &&
        came != other) {  // a clamping camera, or a stray: believed when it comes twice
      other = came;
      tries = std::max(tries, i + 2);
      continue;
    }
    attempt->arrived = came <= most;
    verdict = attempt->arrived ? Verdict::kArrived : Verdict::kTooLarge;
    break;
  }
  attempt->ms = ms_since(begin);
  return verdict;
}

// One packet. False: verdict says why none was asked for.
bool TestPackets::once(uint32_t size, uint32_t patience_ms, PacketSizeAttempt* attempt, Wait* wait,
                       uint32_t* came, Verdict* verdict) {
  *verdict = Verdict::kFatal;
  if (cancel_ != nullptr && cancel_->canceled()) fatal_ = Status::error(Errc::kCanceled, "canceled");
  if (fatal_.ok() && prepare) fatal_ = prepare();
  if (!fatal_.ok()) return false;
  const auto refused = [&](const Status& status) {
    attempt->gvcp_status = status.gvcp_status;
    // Only what may be about this value is worth going on for.
    if (status.gvcp_status == gvcp::kBadAlignment || status.gvcp_status == gvcp::kInvalidParameter) {
      *verdict = Verdict::kRefused;
    } else {
      fatal_ = status;
    }
    return false;
  };
  // First without the fire bit: some cameras want to see it rise, and the value read back tells what will be
  // sent.
  const Result<uint32_t> effective = set_size(size);
  if (!effective.ok()) return refused(effective.status());
  if (*effective > most) {
    *verdict = Verdict::kTooLarge;
    return false;
  }
  drain();
  const uint64_t fired_at = now();
  const Status fire = write(reg::kScps, keep_flags | fragment_bit_ | reg::kScpsFireTest | size);
  if (!fire.ok()) return refused(fire);
  ++attempt->fired;
  *verdict = Verdict::kSilent;
  *wait = await(*effective, patience_ms, came);
  if (*wait == Wait::kNothing) fired_.push_back({*effective, 1});
  if (*wait == Wait::kArrived || *wait == Wait::kOtherSize) learn(ms_since(fired_at));
  if (!fatal_.ok()) *verdict = Verdict::kFatal;
  return fatal_.ok();
}

void TestPackets::learn(double took_ms) {
  const auto enough = std::max(kLeastPatienceMs, static_cast<uint32_t>(4 * took_ms) + 20);
  if (arrivals_++ == 0) patience_ms_ = enough;
  patience_ms_ = std::min(std::max(patience_ms_, enough), std::max(options_.timeout_ms, 1U));
}

TestPackets::Wait TestPackets::await(uint32_t effective, uint32_t patience_ms, uint32_t* size) {
  const uint64_t deadline = now() + patience_ms * kNsPerMs;
  const MutableBytes buffer(buffer_.get(), kBufferSize);
  for (int overtime = 0; now() < deadline || overtime < kMostOvertime;) {
    if (now() >= deadline) ++overtime;
    ReceiveInfo info;
    const Result<size_t> got =
        socket_.receive(buffer, &info, deadline, cancel_ != nullptr ? &cancel_->waker() : nullptr);
    if (!got.ok()) {
      if (got.status().code == Errc::kCanceled) fatal_ = Status::error(Errc::kCanceled, "canceled");
      if (got.status().code == Errc::kNetwork) fatal_ = got.status();
      return Wait::kNothing;
    }
    if (info.from.address != control_.camera().address) {
      ++foreign_;
      continue;
    }
    *size = static_cast<uint32_t>(*got) + gvsp::kIpUdpHeaders;
    const auto header = gvsp::parse_header(ConstBytes(buffer).first(*got));
    if (header && header->block_id != 0) continue;  // stream data left over
    if (*size != effective && (!header || note_late(*size))) continue;
    if (info.fragment_size != 0) return Wait::kFragmented;
    source_ = info.from;
    return *size == effective ? Wait::kArrived : Wait::kOtherSize;
  }
  return Wait::kNothing;
}

// An earlier test packet that came after it had been given up: it proves nothing about this one, but that the
// wait was too short, and that its size deserves another try.
bool TestPackets::note_late(uint32_t size) {
  const auto it = std::find_if(fired_.begin(), fired_.end(), [&](const Fired& fired) {
    return fired.size == size && fired.unanswered > 0;
  });
  if (it == fired_.end()) return false;
  --it->unanswered;
  patience_ms_ = std::min(patience_ms_ * 4, std::max(options_.timeout_ms, 1U));
  late_.push_back(size);
  return true;
}

void TestPackets::drain() {
  const MutableBytes buffer(buffer_.get(), kBufferSize);
  for (int i = 0; i < kMostDrained; ++i) {
    ReceiveInfo info;
    const Result<size_t> got = socket_.receive(buffer, &info, 0);
    if (!got.ok()) return;
    if (info.from.address == control_.camera().address && info.fragment_size == 0) {
      (void)note_late(static_cast<uint32_t>(*got) + gvsp::kIpUdpHeaders);
    }
  }
}

}  // namespace gw
