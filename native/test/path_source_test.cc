// Who may send: the camera's address, and the port its stream comes from.
#include <doctest/doctest.h>

#include "path_rig.h"

using namespace gw;
using namespace gw::test;

namespace {

constexpr uint32_t kCamera = 0x0A000001;

StreamConfig from_port(uint16_t port, bool proven) {
  StreamConfig config = Rig::defaults();
  config.camera_address = kCamera;
  config.camera_port = port;
  config.camera_port_proven = proven;
  return config;
}

void send(Rig& rig, const Bytes& bytes, uint16_t port, uint32_t address = kCamera) {
  rig.send_from(port, bytes, address);
}

void send(Rig& rig, const TestBlock& block, uint16_t port) {
  for (uint32_t id = 0; id <= block.trailer_id(); ++id) send(rig, block.packet(id), port);
}

}  // namespace

TEST_CASE("another port of the camera's address is foreign") {
  Rig rig(from_port(5000, true));
  send(rig, Rig::image(1), 5000);
  send(rig, Rig::image(7), 5001);
  rig.expect_complete(Rig::image(1));
  for (uint64_t id = 2; id < 60; ++id) send(rig, Rig::image(id), 5001);  // proven: never believed
  CHECK(rig.count("foreign") == 59 * 12);
  CHECK_FALSE(rig.take().has_value());
  rig.check();
}

TEST_CASE("the port of the first packet is taken for the camera's where none is known") {
  Rig rig(from_port(0, false));
  send(rig, Rig::image(1), 6000);
  send(rig, Rig::image(2).packet(0), 6001);
  send(rig, Rig::image(2), 6000);
  rig.expect_complete(Rig::image(1));
  rig.expect_complete(Rig::image(2));
  CHECK(rig.count("foreign") == 1);
  rig.check();
}

TEST_CASE("a wrong port in the register does not lock the camera out") {
  Rig rig(from_port(5000, false));
  for (uint64_t id = 1; id <= 10; ++id) send(rig, Rig::image(id), 5001), rig.pass(5 * kMs);
  CHECK(rig.count("foreign") == 31);
  CHECK(rig.count("blocks_complete") >= 6);
  rig.check();
}

TEST_CASE("somebody else does not take the stream over while the camera sends") {
  Rig rig(from_port(5000, false));
  for (uint64_t id = 1; id <= 50; ++id) {
    for (uint32_t at = 0; at <= 11; ++at) {
      send(rig, Rig::image(id).packet(at), 5000);
      for (int i = 0; i < 5; ++i) send(rig, Rig::image(id + 7).packet(at), 5001);
    }
    rig.expect_complete(Rig::image(id));
  }
  CHECK(rig.count("foreign") == 50 * 12 * 5);
  rig.check();
}

TEST_CASE("what is no stream packet from another port is foreign once a port is known, and proves nothing") {
  Rig rig(from_port(5000, false));
  for (int i = 0; i < 100; ++i) send(rig, {1, 2, 3}, 5001);
  CHECK(rig.count("foreign") == 100);
  send(rig, Rig::image(1), 5000);
  rig.expect_complete(Rig::image(1));
  rig.check();
}
