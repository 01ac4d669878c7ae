// The engine on registered I/O, which wine has not: over functions of our own, which do with an ordinary
// socket what the system's do by its documentation. Shows that buffers go round, not that Windows does what
// is written.
#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstring>
#include <deque>
#include <thread>

#include "net/registered_source_windows.h"
#include "net/winsock.h"
#include "udp_pair.h"

using namespace gw;
using namespace gw::test;

namespace {

struct Request {
  rio::Slice data, remote;
  void* context;
};

// One completion queue with its request queue.
struct Queue {
  HANDLE event = nullptr;
  SOCKET socket = INVALID_SOCKET;
  std::deque<Request> deferred, posted;
};

int g_open_queues = 0;
int g_open_buffers = 0;
bool g_lies = false;  // about the sender

char* at(const rio::Slice& slice) { return reinterpret_cast<char*>(slice.buffer) + slice.offset; }
Queue* queue_of(rio::CompletionQueue queue) { return reinterpret_cast<Queue*>(queue); }

int WINAPI receive_ex(rio::RequestQueue to, rio::Slice* data, ULONG, rio::Slice*, rio::Slice* remote,
                      rio::Slice*, rio::Slice*, DWORD flags, void* context) {
  auto* queue = reinterpret_cast<Queue*>(to);
  queue->deferred.push_back({*data, *remote, context});
  if (flags == rio::kDefer) return TRUE;
  queue->posted.insert(queue->posted.end(), queue->deferred.begin(), queue->deferred.end());
  queue->deferred.clear();
  return TRUE;
}

ULONG WINAPI dequeue(rio::CompletionQueue from, rio::Completion* done, ULONG most) {
  Queue* const queue = queue_of(from);
  ULONG count = 0;
  while (count < most && !queue->posted.empty()) {
    const Request request = queue->posted.front();
    auto* const name = reinterpret_cast<sockaddr_in*>(at(request.remote));
    int name_size = sizeof *name;
    const int size = ::recvfrom(queue->socket, at(request.data), static_cast<int>(request.data.length), 0,
                                reinterpret_cast<sockaddr*>(name), &name_size);
    const int error = size >= 0 ? 0 : ::WSAGetLastError();
    if (error == WSAEWOULDBLOCK) break;
    queue->posted.pop_front();
    if (g_lies) name->sin_port = 0;
    done[count++] = {error, static_cast<ULONG>(size >= 0 ? size : 0), 0,
                     reinterpret_cast<ULONGLONG>(request.context)};
  }
  return count;
}

rio::CompletionQueue WINAPI create_completion_queue(DWORD, rio::Notification* notification) {
  ++g_open_queues;
  auto* queue = new Queue;
  queue->event = notification->event;
  return reinterpret_cast<rio::CompletionQueue>(queue);
}
void WINAPI close_completion_queue(rio::CompletionQueue queue) {
  --g_open_queues;
  delete queue_of(queue);
}
rio::RequestQueue WINAPI create_request_queue(SOCKET socket, ULONG, ULONG, ULONG, ULONG,
                                              rio::CompletionQueue queue, rio::CompletionQueue, void*) {
  queue_of(queue)->socket = socket;
  return reinterpret_cast<rio::RequestQueue>(queue);
}
rio::BufferId WINAPI register_buffer(char* memory, DWORD) {
  ++g_open_buffers;
  return reinterpret_cast<rio::BufferId>(memory);
}
void WINAPI deregister_buffer(rio::BufferId) { --g_open_buffers; }
int WINAPI notify(rio::CompletionQueue queue) {
  ::ResetEvent(queue_of(queue)->event);
  return ::WSAEventSelect(queue_of(queue)->socket, queue_of(queue)->event, FD_READ);
}

rio::Functions functions() {
  rio::Functions table{};
  table.size = sizeof table;
  table.receive_ex = receive_ex;
  table.dequeue_completion = dequeue;
  table.create_completion_queue = create_completion_queue;
  table.close_completion_queue = close_completion_queue;
  table.create_request_queue = create_request_queue;
  table.register_buffer = register_buffer;
  table.deregister_buffer = deregister_buffer;
  table.notify = notify;
  return table;
}

}  // namespace

TEST_CASE("registered: buffers go round, every datagram whole, with its sender, in order") {
  const rio::Functions table = functions();
  Pair pair(4 << 20);
  const auto source = make_registered_source(pair.receive, {.batch = 64, .max_datagram = 9216}, table);
  REQUIRE(source);
  CHECK(source->manner() == Manner::kRegistered);
  std::array<PacketView, 256> batch;
  uint32_t next = 0;
  for (uint32_t sent = 0; sent < 3000;) {  // several times as many as there are buffers
    for (int i = 0; i < 100; ++i, ++sent) pair.send(numbered(sent, 4 + sent % 3000));
    while (next < sent) {
      const ReadResult read = source->read(batch, {.deadline_ns = now() + 1000 * kNsPerMs});
      REQUIRE_FALSE(read.failed);
      REQUIRE(read.count > 0);
      CHECK(read.count <= 64);
      for (size_t i = 0; i < read.count; ++i, ++next) {
        REQUIRE(batch[i].size == 4 + next % 3000);
        const auto bytes = numbered(next, batch[i].size);
        CHECK(std::memcmp(batch[i].data, bytes.data(), bytes.size()) == 0);
        CHECK(batch[i].source_address == 0x7F000001);
        CHECK(batch[i].source_port == pair.sender_port());
      }
    }
  }
  CHECK(source->read(batch, {}).count == 0);
}

TEST_CASE("registered: what does not fit is told") {
  const rio::Functions table = functions();
  Pair pair;
  const auto source = make_registered_source(pair.receive, {.max_datagram = 500}, table);
  REQUIRE(source);
  pair.send(numbered(1, 500));
  pair.send(numbered(2, 9000));
  std::array<PacketView, 4> batch;
  CHECK(source->read(batch, {}).count == 2);
  CHECK_FALSE(batch[0].truncated);
  CHECK(batch[1].truncated);
}

TEST_CASE("registered: waiting ends by a datagram, by interrupt(), and when the time has come") {
  const rio::Functions table = functions();
  Pair pair;
  const auto source = make_registered_source(pair.receive, {}, table);
  REQUIRE(source);
  std::array<PacketView, 4> batch;
  const uint64_t begin = now();
  CHECK(source->read(batch, {.deadline_ns = begin + 30 * kNsPerMs}).count == 0);
  CHECK(now() - begin >= 30 * kNsPerMs);
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    pair.send(numbered(9, 50));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    source->interrupt();
  });
  CHECK(source->read(batch, {.deadline_ns = now() + 60'000 * kNsPerMs}).count == 1);
  CHECK(source->read(batch, {.deadline_ns = now() + 60'000 * kNsPerMs}).count == 0);
  other.join();
  CHECK(now() - begin < 30'000 * kNsPerMs);
}

TEST_CASE("registered: the memory stays until the socket is closed, which serves no second stream") {
  const rio::Functions table = functions();
  const int queues = g_open_queues;
  Pair pair;
  auto source = make_registered_source(pair.receive, {}, table);
  REQUIRE(source);
  source.reset();
  CHECK(g_open_queues == queues + 1);
  CHECK(g_open_buffers == g_open_queues);
  CHECK_FALSE(make_udp_source(pair.receive, {}).ok());
  pair.receive.close();
  CHECK(g_open_queues == queues);
  CHECK(g_open_buffers == queues);
}

TEST_CASE("registered: it is used only where it has proven itself") {
  const rio::Functions table = functions();
  CHECK(registered_io_proves_itself(table));
  g_lies = true;
  CHECK_FALSE(registered_io_proves_itself(table));
  g_lies = false;
}
