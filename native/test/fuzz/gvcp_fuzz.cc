// Fuzz target: control messages. Properties: nothing is read outside the input, an announced payload is
// there, a datagram is never both command and answer, and what was parsed survives being written.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "wire/gvcp.h"

using namespace gw;

namespace {

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ConstBytes input(data, size);
  const auto command = gvcp::parse_command(input);
  const auto ack = gvcp::parse_ack(input);
  require(!(command && ack), "command or answer");
  if (command) {
    require(gvcp::payload(input, command->length).size() == command->length, "payload of a command");
    uint8_t out[gvcp::kHeaderSize];
    gvcp::write_command(out, *command);
    require(std::equal(out, out + sizeof out, data), "command header written");
    const ConstBytes payload = gvcp::payload(input, command->length);
    if (const auto resend = gvcp::parse_resend(payload, command->flags)) {
      uint8_t datagram[gvcp::kMaxResendSize];
      const size_t written = gvcp::write_resend(datagram, *resend, command->req_id);
      const auto again = gvcp::parse_resend(ConstBytes(datagram, written).subspan(gvcp::kHeaderSize),
                                            resend->extended ? gvcp::kExtendedIds : 0);
      require(again && again->block_id == resend->block_id && again->first_packet == resend->first_packet &&
                  again->last_packet == resend->last_packet && again->channel == resend->channel,
              "resend written and parsed again");
    }
  }
  if (ack) {
    require(gvcp::payload(input, ack->length).size() == ack->length, "payload of an answer");
    require(gvcp::status_name(ack->status) != nullptr, "status name");
    uint8_t out[gvcp::kHeaderSize];
    gvcp::write_ack(out, *ack);
    require(std::equal(out, out + sizeof out, data), "answer header written");
  }
  return 0;
}
