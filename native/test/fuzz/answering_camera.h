// A camera that answers by a fuzzer's program. Purpose: what the host's control code is fed with in
// control_fuzz.cc and test_packet_fuzz.cc. Every command is answered by some datagrams that make sense or
// not, and then by one that ends it, so that nobody waits for anything; understood() says, read by itself
// from the bytes, which of them the host has to take for the answer, and what it has to think of the rest.
//
// Thread: one of its own. What it does to the members that everybody sees happens inside of ask(), the rest
// of a run outside. Owner: a run.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/waker.h"
#include "fuzz/input.h"
#include "net/socket.h"

namespace gw::fuzz {

class AnsweringCamera {
 public:
  struct Exchange {  // a command, and the answer that counts
    uint16_t command = 0;
    Bytes question;
    uint16_t status = 0;
    Bytes payload;
  };
  struct Counts {
    uint64_t malformed = 0, stale = 0, pending = 0, errors = 0;
  };

  explicit AnsweringCamera(Input& input) : input_(input) {
    Result<UdpSocket> socket = UdpSocket::open();
    require(socket.ok() && socket->bind({0x7F000001, 0}).ok(), "a socket on the loopback");
    socket_ = std::move(*socket);
    endpoint_ = *socket_.local_endpoint();
    thread_ = std::thread([this] { run(); });
  }
  ~AnsweringCamera() {
    stop_.cancel();
    thread_.join();
  }

  Endpoint endpoint() const { return endpoint_; }

  // Calls what makes the host send commands.
  template <typename F>
  auto ask(F&& call) {
    sync();
    auto result = call();
    sync();
    return result;
  }

  std::map<uint32_t, uint32_t> registers;
  // After a register was written, before the answer.
  std::function<void(uint32_t address, uint32_t value)> on_write;

  std::vector<Exchange> exchanges;
  Counts counts;

 private:
  void run() {
    for (;;) {
      uint8_t buffer[2048];
      ReceiveInfo info;
      const Result<size_t> got = socket_.receive(buffer, &info, ~uint64_t{0}, &stop_.waker());
      if (stop_.canceled()) return;
      if (!got.ok()) continue;
      require(*got >= 8 && buffer[0] == 0x42 && load_be16(&buffer[4]) == *got - 8,
              "a command is well-formed");
      answer(Bytes(buffer, buffer + *got), info.from);
    }
  }

  void sync() { turn_.fetch_add(1, std::memory_order_acq_rel); }

  // All is settled before anything is sent: then the host's thread may go on.
  void answer(const Bytes& datagram, Endpoint host) {
    sync();
    Exchange exchange;
    exchange.command = load_be16(&datagram[2]);
    exchange.question.assign(datagram.begin() + 8, datagram.end());
    const uint16_t id = load_be16(&datagram[6]);
    std::vector<Bytes> answers;
    for (int i = input_.byte() % 4; i > 0; --i) answers.push_back(nonsense(exchange.command, id));
    const uint8_t kind = input_.byte();
    if (kind % 4 == 2) {
      const uint8_t size = input_.byte();
      answers.push_back(ack(0, exchange.command + 1, id, input_.bytes(size)));
    } else if (kind % 4 == 3) {
      answers.push_back(ack(static_cast<uint16_t>(0x8000 | input_.byte()), exchange.command + 1, id, {}));
    } else {
      answers.push_back(ack(0, exchange.command + 1, id, carry_out(exchange)));
    }
    on_the_way_.insert(on_the_way_.end(), answers.begin(), answers.end());
    understood(exchange, id);
    exchanges.push_back(std::move(exchange));
    sync();
    for (const Bytes& bytes : answers) require(socket_.send_raw(bytes, host) == 0, "an answer is sent");
  }

  static Bytes ack(uint16_t status, int command, uint16_t id, const Bytes& payload) {
    Bytes out(8);
    store_be16(&out[0], status);
    store_be16(&out[2], static_cast<uint16_t>(command));
    store_be16(&out[4], static_cast<uint16_t>(payload.size()));
    store_be16(&out[6], id);
    out.insert(out.end(), payload.begin(), payload.end());
    return out;
  }

  // Anything but the end: what happens to look like the answer to this command then is it.
  Bytes nonsense(uint16_t command, uint16_t id) {
    const uint8_t kind = input_.byte();
    const uint8_t size = input_.byte() % 64;
    const auto other = static_cast<uint16_t>((kind & 16) != 0 ? id - 1 : id);
    switch (kind % 4) {
      case 0:
        return input_.bytes(size);
      case 1:
        return ack(0, 0x89, other, input_.bytes(size));
      case 2:
        return ack(0, input_.byte(), id, input_.bytes(size));
      default: {
        Bytes out = ack(static_cast<uint16_t>(input_.number(2)), command + 1, other, input_.bytes(size));
        store_be16(&out[4], static_cast<uint16_t>(load_be16(&out[4]) + static_cast<int8_t>(input_.byte())));
        return out;
      }
    }
  }

  // As a good camera would.
  Bytes carry_out(const Exchange& exchange) {
    const Bytes& q = exchange.question;
    Bytes out;
    const auto put = [&out](uint32_t value) {
      out.resize(out.size() + 4);
      store_be32(&out[out.size() - 4], value);
    };
    if (exchange.command == 0x80) {
      for (size_t i = 0; i + 4 <= q.size(); i += 4) put(value(load_be32(&q[i])));
    } else if (exchange.command == 0x84 && q.size() == 8) {
      put(load_be32(&q[0]));
      for (uint32_t i = 0; i < load_be16(&q[6]); i += 4) put(value(load_be32(&q[0]) + i));
    } else if (exchange.command == 0x82) {
      for (size_t i = 0; i + 8 <= q.size(); i += 8) {
        registers[load_be32(&q[i])] = load_be32(&q[i + 4]);
        if (on_write) on_write(load_be32(&q[i]), load_be32(&q[i + 4]));
      }
      put(static_cast<uint32_t>(q.size() / 8));
    } else {
      put(static_cast<uint32_t>(q.size()));
    }
    return out;
  }
  uint32_t value(uint32_t address) const {
    const auto it = registers.find(address);
    return it == registers.end() ? address * 2654435761U : it->second;
  }

  // What the host has to make of everything that it has not read yet.
  void understood(Exchange& exchange, uint16_t id) {
    for (bool ended = false; !ended;) {
      require(!on_the_way_.empty(), "every command is answered");
      const Bytes d = std::move(on_the_way_.front());
      on_the_way_.pop_front();
      if (d.size() < 8 || d[0] == 0x42 || load_be16(&d[4]) > d.size() - 8) {
        ++counts.malformed;
        continue;
      }
      const uint16_t command = load_be16(&d[2]);
      if (load_be16(&d[6]) != id || (command != 0x89 && command != exchange.command + 1)) {
        ++counts.stale;
      } else if (command == 0x89) {
        ++counts.pending;
      } else {
        exchange.status = load_be16(&d[0]);
        exchange.payload.assign(d.begin() + 8, d.begin() + 8 + load_be16(&d[4]));
        if ((exchange.status & 0x8000) != 0) ++counts.errors;
        ended = true;
      }
    }
  }

  Input& input_;
  UdpSocket socket_;
  Endpoint endpoint_;
  CancelToken stop_;
  std::deque<Bytes> on_the_way_;
  std::atomic<uint32_t> turn_{0};
  std::thread thread_;
};

}  // namespace gw::fuzz
