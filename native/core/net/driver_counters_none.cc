// net/driver_counters.h for systems that have no such question.
#include "net/driver_counters.h"

namespace gw {

std::vector<DriverCounter> driver_counters(const std::string&) { return {}; }

}  // namespace gw
