// READMEM and WRITEMEM in blocks, at odd addresses, and what stands in for them.
#include <memory>

#include "control_test.h"

using namespace gw;
using namespace gw::test;

namespace {

constexpr uint32_t kBase = 0x00040000;

Bytes pattern(size_t length) {
  Bytes bytes(length);
  for (size_t i = 0; i < length; ++i) bytes[i] = static_cast<uint8_t>(i * 7 + (i >> 8));
  return bytes;
}

}  // namespace

TEST_CASE("READMEM is what the vector says") {
  FakeCamera camera;
  camera.fill(0x0200, pattern(512));
  auto channel = open_to(camera, 200);
  const auto data = channel->read_memory(0x0200, 512);
  REQUIRE(data.ok());
  CHECK(*data == pattern(512));
  REQUIRE(camera.count(0x0084) == 1);
  CHECK(to_hex(without_id(camera.log(0x0084)[0].bytes)) == "42 01 00 84 00 08 00 00 00 00 02 00 00 00 02 00");
}

TEST_CASE("any address and any length come back exact, asked for in aligned blocks") {
  FakeCamera camera;
  const Bytes all = pattern(4000);
  camera.fill(kBase, all);
  auto channel = open_to(camera, 200);
  for (const size_t offset : {0, 1, 2, 3, 4, 511, 513}) {
    for (const size_t length : {0, 1, 2, 3, 4, 5, 511, 512, 513, 1024, 1535, 3000}) {
      CAPTURE(offset);
      CAPTURE(length);
      const auto data = channel->read_memory(kBase + static_cast<uint32_t>(offset), length);
      REQUIRE(data.ok());
      const auto begin = all.begin() + static_cast<ptrdiff_t>(offset);
      CHECK(*data == Bytes(begin, begin + static_cast<ptrdiff_t>(length)));
    }
  }
  for (const auto& d : camera.log(0x0084)) {
    const uint32_t address = load_be32(&d.bytes[8]);
    const uint16_t count = load_be16(&d.bytes[14]);
    CHECK(address % 4 == 0);
    CHECK(count % 4 == 0);
    CHECK(count > 0);
    CHECK(count <= 512);
  }
}

TEST_CASE("acknowledges without the address are understood") {
  FakeCamera camera;
  auto channel = open_to(camera, 200);
  camera.script([](const FakeCamera::Datagram& d) -> Replies {
    return answer(d, "00 00 00 85 00 08 00 00 01 02 03 04 05 06 07 08");
  });
  const auto data = channel->read_memory(kBase + 1, 6);
  REQUIRE(data.ok());
  CHECK(to_hex(*data) == "02 03 04 05 06 07");
}

TEST_CASE("short data and another address's data are refused") {
  FakeCamera camera;
  auto channel = open_to(camera, 200);
  for (const std::string text :
       {"00 00 00 85 00 08 00 00 00 04 00 00 05 06 07 08",              // four of eight
        "00 00 00 85 00 0c 00 00 00 04 00 40 01 02 03 04 05 06 07 08",  // another address
        "00 00 00 85 00 00 00 00"}) {
    CAPTURE(text);
    camera.script([&](const FakeCamera::Datagram& d) -> Replies { return answer(d, text); });
    CHECK(channel->read_memory(kBase, 8).status().code == Errc::kProtocol);
  }
}

TEST_CASE("the address space ends at 4 GiB") {
  FakeCamera camera;
  auto channel = open_to(camera, 200);
  const size_t before = camera.log().size();
  CHECK(channel->read_memory(0xFFFFFFFC, 5).status().code == Errc::kInvalidArgument);
  CHECK(channel->write_memory(0xFFFFFFFC, Bytes(5)).code == Errc::kInvalidArgument);
  CHECK(camera.log().size() == before);
  camera.fill(0xFFFFFFFC, hex("0a 0b 0c 0d"));
  const auto last = channel->read_memory(0xFFFFFFFD, 3);
  REQUIRE(last.ok());
  CHECK(to_hex(*last) == "0b 0c 0d");
}

TEST_CASE("progress is told, and can stop it; so can the flag") {
  FakeCamera camera;
  camera.fill(kBase, pattern(2000));
  auto channel = open_to(camera, 200);
  std::vector<size_t> told;
  REQUIRE(channel
              ->read_memory(kBase, 1500,
                            [&](size_t done, size_t total) {
                              CHECK(total == 1500);
                              told.push_back(done);
                              return true;
                            })
              .ok());
  CHECK(told == std::vector<size_t>{0, 512, 1024, 1500});
  CHECK(channel->read_memory(kBase, 1500, [](size_t done, size_t) { return done < 512; }).status().code ==
        Errc::kCanceled);
  const std::atomic<bool> stop{true};
  const size_t before = camera.log().size();
  CHECK(channel->read_memory(kBase, 1500, {}, &stop).status().code == Errc::kCanceled);
  CHECK(channel->write_memory(kBase, pattern(1500), {}, &stop).code == Errc::kCanceled);
  CHECK(camera.log().size() == before);
}

TEST_CASE("WRITEMEM, and WRITEREG for cameras without it: same bytes, edges kept") {
  struct Kind {
    uint32_t capability;
    uint16_t command;
  };
  for (const Kind kind : {Kind{2, 0x0086}, Kind{0, 0x0082}, Kind{1, 0x0082}}) {
    for (const size_t offset : {0, 1, 3}) {
      for (const size_t length : {1, 2, 3, 4, 5, 8, 700}) {
        CAPTURE(kind.capability);
        CAPTURE(offset);
        CAPTURE(length);
        FakeCamera camera;
        camera.set(0x0934, kind.capability);
        camera.fill(kBase, Bytes(800, 0xEE));
        auto channel = open_to(camera, 200);
        REQUIRE(channel->take_control(Access::kControl).ok());
        const size_t before = camera.count(kind.command);
        const Status status = channel->write_memory(kBase + static_cast<uint32_t>(offset), pattern(length));
        REQUIRE_MESSAGE(status.ok(), status.message);
        CHECK(camera.memory(kBase, 800) ==
              Bytes(offset, 0xEE) + pattern(length) + Bytes(800 - offset - length, 0xEE));
        const size_t words = (offset + length + 3) / 4;
        const size_t per_message = kind.capability == 2 ? 128 : kind.capability == 1 ? 64 : 1;
        CHECK(camera.count(kind.command) - before == (words + per_message - 1) / per_message);
        if (kind.capability == 2 && offset == 0 && length == 8) {
          CHECK(to_hex(without_id(camera.log(0x0086)[0].bytes)) ==
                "42 01 00 86 00 0c 00 00 00 04 00 00 " + to_hex(pattern(8)));
        }
        for (const auto& d : camera.log()) CHECK(d.bytes.size() <= 548);
      }
    }
  }
}

TEST_CASE("a camera that promises WRITEMEM and does not have it") {
  FakeCamera camera;
  camera.set(0x0934, 2);
  camera.fill(kBase, Bytes(16, 0));
  auto channel = open_to(camera, 200);
  REQUIRE(channel->take_control(Access::kControl).ok());
  camera.set(0x0934, 0);  // the fake now answers NOT_IMPLEMENTED
  REQUIRE(channel->write_memory(kBase, pattern(16)).ok());
  CHECK(camera.memory(kBase, 16) == pattern(16));
  REQUIRE(channel->write_memory(kBase, pattern(4)).ok());
  CHECK(camera.count(0x0086) == 1);  // asked once
}

TEST_CASE("a write that is refused says so, with the address") {
  FakeCamera camera;
  auto channel = open_to(camera, 200);
  REQUIRE(channel->take_control(Access::kControl).ok());
  const Status status = channel->write_memory(0x00090000, pattern(8));
  CHECK(status.code == Errc::kGvcpStatus);
  CHECK(status.gvcp_status == 0x8003);
  CHECK(status.message.find("0x90000") != std::string::npos);
}
