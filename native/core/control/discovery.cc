#include "control/discovery.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/clock.h"

namespace gw {

namespace {

constexpr uint32_t kLimitedBroadcast = 0xFFFFFFFF;
constexpr int kMostAtOnce = 256;  // answers of one path before the others and the clock are looked at

uint64_t now() { return SteadyClock::instance().now_ns(); }

bool is_loopback(uint32_t address) { return address >> 24 == 127; }

// A way to ask: one socket and what it is good for.
struct Path {
  enum Kind : uint8_t {
    kNarrow,   // bound to the NIC's address: answers to that address
    kWide,     // bound to no address, pinned to the NIC: answers by broadcast
    kUnicast,  // connected to one address: learns of refusals
  };
  Kind kind = kNarrow;
  Interface nic;
  uint32_t target = 0;  // kUnicast
  UdpSocket socket;
};

class Session {
 public:
  Session(const DiscoveryOptions& options, const OnFound& on_found, DiscoveryReport& report)
      : options_(options), on_found_(on_found), report_(report) {}

  Status open();
  Status run(const CancelToken* cancel);

 private:
  bool asked_for(const Interface& nic) const;
  Status choose_interfaces();
  void open_narrow(const Interface& nic);
  void open_wide(const Interface& nic);
  void open_unicast(uint32_t address);
  void issue(const Path& path, const Status& status);
  void issue(std::string interface, uint32_t address, int sys_errno, std::string message);

  void send_round();
  Status send_probe(Path& path);
  void drain(Path& path);
  void answered(const Path& path, ConstBytes datagram, Endpoint from);
  bool from_elsewhere_on_this_machine(const Path& path, uint32_t from) const;
  void judge(FoundCamera& found) const;
  void remember(FoundCamera found);
  void publish(const FoundCamera& found) { done_ = !on_found_(found) || done_; }

  const DiscoveryOptions& options_;
  const OnFound& on_found_;
  DiscoveryReport& report_;
  std::vector<Interface> all_;
  std::vector<std::unique_ptr<Path>> paths_;
  std::vector<FoundCamera> found_;
  uint16_t id_ = 0;
  bool done_ = false;
};

bool Session::asked_for(const Interface& nic) const {
  if (options_.interfaces.empty()) return nic.up;
  const std::string address = address_to_string(nic.address);
  return std::any_of(options_.interfaces.begin(), options_.interfaces.end(),
                     [&](const std::string& wanted) { return wanted == nic.name || wanted == address; });
}

Status Session::choose_interfaces() {
  Result<std::vector<Interface>> listed = list_interfaces();
  if (!listed.ok()) return listed.status();
  all_ = std::move(*listed);
  for (const std::string& wanted : options_.interfaces) {
    const bool known = std::any_of(all_.begin(), all_.end(), [&](const Interface& nic) {
      return nic.name == wanted || address_to_string(nic.address) == wanted;
    });
    if (!known) issue(wanted, 0, ENODEV, "no network interface is called " + wanted + " or has that address");
  }
  if (!options_.interfaces.empty() && report_.issues.size() == options_.interfaces.size()) {
    return Status::error(Errc::kInvalidArgument, report_.issues.front().message);
  }
  for (const Interface& nic : all_) {
    if (!asked_for(nic)) continue;
    if (!nic.up) {
      issue(nic.name, 0, ENETDOWN, nic.name + " is down");
      continue;
    }
    report_.interfaces.push_back(nic);
  }
  return {};
}

Status Session::open() {
  // Any id will do; one that differs from run to run keeps answers to an earlier run out.
  id_ = static_cast<uint16_t>(now() >> 10 | 1);
  if (Status status = choose_interfaces(); !status.ok()) return status;
  if (options_.broadcast) {
    std::vector<std::pair<int, uint32_t>> subnets;
    std::vector<int> wide;
    for (const Interface& nic : report_.interfaces) {
      const std::pair<int, uint32_t> subnet(nic.index, nic.address & nic.netmask);
      const bool again = std::find(subnets.begin(), subnets.end(), subnet) != subnets.end();
      subnets.push_back(subnet);
      if (nic.address != 0 && !again) open_narrow(nic);
      if (nic.loopback || !options_.allow_broadcast_ack) continue;
      if (std::find(wide.begin(), wide.end(), nic.index) != wide.end()) continue;
      wide.push_back(nic.index);
      open_wide(nic);
    }
  }
  for (const uint32_t address : options_.addresses) open_unicast(address);
  return {};
}

void Session::open_narrow(const Interface& nic) {
  auto path = std::make_unique<Path>(Path{Path::kNarrow, nic, 0, {}});
  Result<UdpSocket> socket = UdpSocket::open();
  Status status = socket.ok() ? socket->bind({nic.address, 0}) : socket.status();
  if (status.ok()) status = socket->set_broadcast(true);
  if (!status.ok()) return issue(*path, status);
  path->socket = std::move(*socket);
  paths_.push_back(std::move(path));
}

void Session::open_wide(const Interface& nic) {
  auto path = std::make_unique<Path>(Path{Path::kWide, nic, 0, {}});
  Result<UdpSocket> socket = UdpSocket::open();
  Status status = socket.ok() ? socket->bind_to_device(nic.name) : socket.status();
  if (status.ok()) status = socket->bind({0, 0});
  if (status.ok()) status = socket->set_broadcast(true);
  if (!status.ok()) return issue(*path, status);
  path->socket = std::move(*socket);
  paths_.push_back(std::move(path));
}

void Session::open_unicast(uint32_t address) {
  auto path = std::make_unique<Path>(Path{Path::kUnicast, {}, address, {}});
  Result<UdpSocket> socket = UdpSocket::open();
  if (!socket.ok()) return issue(*path, socket.status());
  // An interface that was asked for and has the address on its subnet goes before the routing table.
  const auto pinned = options_.interfaces.empty()
                          ? report_.interfaces.end()
                          : std::find_if(report_.interfaces.begin(), report_.interfaces.end(),
                                         [&](const Interface& nic) { return nic.contains(address); });
  if (pinned != report_.interfaces.end()) {
    path->nic = *pinned;
    const bool own =
        std::any_of(all_.begin(), all_.end(), [&](const Interface& n) { return n.address == address; });
    if (!own && !pinned->loopback) (void)socket->bind_to_device(pinned->name);
    if (Status status = socket->bind({pinned->address, 0}); !status.ok()) return issue(*path, status);
  } else if (const auto routed = route_to(address, all_)) {
    path->nic = *routed;
  }
  if (Status status = socket->connect({address, options_.port}); !status.ok()) return issue(*path, status);
  path->socket = std::move(*socket);
  paths_.push_back(std::move(path));
}

void Session::issue(const Path& path, const Status& status) {
  std::string message = path.nic.name.empty() ? status.message : path.nic.name + ": " + status.message;
  if (path.kind == Path::kUnicast) {
    const std::string who = address_to_string(path.target);
    if (status.sys_errno == ECONNREFUSED) message = who + " is there, but refuses GVCP: not a camera";
    if (status.sys_errno == EHOSTUNREACH) message = "nobody has the address " + who;
  }
  issue(path.nic.name, path.target, status.sys_errno, std::move(message));
}

void Session::issue(std::string interface, uint32_t address, int sys_errno, std::string message) {
  const bool known =
      std::any_of(report_.issues.begin(), report_.issues.end(), [&](const DiscoveryIssue& old) {
        return old.interface == interface && old.address == address && old.sys_errno == sys_errno;
      });
  if (!known) report_.issues.push_back({std::move(interface), address, sys_errno, std::move(message)});
}

Status Session::send_probe(Path& path) {
  std::array<uint8_t, gvcp::kHeaderSize> probe;
  const bool wide = path.kind == Path::kWide;
  const uint8_t flags = gvcp::kAckRequired | (wide ? gvcp::kAllowBroadcastAck : 0);
  gvcp::write_command(probe, {flags, gvcp::kDiscoveryCmd, 0, id_});
  const uint16_t port = options_.port;
  if (path.kind == Path::kUnicast) {
    Status status = path.socket.send(probe);
    // The refusal of the round before is handed out here, instead of sending.
    if (status.sys_errno == ECONNREFUSED) issue(path, status), status = path.socket.send(probe);
    return status;
  }
  if (wide) return path.socket.send_to(probe, {kLimitedBroadcast, port});
  // Some cameras do not listen to the one, some networks do not carry the other.
  const Interface& nic = path.nic;
  Status status = path.socket.send_via(probe, {kLimitedBroadcast, port}, nic.index, nic.address);
  if (status.ok()) ++report_.probes_sent;
  if (nic.broadcast == 0) return status;
  Status directed = path.socket.send_via(probe, {nic.broadcast, port}, nic.index, nic.address);
  return status.ok() && !directed.ok() ? status : directed;
}

void Session::send_round() {
  for (const auto& path : paths_) {
    const Status status = send_probe(*path);
    if (status.ok()) {
      ++report_.probes_sent;
    } else {
      issue(*path, status);
    }
  }
}

void Session::drain(Path& path) {
  std::array<uint8_t, 2048> buffer;
  for (int i = 0; i < kMostAtOnce && !done_; ++i) {
    Endpoint from;
    const Result<size_t> got = path.socket.receive(buffer, &from, 0);
    if (got.ok()) {
      answered(path, ConstBytes(buffer).first(*got), from);
    } else if (got.status().code == Errc::kTimeout) {
      return;
    } else {
      return issue(path, got.status());
    }
  }
}

// A simulator on this machine hears the broadcasts of every NIC. It belongs to the one whose address it has.
bool Session::from_elsewhere_on_this_machine(const Path& path, uint32_t from) const {
  if (path.kind == Path::kUnicast) return false;
  if (is_loopback(from)) return !path.nic.loopback;
  return std::any_of(all_.begin(), all_.end(), [&](const Interface& nic) {
    return nic.address == from && nic.index != path.nic.index;
  });
}

void Session::answered(const Path& path, ConstBytes datagram, Endpoint from) {
  const auto ack = gvcp::parse_ack(datagram);
  if (!ack || ack->command != gvcp::kDiscoveryAck || ack->ack_id != id_ || gvcp::is_error(ack->status)) {
    ++report_.malformed;
    return;
  }
  const auto device = gvcp::parse_discovery(gvcp::payload(datagram, ack->length));
  if (!device) {
    ++report_.malformed;
    return;
  }
  if (from_elsewhere_on_this_machine(path, from.address)) return;
  ++report_.answers;
  FoundCamera found;
  found.device = *device;
  found.interface = path.nic;
  found.answered_from = from.address;
  found.by_unicast = path.kind == Path::kUnicast;
  judge(found);
  remember(std::move(found));
}

void Session::judge(FoundCamera& found) const {
  const gvcp::Discovery& device = found.device;
  for (const Interface& nic : all_) {  // of the NIC's addresses, the one that suits the camera
    if (nic.index == found.interface.index && nic.contains(device.address)) {
      found.interface = nic;
      break;
    }
  }
  const Interface& nic = found.interface;
  found.reachable = found.by_unicast || (device.address != 0 && nic.contains(device.address));
  if (found.reachable) return;
  if (nic.address != 0 && device.address != 0 &&
      ~nic.netmask == 0) {  // a /32, as tunnels have: the route decides
    const auto routed = route_to(device.address, all_);
    found.reachable = routed && routed->index == nic.index;
    if (found.reachable) return;
  }
  if (device.address == 0) {
    found.unreachable_reason = "the camera has no IP address yet";
    return;
  }
  const std::string camera =
      device.subnet_mask == 0 ? "unknown" : subnet_to_string(device.address, device.subnet_mask);
  const std::string host = nic.address == 0
                               ? "which has no IPv4 address"
                               : "which is on subnet " + subnet_to_string(nic.address, nic.netmask) + " (" +
                                     address_to_string(nic.address) + ")";
  found.unreachable_reason = "the camera is on subnet " + camera + " (" + address_to_string(device.address) +
                             "), but was seen on " + nic.name + ", " + host;
}

void Session::remember(FoundCamera found) {
  constexpr std::array<uint8_t, 6> kNoMac{};
  bool known = false;
  for (FoundCamera& old : found_) {
    const bool same_nic = old.interface.index == found.interface.index;
    const bool same_address = old.device.address == found.device.address;
    if (!old.same_camera(found)) {
      if (!same_nic || !same_address || found.device.address == 0 || found.address_conflict) continue;
      const auto conflict = [](FoundCamera& one, const FoundCamera& other) {
        one.address_conflict = true;
        one.reachable = false;
        one.unreachable_reason = "the address " + address_to_string(one.device.address) +
                                 " is also used by " + other.device.model + ' ' + other.device.serial;
      };
      const bool told = old.address_conflict;
      conflict(found, old);
      conflict(old, found);
      if (!told) publish(old);
      continue;
    }
    if (!same_nic) {
      found.duplicate_path = found.duplicate_path || found.device.mac != kNoMac || same_address;
      continue;
    }
    if (!same_address) continue;  // it has just got another one
    known = true;
    if (old.reachable || !found.reachable || old.address_conflict) continue;
    old = found;
    publish(old);
  }
  if (known) return;
  if (found_.size() == kMostCameras) {
    ++report_.left_out;
    return;
  }
  found_.push_back(std::move(found));
  publish(FoundCamera(found_.back()));
}

Status Session::run(const CancelToken* cancel) {
  std::vector<const UdpSocket*> sockets;
  for (const auto& path : paths_) sockets.push_back(&path->socket);
  const auto readable = std::make_unique<bool[]>(sockets.size());
  const uint64_t begin = now();
  const uint64_t end = begin + options_.duration_ms * kNsPerMs;
  uint64_t next_round = begin;
  while (!done_) {
    if (cancel != nullptr && cancel->canceled()) return Status::error(Errc::kCanceled, "canceled");
    const uint64_t time = now();
    if (time >= end) break;
    if (time >= next_round) {
      send_round();
      if (report_.probes_sent == 0) break;
      next_round = options_.resend_interval_ms == 0 ? end : time + options_.resend_interval_ms * kNsPerMs;
    }
    const Status waited = wait_readable(sockets, {readable.get(), sockets.size()}, std::min(next_round, end),
                                        cancel != nullptr ? &cancel->waker() : nullptr);
    if (waited.code == Errc::kTimeout) continue;
    if (waited.code == Errc::kCanceled) continue;
    if (!waited.ok()) return waited;
    for (size_t i = 0; i < paths_.size(); ++i) {
      if (readable[i]) drain(*paths_[i]);
    }
  }
  if (report_.probes_sent != 0) return {};
  const int error = report_.issues.empty() ? ENETUNREACH : report_.issues.front().sys_errno;
  std::string message = "no discovery message could be sent";
  if (!report_.issues.empty()) message += ": " + report_.issues.front().message;
  return Status::system(error, std::move(message));
}

}  // namespace

Status discover(const DiscoveryOptions& options, const OnFound& on_found, const CancelToken* cancel,
                DiscoveryReport* report) {
  DiscoveryReport own;
  DiscoveryReport& into = report != nullptr ? *report : own;
  into = {};
  Session session(options, on_found, into);
  if (Status status = session.open(); !status.ok()) return status;
  return session.run(cancel);
}

}  // namespace gw
