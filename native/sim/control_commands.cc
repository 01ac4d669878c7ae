// ControlServer, command by command. Thread: gev-sim-ctl. Owner: SimulatedCamera.
#include <algorithm>
#include <array>

#include "base/clock.h"
#include "sim/control_server.h"
#include "wire/bootstrap.h"

namespace gw::sim {

namespace {

using namespace gvcp;

enum Purpose : uint32_t { kAckLoss = 100, kRequestLoss, kAckDuplicate, kStaleAck, kDiscoveryDelay };

constexpr uint64_t kReplayWindow = 2'000 * kNsPerMs;
constexpr size_t kMaxDeferred = 64;

}  // namespace

bool ControlServer::hits(double probability, uint32_t purpose) {
  if (probability <= 0) return false;
  return static_cast<double>(fault_hash(options_.seed, purpose, draws_++, 0, 0) >> 11) * 0x1p-53 <
         probability;
}

void ControlServer::handle(ConstBytes datagram, const Received& received, bool broadcast) {
  // One copy of a broadcast arrives for every interface's cameras: only our own interface's is for us.
  if (broadcast && sockets_.network_interface.index != 0 && received.interface_index != 0 &&
      received.interface_index != sockets_.network_interface.index) {
    return;
  }
  count(counters_.requests);
  const std::optional<CommandHeader> header = parse_command(datagram);
  if (!header || datagram.size() != kHeaderSize + header->length || header->req_id == 0) {
    count(counters_.malformed);
    const bool command =
        datagram.size() >= kHeaderSize && datagram[0] == kKey && (datagram[1] & kAckRequired) != 0;
    if (!command || broadcast) return;
    std::array<uint8_t, kHeaderSize> ack;
    write_ack(ack, {kInvalidHeader, static_cast<uint16_t>(load_be16(&datagram[2]) + 1), 0,
                    load_be16(&datagram[6])});
    sockets_.control.send(ack, received.from);
    return;
  }
  const Request request{*header, datagram, payload(datagram, header->length), received.from,
                        SteadyClock::instance().now_ns()};
  if (header->command == kDiscoveryCmd) {
    const uint32_t mask = registers_.word(reg::kCurrentMask);
    discovery(request, ((received.from.address ^ registers_.word(reg::kCurrentIp)) & mask) == 0);
  } else if (header->command == kForceIpCmd) {
    force_ip(request);
  } else if (!broadcast) {
    handle_unicast(request);
  }
}

void ControlServer::handle_unicast(const Request& request) {
  if (hits(faults_.control_request_loss, kRequestLoss)) {
    count(counters_.requests_lost);
    return;
  }
  if (request.from == registers_.controller()) heard_at_ = request.now;
  if (request.header.command == kPacketResendCmd) {
    packet_resend(request);
    return;
  }
  ++served_;
  if (faults_.control_stall_ms > 0 && served_ > faults_.control_stall_after && !stall_done_) {
    stall_done_ = true;
    stalled_until_ = request.now + faults_.control_stall_ms * kNsPerMs;
    if (!faults_.control_stall_drops && deferred_.size() < kMaxDeferred) {
      deferred_.push_back(
          {stalled_until_, request.from, {request.datagram.begin(), request.datagram.end()}, true});
    }
    return;
  }
  if (replay(request) || defer_slow(request)) return;
  execute(request);
}

void ControlServer::execute(const Request& request) {
  switch (request.header.command) {
    case kReadRegCmd:
      return read_registers(request);
    case kWriteRegCmd:
      return write_registers(request);
    case kReadMemCmd:
      return read_memory(request);
    case kWriteMemCmd:
      if (options_.write_memory) return write_memory(request);
      [[fallthrough]];
    default:
      count(counters_.unknown_commands);
      acknowledge(request, kNotImplemented);
  }
}

void ControlServer::discovery(const Request& request, bool reachable) {
  count(counters_.discovery);
  if (faults_.no_discovery) return;
  std::vector<uint8_t> ack(kHeaderSize + kDiscoveryAckSize);
  write_ack(ack, {kSuccess, kDiscoveryAck, kDiscoveryAckSize, request.header.req_id});
  if (registers_.read(0, MutableBytes(ack).subspan(kHeaderSize)) != kSuccess) return;
  if (!reachable && (request.header.flags & kAllowBroadcastAck) != 0) {
    // The asker is in another net: it can only hear us by broadcast.
    sockets_.control.send_through(ack, {kLimitedBroadcast, request.from.port},
                                  sockets_.network_interface.index);
    return;
  }
  const uint32_t delay_ms = registers_.word(reg::kDiscoveryAckDelay) & 0xFFFF;
  if (delay_ms == 0 || deferred_.size() >= kMaxDeferred) {
    sockets_.control.send(ack, request.from);
    return;
  }
  const uint64_t drawn = fault_hash(options_.seed, kDiscoveryDelay, draws_++, 0, 0) % (delay_ms * kNsPerMs);
  deferred_.push_back({request.now + drawn, request.from, std::move(ack), false});
}

void ControlServer::force_ip(const Request& request) {
  const std::optional<ForceIp> force = parse_force_ip(request.payload);
  if (!force || request.header.length != kForceIpSize) {
    count(counters_.malformed);
    return;
  }
  if (force->mac != options_.mac) return;
  count(counters_.force_ip);
  if (registers_.word(reg::kControlPrivilege) != 0)
    return;  // cameras were seen to ignore it while controlled
  if (force->address != 0) {
    move_to(request, force->address, force->subnet_mask, force->gateway);
  } else if ((registers_.word(reg::kIpConfiguration) & reg::kIpPersistent) != 0) {
    move_to(request, registers_.word(reg::kPersistentIp), registers_.word(reg::kPersistentMask),
            registers_.word(reg::kPersistentGateway));
  } else {
    acknowledge(request, kSuccess);
  }
}

void ControlServer::move_to(const Request& request, uint32_t address, uint32_t mask, uint32_t gateway) {
  const uint16_t port = sockets_.control_at.port;
  if (address != sockets_.control_at.address) {
    Result<Sockets> moved = bind_at(address, port);
    if (!moved.ok()) {  // the machine does not have that address: a real camera would be gone, we would be
                        // unreachable
      acknowledge(request, kInvalidParameter);
      return;
    }
    sockets_ = std::move(*moved);
    ++moves_;
    sockets_.stream->set_checksum(options_.udp_checksum);
    registers_.set_source_port(sockets_.stream_at.port);
    if (!bind_events(address).ok()) registers_.set_word(reg::kMessageSourcePort, 0);
    sender_.set_socket(sockets_.stream);
  }
  registers_.set_address(address, mask, gateway);
  acknowledge(request, kSuccess);  // from the new address
}

void ControlServer::read_registers(const Request& request) {
  count(counters_.read_reg);
  const size_t n = request.payload.size() / 4;
  if (request.payload.size() % 4 != 0 || n == 0 || n > kMaxReadRegisters)
    return acknowledge(request, kInvalidHeader);
  if (n > 1 && !options_.concatenation) return acknowledge(request, kInvalidParameter);
  if (const uint16_t denied = registers_.may_read(request.from)) return acknowledge(request, denied);
  std::array<uint8_t, kMaxPayload> values;
  for (size_t i = 0; i < n; ++i) {
    const uint32_t address = load_be32(&request.payload[i * 4]);
    if (const uint16_t status = registers_.read(address, MutableBytes(values).subspan(i * 4, 4))) {
      return acknowledge(request, status);
    }
  }
  acknowledge(request, kSuccess, ConstBytes(values).first(n * 4));
}

void ControlServer::write_registers(const Request& request) {
  count(counters_.write_reg);
  const size_t n = request.payload.size() / 8;
  if (request.payload.size() % 8 != 0 || n == 0 || n > kMaxWriteRegisters)
    return acknowledge(request, kInvalidHeader);
  if (n > 1 && !options_.concatenation) return acknowledge(request, kInvalidParameter);
  std::array<uint8_t, 4> index{};
  for (size_t i = 0; i < n; ++i) {
    const uint8_t* pair = &request.payload[i * 8];
    const uint32_t address = load_be32(pair);
    const uint16_t denied = registers_.may_write(request.from, address);
    if (denied != 0 && i == 0)
      return acknowledge(request, denied);  // nothing to index: the message as a whole
    const WriteResult result = registers_.write(address, ConstBytes(pair + 4, 4), request.from);
    store_be16(&index[2], static_cast<uint16_t>(i));
    if (result.status != kSuccess) return acknowledge(request, result.status, index);
    apply(result.effects);
  }
  store_be16(&index[2], static_cast<uint16_t>(n));
  acknowledge(request, kSuccess, index);
}

void ControlServer::read_memory(const Request& request) {
  count(counters_.read_mem);
  if (request.payload.size() != 8) return acknowledge(request, kInvalidHeader);
  if (const uint16_t denied = registers_.may_read(request.from)) return acknowledge(request, denied);
  const uint32_t address = load_be32(&request.payload[0]);
  const uint16_t size = load_be16(&request.payload[6]);
  if (size == 0 || size > kMaxMemoryBlock) return acknowledge(request, kInvalidParameter);
  std::array<uint8_t, kMaxPayload> out;
  store_be32(out.data(), address);
  if (const uint16_t status = registers_.read(address, MutableBytes(out).subspan(4, size))) {
    return acknowledge(request, status);
  }
  const ConstBytes whole = ConstBytes(out).first(size + size_t{4});
  acknowledge(request, kSuccess, faults_.short_readmem_ack ? whole.subspan(4) : whole);
}

void ControlServer::write_memory(const Request& request) {
  count(counters_.write_mem);
  const size_t total = request.payload.size();
  if (total <= 4 || total - 4 > kMaxMemoryBlock) return acknowledge(request, kInvalidHeader);
  const uint32_t address = load_be32(&request.payload[0]);
  if (const uint16_t denied = registers_.may_write(request.from, address))
    return acknowledge(request, denied);
  size_t wrong_at = 0;
  const WriteResult result = registers_.write(address, request.payload.subspan(4), request.from, &wrong_at);
  apply(result.effects);  // words before a failing one are written
  std::array<uint8_t, 4> index{};
  store_be16(&index[2], static_cast<uint16_t>(result.status == kSuccess ? total - 4 : wrong_at));
  acknowledge(request, result.status, index);
}

void ControlServer::packet_resend(const Request& request) {
  count(counters_.resend_cmd);
  const std::optional<Resend> resend = parse_resend(request.payload, request.header.flags);
  const Endpoint destination{registers_.word(reg::stream(0, reg::kScda)),
                             static_cast<uint16_t>(registers_.word(reg::stream(0, reg::kScp)))};
  // From the controlling socket, or from the stream's own as Aravis does; from nobody else.
  const bool entitled =
      request.from.port != 0 && (request.from == registers_.controller() || request.from == destination);
  if (!resend || !options_.resend || !entitled) {
    count(counters_.resend_ignored);
    return;
  }
  sender_.resend(*resend);
}

bool ControlServer::defer_slow(const Request& request) {
  if (faults_.pending_ack_ms == 0) return false;
  const uint16_t command = request.header.command;
  if (command == kReadRegCmd || request.payload.size() < 4) return false;
  if (command != kWriteRegCmd && command != kWriteMemCmd && command != kReadMemCmd) return false;
  const uint32_t address = load_be32(&request.payload[0]);
  if (!registers_.is_slow(address) || registers_.may_write(request.from, address) != kSuccess) return false;
  const auto same = [&](const Deferred& d) {
    return d.is_command && d.to == request.from &&
           std::equal(d.bytes.begin(), d.bytes.end(), request.datagram.begin(), request.datagram.end());
  };
  if (std::any_of(deferred_.begin(), deferred_.end(), same)) {
    count(counters_.retransmissions);
    return true;
  }
  if (deferred_.size() + faults_.pending_ack_count >= kMaxDeferred) return false;
  deferred_.push_back({request.now + faults_.pending_ack_ms * kNsPerMs,
                       request.from,
                       {request.datagram.begin(), request.datagram.end()},
                       true});
  if ((registers_.word(reg::kGvcpConfiguration) & reg::kCfgPendingAck) == 0) return true;
  const uint32_t times = std::max<uint32_t>(faults_.pending_ack_count, 1);
  const uint32_t share_ms = std::max<uint32_t>(faults_.pending_ack_ms / times, 1);
  for (uint32_t i = 0; i < times; ++i) {
    std::vector<uint8_t> ack(kHeaderSize + 4, 0);
    write_ack(ack, {kSuccess, kPendingAck, 4, request.header.req_id});
    store_be16(&ack[kHeaderSize + 2], static_cast<uint16_t>(std::min<uint32_t>(share_ms + 50, 0xFFFF)));
    count(counters_.pending_acks);
    if (i == 0) {
      sockets_.control.send(ack, request.from);
    } else {
      deferred_.push_back(
          {request.now + uint64_t{i} * share_ms * kNsPerMs, request.from, std::move(ack), false});
    }
  }
  return true;
}

bool ControlServer::replay(const Request& request) {
  const bool same = last_write_.at != 0 && request.now - last_write_.at < kReplayWindow &&
                    last_write_.from == request.from &&
                    std::equal(last_write_.request.begin(), last_write_.request.end(),
                               request.datagram.begin(), request.datagram.end());
  if (!same) return false;
  count(counters_.retransmissions);
  const std::vector<uint8_t> ack = last_write_.ack;
  if (!ack.empty()) send_ack(request, ack);
  return true;
}

void ControlServer::acknowledge(const Request& request, uint16_t status, ConstBytes payload) {
  if (status == kAccessDenied) count(counters_.access_denied);
  if (is_error(status)) count(counters_.control_errors);
  std::vector<uint8_t> ack(kHeaderSize + payload.size());
  write_ack(ack, {status, static_cast<uint16_t>(request.header.command + 1),
                  static_cast<uint16_t>(payload.size()), request.header.req_id});
  std::copy(payload.begin(), payload.end(), ack.begin() + kHeaderSize);
  const bool write = request.header.command == kWriteRegCmd || request.header.command == kWriteMemCmd;
  if (write) publish();  // whoever has the ack finds what he wrote in the statistics
  const bool wanted = (request.header.flags & kAckRequired) != 0;
  if (wanted) send_ack(request, ack);
  if (!write) return;
  if (!wanted) ack.clear();
  last_write_ = {
      request.from, {request.datagram.begin(), request.datagram.end()}, std::move(ack), request.now};
}

void ControlServer::send_ack(const Request& request, ConstBytes ack) {
  if (hits(faults_.control_loss, kAckLoss)) {
    count(counters_.acks_lost);
    return;
  }
  if (hits(faults_.control_stale_acks, kStaleAck)) {
    std::vector<uint8_t> stale(ack.begin(), ack.end());
    store_be16(&stale[6], static_cast<uint16_t>(load_be16(&stale[6]) - 1));
    sockets_.control.send(stale, request.from);
  }
  sockets_.control.send(ack, request.from);
  if (hits(faults_.control_duplicate, kAckDuplicate)) {
    count(counters_.acks_duplicated);
    sockets_.control.send(ack, request.from);
  }
}

}  // namespace gw::sim
