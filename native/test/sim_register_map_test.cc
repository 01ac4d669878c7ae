// Registers: what can be read and written by whom, and what it sets off.
#include <bit>
#include <cmath>
#include <limits>

#include "doctest/doctest.h"
#include "sim/register_map.h"
#include "wire/bootstrap.h"
#include "wire/gvcp.h"

using namespace gw;
using namespace gw::sim;

namespace {

constexpr Endpoint kOwner{0x0A000001, 5000};
constexpr Endpoint kOther{0x0A000001, 5001};  // the same machine, another socket

SimOptions options() {
  SimOptions o;
  o.address = 0x0A000010;
  o.width = o.sensor_width = 640;
  o.height = o.sensor_height = 480;
  o.mac = {2, 1, 2, 3, 4, 5};
  o.serial = "S1";
  o.user_name = "left";
  return o;
}

RegisterMap make(const SimOptions& o = options()) {
  return RegisterMap(o, 0xFFFFFF00, std::vector<uint8_t>{'<', 'x', '/', '>', '\n'}, "Local:a.xml;10000;5");
}

uint32_t read(const RegisterMap& map, uint32_t address) {
  uint8_t word[4];
  REQUIRE(map.read(address, word) == gvcp::kSuccess);
  return load_be32(word);
}

WriteResult write(RegisterMap& map, uint32_t address, uint32_t value, const Endpoint& from = kOwner) {
  uint8_t word[4];
  store_be32(word, value);
  return map.write(address, word, from);
}

RegisterMap controlled(const SimOptions& o = options()) {
  RegisterMap map = make(o);
  REQUIRE(write(map, reg::kControlPrivilege, reg::kCcpControl).status == gvcp::kSuccess);
  return map;
}

}  // namespace

TEST_CASE("registers: the first 248 bytes are the discovery answer") {
  const RegisterMap map = make();
  std::vector<uint8_t> bytes(gvcp::kDiscoveryAckSize);
  REQUIRE(map.read(0, bytes) == gvcp::kSuccess);
  const auto device = gvcp::parse_discovery(bytes);
  REQUIRE(device);
  CHECK(device->spec_major == 2);
  CHECK(device->device_mode == 0x80000001);
  CHECK(device->mac == std::array<uint8_t, 6>{2, 1, 2, 3, 4, 5});
  CHECK(device->address == 0x0A000010);
  CHECK(device->subnet_mask == 0xFFFFFF00);
  CHECK(device->manufacturer == "gigewire");
  CHECK(device->serial == "S1");
  CHECK(device->user_name == "left");
}

TEST_CASE("registers: alignment, limits, reserved words and the description") {
  const RegisterMap map = make();
  std::vector<uint8_t> four(4), three(3), eight(8), big(512);
  CHECK(map.read(2, four) == gvcp::kBadAlignment);
  CHECK(map.read(0, three) == gvcp::kBadAlignment);
  CHECK(read(map, 0x0700) == 0);  // reserved
  CHECK(map.read(feature::kEnd, four) == gvcp::kInvalidAddress);
  CHECK(map.read(feature::kEnd - 4, eight) == gvcp::kInvalidAddress);
  CHECK(map.read(0xFFFFFFFC, eight) == gvcp::kInvalidAddress);
  CHECK(map.read(kDescriptionAddress, eight) == gvcp::kSuccess);  // 5 bytes, padded to 8
  CHECK(std::vector<uint8_t>{'<', 'x', '/', '>', '\n', 0, 0, 0} == eight);
  CHECK(map.read(kDescriptionAddress, big) == gvcp::kInvalidAddress);
  CHECK(map.read(kDescriptionAddress + 8, four) == gvcp::kInvalidAddress);
  CHECK(map.read(reg::kFirstUrl, big) == gvcp::kSuccess);
  CHECK(gvcp::read_text(big) == "Local:a.xml;10000;5");
}

TEST_CASE("registers: writing needs control, and control is an address and a port") {
  RegisterMap map = make();
  CHECK(write(map, feature::kTestPattern, 1).status == gvcp::kAccessDenied);
  const WriteResult taken = write(map, reg::kControlPrivilege, reg::kCcpControl);
  CHECK(taken.status == gvcp::kSuccess);
  CHECK(taken.effects == kEffectControlTaken);
  CHECK(read(map, reg::kPrimaryPort) == 5000);
  CHECK(read(map, reg::kPrimaryIp) == 0x0A000001);
  CHECK(write(map, feature::kTestPattern, 1, kOther).status == gvcp::kAccessDenied);
  CHECK(write(map, reg::kControlPrivilege, reg::kCcpControl, kOther).status == gvcp::kAccessDenied);
  CHECK(write(map, reg::kControlPrivilege, 0, kOther).status == gvcp::kAccessDenied);
  CHECK(map.may_read(kOther) == gvcp::kSuccess);
  CHECK(write(map, reg::kControlPrivilege, reg::kCcpControl).effects ==
        0);  // again: a heartbeat, nothing new
  CHECK(write(map, reg::kControlPrivilege, reg::kCcpExclusive | reg::kCcpControl).status == gvcp::kSuccess);
  CHECK(read(map, reg::kControlPrivilege) == reg::kCcpExclusive);
  CHECK(map.may_read(kOther) == gvcp::kAccessDenied);
  CHECK(map.may_read(kOwner) == gvcp::kSuccess);
  CHECK(write(map, reg::kControlPrivilege, 0).effects == kEffectControlReleased);
  CHECK(read(map, reg::kPrimaryPort) == 0);
  CHECK(map.may_read(kOther) == gvcp::kSuccess);
  CHECK(write(map, reg::kControlPrivilege, 8).status == gvcp::kInvalidParameter);
}

TEST_CASE("registers: giving up control closes the channel") {
  RegisterMap map = controlled();
  map.set_source_port(777);
  CHECK(read(map, reg::stream(0, reg::kScsp)) == 0);
  CHECK(write(map, reg::stream(0, reg::kScda), 0x0A000001).effects == kEffectChannel);
  CHECK(write(map, reg::stream(0, reg::kScp), 4000).effects == kEffectChannel);
  CHECK(read(map, reg::stream(0, reg::kScsp)) == 777);
  map.set_acquiring(true);
  write(map, reg::kControlPrivilege, 0);
  CHECK(read(map, reg::stream(0, reg::kScp)) == 0);
  CHECK(read(map, reg::stream(0, reg::kScsp)) == 0);
  CHECK_FALSE(map.acquiring());
}

TEST_CASE("registers: read-only ones say so, the rest of a write is not carried out") {
  RegisterMap map = controlled();
  for (const uint32_t address :
       {reg::kVersion, reg::kMacLow, reg::kCurrentIp, reg::kFirstUrl, reg::kGvcpCapability,
        feature::kSensorWidth, feature::kPayloadSize, feature::kTemperature, 0x0700U}) {
    CHECK(write(map, address, 0).status == gvcp::kWriteProtect);
  }
  CHECK(write(map, kDescriptionAddress, 0).status == gvcp::kWriteProtect);
  CHECK(write(map, feature::kEnd, 0).status == gvcp::kInvalidAddress);
  CHECK(write(map, 2, 0).status == gvcp::kBadAlignment);
  uint8_t words[12] = {};
  store_be32(words, 1);      // TestPattern
  store_be32(words + 4, 9);  // AcquisitionMode: no such mode
  store_be32(words + 8, 5);  // AcquisitionFrameCount
  size_t wrong_at = 0;
  CHECK(map.write(feature::kTestPattern, words, kOwner, &wrong_at).status == gvcp::kInvalidParameter);
  CHECK(wrong_at == 4);
  CHECK(map.word(feature::kTestPattern) == 1);
  CHECK(map.word(feature::kFrameCount) == 1);
}

TEST_CASE("registers: geometry stays within the sensor and on its increments") {
  RegisterMap map = controlled();
  CHECK(write(map, feature::kWidth, 320).status == gvcp::kSuccess);
  CHECK(read(map, feature::kPayloadSize) == 320 * 480);
  CHECK(write(map, feature::kOffsetX, 320).status == gvcp::kSuccess);
  for (const uint32_t wrong : {0U, 321U, 324U, 640U, 0xFFFFFFFCU}) {
    CHECK(write(map, feature::kWidth, wrong).status == gvcp::kInvalidParameter);
  }
  CHECK(write(map, feature::kOffsetX, 0xFFFFFFFC).status == gvcp::kInvalidParameter);
  CHECK(write(map, feature::kPixelFormat, pfnc::kMono12p).status == gvcp::kSuccess);
  CHECK(read(map, feature::kPayloadSize) == 320 * 480 * 12 / 8);
  CHECK(write(map, feature::kPixelFormat, 0x01080002).status == gvcp::kInvalidParameter);
  CHECK(write(map, feature::kChunkModeActive, 1).status == gvcp::kSuccess);
  CHECK(read(map, feature::kPayloadSize) == 320 * 480 * 12 / 8 + 40);
  map.set_acquiring(true);
  for (const uint32_t locked :
       {feature::kWidth, feature::kOffsetX, feature::kPixelFormat, feature::kChunkModeActive,
        feature::kAcquisitionMode, feature::kUserSetLoad}) {
    CHECK(write(map, locked, 0).status == gvcp::kAccessDenied);
  }
}

TEST_CASE("registers: floats are checked, user sets remember") {
  RegisterMap map = controlled();
  const auto write_rate = [&](double rate) {
    uint8_t bytes[8];
    store_be64(bytes, std::bit_cast<uint64_t>(rate));
    return map.write(feature::kFrameRate, bytes, kOwner).status;
  };
  CHECK(write_rate(123.456) == gvcp::kSuccess);
  CHECK(map.float64(feature::kFrameRate) == 123.456);
  for (const double wrong : {0.0, -1.0, 1e9, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK(write_rate(wrong) == gvcp::kInvalidParameter);
  }
  CHECK(write_rate(1e6) == gvcp::kSuccess);
  CHECK(write(map, feature::kGain, std::bit_cast<uint32_t>(std::nanf(""))).status == gvcp::kInvalidParameter);

  CHECK(write(map, feature::kWidth, 64).status == gvcp::kSuccess);
  CHECK(write(map, feature::kUserSetSave, 1).status == gvcp::kAccessDenied);  // the default set
  CHECK(write(map, feature::kUserSetSelector, 1).status == gvcp::kSuccess);
  CHECK(write(map, feature::kUserSetSave, 1).status == gvcp::kSuccess);
  CHECK(write(map, feature::kUserSetSelector, 0).status == gvcp::kSuccess);
  CHECK(write(map, feature::kUserSetLoad, 1).status == gvcp::kSuccess);
  CHECK(read(map, feature::kWidth) == 640);
  CHECK(read(map, feature::kPayloadSize) == 640 * 480);
  CHECK(write(map, feature::kUserSetSelector, 1).status == gvcp::kSuccess);
  CHECK(write(map, feature::kUserSetLoad, 1).status == gvcp::kSuccess);
  CHECK(read(map, feature::kWidth) == 64);
}

TEST_CASE("registers: power-up forgets settings, keeps the user name and persistent IP") {
  RegisterMap map = controlled();
  write(map, feature::kWidth, 64);
  write(map, reg::kPersistentIp, 0x0A000063);
  write(map, reg::kUserName, 0x7269676B);  // "rigk"
  write(map, reg::kUserName + 4, 0);
  map.power_up();
  CHECK(read(map, feature::kWidth) == 640);
  CHECK(read(map, reg::kPersistentIp) == 0x0A000063);
  CHECK(read(map, reg::kUserName) == 0x7269676B);
  CHECK(read(map, reg::kControlPrivilege) == 0);
}

TEST_CASE("registers: packet size, sane and insane") {
  constexpr uint32_t kScps = reg::stream(0, reg::kScps);
  const auto size_after = [&](PacketSizeFault fault, uint32_t asked, uint16_t* status = nullptr) {
    SimOptions o = options();
    o.faults.packet_size = fault;
    o.faults.clamp_size = 1400;
    o.faults.round_to = 64;
    RegisterMap map = controlled(o);
    const WriteResult result = write(map, kScps, asked | reg::kScpsFireTest);
    if (status != nullptr) *status = result.status;
    CHECK((result.status == 0) == ((result.effects & kEffectFireTest) != 0));
    CHECK((read(map, kScps) & reg::kScpsFireTest) == 0);
    return std::pair(read(map, kScps) & reg::kScpsSizeMask, map.effective_packet_size());
  };
  using Sizes = std::pair<uint32_t, uint32_t>;
  uint16_t status = 0;
  CHECK(size_after(PacketSizeFault::kNone, 9000) == Sizes{9000, 9000});
  CHECK(size_after(PacketSizeFault::kNone, 100, &status) == Sizes{1500, 1500});
  CHECK(status == gvcp::kInvalidParameter);
  CHECK(size_after(PacketSizeFault::kNone, 65535, &status) == Sizes{1500, 1500});
  CHECK(status == gvcp::kInvalidParameter);
  CHECK(size_after(PacketSizeFault::kClamp, 9000) == Sizes{1400, 1400});
  CHECK(size_after(PacketSizeFault::kClamp, 800) == Sizes{800, 800});
  CHECK(size_after(PacketSizeFault::kRound, 1500) == Sizes{1472, 1472});
  CHECK(size_after(PacketSizeFault::kIgnore, 9000) == Sizes{1500, 1500});
  CHECK(size_after(PacketSizeFault::kSilentClamp, 9000) == Sizes{9000, 1400});
  CHECK(size_after(PacketSizeFault::kUnaligned, 1500, &status) == Sizes{1500, 1500});
  CHECK(status == gvcp::kBadAlignment);
  CHECK(size_after(PacketSizeFault::kUnaligned, 1472) == Sizes{1472, 1472});

  RegisterMap map = controlled();
  map.set_acquiring(true);
  CHECK(write(map, kScps, reg::kScpsDontFragment | 1500).status == gvcp::kSuccess);  // what it is already
  CHECK(write(map, kScps, reg::kScpsDontFragment | 1400).status == gvcp::kAccessDenied);
  CHECK(write(map, kScps, 1500).status == gvcp::kAccessDenied);
}

TEST_CASE("registers: without SCSP neither the register nor its capability") {
  SimOptions o = options();
  o.faults.no_scsp = true;
  RegisterMap map = controlled(o);
  map.set_source_port(777);
  write(map, reg::stream(0, reg::kScp), 4000);
  CHECK(read(map, reg::stream(0, reg::kScsp)) == 0);
  CHECK((read(map, reg::kGvspCapability) & reg::kGvspCapScsp) == 0);
}
