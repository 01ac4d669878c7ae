// Fuzz target: test packets, as the negotiation of the packet size sees them. For each one that is fired the
// program has some datagrams come, of the right size or not, that are test packets or not. Properties: a size
// is believed only when a datagram of that size came that is no stream data, twice when it is not the one
// asked for, never above what may be; what the negotiation settles on was proven, and it or the wish that
// brought it stays in the register.
#include <algorithm>
#include <memory>

#include "answering_camera.h"
#include "control/packet_size.h"
#include "wire/bootstrap.h"
#include "wire/gvcp.h"
#include "wire/gvsp.h"

using namespace gw;
using namespace gw::fuzz;

namespace {

constexpr uint32_t kHeaders = 28;  // IP and UDP
constexpr uint32_t kScps = reg::stream(0, reg::kScps);

class Run {
 public:
  explicit Run(Input input) : input_(input), camera_(input_), stream_(open()), source_(open()) {
    destination_ = *stream_.local_endpoint();
    flags_ = input_.byte();
    camera_.registers[reg::kGvcpCapability] = 0;
    camera_.registers[reg::kGvspCapability] = (flags_ & 1) != 0 ? reg::kGvspCapScsp : 0;
    camera_.registers[kScps] = 1500;
    camera_.registers[reg::stream(0, reg::kScp)] = (flags_ & 2) != 0 ? destination_.port : 0;
    camera_.registers[reg::stream(0, reg::kScda)] = destination_.address;
    camera_.registers[reg::stream(0, reg::kScsp)] = source_.local_endpoint()->port;
    camera_.on_write = [this](uint32_t address, uint32_t value) {
      if (address != kScps) return;
      carried_out_ = value;
      // It clamps, where it does.
      const uint32_t most = (flags_ & 4) != 0 ? 700 : 65535;
      const uint32_t size = std::min(value & reg::kScpsSizeMask, most);
      camera_.registers[kScps] = (value & ~(reg::kScpsSizeMask | reg::kScpsFireTest)) | size;
      if ((value & reg::kScpsFireTest) != 0) fire(size);
    };
  }

  void go() {
    const std::unique_ptr<ControlChannel> channel = ControlChannel::create();
    ControlOptions options;
    options.camera = camera_.endpoint();
    options.ack_timeout_ms = 8000;
    options.tries = 1;
    if (!camera_.ask([&] { return channel->connect(options).ok(); })) return;
    NegotiationOptions wish;
    wish.max = 1500 + input_.byte() * 64U;
    wish.timeout_ms = 1;
    wish.tries = 2;
    const PacketSizeResult result =
        camera_.ask([&] { return negotiate_packet_size(*channel, stream_, wish); });
    for (const PacketSizeAttempt& attempt : result.tried) {
      if (!attempt.arrived) continue;
      require(sent_.count(attempt.actual) != 0, "a size that was never sent");
      require(attempt.actual <= wish.max, "a size that may not be");
      if (attempt.actual != attempt.size && (flags_ & 4) == 0)
        require(sent_[attempt.actual] >= 2, "another size is believed when it comes twice");
    }
    if (!result.status.ok()) return;
    require(sent_.count(result.packet_size) != 0, "the packet size was proven");
    require(result.packet_size <= wish.max, "the packet size is one that may be");
    if (asked_last() != carried_out_) return;  // it has acknowledged what it did not do
    const uint32_t kept = camera_.registers[kScps] & reg::kScpsSizeMask;
    const bool brought = std::any_of(result.tried.begin(), result.tried.end(), [&](const auto& attempt) {
      return attempt.arrived && attempt.size == kept && attempt.actual == result.packet_size;
    });
    require(kept == result.packet_size || brought, "the register keeps it, or the wish that brought it");
  }

 private:
  static UdpSocket open() {
    Result<UdpSocket> socket = UdpSocket::open();
    require(socket.ok() && socket->bind({0x7F000001, 0}).ok(), "a socket on the loopback");
    return std::move(*socket);
  }

  // What the host has last written into the register of the packet size.
  uint32_t asked_last() const {
    uint32_t value = 0;
    for (const AnsweringCamera::Exchange& exchange : camera_.exchanges) {
      if (exchange.command != gvcp::kWriteRegCmd || exchange.question.size() < 8) continue;
      if (load_be32(&exchange.question[0]) == kScps) value = load_be32(&exchange.question[4]);
    }
    return value;
  }

  void fire(uint32_t size) {
    for (int i = input_.byte() % 4; i > 0; --i) {
      const uint8_t kind = input_.byte();
      const uint32_t other = (kind & 128) != 0 ? input_.number(2) : 0;
      send((kind & 128) != 0 ? other : size, kind);
    }
    if ((flags_ & 8) == 0) send(size, 0);
  }

  void send(uint32_t size, uint8_t kind) {
    Bytes datagram(std::clamp<uint32_t>(size, kHeaders, 20000) - kHeaders);
    const Bytes head = (kind & 64) != 0 ? input_.bytes(20) : Bytes(8, uint8_t{0});
    std::copy_n(head.begin(), std::min(head.size(), datagram.size()), datagram.begin());
    if (source_.send_raw(datagram, destination_) != 0) return;
    const auto header = gvsp::parse_header(datagram);
    if (!header || header->block_id == 0) ++sent_[static_cast<uint32_t>(datagram.size()) + kHeaders];
  }

  Input input_;
  uint8_t flags_ = 0;
  uint32_t carried_out_ = 0;
  AnsweringCamera camera_;
  UdpSocket stream_, source_;
  Endpoint destination_;
  std::map<uint32_t, int> sent_;  // sizes that count, and how often
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Run({data, data + size}).go();
  return 0;
}
