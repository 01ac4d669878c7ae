// Fuzz target: what the host makes of a camera's answers: GvcpClient and ControlChannel over a socket.
// Properties: every datagram is counted under its own cause, no bad one ends a wait, values and memory are
// the bytes of the answers that count, and an error or a short answer never becomes a value.
#include <memory>

#include "answering_camera.h"
#include "control/control_channel.h"

using namespace gw;
using namespace gw::fuzz;

namespace {

constexpr uint32_t kPatienceMs = 8000;  // never waited: there is always an end

class Run {
 public:
  explicit Run(Input input) : input_(input), camera_(input_) {
    camera_.registers[reg::kGvcpCapability] = input_.byte();  // concatenation, WRITEMEM, PENDING_ACK, ...
  }

  void go() {
    const std::unique_ptr<ControlChannel> channel = ControlChannel::create();
    ControlOptions options;
    options.camera = camera_.endpoint();
    options.ack_timeout_ms = kPatienceMs;
    options.tries = 1;
    const Status connected = camera_.ask([&] { return channel->connect(options); });
    check(*channel, connected);
    for (int step = 0; step < 12 && connected.ok() && !input_.empty(); ++step) one(*channel);
  }

 private:
  using Exchange = AnsweringCamera::Exchange;

  void one(ControlChannel& channel) {
    camera_.exchanges.clear();
    const uint8_t op = input_.byte();
    const uint32_t address = input_.number(2);
    switch (op % 5) {
      case 0: {
        const Result<uint32_t> value = camera_.ask([&] { return channel.read_register(address); });
        check(channel, value.status());
        const bool right = good(last(), 4);
        require(value.ok() == right, "a register is read or not");
        if (right) require(*value == load_be32(last().payload.data()), "a register's value");
        break;
      }
      case 1: {
        std::vector<uint32_t> addresses(input_.byte());
        for (size_t i = 0; i < addresses.size(); ++i) addresses[i] = address + static_cast<uint32_t>(4 * i);
        const Result<std::vector<uint32_t>> values =
            camera_.ask([&] { return channel.read_registers(addresses); });
        check(channel, values.status());
        if (!values.ok()) break;
        std::vector<uint32_t> told;
        for (const Exchange& e : camera_.exchanges) {
          if (!good(e, e.question.size())) continue;
          for (size_t i = 0; i < e.question.size(); i += 4) told.push_back(load_be32(&e.payload[i]));
        }
        require(*values == told && told.size() == addresses.size(), "registers' values");
        break;
      }
      case 2: {
        const uint32_t length = input_.number(2) % 2048;
        const Result<Bytes> data = camera_.ask([&] { return channel.read_memory(address, length); });
        check(channel, data.status());
        if (data.ok()) require(*data == told_memory(address, length), "memory");
        break;
      }
      case 3: {
        const Status status = camera_.ask([&] { return channel.write_register(address, 1); });
        check(channel, status);
        require(status.ok() == !is_error(last()), "a register is written or not");
        break;
      }
      default: {
        const Bytes data(4U * (input_.byte() % 160 + 1), op);
        const Status status = camera_.ask([&] { return channel.write_memory(address & ~3U, data); });
        check(channel, status);
        require(status.ok() == !is_error(last()), "memory is written or not");
        break;
      }
    }
  }

  Bytes told_memory(uint32_t address, uint32_t length) const {
    Bytes all;
    for (const Exchange& e : camera_.exchanges) {
      const size_t size = load_be16(&e.question[6]);
      require(!is_error(e), "memory of an error");
      const bool echo =
          e.payload.size() >= 4 && std::equal(e.payload.begin(), e.payload.begin() + 4, e.question.begin());
      require(e.payload.size() >= size + (echo ? 4 : 0), "memory of a short answer");
      const auto from = e.payload.begin() + (echo ? 4 : 0);
      all.insert(all.end(), from, from + static_cast<ptrdiff_t>(size));
    }
    if (length == 0) return {};
    require(all.size() >= (address & 3) + length, "all of the memory was read");
    all.erase(all.begin(), all.begin() + (address & 3));
    all.resize(length);
    return all;
  }

  static bool is_error(const Exchange& e) { return gvcp::is_error(e.status); }
  static bool good(const Exchange& e, size_t size) { return !is_error(e) && e.payload.size() >= size; }
  const Exchange& last() const {
    require(!camera_.exchanges.empty(), "the camera was asked");
    return camera_.exchanges.back();
  }

  void check(const ControlChannel& channel, const Status& status) const {
    require(status.code != Errc::kTimeout, "nothing ends a wait but an answer");
    const ControlStats stats = channel.stats();
    require(stats.malformed == camera_.counts.malformed && stats.stale_acks == camera_.counts.stale &&
                stats.pending_acks == camera_.counts.pending && stats.error_acks == camera_.counts.errors &&
                stats.foreign == 0 && stats.retries == 0 && stats.timeouts == 0,
            "every datagram is counted once, under its cause");
  }

  Input input_;
  AnsweringCamera camera_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Run({data, data + size}).go();
  return 0;
}
