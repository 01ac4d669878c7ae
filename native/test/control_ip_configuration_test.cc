// FORCEIP and the persistent address.
#include <atomic>
#include <string>

#include "control/ip_configuration.h"
#include "control_test.h"

using namespace gw;
using namespace gw::test;

namespace {

ForceIpOptions force(const FakeCamera& camera, uint32_t address, uint32_t timeout_ms) {
  ForceIpOptions options;
  const auto nics = list_interfaces();
  REQUIRE(nics.ok());
  for (const Interface& nic : *nics) {
    if (nic.loopback) options.interface = nic;
  }
  options.force.mac = {0x00, 0x11, 0x22, 0x33, 0x00, 0x0B};
  options.force.address = address;
  options.force.subnet_mask = 0xFFFFFF00;
  options.force.gateway = address == 0 ? 0 : (address & 0xFFFFFF00) | 1;
  options.timeout_ms = timeout_ms;
  options.port = camera.endpoint().port;
  return options;
}

}  // namespace

TEST_CASE("FORCEIP is what the table says, and believed only when the camera is seen with its new address") {
  FakeCamera camera(loopback(11), 0, {kDirected});
  camera.script([&](const FakeCamera::Datagram& d) -> Replies {
    if (code_of(d.bytes) != 0x0004) return std::nullopt;
    return silence();  // the acknowledge comes from the new address and is lost
  });
  std::atomic<bool> moved{false};
  std::thread mover([&] {
    CHECK(camera.wait_for([&] { return camera.count(0x0004) >= 1 && camera.count(0x0002) >= 3; }));
    moved = true;
    camera.set(0x0024, 0x7F000063);
  });
  FoundCamera seen;
  const Status status = force_ip(force(camera, 0x7F000063, 5000), &seen);
  mover.join();
  REQUIRE_MESSAGE(status.ok(), status.message);
  CHECK(moved);
  CHECK(seen.device.address == 0x7F000063);
  CHECK(to_hex(without_id(camera.log(0x0004)[0].bytes)) ==
        "42 01 00 04 00 38 00 00 "
        "00 00 00 11 22 33 00 0b 00 00 00 00 00 00 00 00 00 00 00 00 "
        "7f 00 00 63 00 00 00 00 00 00 00 00 00 00 00 00 "
        "ff ff ff 00 00 00 00 00 00 00 00 00 00 00 00 00 "
        "7f 00 00 01");
}

TEST_CASE("a camera that ignores FORCEIP") {
  FakeCamera camera(loopback(11), 0, {kDirected});
  const uint64_t begin = now_ns();
  const Status status = force_ip(force(camera, 0x7F000063, 300));
  CHECK(status.code == Errc::kTimeout);
  CHECK(now_ns() - begin >= 300 * kMs);
  CHECK(now_ns() - begin < 900 * kMs);
}

TEST_CASE("address 0 starts the camera's own configuration anew, and is sent once") {
  FakeCamera camera(loopback(11), 0, {kDirected});
  FoundCamera seen;
  REQUIRE(force_ip(force(camera, 0, 3000), &seen).ok());
  CHECK(seen.device.address == loopback(11));
  CHECK(camera.count(0x0004) == 1);
}

TEST_CASE("addresses that no camera could live with are not sent") {
  FakeCamera camera(loopback(11), 0, {kDirected});
  ForceIpOptions options = force(camera, 0xC0A80105, 100);
  for (const uint32_t address : {0xC0A801FFU, 0xC0A80100U, 0xE0000001U, 0x00000005U}) {
    CAPTURE(address);
    options.force.address = address;
    options.force.gateway = 0;
    CHECK(force_ip(options).code == Errc::kInvalidArgument);
  }
  options.force.address = 0xC0A80105;
  options.force.gateway = 0xC0A80201;
  CHECK(force_ip(options).code == Errc::kInvalidArgument);
  options.force.gateway = 0;
  options.force.subnet_mask = 0xFF00FF00;
  CHECK(force_ip(options).code == Errc::kInvalidArgument);
  CHECK(camera.log().empty());
}

TEST_CASE("the persistent address is written, read back, and does not touch its neighbours") {
  FakeCamera camera;
  camera.set(0x0010, 0xC0000007);
  camera.set(0x0014, 0x80000006);
  camera.set(0x0044, 0);
  for (const uint32_t address : {0x064CU, 0x065CU, 0x066CU}) camera.set(address, 0);
  auto channel = open_to(camera);
  REQUIRE(channel->take_control(Access::kControl).ok());
  REQUIRE(set_persistent_ip(*channel, {true, false, 0xC0A80105, 0xFFFFFF00, 0xC0A80101}).ok());
  CHECK(camera.get(0x064C) == 0xC0A80105);
  CHECK(camera.get(0x065C) == 0xFFFFFF00);
  CHECK(camera.get(0x066C) == 0xC0A80101);
  CHECK(camera.get(0x0014) == 0x80000005);
  const auto found = read_ip_configuration(*channel);
  REQUIRE(found.ok());
  CHECK(found->supported == 7);
  CHECK(found->enabled == 5);
  CHECK(found->address == camera.endpoint().address);
  CHECK(found->persistent_address == 0xC0A80105);
  CHECK(found->persistent_netmask == 0xFFFFFF00);
  CHECK(found->persistent_gateway == 0xC0A80101);
  REQUIRE(set_persistent_ip(*channel, {false, true, 0, 0, 0}).ok());
  CHECK(camera.get(0x0014) == 0x80000006);
  CHECK(camera.get(0x064C) == 0xC0A80105);
  REQUIRE(set_persistent_ip(*channel, {false, std::nullopt, 0, 0, 0}).ok());
  CHECK(camera.get(0x0014) == 0x80000006);
}

TEST_CASE("a camera that cannot keep an address, or does not keep it") {
  FakeCamera camera;
  camera.set(0x0010, 0x6);
  camera.set(0x0014, 0x6);
  auto channel = open_to(camera);
  REQUIRE(channel->take_control(Access::kControl).ok());
  CHECK(set_persistent_ip(*channel, {true, true, 0xC0A80105, 0xFFFFFF00, 0}).code == Errc::kInvalidArgument);
  camera.set(0x0010, 0x7);
  CHECK(set_persistent_ip(*channel, {true, true, 0xC0A80105, 0xFFFFFF00, 0}).gvcp_status == 0x8003);
  for (const uint32_t address : {0x064CU, 0x065CU, 0x066CU}) camera.set(address, 0);
  camera.script([](const FakeCamera::Datagram& d) -> Replies {
    if (!concerns(d, 0x0082, 0x064C)) return std::nullopt;
    return answer(d, "00 00 00 83 00 04 00 00 00 00 00 01");  // says yes, does nothing
  });
  CHECK(set_persistent_ip(*channel, {true, true, 0xC0A80105, 0xFFFFFF00, 0}).code == Errc::kProtocol);
}
