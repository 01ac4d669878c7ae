// What the tests of the control channel share. Thread: the test's.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/control_channel.h"
#include "fake_camera.h"

namespace gw::test {

constexpr uint64_t kMs = 1'000'000;
constexpr Endpoint kOther{0xC0A80009, 5555};  // somebody else, who has control
using Replies = std::optional<std::vector<FakeCamera::Reply>>;

inline std::unique_ptr<ControlChannel> open_to(const FakeCamera& camera, uint32_t ack_ms = 40,
                                               int tries = 4) {
  ControlOptions options;
  options.camera = camera.endpoint();
  options.ack_timeout_ms = ack_ms;
  options.tries = tries;
  auto channel = ControlChannel::open(options);
  REQUIRE_MESSAGE(channel.ok(), channel.status().message);
  return std::move(*channel);
}

// A command of this kind about this register or memory address.
inline bool concerns(const FakeCamera::Datagram& d, uint16_t code, uint32_t address) {
  if (d.bytes.size() < 12 || code_of(d.bytes) != code) return false;
  return Bytes(d.bytes.begin() + 8, d.bytes.begin() + 12) == be32(address);
}

inline Replies answer(const FakeCamera::Datagram& d, std::string_view text, int after_ms = 0) {
  return std::vector<FakeCamera::Reply>{{with_id(hex(text), id_of(d.bytes)), after_ms}};
}

inline Replies silence() { return std::vector<FakeCamera::Reply>{}; }

struct LossSeen {
  LossReason reason;
  std::string message;
  uint64_t at_ns;
};

struct Watch {
  std::shared_ptr<std::promise<LossSeen>> promise = std::make_shared<std::promise<LossSeen>>();
  std::future<LossSeen> future = promise->get_future();
  LossSeen get() { return future.get(); }
};

inline Watch watch(ControlChannel& channel) {
  Watch watch;
  channel.start_heartbeat([promise = watch.promise](LossReason reason, std::string message) {
    promise->set_value({reason, std::move(message), now_ns()});  // throws, hence crashes, when called twice
  });
  return watch;
}

inline bool ready(const Watch& watch, int ms) {
  return watch.future.wait_for(std::chrono::milliseconds(ms)) == std::future_status::ready;
}

}  // namespace gw::test
