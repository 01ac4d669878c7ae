// One test packet of a given size. Purpose: asks the camera for it and tells what came of it: the packet
// itself, another size, fragments, a refusal, or nothing. The strategy, which size to ask for next, is
// packet_size.cc's.
//
// Thread: the caller's. Owner: a negotiation.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/status.h"
#include "base/waker.h"
#include "control/control_channel.h"
#include "control/packet_size.h"
#include "net/socket.h"

namespace gw {

class TestPackets {
 public:
  enum class Verdict : uint8_t {
    kArrived,   // attempt.actual says which size
    kSilent,    // nothing, or only fragments
    kRefused,   // the camera does not take the value: attempt.gvcp_status
    kTooLarge,  // the camera makes more of it than may be
    kFatal,     // fatal() says why
  };

  TestPackets(ControlChannel& control, UdpSocket& socket, const NegotiationOptions& options,
              const CancelToken* cancel);

  uint32_t keep_flags = 0;           // SCPS bits that are none of our business
  uint32_t most = 65535;             // never asks for more, nor believes in more
  std::function<Status()> prepare;   // before each packet; may be empty
  std::function<void()> on_silence;  // after each packet that did not come; may be empty

  // Asks up to tries times; each wait is twice as long as the one before, up to options.timeout_ms.
  Verdict ask(uint32_t size, int tries, uint32_t patience_ms, PacketSizeAttempt* attempt);

  const Status& fatal() const { return fatal_; }
  uint32_t patience_ms() const { return patience_ms_; }  // learnt from the packets that came
  int arrivals() const { return arrivals_; }
  bool dont_fragment_kept() const { return dont_fragment_kept_; }
  Endpoint source() const { return source_; }
  uint64_t foreign() const { return foreign_; }
  std::vector<uint32_t> take_late() {
    return std::exchange(late_, {});
  }  // sizes that came after being given up

  Result<uint32_t> read(uint32_t offset) {
    return control_.read_register(reg::stream(options_.channel, offset));
  }
  Status write(uint32_t offset, uint32_t value) {
    return control_.write_register(reg::stream(options_.channel, offset), value);
  }
  // Writes SCPS without firing and reads back what the camera makes of it.
  Result<uint32_t> set_size(uint32_t size);

 private:
  enum class Wait : uint8_t { kArrived, kOtherSize, kFragmented, kNothing };
  struct Fired {
    uint32_t size;
    int unanswered;
  };

  bool once(uint32_t size, uint32_t patience_ms, PacketSizeAttempt* attempt, Wait* wait, uint32_t* came,
            Verdict* verdict);
  Wait await(uint32_t effective, uint32_t patience_ms, uint32_t* size);
  void drain();
  bool note_late(uint32_t size);
  void learn(double took_ms);

  ControlChannel& control_;
  UdpSocket& socket_;
  const NegotiationOptions& options_;
  const CancelToken* cancel_;
  const uint32_t fragment_bit_;  // DF, unless fragments are what is asked about
  std::unique_ptr<uint8_t[]> buffer_;
  Status fatal_;
  std::vector<Fired> fired_;  // may still come, late
  std::vector<uint32_t> late_;
  uint32_t patience_ms_;
  int arrivals_ = 0;
  bool dont_fragment_kept_ = false;
  Endpoint source_;
  uint64_t foreign_ = 0;
};

}  // namespace gw
