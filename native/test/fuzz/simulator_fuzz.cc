// Fuzz target: the simulator's side of the control channel, fed with commands that make sense or not, by a
// controller and by a stranger. After each of them comes a plain READREG, whose answer tells that the camera
// has dealt with it, and lives. Properties: at most one answer to a datagram, with its id, for its command
// and of the announced length; what is read has the size that was asked for; every request is counted as one
// of its kinds.
#include <array>
#include <memory>

#include "answering_camera.h"
#include "base/clock.h"
#include "sim/camera.h"
#include "sim/register_map.h"
#include "wire/bootstrap.h"
#include "wire/gvcp.h"

using namespace gw;
using namespace gw::fuzz;

namespace {

constexpr std::array<uint8_t, 6> kMac = {0x02, 0, 0, 0, 0, 1};
constexpr uint32_t kScda = reg::stream(0, reg::kScda);

class Run {
 public:
  explicit Run(Input input) : input_(input) {
    const uint8_t flags = input_.byte();
    sim::SimOptions options;
    options.control_port = 0;
    options.mac = kMac;
    options.width = options.height = 16;
    options.frame_rate = 1;
    options.zip = false;
    options.reset_ms = 0;
    options.concatenation = (flags & 1) == 0;
    options.write_memory = (flags & 2) == 0;
    options.faults.short_readmem_ack = (flags & 4) != 0;
    short_answers_ = options.faults.short_readmem_ack;
    Result<std::unique_ptr<sim::SimulatedCamera>> started = sim::SimulatedCamera::start(options);
    require(started.ok(), "the simulator starts");
    camera_ = std::move(*started);
    for (UdpSocket& host : hosts_) {
      Result<UdpSocket> socket = UdpSocket::open();
      require(socket.ok() && socket->bind({0x7F000001, 0}).ok(), "a socket on the loopback");
      host = std::move(*socket);
    }
  }

  void go() {
    for (int step = 0; step < 32 && !input_.empty(); ++step) one();
    const sim::SimStats stats = camera_->stats();
    require(stats.requests == sent_, "every request is counted");
    require(stats.requests == stats.discovery + stats.read_reg + stats.write_reg + stats.read_mem +
                                  stats.write_mem + stats.resend_cmd + stats.unknown_commands +
                                  stats.malformed + stats.retransmissions + stats.force_ip + not_meant_,
            "every request is counted as one of its kinds");
  }

 private:
  void one() {
    const uint8_t op = input_.byte();
    UdpSocket& host = hosts_[op >> 7];
    Bytes datagram = op % 8 == 0 ? input_.bytes(input_.byte()) : command(op % 8);
    keep_home(datagram);
    const uint16_t id = datagram.size() >= 8 ? load_be16(&datagram[6]) : 0;
    const auto mark = static_cast<uint16_t>(id == 1 ? 2 : 1);
    send(host, datagram);
    Bytes question(12);
    gvcp::write_command(question, {gvcp::kAckRequired, gvcp::kReadRegCmd, 4, mark});
    send(host, question);
    for (int answers = 0;; ++answers) {
      uint8_t buffer[2048];
      ReceiveInfo info;
      const Result<size_t> got =
          host.receive(buffer, &info, SteadyClock::instance().now_ns() + 8000 * kNsPerMs);
      require(got.ok(), "the camera lives");
      const ConstBytes bytes = ConstBytes(buffer).first(*got);
      const auto ack = gvcp::parse_ack(bytes);
      require(ack && ack->length == *got - gvcp::kHeaderSize, "an answer is well-formed");
      if (ack->ack_id == mark) {
        require(ack->command == gvcp::kReadRegAck, "the answer to the question behind it");
        return;
      }
      require(answers == 0, "one answer at most");
      check_answer(datagram, *ack, gvcp::payload(bytes, ack->length));
    }
  }

  void check_answer(const Bytes& datagram, const gvcp::AckHeader& ack, ConstBytes payload) const {
    const uint16_t code = load_be16(&datagram[2]);
    require(ack.ack_id == load_be16(&datagram[6]) && ack.command == static_cast<uint16_t>(code + 1),
            "an answer to what was asked");
    if (ack.status != gvcp::kSuccess) return;
    const ConstBytes asked = ConstBytes(datagram).subspan(gvcp::kHeaderSize);
    if (code == gvcp::kReadRegCmd) require(payload.size() == asked.size(), "one value for each register");
    if (code == gvcp::kWriteRegCmd)
      require(load_be16(&payload[2]) == asked.size() / 8, "all registers are written");
    if (code == gvcp::kWriteMemCmd) require(load_be16(&payload[2]) == asked.size() - 4, "all bytes written");
    if (code == gvcp::kDiscoveryCmd) require(gvcp::parse_discovery(payload).has_value(), "who it is");
    if (code == gvcp::kReadMemCmd) {
      require(payload.size() == load_be16(&asked[6]) + (short_answers_ ? 0U : 4U), "as much as asked for");
      if (!short_answers_)
        require(load_be32(payload.data()) == load_be32(asked.data()), "the address is told");
    }
  }

  void send(UdpSocket& host, const Bytes& datagram) {
    require(host.send_raw(datagram, camera_->control_endpoint()) == 0, "a command is sent");
    ++sent_;
  }

  // A command with a payload that begins like a right one.
  Bytes command(uint8_t kind) {
    constexpr gvcp::Command kCommands[] = {gvcp::kReadRegCmd,      gvcp::kReadRegCmd,  gvcp::kWriteRegCmd,
                                           gvcp::kReadMemCmd,      gvcp::kWriteMemCmd, gvcp::kDiscoveryCmd,
                                           gvcp::kPacketResendCmd, gvcp::kForceIpCmd};
    const uint8_t flags = input_.byte();
    Bytes payload;
    for (int pairs = flags % 8; pairs >= 0; --pairs) {
      payload.resize(payload.size() + 8);
      store_be32(&payload[payload.size() - 8], address(input_.byte()));
      store_be32(&payload[payload.size() - 4], input_.number(flags & 64 ? 4 : 1));
    }
    if ((flags & 16) != 0) payload.resize(std::min<size_t>(payload.size(), input_.byte()));
    if ((flags & 32) != 0) payload.resize(payload.size() + input_.number(2) % 600);
    Bytes out(gvcp::kHeaderSize);
    gvcp::write_command(out, {static_cast<uint8_t>(gvcp::kAckRequired | (flags & 0x80)), kCommands[kind],
                              static_cast<uint16_t>(payload.size()), next_id_++});
    out.insert(out.end(), payload.begin(), payload.end());
    return out;
  }
  static uint32_t address(uint8_t at) {
    if (at < 0x28) return 0xA000U + at * 4;                          // features
    if (at < 0x50) return reg::kStreamBase + (at - 0x28U) * 4;       // the stream channel
    if (at < 0xA0) return reg::kMessageChannels + (at - 0x50U) * 4;  // capabilities and control privilege
    if (at < 0xF0) return (at - 0xA0U) * 4;                          // who it is
    return sim::kDescriptionAddress + (at - 0xF0U) * 1021;           // some of it unaligned
  }

  // No stream leaves the loopback, and the camera stays where it is.
  void keep_home(Bytes& datagram) {
    const auto header = gvcp::parse_command(datagram);
    if (!header) return;
    const MutableBytes payload = MutableBytes(datagram).subspan(gvcp::kHeaderSize, header->length);
    const auto home = [](uint8_t* at) { store_be32(at, 0x7F000001); };
    if (header->command == gvcp::kWriteRegCmd) {
      for (size_t i = 0; i + 8 <= payload.size(); i += 8) {
        if (load_be32(&payload[i]) == kScda) home(&payload[i + 4]);
      }
    } else if (header->command == gvcp::kWriteMemCmd && payload.size() >= 8) {
      const uint64_t at = load_be32(&payload[0]);
      if (at <= kScda && kScda + 4 <= at + payload.size() - 4) home(&payload[4 + (kScda - at)]);
    } else if (header->command == gvcp::kForceIpCmd && payload.size() == gvcp::kForceIpSize &&
               datagram.size() == gvcp::kHeaderSize + payload.size() && header->req_id != 0) {
      payload[2] = 0xFE;  // another camera's
      ++not_meant_;
    }
  }

  Input input_;
  bool short_answers_ = false;
  std::unique_ptr<sim::SimulatedCamera> camera_;
  std::array<UdpSocket, 2> hosts_;
  uint16_t next_id_ = 100;
  uint64_t sent_ = 0;
  uint64_t not_meant_ = 0;  // FORCEIP for another camera counts as nothing of this one's
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Run({data, data + size}).go();
  return 0;
}
