// Sockets, interfaces and threads: what only Linux can be asked about.
#include <doctest/doctest.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <string>
#include <utility>

#include "base/thread.h"
#include "fake_camera.h"
#include "net/interfaces.h"
#include "net/socket.h"
#include "udp_pair.h"

using namespace gw;
using namespace gw::test;

TEST_CASE("an ICMP error that a send was told of leaves the next wait asleep") {
  UdpSocket gone = bound(loopback(1));
  const Endpoint nobody = *gone.local_endpoint();
  gone.close();
  UdpSocket socket = bound(loopback(1));
  REQUIRE(socket.report_icmp_errors(true).ok());
  CHECK(socket.send_raw(hex("00"), nobody) == 0);
  CHECK(socket.send_raw(hex("00"), nobody) == ECONNREFUSED);
  Bytes buffer(10);
  timespec before{};
  timespec after{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
  const uint64_t begin = now_ns();
  CHECK(socket.receive(buffer, static_cast<Endpoint*>(nullptr), begin + 100 * kMs).status().code ==
        Errc::kTimeout);
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
  CHECK(now_ns() - begin >= 100 * kMs);
  CHECK(now_ns() - begin < 1000 * kMs);
  const double busy = static_cast<double>(after.tv_sec - before.tv_sec) +
                      static_cast<double>(after.tv_nsec - before.tv_nsec) / 1e9;
  CHECK(busy < 0.05);
}

TEST_CASE("the kernel doubles the receive buffer, for what it needs itself") {
  UdpSocket socket = std::move(*UdpSocket::open());
  REQUIRE(socket.set_receive_buffer(64 * 1024).ok());
  int raw = 0;
  socklen_t size = sizeof raw;
  REQUIRE(::getsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUF, &raw, &size) == 0);
  CHECK(raw == 2 * 64 * 1024);
}

TEST_CASE("index and MTU of the loopback are the kernel's") {
  const auto nics = list_interfaces();
  REQUIRE(nics.ok());
  const auto lo = std::find_if(nics->begin(), nics->end(), [](const Interface& n) { return n.loopback; });
  REQUIRE(lo != nics->end());
  CHECK(lo->index == static_cast<int>(if_nametoindex(lo->name.c_str())));
  std::ifstream mtu("/sys/class/net/" + lo->name + "/mtu");
  uint32_t expected = 0;
  mtu >> expected;
  CHECK(lo->mtu == expected);
}

TEST_CASE("threads carry their names, cut to what the kernel takes") {
  std::string seen;
  NamedThread thread("gw-a-name-that-is-too-long", [&] {
    std::ifstream comm("/proc/thread-self/comm");
    std::getline(comm, seen);
  });
  thread.join();
  CHECK(seen == "gw-a-name-that-");
}
