// Finding cameras. Purpose: DISCOVERY out of every NIC by its own sockets, and to single addresses by
// unicast.
//
// Thread: discover() runs and calls back on the caller's thread; it owns all it opens.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/waker.h"
#include "net/interfaces.h"
#include "net/socket.h"
#include "wire/gvcp.h"

namespace gw {

struct FoundCamera {
  gvcp::Discovery device;
  Interface interface;         // the NIC that saw it; of its addresses the one on the camera's subnet, if any
  uint32_t answered_from = 0;  // source address of the answer
  bool by_unicast = false;     // answered a question to its own address
  bool reachable = false;
  std::string unreachable_reason;  // names both subnets, or who else has the address
  bool duplicate_path = false;     // the same camera was found over another NIC before
  bool address_conflict = false;   // another camera behind this NIC has the same address

  // MAC and serial number: two simulators on one machine may share either.
  bool same_camera(const FoundCamera& other) const {
    return device.mac == other.device.mac && device.serial == other.device.serial;
  }
};

struct DiscoveryOptions {
  std::vector<std::string> interfaces;  // NIC names or addresses; empty: all that are up, loopback included
  std::vector<uint32_t> addresses;      // asked by unicast as well
  uint32_t duration_ms = 2000;
  uint32_t resend_interval_ms = 600;
  bool broadcast = true;  // false: only the unicast addresses
  bool allow_broadcast_ack =
      true;  // also listen for cameras of other subnets, which can only answer by broadcast
  uint16_t port = gvcp::kPort;
};

struct DiscoveryIssue {
  std::string interface;  // NIC name, or empty
  uint32_t address = 0;   // the unicast address asked, or 0
  int sys_errno = 0;
  std::string message;
};

struct DiscoveryReport {
  std::vector<DiscoveryIssue> issues;  // what did not work; each once
  std::vector<Interface> interfaces;   // what was asked
  uint64_t probes_sent = 0;
  uint64_t answers = 0;  // duplicates included
  uint64_t malformed = 0;
  uint64_t left_out = 0;  // answers of further cameras, when kMostCameras were found
};

// Whoever answers with ever new identities takes no more memory and time than this.
constexpr size_t kMostCameras = 1024;

// Return false: enough. Called again for a camera already reported when something about it has changed (an
// address conflict came to light, or it is reachable after all): replace what has the same NIC index and
// same_camera().
using OnFound = std::function<bool(const FoundCamera&)>;

// Ends kOk after duration_ms, or as soon as on_found says so; kCanceled; kInvalidArgument when no interface
// is called as asked; kNetwork when not one probe could be sent. One NIC's failure never fails the rest: see
// report.
Status discover(const DiscoveryOptions& options, const OnFound& on_found, const CancelToken* cancel = nullptr,
                DiscoveryReport* report = nullptr);

}  // namespace gw
