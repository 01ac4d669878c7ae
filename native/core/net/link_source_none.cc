// net/link_source.h for systems that have neither packet rings nor XDP sockets.
#include <cerrno>

#include "base/system_message.h"
#include "net/link_source.h"

namespace gw {

namespace {

Status missing(const char* what) {
  return Status::system(ENOTSUP, std::string(what) + ": " + system_message(ENOTSUP));
}

}  // namespace

Result<std::unique_ptr<PacketSource>> make_packet_ring_source(const LinkSourceOptions&) {
  return missing("packet ring");
}

Result<std::unique_ptr<PacketSource>> make_xdp_source(const LinkSourceOptions&) {
  return missing("XDP socket");
}

}  // namespace gw
