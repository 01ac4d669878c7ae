// Opening and closing a stream channel in the camera, and the way through firewalls. Declared in
// packet_size.h.
#include <array>

#include "control/packet_size.h"
#include "wire/bootstrap.h"

namespace gw {

Result<StreamChannel> open_stream_channel(ControlChannel& control, uint32_t channel, Endpoint destination) {
  if (channel >= reg::kMaxStreams) return Status::error(Errc::kInvalidArgument, "no such stream channel");
  if (destination.address == 0 || destination.port == 0) {
    return Status::error(Errc::kInvalidArgument, "a stream needs an address and a port to go to");
  }
  // An open channel does not like to be redirected; and block ids start anew only after it was closed.
  const Result<uint32_t> port = control.read_register(reg::stream(channel, reg::kScp));
  if (!port.ok()) return port.status();
  if ((*port & 0xFFFF) != 0) {
    if (Status status = close_stream_channel(control, channel); !status.ok()) return status;
  }
  Status status = control.write_register(reg::stream(channel, reg::kScda), destination.address);
  if (status.ok()) status = control.write_register(reg::stream(channel, reg::kScp), destination.port);
  if (!status.ok()) return status;

  StreamChannel opened{channel, destination, 0, (control.capabilities().gvsp & reg::kGvspCapScsp) != 0};
  const Result<uint32_t> source = control.read_register(reg::stream(channel, reg::kScsp));
  if (source.ok()) opened.source_port = static_cast<uint16_t>(*source);
  if (!source.ok() && source.status().gvcp_status == 0) return source.status();
  return opened;
}

Status close_stream_channel(ControlChannel& control, uint32_t channel) {
  return control.write_register(reg::stream(channel, reg::kScp), 0);
}

void punch(UdpSocket& stream_socket, Endpoint source) noexcept {
  if (source.address == 0 || source.port == 0) return;
  // A guessed port may be this very socket's, where the camera is a program on the same machine.
  if (const Result<Endpoint> own = stream_socket.local_endpoint(); own.ok() && *own == source) return;
  constexpr std::array<uint8_t, 8> kNothing{};  // the camera must ignore it, whatever it says
  (void)stream_socket.send_raw(kNothing, source);
}

}  // namespace gw
