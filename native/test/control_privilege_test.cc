// Taking control, being refused, giving it back.
#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <thread>

#include "control_test.h"

using namespace gw;
using namespace gw::test;

TEST_CASE("control is taken, extras are enabled beside what was set, and all is given back") {
  FakeCamera camera;
  camera.set(0x0934, 0x20 | 0x00400000 | 0x00040000);
  camera.set(0x0954, 0x00080000);
  auto channel = open_to(camera);
  CHECK_FALSE(channel->in_control());
  REQUIRE(channel->take_control(Access::kControl, 1500).ok());
  CHECK(channel->in_control());
  CHECK(camera.controller() == channel->local_endpoint());
  CHECK(camera.get(0x0A00) == 2);
  CHECK(camera.get(0x0954) == (0x00080000U | 0x2 | 0x4 | 0x00040000));
  CHECK(channel->capabilities().gvcp_configuration == camera.get(0x0954));
  CHECK(camera.get(0x0938) == 1500);
  CHECK(channel->capabilities().heartbeat_timeout_ms == 1500);
  REQUIRE(channel->release().ok());
  CHECK(camera.controller() == Endpoint{});
  CHECK_FALSE(channel->in_control());
  const size_t before = camera.log().size();
  CHECK(channel->release().ok());
  CHECK(camera.log().size() == before);
  REQUIRE(channel->take_control(Access::kExclusive).ok());
  CHECK(camera.get(0x0A00) == 1);
}

TEST_CASE("a destroyed channel has released control") {
  FakeCamera camera;
  {
    auto channel = open_to(camera);
    REQUIRE(channel->take_control(Access::kControl).ok());
    auto lost = watch(*channel);
  }
  CHECK(camera.controller() == Endpoint{});
}

TEST_CASE("monitor access writes nothing") {
  FakeCamera camera;
  camera.set_controller(kOther);
  {
    auto channel = open_to(camera);
    REQUIRE(channel->take_control(Access::kMonitor).ok());
    CHECK_FALSE(channel->in_control());
    CHECK(channel->read_register(0x0D04).ok());
  }
  CHECK(camera.count(0x0082) == 0);
  CHECK(camera.controller() == kOther);
}

TEST_CASE("a camera that is taken: refused at once, with the holder where it tells") {
  for (const bool tells : {true, false}) {
    CAPTURE(tells);
    FakeCamera camera;
    camera.set(0x0934, tells ? 0x08000000 : 0);
    camera.set_controller(kOther);
    auto channel = open_to(camera, 200, 5);
    const uint64_t begin = now_ns();
    const Status status = channel->take_control(Access::kControl);
    CHECK(now_ns() - begin < 150 * kMs);
    CHECK(status.code == Errc::kAccessDenied);
    CHECK(status.gvcp_status == 0x8006);
    CHECK(channel->holder() == (tells ? std::optional<Endpoint>(kOther) : std::nullopt));
    if (tells) CHECK(status.message.find("192.168.0.9:5555") != std::string::npos);
    CHECK_FALSE(channel->in_control());
    const size_t before = camera.log().size();
    channel.reset();
    CHECK(camera.log().size() == before);  // somebody else's control is not ours to release
    CHECK(camera.controller() == kOther);
  }
}

TEST_CASE("a camera that answers strangers with silence is taken, too, and costs one timeout") {
  FakeCamera camera;
  camera.set_controller(kOther);
  camera.ignore_strangers(true);
  auto channel = open_to(camera, 60, 5);
  const uint64_t begin = now_ns();
  CHECK(channel->take_control(Access::kControl).code == Errc::kAccessDenied);
  CHECK(now_ns() - begin < 180 * kMs);
  channel.reset();
  CHECK(camera.controller() == kOther);
}

TEST_CASE("exclusive access elsewhere denies even reading: the channel opens, control is refused") {
  FakeCamera camera;
  camera.script([](const FakeCamera::Datagram& d) -> Replies {
    const auto code = static_cast<uint8_t>(code_of(d.bytes) + 1);
    return std::vector<FakeCamera::Reply>{{with_id(Bytes{0x80, 0x06, 0, code, 0, 0, 0, 0}, id_of(d.bytes))}};
  });
  auto channel = open_to(camera);
  CHECK(channel->capabilities().reads_denied);
  CHECK(channel->take_control(Access::kControl).code == Errc::kAccessDenied);
  camera.script(nullptr);
  REQUIRE(channel->take_control(Access::kControl).ok());
  CHECK(channel->capabilities().spec_major == 2);
}

TEST_CASE(
    "the answer to a claim that was granted is lost: found out, by the holder's address or by asking again") {
  for (const bool tells : {true, false}) {
    CAPTURE(tells);
    FakeCamera camera;
    camera.set(0x0934, tells ? 0x08000000 : 0);
    auto channel = open_to(camera, 30, 4);
    camera.lose_answers(0x0082, 1);
    const Status status = channel->take_control(Access::kControl);
    REQUIRE_MESSAGE(status.ok(), status.message);
    CHECK(camera.controller() == channel->local_endpoint());
    CHECK(camera.count(0x0082) == (tells ? 1 : 2));
  }
}

TEST_CASE("while our claim was lost, somebody else came: refused, and not released") {
  FakeCamera camera;
  auto channel = open_to(camera, 30, 4);
  std::atomic<bool> taken{false};
  camera.script([&](const FakeCamera::Datagram& d) -> Replies {
    if (!concerns(d, 0x0082, 0x0A00) || taken) return std::nullopt;
    taken = true;
    return silence();
  });
  Status status;
  std::thread claimer([&] { status = channel->take_control(Access::kControl); });
  REQUIRE(camera.wait_for([&] { return taken.load(); }));
  camera.set_controller(kOther);
  claimer.join();
  CHECK(status.code == Errc::kAccessDenied);
  const size_t writes = camera.count(0x0082);
  channel.reset();
  CHECK(camera.count(0x0082) == writes);
  CHECK(camera.controller() == kOther);
}

TEST_CASE("a camera that was taken and is free by the second question is ours") {
  FakeCamera camera;
  camera.set_controller(kOther);
  auto channel = open_to(camera, 50, 3);
  camera.script([](const FakeCamera::Datagram& d) -> Replies {
    if (!concerns(d, 0x0082, 0x0A00)) return std::nullopt;
    return silence();
  });
  Status status;
  std::thread claimer([&] { status = channel->take_control(Access::kControl); });
  REQUIRE(camera.wait_for([&] { return camera.count(0x0082) == 1; }));
  camera.forget_controller();
  camera.script(nullptr);
  claimer.join();
  REQUIRE_MESSAGE(status.ok(), status.message);
  CHECK(camera.controller() == channel->local_endpoint());
}

TEST_CASE("a claim that stays unanswered is taken back") {
  FakeCamera camera;
  auto channel = open_to(camera, 20, 3);
  camera.script([](const FakeCamera::Datagram& d) -> Replies {
    if (!concerns(d, 0x0082, 0x0A00)) return std::nullopt;
    return silence();
  });
  CHECK(channel->take_control(Access::kControl).code == Errc::kTimeout);
  const size_t claims = camera.count(0x0082);
  camera.script(nullptr);
  channel.reset();
  const auto log = camera.log(0x0082);
  REQUIRE(log.size() == claims + 1);
  CHECK(to_hex(without_id(log.back().bytes)) == "42 01 00 82 00 08 00 00 00 00 0a 00 00 00 00 00");
}

TEST_CASE("a camera that grants and does not hold is caught") {
  FakeCamera camera;
  auto channel = open_to(camera);
  camera.script([](const FakeCamera::Datagram& d) -> Replies {
    if (!concerns(d, 0x0082, 0x0A00)) return std::nullopt;
    return answer(d, "00 00 00 83 00 04 00 00 00 00 00 01");
  });
  CHECK(channel->take_control(Access::kControl).code == Errc::kProtocol);
  CHECK_FALSE(channel->in_control());
}

TEST_CASE("release is bounded, however silent the camera, also from the destructor") {
  for (const bool waiting : {false, true}) {
    CAPTURE(waiting);
    FakeCamera camera;
    auto channel = open_to(camera, 2000, 5);
    REQUIRE(channel->take_control(Access::kControl).ok());
    auto lost = watch(*channel);
    camera.mute(true);
    std::thread waiter;
    Status ended;
    if (waiting) {
      const size_t before = camera.log().size();
      waiter = std::thread([&] { ended = channel->read_memory(0, 4000).status(); });
      REQUIRE(camera.wait_for([&] { return camera.log().size() > before; }));
    }
    const uint64_t begin = now_ns();
    CHECK(channel->release().code == Errc::kTimeout);
    CHECK(now_ns() - begin < 300 * kMs);
    if (waiting) waiter.join();
    if (waiting) CHECK(ended.code == Errc::kClosed);
    CHECK_FALSE(ready(lost, 0));
    const uint64_t again = now_ns();
    channel.reset();
    CHECK(now_ns() - again < 100 * kMs);
  }
}
