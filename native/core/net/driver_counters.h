// The counters that the driver of a network card keeps: where packets end that no counter of the system has.
// Purpose: evidence for the diagnosis of preflight (reference page "firewall", section 4). Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gw {

struct DriverCounter {
  std::string name;  // as the driver calls it: "rx_missed_errors", "rx_queue_0_drops"
  uint64_t value = 0;
};

// Of that interface, by no privilege; empty where its driver tells none, or the system has no such question.
std::vector<DriverCounter> driver_counters(const std::string& interface_name);

}  // namespace gw
