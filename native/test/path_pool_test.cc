// Streams that share receive threads: each is served, ends and fails by itself; a flood of one starves no
// other; and a thread takes as many as it has room for.
#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "base/waker.h"
#include "path/receive_pool.h"
#include "path_rig.h"

using namespace gw;
using namespace gw::test;

namespace {

// Packets from memory, with a descriptor that tells when there are some. Endless: the same packet for ever.
class PolledSource final : public PacketSource {
 public:
  void push(const TestBlock& block) {
    const std::lock_guard lock(mutex_);
    for (uint32_t at = 0; at < block.packets(); ++at) packets_.push_back(block.packet(at));
    waker_.wake();
  }
  void flood(const Bytes& packet) {
    const std::lock_guard lock(mutex_);
    endless_ = packet;
    waker_.wake();
  }
  void fail(int error) {
    const std::lock_guard lock(mutex_);
    error_ = error;
    waker_.wake();
  }
  ReadResult read(std::span<PacketView> batch, const ReadRequest& request) override {
    CHECK(request.deadline_ns == 0);  // a thread that serves several waits for none of them alone
    ++reads;
    if (const PolledSource* const other = rival) {
      const uint64_t now = other->reads;
      if (had_more_ && now - rival_reads_ > turns_of_rival) turns_of_rival = now - rival_reads_;
      rival_reads_ = now;
    }
    const std::lock_guard lock(mutex_);
    if (error_ != 0) return {0, false, true, error_};
    held_.clear();
    while (held_.size() < each && (!packets_.empty() || !endless_.empty())) {
      held_.push_back(packets_.empty() ? endless_ : packets_.front());
      if (!packets_.empty()) packets_.pop_front();
    }
    for (size_t i = 0; i < held_.size(); ++i) {
      batch[i] = {.data = held_[i].data(), .size = static_cast<uint32_t>(held_[i].size())};
    }
    const bool more = !packets_.empty() || !endless_.empty();
    if (!more) waker_.clear();
    had_more_ = more;
    return {held_.size(), more, false, 0};
  }
  void interrupt() override {}
  uint64_t kernel_drops() const override { return 0; }
  int readable_fd() const override { return waker_.fd(); }

  size_t each = 4;  // packets a read
  std::atomic<uint64_t> reads{0};
  std::atomic<const PolledSource*> rival{nullptr};
  std::atomic<uint64_t> turns_of_rival{0};  // most between two turns of this one that had packets left

 private:
  std::mutex mutex_;
  Waker waker_;
  std::deque<Bytes> packets_;
  std::deque<Bytes> held_;
  Bytes endless_;
  int error_ = 0;
  bool had_more_ = false;
  uint64_t rival_reads_ = 0;
};

struct Stream {
  explicit Stream(ReceivePool& pool, const std::string& name = "gw-rx-test", uint64_t load = 1000)
      : receiver(Rig::defaults(), source, memory.pool(), camera, [this] { ++wakes; }),
        seat(pool.admit(receiver, name, load)) {}
  uint64_t frames() { return snapshot(memory.pool().stats()).frames_queued; }

  PoolMemory memory{32, 2000, 200};
  PolledSource source;
  TestCamera camera;
  std::atomic<int> wakes{0};
  Receiver receiver;
  std::unique_ptr<ReceivePool::Seat> seat;
};

std::multiset<std::string> receive_threads() {
  std::multiset<std::string> names;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "comm");
    std::string name;
    std::getline(file, name);
    if (name.starts_with("gw-rx")) names.insert(name);
  }
  return names;
}

using Names = std::multiset<std::string>;

}  // namespace

TEST_CASE("one thread serves several streams, each to its own end") {
  ReceivePool pool;
  std::vector<std::unique_ptr<Stream>> streams;
  for (int i = 0; i < 5; ++i) streams.push_back(std::make_unique<Stream>(pool, "gw-rx-" + std::to_string(i)));
  for (const auto& stream : streams) CHECK(state_of(stream->memory.pool()) == kStreamRunning);
  wait_for([] { return receive_threads() == Names{"gw-rx-0+4"}; });
  for (uint64_t id = 1; id <= 3; ++id) {
    for (const auto& stream : streams) stream->source.push(Rig::image(id));
  }
  for (const auto& stream : streams) wait_for([&] { return stream->frames() == 3; });
  // The first goes; the others never notice.
  streams[0]->seat.reset();
  CHECK(state_of(streams[0]->memory.pool()) == kStreamEnded);
  const int wakes = streams[0]->wakes;
  wait_for([] { return receive_threads() == Names{"gw-rx-1+3"}; });
  for (const auto& stream : streams) stream->source.push(Rig::image(4));
  for (size_t i = 1; i < streams.size(); ++i) wait_for([&] { return streams[i]->frames() == 4; });
  CHECK(streams[0]->frames() == 3);
  CHECK(streams[0]->wakes == wakes);
  for (const auto& stream : streams) {
    stream->seat.reset();
    CHECK(state_of(stream->memory.pool()) == kStreamEnded);
    check_identities(snapshot(stream->memory.pool().stats()), 0, 0);
  }
  CHECK(receive_threads().empty());
}

TEST_CASE("a flood of one stream keeps no other from its turn, and is no reason to wait for its end") {
  ReceivePool pool;
  Stream flooded(pool);
  Stream other(pool);
  flooded.source.flood(Rig::image(1).packet(1));
  other.source.rival = &flooded.source;
  wait_for([&] { return flooded.source.reads > 100; });
  for (uint64_t id = 1; id <= 20; ++id) other.source.push(Rig::image(id));
  wait_for([&] { return other.frames() == 20; });
  CHECK(other.source.reads >= 60);  // 20 blocks of 12 packets, 4 a turn
  flooded.seat.reset();
  CHECK(state_of(flooded.memory.pool()) == kStreamEnded);
  other.source.push(Rig::image(21));
  wait_for([&] { return other.frames() == 21; });
  other.seat.reset();
  // Who has the first turn of a round changes: two in a row at the border of two rounds.
  CHECK(other.source.turns_of_rival >= 1);
  CHECK(other.source.turns_of_rival <= 2);
}

TEST_CASE("a source that fails ends its stream alone") {
  ReceivePool pool;
  Stream broken(pool);
  Stream other(pool);
  broken.source.fail(ENETDOWN);
  wait_for([&] { return state_of(broken.memory.pool()) == kStreamFailed; });
  CHECK(broken.memory.pool().header().fail_errno == ENETDOWN);
  other.source.push(Rig::image(1));
  wait_for([&] { return other.frames() == 1; });
  CHECK(broken.source.reads == 1);
  CHECK(broken.wakes == 1);
  broken.seat.reset();
  CHECK(state_of(broken.memory.pool()) == kStreamFailed);
  other.seat.reset();
}

TEST_CASE("a thread takes what it has room for; the next stream has another one") {
  ReceivePool pool;
  const uint64_t half = ReceivePool::kPacketsPerSecond / 2;
  auto first = std::make_unique<Stream>(pool, "gw-rx-1", half);
  Stream second(pool, "gw-rx-2", half);
  Stream third(pool, "gw-rx-3", half + 1);
  wait_for([] { return receive_threads() == Names{"gw-rx-1+1", "gw-rx-3"}; });
  first.reset();
  Stream fourth(pool, "gw-rx-4", half);  // where the first one was
  wait_for([] { return receive_threads() == Names{"gw-rx-2+1", "gw-rx-3"}; });
  // More than any thread is said to take: alone, but served.
  Stream fifth(pool, "gw-rx-5", UINT64_MAX);
  fifth.source.push(Rig::image(1));
  wait_for([&] { return fifth.frames() == 1; });
  CHECK(receive_threads() == Names{"gw-rx-2+1", "gw-rx-3", "gw-rx-5"});
}

TEST_CASE("streams come and go while others are served") {
  ReceivePool pool;
  Stream stays(pool);
  std::atomic<bool> done{false};
  std::vector<std::thread> owners;
  for (int i = 0; i < 3; ++i) {
    owners.emplace_back([&pool] {
      for (uint64_t id = 1; id <= 50; ++id) {
        Stream stream(pool);
        stream.source.push(Rig::image(id));
        if (id % 2 == 0) wait_for([&] { return stream.frames() == 1; });
      }
    });
  }
  std::thread sender([&] {
    for (uint64_t id = 1; !done; ++id) {
      stays.source.push(Rig::image(id));
      std::optional<SlotPool::Lease> lease;
      wait_for([&] { return (lease = stays.memory.pool().take()).has_value(); });
      stays.memory.pool().release(*lease);
    }
  });
  for (std::thread& owner : owners) owner.join();
  done = true;
  sender.join();
  stays.seat.reset();
  check_identities(snapshot(stays.memory.pool().stats()), 0, 0);
}
