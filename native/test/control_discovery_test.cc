// Discovery on the loopback: broadcast, unicast, what is listed and how it is judged. Other NICs: the network
// namespace suite.
#include <cerrno>
#include <set>
#include <string>
#include <thread>

#include "control/discovery.h"
#include "control_test.h"

using namespace gw;
using namespace gw::test;

namespace {

constexpr uint32_t kLimited = 0xFFFFFFFF;

DiscoveryOptions on_loopback(const FakeCamera& camera, uint32_t duration_ms) {
  DiscoveryOptions options;
  options.interfaces = {"lo"};
  options.duration_ms = duration_ms;
  options.resend_interval_ms = 50;
  options.port = camera.endpoint().port;
  return options;
}

// All that was reported, later reports replacing earlier ones as the header says.
struct Found {
  std::vector<FoundCamera> cameras;
  size_t reports = 0;
  size_t enough = 0;  // 0: never
  bool operator()(const FoundCamera& found) {
    ++reports;
    for (FoundCamera& old : cameras) {
      if (old.interface.index != found.interface.index || !old.same_camera(found)) continue;
      old = found;
      return true;
    }
    cameras.push_back(found);
    return enough == 0 || cameras.size() < enough;
  }
};

Status search(const DiscoveryOptions& options, Found& found, DiscoveryReport* report = nullptr,
              const CancelToken* cancel = nullptr) {
  return discover(options, [&](const FoundCamera& camera) { return found(camera); }, cancel, report);
}

}  // namespace

TEST_CASE("the probe is what the vector says, goes to both broadcast addresses, and is repeated") {
  FakeCamera camera(loopback(11), 0, {kDirected, kLimited});
  Found found;
  DiscoveryReport report;
  REQUIRE(search(on_loopback(camera, 180), found, &report).ok());
  const auto log = camera.log();
  REQUIRE(log.size() == 8);  // at 0, 50, 100, 150 ms; each to both
  for (const auto& d : log) {
    CHECK(to_hex(without_id(d.bytes)) == "42 01 00 02 00 00 00 00");
    CHECK(id_of(d.bytes) != 0);
    CHECK(d.from.address == loopback(1));
  }
  CHECK(report.probes_sent == 8);
  CHECK(report.answers == 8);
  CHECK(report.issues.empty());
  CHECK(found.reports == 1);
}

TEST_CASE("several cameras on one machine are all found, each once, with all they say") {
  FakeCamera first(loopback(11), 0, {kDirected, kLimited});
  FakeCamera second(loopback(12), first.endpoint().port, {kDirected, kLimited});
  first.set_text(0x48, "Maker");
  first.set_text(0x68, std::string("Model\x1b[31m") + std::string(23, 'x') + "END of field and more");
  first.set_text(0x88, "1.2.3");
  first.set_text(0xA8, "info");
  first.set_text(0xD8, "SN-1");
  first.set_text(0xE8, "front");
  first.set(0x0014, 5);
  second.set_text(0xD8, "SN-2");
  Found found;
  REQUIRE(search(on_loopback(first, 150), found).ok());
  REQUIRE(found.cameras.size() == 2);
  CHECK(found.reports == 2);
  const FoundCamera& one = found.cameras[found.cameras[0].device.serial == "SN-1" ? 0 : 1];
  CHECK(one.device.manufacturer == "Maker");
  CHECK(one.device.model.substr(0, 6) == "Model?");  // printed to terminals
  CHECK(one.device.version.substr(0, 5) == "1.2.3");
  CHECK(one.device.serial == "SN-1");
  CHECK(one.device.user_name == "front");
  CHECK(one.device.address == loopback(11));
  CHECK(one.device.subnet_mask == 0xFF000000);
  CHECK(one.device.spec_major == 2);
  CHECK(one.device.ip_config_current == 5);
  CHECK(one.device.mac == std::array<uint8_t, 6>{0x00, 0x11, 0x22, 0x33, 0x00, 0x0B});
  CHECK(one.answered_from == loopback(11));
  CHECK(one.interface.name == "lo");
  CHECK(one.reachable);
  CHECK(one.unreachable_reason.empty());
  CHECK_FALSE(one.by_unicast);
  CHECK_FALSE(one.duplicate_path);
}

TEST_CASE("all of the time is waited, unless it is enough") {
  FakeCamera camera(loopback(11), 0, {kDirected});
  camera.script([](const FakeCamera::Datagram&) { return silence(); });
  Found none;
  uint64_t begin = now_ns();
  CHECK(search(on_loopback(camera, 200), none).ok());
  CHECK(now_ns() - begin >= 200 * kMs);
  CHECK(now_ns() - begin < 600 * kMs);
  CHECK(none.reports == 0);

  camera.script(nullptr);
  Found one;
  one.enough = 1;
  begin = now_ns();
  CHECK(search(on_loopback(camera, 5000), one).ok());
  CHECK(now_ns() - begin < 1000 * kMs);
  CHECK(one.cameras.size() == 1);
}

TEST_CASE("a camera that takes its time is found") {
  FakeCamera camera(loopback(11), 0, {kDirected});
  const Bytes data = camera.memory(0, 248);
  camera.script([&](const FakeCamera::Datagram& d) -> Replies {
    return std::vector<FakeCamera::Reply>{
        {with_id(hex("00 00 00 03 00 f8 00 00"), id_of(d.bytes)) + data, 300}};
  });
  Found found;
  DiscoveryOptions options = on_loopback(camera, 450);
  options.resend_interval_ms = 0;
  CHECK(search(options, found).ok());
  CHECK(found.cameras.size() == 1);
}

TEST_CASE("answers that are none are counted and not believed") {
  FakeCamera camera(loopback(11), 0, {kDirected});
  const Bytes data = camera.memory(0, 248);
  camera.script([&](const FakeCamera::Datagram& d) -> Replies {
    const uint16_t id = id_of(d.bytes);
    return std::vector<FakeCamera::Reply>{
        {with_id(hex("00 00 00 03 00 f8 00 00"), static_cast<uint16_t>(id + 1)) +
         data},                                                      // of another question
        {with_id(hex("00 00 00 03 00 f8 00 00"), id) + Bytes(100)},  // cut off
        {with_id(hex("00 00 00 03 00 64 00 00"), id) + Bytes(100)},  // too short
        {with_id(hex("80 06 00 03 00 f8 00 00"), id) + data},        // an error
        {with_id(hex("00 00 00 81 00 f8 00 00"), id) + data},        // of another kind
        {hex("00")}};
  });
  Found found;
  DiscoveryReport report;
  DiscoveryOptions options = on_loopback(camera, 100);
  options.resend_interval_ms = 0;
  CHECK(search(options, found, &report).ok());
  CHECK(found.reports == 0);
  CHECK(report.malformed == 6);
  CHECK(report.answers == 0);
}

TEST_CASE("a camera of another subnet is listed, with both subnets in the reason") {
  FakeCamera camera(loopback(11), 0, {kDirected});
  camera.set(0x0024, 0x0A010203);
  camera.set(0x0034, 0xFFFFFF00);
  Found found;
  CHECK(search(on_loopback(camera, 100), found).ok());
  REQUIRE(found.cameras.size() == 1);
  CHECK_FALSE(found.cameras[0].reachable);
  CHECK(found.cameras[0].unreachable_reason.find("10.1.2.0/24") != std::string::npos);
  CHECK(found.cameras[0].unreachable_reason.find("127.0.0.0/8") != std::string::npos);
  CHECK(found.cameras[0].unreachable_reason.find("lo") != std::string::npos);

  camera.set(0x0024, 0);
  Found again;
  CHECK(search(on_loopback(camera, 100), again).ok());
  REQUIRE(again.cameras.size() == 1);
  CHECK_FALSE(again.cameras[0].reachable);
  CHECK(again.cameras[0].unreachable_reason.find("no IP address") != std::string::npos);
}

TEST_CASE("two cameras with one address: both are told so") {
  FakeCamera first(loopback(11), 0, {kDirected});
  FakeCamera second(loopback(12), first.endpoint().port, {kDirected});
  second.set(0x0024, loopback(11));
  first.set_text(0xD8, "SN-1");
  second.set_text(0xD8, "SN-2");
  Found found;
  CHECK(search(on_loopback(first, 150), found).ok());
  REQUIRE(found.cameras.size() == 2);
  CHECK(found.reports == 3);
  for (const FoundCamera& camera : found.cameras) {
    CHECK(camera.address_conflict);
    CHECK_FALSE(camera.reachable);
    CHECK(camera.unreachable_reason.find(camera.device.serial == "SN-1" ? "SN-2" : "SN-1") !=
          std::string::npos);
  }
}

TEST_CASE("unicast finds what broadcast does not reach, and a refusal is an issue, not a failure") {
  FakeCamera camera(loopback(11));
  DiscoveryOptions options = on_loopback(camera, 200);
  options.broadcast = false;
  options.interfaces.clear();
  options.addresses = {loopback(13), loopback(11)};
  Found found;
  DiscoveryReport report;
  CHECK(search(options, found, &report).ok());
  REQUIRE(found.cameras.size() == 1);
  CHECK(found.cameras[0].by_unicast);
  CHECK(found.cameras[0].reachable);
  CHECK(found.cameras[0].interface.name == "lo");
  REQUIRE(report.issues.size() == 1);  // once, however many rounds
  CHECK(report.issues[0].address == loopback(13));
  CHECK(report.issues[0].sys_errno == ECONNREFUSED);
  CHECK(to_hex(without_id(camera.log()[0].bytes)) == "42 01 00 02 00 00 00 00");
}

TEST_CASE("off-subnet by broadcast, but it answers by unicast: reported again, as reachable") {
  FakeCamera camera(loopback(11), 0, {kDirected});
  camera.set(0x0024, 0x0A010203);
  DiscoveryOptions options = on_loopback(camera, 200);
  options.addresses = {loopback(11)};
  Found found;
  CHECK(search(options, found).ok());
  REQUIRE(found.cameras.size() == 1);
  CHECK(found.cameras[0].reachable);
}

TEST_CASE("interfaces that do not exist") {
  FakeCamera camera(loopback(11), 0, {kDirected});
  DiscoveryOptions options = on_loopback(camera, 100);
  options.interfaces = {"no-such-nic"};
  Found found;
  const Status status = search(options, found);
  CHECK(status.code == Errc::kInvalidArgument);
  CHECK(status.message.find("no-such-nic") != std::string::npos);
  options.interfaces = {"no-such-nic", "127.0.0.1"};
  DiscoveryReport report;
  CHECK(search(options, found, &report).ok());
  CHECK(found.cameras.size() == 1);
  REQUIRE(report.issues.size() == 1);
  CHECK(report.issues[0].interface == "no-such-nic");
  REQUIRE(report.interfaces.size() == 1);
  CHECK(report.interfaces[0].name == "lo");
}

TEST_CASE("nothing to ask is an error with its errno, not an empty list") {
  DiscoveryOptions options;
  options.interfaces = {"lo"};
  options.broadcast = false;
  options.duration_ms = 1000;
  Found found;
  const uint64_t begin = now_ns();
  const Status status = search(options, found);
  CHECK(status.code == Errc::kNetwork);
  CHECK(status.sys_errno == ENETUNREACH);
  CHECK(now_ns() - begin < 500 * kMs);
}

TEST_CASE("discovery can be cancelled, before and meanwhile") {
  FakeCamera camera(loopback(11), 0, {kDirected});
  CancelToken token;
  Found found;
  const uint64_t begin = now_ns();
  std::thread other([&] {
    CHECK(camera.wait_for([&] { return !camera.log().empty(); }));
    token.cancel();
  });
  CHECK(search(on_loopback(camera, 5000), found, nullptr, &token).code == Errc::kCanceled);
  other.join();
  CHECK(now_ns() - begin < 2000 * kMs);
  CHECK(search(on_loopback(camera, 5000), found, nullptr, &token).code == Errc::kCanceled);
}

TEST_CASE("a flood of made-up cameras ends at a limit, and what is left out is counted") {
  FakeCamera camera(loopback(11), 0, {kDirected, kLimited});
  const Bytes data = camera.memory(0, 248);
  constexpr uint32_t kAnswers = 3000;  // many more than the limit: a sanitizer's build may lose some
  camera.script([&](const FakeCamera::Datagram& asked) -> std::optional<std::vector<FakeCamera::Reply>> {
    if (code_of(asked.bytes) != gvcp::kDiscoveryCmd) return std::nullopt;
    std::vector<FakeCamera::Reply> replies;
    for (uint32_t n = 0; n < kAnswers; ++n) {
      Bytes device = data;
      device[0x0E] = static_cast<uint8_t>(n >> 8);  // the MAC's last bytes
      device[0x0F] = static_cast<uint8_t>(n);
      const Bytes address = be32(0x0A000000 + n);
      std::copy(address.begin(), address.end(), device.begin() + 0x24);
      replies.push_back({with_id(hex("00 00 00 03 00 f8 00 00"), id_of(asked.bytes)) + device,
                         static_cast<int>(n / 4)});  // slowly enough for the socket's queue
    }
    return replies;
  });
  DiscoveryOptions options = on_loopback(camera, 2500);
  options.resend_interval_ms = 0;
  options.addresses = {loopback(11)};
  options.broadcast = false;
  Found found;
  DiscoveryReport report;
  REQUIRE(search(options, found, &report).ok());
  CHECK(found.cameras.size() == 1024);
  CHECK(report.left_out == report.answers - 1024);
  CHECK(report.left_out > 0);
}
