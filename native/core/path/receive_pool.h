// Threads that serve several streams each. Purpose: one wake-up for the packets of many cameras, where a
// thread for each of them is woken for a few; a stream is served by one thread from its begin to its end.
// Thread: admit() and the end of a seat on the owners' threads (of any Node environment), under a mutex that
// no receive thread takes; loop() and all below it on the receive thread. Owner: the process; a thread lives
// as long as it has streams.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/thread.h"
#include "base/waker.h"
#include "net/readiness.h"
#include "path/receiver.h"

namespace gw {

// A receive thread and the streams it serves: in turns of one batch each, so that a flood of one keeps the
// others waiting for no longer than that; a failure of one ends that one. Named after the first of them, and
// how many more there are: "gw-rx-50123+3".
class SharedThread {
 public:
  static constexpr size_t kSeats = 32;

  SharedThread();
  ~SharedThread();

  // -1: no seat is free. The receiver must stay until leave().
  int enter(Receiver& receiver, const std::string& name);
  void leave(int seat);  // waits for the turn of one stream at most; then the receiver has ended
  void free(int seat);   // that was left
  size_t taken() const { return taken_; }

 private:
  enum State : uint32_t { kFree, kEntering, kServed, kLeaving, kLeft };
  struct Seat {
    std::atomic<uint32_t> state{kFree};
    Receiver* receiver = nullptr;  // written while kFree
    std::array<char, 16> name{};
  };
  struct Place {  // of a stream that is served
    Receiver* receiver = nullptr;
    size_t seat = 0;
    bool over = false;       // it failed; it ends with leave()
    uint64_t rest_from = 0;  // when it began to rest
    uint64_t rest_until = 0;
    uint64_t brought_at = 0;  // last time it brought packets
  };

  void notify();
  void loop();
  void follow_changes();
  void begin_serving(size_t seat);
  void end_serving(size_t seat);
  void show_name() const;
  void wait();
  void serve(ReceiveScratch& scratch);
  bool is_due(const Place& place, bool ready, uint64_t now) const;
  uint32_t company(uint64_t now) const;

  std::array<Seat, kSeats> seats_;
  std::atomic<uint32_t> changes_{0};  // counts what follow_changes() has to look for
  std::atomic<bool> stop_{false};
  Waker waker_;
  size_t taken_ = 0;  // the owners', under the pool's mutex

  // The receive thread's.
  uint32_t followed_ = 0;
  std::array<Place, kSeats> places_;
  std::array<Readiness, kSeats> readiness_;
  size_t count_ = 0;
  size_t first_ = 0;  // place that has the first turn
  NamedThread thread_;
};

class ReceivePool {
 public:
  // So many packets a second are foreseen for one thread; about half of what one can take in
  // (docs/performance.md).
  static constexpr uint64_t kPacketsPerSecond = 700'000;

  class Seat {
   public:
    Seat(ReceivePool& pool, SharedThread& thread, uint64_t load)
        : pool_(pool), thread_(thread), load_(load) {}
    ~Seat() { pool_.leave(*this); }
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

   private:
    friend class ReceivePool;
    ReceivePool& pool_;
    SharedThread& thread_;
    const uint64_t load_;
    int index_ = -1;
  };

  static ReceivePool& of_process();

  // On the first thread that has room for what is foreseen of the stream, or on a new one. The receiver ends
  // with its seat. Throws what a thread that cannot be had throws.
  std::unique_ptr<Seat> admit(Receiver& receiver, const std::string& name, uint64_t packets_per_second);

 private:
  struct Member {
    std::unique_ptr<SharedThread> thread;
    uint64_t load = 0;
  };
  void leave(const Seat& seat);

  std::mutex mutex_;
  std::vector<Member> members_;
};

}  // namespace gw
