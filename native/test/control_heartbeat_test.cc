// The heartbeat: how often, and what is noticed when.
#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "control_test.h"

using namespace gw;
using namespace gw::test;

TEST_CASE("the heartbeat reads CCP at a third of the timeout") {
  FakeCamera camera;
  auto channel = open_to(camera, 200);
  REQUIRE(channel->take_control(Access::kControl, 600).ok());
  CHECK(channel->heartbeat_interval_ms() == 1000);
  const size_t before = camera.log().size();
  auto lost = watch(*channel);
  CHECK(channel->heartbeat_interval_ms() == 200);
  REQUIRE(camera.wait_for([&] { return camera.log().size() >= before + 4; }));
  const auto log = camera.log();
  for (size_t i = before; i < before + 4; ++i) {
    CHECK(to_hex(without_id(log[i].bytes)) == "42 01 00 80 00 04 00 00 00 00 0a 00");
    if (i > before) CHECK(log[i].at_ns - log[i - 1].at_ns >= 190 * kMs);
    if (i > before) CHECK(log[i].at_ns - log[i - 1].at_ns < 390 * kMs);
  }
  CHECK_FALSE(ready(lost, 0));
  CHECK(channel->stats().heartbeats >= 3);
}

TEST_CASE("a camera that falls silent is noticed within one and a half intervals") {
  FakeCamera camera;
  auto channel = open_to(camera, 200);
  REQUIRE(channel->take_control(Access::kControl, 900).ok());
  const size_t before = camera.log().size();
  auto lost = watch(*channel);
  REQUIRE(camera.wait_for([&] { return camera.log().size() > before; }));
  REQUIRE(camera.wait_for([&] { return channel->stats().heartbeats == 1; }));
  camera.mute(true);  // right after a beat: the worst moment
  const uint64_t died = now_ns();
  REQUIRE(ready(lost, 3000));
  const LossSeen seen = lost.get();
  CHECK(seen.reason == LossReason::kTimeout);
  CHECK(seen.at_ns - died >= 280 * kMs);
  CHECK(seen.at_ns - died < 450 * kMs + 40 * kMs);  // 1.5 x 300 ms, and a slow machine
  CHECK_FALSE(channel->in_control());
  CHECK(channel->write_register(0x0D04, 1).code == Errc::kControlLost);
}

TEST_CASE(
    "without control the heartbeat asks what everybody may read, as often as it is told, and notices "
    "silence") {
  FakeCamera camera;
  camera.set_controller(kOther);
  auto channel = open_to(camera, 200);
  REQUIRE(channel->take_control(Access::kMonitor, 600).ok());
  const size_t before = camera.log().size();
  auto lost = watch(*channel);
  CHECK(channel->heartbeat_interval_ms() == 200);
  REQUIRE(camera.wait_for([&] { return channel->stats().heartbeats >= 2; }));
  const auto log = camera.log();
  for (size_t i = before; i < log.size(); ++i) {
    CHECK(to_hex(without_id(log[i].bytes)) == "42 01 00 80 00 04 00 00 00 00 00 00");
  }
  camera.script([](const FakeCamera::Datagram& d) -> Replies {  // the owner makes its access exclusive
    return answer(d, "80 06 00 81 00 00 00 00");
  });
  const uint64_t beats = channel->stats().heartbeats;
  REQUIRE(camera.wait_for([&] { return channel->stats().heartbeats >= beats + 2; }));
  CHECK_FALSE(ready(lost, 0));
  camera.mute(true);
  const uint64_t died = now_ns();
  REQUIRE(ready(lost, 3000));
  const LossSeen seen = lost.get();
  CHECK(seen.reason == LossReason::kTimeout);
  CHECK(seen.at_ns - died < 300 * kMs + 40 * kMs);
  channel.reset();
  CHECK(camera.count(0x0082) == 0);
}

TEST_CASE("loss ends a command that somebody waits for") {
  FakeCamera camera;
  auto channel = open_to(camera, 5000, 5);
  REQUIRE(channel->take_control(Access::kControl, 600).ok());
  auto lost = watch(*channel);
  camera.mute(true);
  const uint64_t begin = now_ns();
  CHECK(channel->read_register(0x0D04).status().code == Errc::kControlLost);
  CHECK(now_ns() - begin < 600 * kMs);
  REQUIRE(ready(lost, 1000));
  CHECK(lost.get().reason == LossReason::kTimeout);
}

TEST_CASE("stream packets keep a deaf camera alive, up to the heartbeat timeout") {
  FakeCamera camera;
  auto channel = open_to(camera, 200);
  REQUIRE(channel->take_control(Access::kControl, 600).ok());
  auto lost = watch(*channel);
  REQUIRE(camera.wait_for([&] { return channel->stats().heartbeats == 1; }));
  camera.mute(true);
  const uint64_t died = now_ns();
  std::atomic<bool> stop{false};
  std::thread stream([&] {
    while (!stop) {
      channel->note_stream_alive(now_ns());
      std::this_thread::yield();
    }
  });
  REQUIRE(ready(lost, 3000));
  stop = true;
  stream.join();
  const uint64_t after = lost.get().at_ns - died;
  CHECK(after >= 580 * kMs);
  CHECK(after < 900 * kMs);
}

TEST_CASE("a camera that answers again within the extension was never lost") {
  FakeCamera camera;
  auto channel = open_to(camera, 200);
  REQUIRE(channel->take_control(Access::kControl, 900).ok());
  auto lost = watch(*channel);
  REQUIRE(camera.wait_for([&] { return channel->stats().heartbeats == 1; }));
  camera.mute(true);
  const uint64_t deaf = now_ns();
  REQUIRE(camera.wait_for([&] {
    channel->note_stream_alive(now_ns());
    return now_ns() - deaf > 600 * kMs;
  }));
  camera.mute(false);
  const uint64_t beats = channel->stats().heartbeats;
  CHECK(camera.wait_for([&] { return channel->stats().heartbeats > beats + 1; }));
  CHECK_FALSE(ready(lost, 0));
}

TEST_CASE("CCP reads 0: released by the camera") {
  FakeCamera camera;
  auto channel = open_to(camera);
  REQUIRE(channel->take_control(Access::kControl, 300).ok());
  auto lost = watch(*channel);
  camera.forget_controller();
  REQUIRE(ready(lost, 1000));
  CHECK(lost.get().reason == LossReason::kReleasedByCamera);
  const size_t before = camera.count(0x0082);
  channel.reset();
  CHECK(camera.count(0x0082) == before);
}

TEST_CASE("taken over: by another mode, by another controller, or read no more") {
  SUBCASE("exclusive instead of control") {
    FakeCamera camera;
    auto channel = open_to(camera);
    REQUIRE(channel->take_control(Access::kControl, 300).ok());
    auto lost = watch(*channel);
    camera.set(0x0A00, 1);
    REQUIRE(ready(lost, 1000));
    CHECK(lost.get().reason == LossReason::kTakenOver);
  }
  SUBCASE("the same mode, another application: known by its address") {
    FakeCamera camera;
    camera.set(0x0934, 0x08000001);
    auto channel = open_to(camera);
    REQUIRE(channel->take_control(Access::kControl, 300).ok());
    auto lost = watch(*channel);
    REQUIRE(camera.wait_for([&] { return channel->stats().heartbeats >= 1; }));
    camera.set_controller(kOther);
    REQUIRE(ready(lost, 1000));
    CHECK(lost.get().reason == LossReason::kTakenOver);
    CHECK(channel->holder() == kOther);
    channel.reset();
    CHECK(camera.controller() == kOther);
  }
  SUBCASE("ACCESS_DENIED") {
    FakeCamera camera;
    auto channel = open_to(camera);
    REQUIRE(channel->take_control(Access::kControl, 300).ok());
    auto lost = watch(*channel);
    camera.script(
        [](const FakeCamera::Datagram& d) -> Replies { return answer(d, "80 06 00 81 00 00 00 00"); });
    REQUIRE(ready(lost, 1000));
    CHECK(lost.get().reason == LossReason::kTakenOver);
  }
}

TEST_CASE("a long PENDING_ACK of somebody's command is not silence") {
  FakeCamera camera;
  auto channel = open_to(camera, 60);
  REQUIRE(channel->take_control(Access::kControl, 300).ok());
  auto lost = watch(*channel);
  camera.script([](const FakeCamera::Datagram& d) -> Replies {
    if (!concerns(d, 0x0082, 0x0D04)) return std::nullopt;
    const uint16_t id = id_of(d.bytes);
    return std::vector<FakeCamera::Reply>{
        {with_id(hex("00 00 00 89 00 04 00 00 00 00 02 58"), id), 0},  // 600 ms
        {with_id(hex("00 00 00 83 00 04 00 00 00 00 00 01"), id), 550}};
  });
  CHECK(channel->write_register(0x0D04, 1400).ok());
  CHECK_FALSE(ready(lost, 0));
  const uint64_t beats = channel->stats().heartbeats;
  CHECK(camera.wait_for([&] { return channel->stats().heartbeats > beats; }));
  CHECK_FALSE(ready(lost, 0));
}

TEST_CASE("a busy channel does not starve the heartbeat: it goes before the others that wait") {
  FakeCamera camera;
  auto channel = open_to(camera, 200);
  REQUIRE(channel->take_control(Access::kControl, 600).ok());
  camera.script([](const FakeCamera::Datagram& d) -> Replies {
    if (!concerns(d, 0x0080, 0x0D04)) return std::nullopt;
    return answer(d, "00 00 00 81 00 04 00 00 00 00 05 78", 20);
  });
  auto lost = watch(*channel);
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 8; ++i) {  // a turn comes every 160 ms; the heartbeat waits 90 ms at most
    readers.emplace_back([&] {
      while (!stop) (void)channel->read_register(0x0D04);
    });
  }
  const uint64_t begin = now_ns();
  CHECK(camera.wait_for([&] { return now_ns() - begin >= 1300 * kMs; }));
  CHECK(channel->stats().heartbeats >= 5);  // of six
  stop = true;
  for (std::thread& reader : readers) reader.join();
  CHECK_FALSE(ready(lost, 0));
}

TEST_CASE("on_lost may release; and a camera may be taken again afterwards") {
  FakeCamera camera;
  auto channel = open_to(camera);
  REQUIRE(channel->take_control(Access::kControl, 300).ok());
  std::promise<void> told;
  channel->start_heartbeat([&](LossReason, std::string) {
    (void)channel->release();
    told.set_value();
  });
  camera.forget_controller();
  REQUIRE(told.get_future().wait_for(std::chrono::seconds(2)) == std::future_status::ready);
  REQUIRE(channel->take_control(Access::kControl, 300).ok());
  auto lost = watch(*channel);
  CHECK(camera.wait_for([&] { return channel->stats().heartbeats >= 1; }));
  CHECK_FALSE(ready(lost, 0));
}
