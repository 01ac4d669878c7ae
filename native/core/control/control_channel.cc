// Registers and memory. Privilege and heartbeat are in control_privilege.cc.
#include "control/control_channel.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace gw {

namespace {

constexpr size_t kReplyRoom = 1024;  // more than any GVCP message
constexpr size_t kReadsPerMessage = 128;
constexpr size_t kWritesPerMessage = 64;
constexpr uint64_t kAddressSpace = uint64_t{1} << 32;

Status protocol_error(const char* message, size_t got) {
  return Status::error(Errc::kProtocol, std::string("the camera's ") + message + " has " +
                                            std::to_string(got) + " bytes of payload, which is too short");
}

Status with_context(Status status, const char* what, uint32_t address) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "0x";
  bool leading = true;
  for (int shift = 28; shift >= 0; shift -= 4) {
    const uint32_t digit = address >> shift & 0xF;
    leading = leading && digit == 0 && shift != 0;
    if (!leading) text += kDigits[digit];
  }
  status.message = std::string(what) + ' ' + text + ": " + status.message;
  return status;
}

Status proceed(const ControlChannel::Progress& progress, const std::atomic<bool>* cancel, size_t done,
               size_t total) {
  const bool stop = cancel != nullptr && cancel->load(std::memory_order_acquire);
  if (stop || (progress && !progress(done, total))) return Status::error(Errc::kCanceled, "canceled");
  return {};
}

Status check_range(uint32_t address, size_t length) {
  if (address + static_cast<uint64_t>(length) <= kAddressSpace) return {};
  return Status::error(Errc::kInvalidArgument, "the range ends beyond the camera's 32-bit address space");
}

}  // namespace

Result<size_t> ControlChannel::command(uint16_t code, ConstBytes payload, MutableBytes reply) {
  GvcpClient::Request request;
  request.command = code;
  request.payload = payload;
  request.may_be_slow = code == gvcp::kWriteRegCmd || code == gvcp::kWriteMemCmd;
  return client_.transact(request, reply);
}

Status ControlChannel::refuse_write() const {
  const LossReason reason = loss_.load(std::memory_order_acquire);
  if (reason == LossReason::kNone) return {};
  return Status::error(Errc::kControlLost,
                       std::string("control of the camera was lost: ") + loss_reason_name(reason));
}

Result<uint32_t> ControlChannel::read_register(uint32_t address) {
  std::array<uint8_t, 4> question;
  store_be32(question.data(), address);
  std::array<uint8_t, kReplyRoom> reply;
  Result<size_t> got = command(gvcp::kReadRegCmd, question, reply);
  if (!got.ok()) return with_context(got.status(), "reading register", address);
  if (*got < 4) return protocol_error("READREG answer", *got);
  return load_be32(reply.data());
}

Result<std::vector<uint32_t>> ControlChannel::read_registers(std::span<const uint32_t> addresses) {
  std::vector<uint32_t> values;
  values.reserve(addresses.size());
  bool together = can(reg::kCapConcatenation);
  while (values.size() < addresses.size()) {
    const auto rest = addresses.subspan(values.size());
    const size_t count = together ? std::min(rest.size(), kReadsPerMessage) : 1;
    if (count == 1) {
      const Result<uint32_t> value = read_register(rest[0]);
      if (!value.ok()) return value.status();
      values.push_back(*value);
      continue;
    }
    std::array<uint8_t, 4 * kReadsPerMessage> question;
    for (size_t i = 0; i < count; ++i) store_be32(&question[4 * i], rest[i]);
    std::array<uint8_t, kReplyRoom> reply;
    const Result<size_t> got = command(gvcp::kReadRegCmd, ConstBytes(question).first(4 * count), reply);
    if (got.ok() && *got >= 4 * count) {
      for (size_t i = 0; i < count; ++i) values.push_back(load_be32(&reply[4 * i]));
    } else if (got.ok() || got.status().gvcp_status != 0) {
      together = false;  // one by one tells which of them it is
    } else {
      return with_context(got.status(), "reading registers from", rest[0]);
    }
  }
  return values;
}

Status ControlChannel::write_register(uint32_t address, uint32_t value) {
  std::array<uint8_t, 4> data;
  store_be32(data.data(), value);
  Status status = write_words(address, data);
  return status.ok() ? status : with_context(std::move(status), "writing register", address);
}

// address is a multiple of 4, out.size() a multiple of 4 and at most one block.
Status ControlChannel::read_block(uint32_t address, MutableBytes out) {
  std::array<uint8_t, 8> question{};
  store_be32(&question[0], address);
  store_be16(&question[6], static_cast<uint16_t>(out.size()));
  std::array<uint8_t, kReplyRoom> reply;
  const Result<size_t> got = command(gvcp::kReadMemCmd, question, reply);
  if (!got.ok()) return with_context(got.status(), "reading memory at", address);
  const bool echoes = *got >= 4 && load_be32(reply.data()) == address;
  if (echoes && *got >= out.size() + 4) {
    std::memcpy(out.data(), &reply[4], out.size());
  } else if (!echoes && *got == out.size()) {
    std::memcpy(out.data(), reply.data(), out.size());  // some cameras leave the address out
  } else {
    return with_context(protocol_error("READMEM answer", *got), "reading memory at", address);
  }
  return {};
}

Result<std::vector<uint8_t>> ControlChannel::read_memory(uint32_t address, size_t length,
                                                         const Progress& progress,
                                                         const std::atomic<bool>* cancel) {
  if (Status status = check_range(address, length); !status.ok()) return status;
  // length may be a camera's claim: memory is taken as data really comes.
  std::vector<uint8_t> data;
  data.reserve(std::min<size_t>(length, size_t{1} << 20));
  std::array<uint8_t, gvcp::kMemoryBlock> block;
  uint32_t from = address & ~3U;
  size_t skip = address - from;
  while (data.size() < length) {
    if (Status status = proceed(progress, cancel, data.size(), length); !status.ok()) return status;
    const size_t wanted = std::min(skip + (length - data.size()), block.size());
    const MutableBytes room = MutableBytes(block).first((wanted + 3) & ~size_t{3});
    if (Status status = read_block(from, room); !status.ok()) return status;
    data.insert(data.end(), block.begin() + static_cast<ptrdiff_t>(skip),
                block.begin() + static_cast<ptrdiff_t>(wanted));
    from += static_cast<uint32_t>(room.size());
    skip = 0;
  }
  if (Status status = proceed(progress, cancel, length, length); !status.ok()) return status;
  return data;
}

Status ControlChannel::write_words(uint32_t address, ConstBytes data) {
  if (Status status = refuse_write(); !status.ok()) return status;
  std::array<uint8_t, 8 * kWritesPerMessage> message;
  const size_t most = can(reg::kCapConcatenation) ? kWritesPerMessage : 1;
  while (!data.empty()) {
    const size_t count = std::min(data.size() / 4, most);
    for (size_t i = 0; i < count; ++i) {
      store_be32(&message[8 * i], address + static_cast<uint32_t>(4 * i));
      std::memcpy(&message[8 * i + 4], &data[4 * i], 4);
    }
    std::array<uint8_t, kReplyRoom> reply;
    const Result<size_t> got = command(gvcp::kWriteRegCmd, ConstBytes(message).first(8 * count), reply);
    if (!got.ok()) return got.status();
    address += static_cast<uint32_t>(4 * count);
    data = data.subspan(4 * count);
  }
  return {};
}

// address is a multiple of 4, data.size() a multiple of 4 and at most one block.
Status ControlChannel::write_block(uint32_t address, ConstBytes data) {
  if (Status status = refuse_write(); !status.ok()) return status;
  if (can(reg::kCapWriteMem) && !no_write_memory_.load(std::memory_order_relaxed)) {
    std::array<uint8_t, 4 + gvcp::kMemoryBlock> message;
    store_be32(message.data(), address);
    std::memcpy(&message[4], data.data(), data.size());
    std::array<uint8_t, kReplyRoom> reply;
    const Result<size_t> got = command(gvcp::kWriteMemCmd, ConstBytes(message).first(4 + data.size()), reply);
    if (got.ok()) return {};
    if (got.status().gvcp_status != gvcp::kNotImplemented) return got.status();
    no_write_memory_.store(true, std::memory_order_relaxed);
  }
  return write_words(address, data);
}

Status ControlChannel::write_memory(uint32_t address, ConstBytes data, const Progress& progress,
                                    const std::atomic<bool>* cancel) {
  if (Status status = check_range(address, data.size()); !status.ok()) return status;
  std::array<uint8_t, gvcp::kMemoryBlock> block;
  uint32_t to = address & ~3U;
  size_t skip = address - to;
  size_t done = 0;
  while (done < data.size()) {
    if (Status status = proceed(progress, cancel, done, data.size()); !status.ok()) return status;
    const size_t end = std::min(skip + (data.size() - done), block.size());
    const size_t padded = (end + 3) & ~size_t{3};
    // The bytes around ours in the first and the last word stay as they are.
    if (skip != 0) {
      if (Status status = read_block(to, MutableBytes(block).first(4)); !status.ok()) return status;
    }
    if (end != padded && (padded > 4 || skip == 0)) {
      const MutableBytes last = MutableBytes(block).subspan(padded - 4, 4);
      Status status = read_block(to + static_cast<uint32_t>(padded - 4), last);
      if (!status.ok()) return status;
    }
    std::memcpy(&block[skip], &data[done], end - skip);
    Status status = write_block(to, ConstBytes(block).first(padded));
    if (!status.ok()) return with_context(std::move(status), "writing memory at", to);
    done += end - skip;
    to += static_cast<uint32_t>(padded);
    skip = 0;
  }
  return proceed(progress, cancel, done, data.size());
}

}  // namespace gw
