// gigewire-sim: a simulated camera as a program. Purpose: tests by hand, and load from another process or
// network namespace. One JSON line when it is ready, the counters as JSON on SIGINT or SIGTERM. Thread: main
// only waits.
#include <signal.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "sim/camera.h"
#include "sim/description.h"
#include "sim/fault_plan.h"

namespace {

using namespace gw;
using namespace gw::sim;

constexpr const char* kUsage =
    R"(usage: gigewire-sim [options]
  --address A        own address, default 127.0.0.1        --serial S   --user-name N   --model M
  --width N --height N --sensor-width N --sensor-height N  --format F   PFNC name, default Mono8
  --fps R            0 = as fast as it can, default 30     --pattern P  checkable, card, ramp, black, white
  --seed N           of pattern and faults                 --packet-size N   initial, default 1500
  --extended-ids     --first-block-id N                    --history N  blocks that can be resent
  --line-rate MBPS   pace inside a frame                   --spin       exact packet times, costs a core
  --no-gso           --no-udp-checksum                     --no-zip     --no-resend
  --chunks           --variable-height                     --all-in     --payload-type N   --padding-x N
  --heartbeat MS     --discovery-delay MS                  --count N    that many cameras from A upwards
  --fault KEY=VALUE  repeatable; fields of the fault plan, e.g. loss=0.01, drop_packets=*:5, packet_size=clamp
)";

int usage(const std::string& problem) {
  std::fprintf(stderr, "gigewire-sim: %s\n%s", problem.c_str(), kUsage);
  return 2;
}

bool parse_pattern(const std::string& name, TestPattern& out) {
  constexpr const char* kNames[] = {"checkable", "card", "ramp", "black", "white"};
  for (uint32_t i = 0; i < 5; ++i) {
    if (name == kNames[i]) {
      out = static_cast<TestPattern>(i);
      return true;
    }
  }
  return false;
}

void print_stats(const SimulatedCamera& camera) {
  const SimStats stats = camera.stats();
  std::printf(
      "{\"camera\":\"%s\",\"controller\":\"%s\",\"destination\":\"%s\",\"packet_size\":%u,\"last_block_id\":"
      "%" PRIu64 ",\"last_send_errno\":%d",
      to_string(stats.control).c_str(), to_string(stats.controller).c_str(),
      to_string(stats.destination).c_str(), stats.packet_size, stats.last_block_id, stats.last_send_errno);
  for_each_counter(stats,
                   [](const char* name, uint64_t value) { std::printf(",\"%s\":%" PRIu64, name, value); });
  std::printf("}\n");
}

}  // namespace

int main(int argc, char** argv) {
  SimOptions options;
  unsigned long count = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string key = argv[i];
    if (key == "--help" || key == "-h") {
      std::fputs(kUsage, stdout);
      return 0;
    }
    bool flag = true;
    if (key == "--extended-ids")
      options.extended_ids = true;
    else if (key == "--spin")
      options.spin = true;
    else if (key == "--no-gso")
      options.gso = false;
    else if (key == "--no-udp-checksum")
      options.udp_checksum = false;
    else if (key == "--no-zip")
      options.zip = false;
    else if (key == "--no-resend")
      options.resend = false;
    else if (key == "--chunks")
      options.chunk_mode = true;
    else if (key == "--variable-height")
      options.variable_height = true;
    else if (key == "--all-in")
      options.all_in = true;
    else
      flag = false;
    if (flag) continue;
    if (i + 1 >= argc) return usage(key + " is unknown or lacks its value");
    const std::string value = argv[++i];
    const auto number = [&] { return std::strtoull(value.c_str(), nullptr, 0); };
    const auto small = [&] { return static_cast<uint32_t>(number()); };
    if (key == "--address") {
      const auto address = parse_ipv4(value);
      if (!address) return usage(value + " is no IPv4 address");
      options.address = *address;
    } else if (key == "--serial")
      options.serial = value;
    else if (key == "--user-name")
      options.user_name = value;
    else if (key == "--model")
      options.model = value;
    else if (key == "--width")
      options.width = small();
    else if (key == "--height")
      options.height = small();
    else if (key == "--sensor-width")
      options.sensor_width = small();
    else if (key == "--sensor-height")
      options.sensor_height = small();
    else if (key == "--format") {
      const auto code = pfnc::code(value);
      if (!code) return usage(value + " is no pixel format");
      options.pixel_format = *code;
    } else if (key == "--fps")
      options.frame_rate = std::strtod(value.c_str(), nullptr);
    else if (key == "--pattern") {
      if (!parse_pattern(value, options.test_pattern)) return usage(value + " is no pattern");
    } else if (key == "--seed")
      options.seed = number();
    else if (key == "--packet-size")
      options.packet_size = small();
    else if (key == "--first-block-id")
      options.first_block_id = number();
    else if (key == "--history")
      options.resend_history_blocks = small();
    else if (key == "--line-rate")
      options.line_rate_bps = number() * 1'000'000;
    else if (key == "--payload-type")
      options.payload_type = static_cast<uint16_t>(small());
    else if (key == "--padding-x")
      options.padding_x = static_cast<uint16_t>(small());
    else if (key == "--heartbeat")
      options.heartbeat_timeout_ms = small();
    else if (key == "--discovery-delay")
      options.discovery_delay_ms = small();
    else if (key == "--count")
      count = number();
    else if (key == "--fault") {
      const size_t equals = value.find('=');
      if (equals == std::string::npos) return usage("--fault takes key=value");
      const Status set = set_fault(options.faults, value.substr(0, equals), value.substr(equals + 1));
      if (!set.ok()) return usage(set.message);
    } else
      return usage(key + " is unknown");
  }

  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  std::vector<std::unique_ptr<SimulatedCamera>> cameras;
  const std::string serial = options.serial;
  for (unsigned long i = 0; i < count; ++i) {
    if (count > 1) options.serial = serial + "-" + std::to_string(i + 1);
    Result<std::unique_ptr<SimulatedCamera>> camera = SimulatedCamera::start(options);
    if (!camera.ok()) {
      std::fprintf(stderr, "gigewire-sim: %s%s%s\n", camera.status().message.c_str(),
                   camera.status().sys_errno != 0 ? ": " : "",
                   camera.status().sys_errno != 0 ? std::strerror(camera.status().sys_errno) : "");
      return 1;
    }
    std::printf("{\"ready\":\"%s\",\"serial\":\"%s\"}\n", to_string((*camera)->control_endpoint()).c_str(),
                options.serial.c_str());
    cameras.push_back(std::move(*camera));
    ++options.address;
  }
  std::fflush(stdout);
  int received = 0;
  sigwait(&ends, &received);
  for (const auto& camera : cameras) {
    camera->stop();
    print_stats(*camera);
  }
  return 0;
}
