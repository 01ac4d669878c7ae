// Sockets, interfaces, wakers and threads.
#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <thread>
#include <utility>

#include "base/waker.h"
#include "fake_camera.h"
#include "net/interfaces.h"
#include "net/socket.h"
#include "udp_pair.h"

using namespace gw;
using namespace gw::test;

TEST_CASE("IPv4 addresses as text, both ways, and nothing that only resembles one") {
  CHECK(parse_ipv4("192.168.0.1") == 0xC0A80001U);
  CHECK(parse_ipv4("0.0.0.0") == 0U);
  CHECK(parse_ipv4("255.255.255.255") == 0xFFFFFFFFU);
  CHECK(address_to_string(0xC0A80001) == "192.168.0.1");
  CHECK(to_string(Endpoint{0x7F000001, 3956}) == "127.0.0.1:3956");
  for (const std::string bad :
       {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.-4", "1.2.3.4 ", " 1.2.3.4", "1..2.3", "1.2.3.",
        "01.2.3.4", "1.2.3.0004", "a.b.c.d", "1.2.3.+4", "0x1.2.3.4"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_ipv4(bad).has_value());
  }
}

TEST_CASE("subnets as text") {
  CHECK(subnet_to_string(0xC0A80105, 0xFFFFFF00) == "192.168.1.0/24");
  CHECK(subnet_to_string(0xC0A80105, 0xFFFFFFFF) == "192.168.1.5/32");
  CHECK(subnet_to_string(0xC0A80105, 0) == "0.0.0.0/0");
  CHECK(subnet_to_string(0xC0A80105, 0xFF00FF00) == "192.0.1.0/255.0.255.0");
}

TEST_CASE("a datagram arrives with its sender") {
  UdpSocket a = bound(loopback(1));
  UdpSocket b = bound(loopback(2));
  REQUIRE(a.send_to(hex("01 02 03"), *b.local_endpoint()).ok());
  Bytes buffer(100);
  Endpoint from;
  const Result<size_t> got = b.receive(buffer, &from, now_ns() + 1000 * kMs);
  REQUIRE(got.ok());
  CHECK(*got == 3);
  CHECK(from == *a.local_endpoint());
}

TEST_CASE("a datagram larger than the buffer is told") {
  UdpSocket a = bound(loopback(1));
  REQUIRE(a.send_to(Bytes(50, 1), *a.local_endpoint()).ok());
  Bytes buffer(20);
  ReceiveInfo info;
  const Result<size_t> got = a.receive(buffer, &info, now_ns() + 1000 * kMs);
  REQUIRE(got.ok());
  CHECK(*got == 20);
  CHECK(info.truncated);
}

TEST_CASE("waiting ends at the deadline, not before and not much later") {
  UdpSocket socket = bound(loopback(1));
  Bytes buffer(10);
  const uint64_t begin = now_ns();
  const Result<size_t> got = socket.receive(buffer, static_cast<Endpoint*>(nullptr), begin + 40 * kMs);
  const uint64_t took = now_ns() - begin;
  CHECK(got.status().code == Errc::kTimeout);
  CHECK(took >= 40 * kMs);
  CHECK(took < 400 * kMs);
  CHECK(socket.receive(buffer, static_cast<Endpoint*>(nullptr), 0).status().code == Errc::kTimeout);
}

TEST_CASE("a waker ends a wait, and stays signalled until it is cleared") {
  UdpSocket socket = bound(loopback(1));
  Waker waker;
  Bytes buffer(10);
  std::thread other([&] { waker.wake(); });
  const Result<size_t> got =
      socket.receive(buffer, static_cast<Endpoint*>(nullptr), now_ns() + 5000 * kMs, &waker);
  other.join();
  CHECK(got.status().code == Errc::kCanceled);
  CHECK(
      socket.receive(buffer, static_cast<Endpoint*>(nullptr), now_ns() + 5000 * kMs, &waker).status().code ==
      Errc::kCanceled);
  waker.clear();
  CHECK(socket.receive(buffer, static_cast<Endpoint*>(nullptr), now_ns() + 10 * kMs, &waker).status().code ==
        Errc::kTimeout);
}

TEST_CASE("a cancel token stays cancelled") {
  CancelToken token;
  CHECK_FALSE(token.canceled());
  token.cancel();
  token.cancel();
  CHECK(token.canceled());
}

TEST_CASE("wait_readable tells which sockets") {
  UdpSocket a = bound(loopback(1));
  UdpSocket b = bound(loopback(1));
  REQUIRE(a.send_to(hex("00"), *b.local_endpoint()).ok());
  const UdpSocket* sockets[] = {&a, &b};
  bool readable[2] = {true, false};
  REQUIRE(wait_readable(sockets, readable, now_ns() + 1000 * kMs).ok());
  CHECK_FALSE(readable[0]);
  CHECK(readable[1]);
}

TEST_CASE("bind_range takes the first free port, and says when there is none") {
  UdpSocket first = bound(loopback(1));
  const uint16_t port = first.local_endpoint()->port;
  UdpSocket second = std::move(*UdpSocket::open());
  const Status taken = second.bind_range(loopback(1), port, port);
  CHECK(taken.code == Errc::kNetwork);
  CHECK(taken.sys_errno == EADDRINUSE);
  if (port < 65535) {
    UdpSocket third = std::move(*UdpSocket::open());
    const Status status =
        third.bind_range(loopback(1), port, static_cast<uint16_t>(std::min(port + 50, 65535)));
    REQUIRE(status.ok());
    CHECK(third.local_endpoint()->port > port);
  }
  CHECK(second.bind_range(loopback(1), 10, 5).code == Errc::kInvalidArgument);
}

TEST_CASE("an unconnected socket learns that nobody listens") {
  UdpSocket gone = bound(loopback(1));
  const Endpoint nobody = *gone.local_endpoint();
  gone.close();
  UdpSocket socket = bound(loopback(1));
  REQUIRE(socket.report_icmp_errors(true).ok());
  REQUIRE(socket.send_to(hex("00"), nobody).ok());
  Bytes buffer(10);
  CHECK(socket.receive(buffer, static_cast<Endpoint*>(nullptr), now_ns() + 1000 * kMs).status().sys_errno ==
        ECONNREFUSED);
  // Told once: the next wait is an ordinary one, and sleeps.
  const uint64_t begin = now_ns();
  CHECK(socket.receive(buffer, static_cast<Endpoint*>(nullptr), begin + 30 * kMs).status().code ==
        Errc::kTimeout);
  CHECK(now_ns() - begin >= 30 * kMs);
}

TEST_CASE("the receive buffer that was granted is reported in the caller's terms") {
  UdpSocket socket = bound(loopback(1));
  const Result<size_t> small = socket.set_receive_buffer(64 * 1024);
  REQUIRE(small.ok());
  CHECK(*small == 64 * 1024);
}

TEST_CASE("a moved-from socket is closed, the new one works") {
  UdpSocket a = bound(loopback(1));
  const NativeSocket fd = a.fd();
  UdpSocket b = std::move(a);
  CHECK(b.fd() == fd);
  CHECK_FALSE(a.is_open());  // NOLINT(bugprone-use-after-move)
  a = std::move(b);
  CHECK(a.fd() == fd);
}

TEST_CASE("the loopback is listed with its subnet, broadcast address and MTU") {
  const auto nics = list_interfaces();
  REQUIRE(nics.ok());
  const auto lo =
      std::find_if(nics->begin(), nics->end(), [](const Interface& n) { return n.address == loopback(1); });
  REQUIRE(lo != nics->end());
  CHECK(lo->loopback);
  CHECK(lo->up);
  CHECK(lo->netmask == 0xFF000000);
  CHECK(lo->broadcast == 0x7FFFFFFF);
  CHECK(lo->contains(loopback(77)));
  CHECK_FALSE(lo->contains(0x80000001));
  CHECK(lo->index != 0);
  CHECK(lo->mtu >= 1500);
}

TEST_CASE("NICs without an address are listed once") {
  const auto nics = list_interfaces();
  REQUIRE(nics.ok());
  std::set<std::string> without;
  for (const Interface& nic : *nics) {
    if (nic.address != 0) continue;
    CHECK(nic.index != 0);
    CHECK(without.insert(nic.name).second);
  }
}

TEST_CASE("route_to finds the NIC the kernel would use") {
  const auto nics = list_interfaces();
  REQUIRE(nics.ok());
  const auto there = route_to(loopback(9), *nics);
  REQUIRE(there);
  CHECK(there->loopback);
  CHECK_FALSE(route_to(0, {}).has_value());
}
