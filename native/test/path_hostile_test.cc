// Values that no camera sends: nothing is read or written where it must not be, nothing takes for ever, and
// the sums hold. Most of the worth of these tests comes from the sanitizers.
#include <doctest/doctest.h>

#include <random>

#include "path_rig.h"

using namespace gw;
using namespace gw::test;

TEST_CASE("absurd dimensions") {
  for (const bool deliver : {false, true}) {
    for (const bool resend : {false, true}) {
      StreamConfig config = resend ? Rig::with_resend() : Rig::defaults();
      config.deliver_incomplete = deliver;
      Rig rig(config, 16);
      const uint32_t sizes[][2] = {
          {0xFFFFFFFF, 0xFFFFFFFF}, {0, 0}, {0xFFFFFFFF, 1}, {1, 0xFFFFFFFF}, {0x10000, 0x10000}};
      uint64_t id = 0;
      for (const auto& size : sizes) {
        for (const uint32_t pixel : {kMono8, 0xFFFFFFFFU, 0U, 0x010C0006U}) {
          TestBlock block(++id, 100, 20, 200);
          block.leader_body = image_leader(1, id, pixel, size[0], size[1]);
          block.trailer_body = trailer(1, {0xFFFFFFFF});
          block.leader_body[33] = id % 2 == 0 ? 0xFF : 0;  // padding x
          rig.send_all_but(block, {static_cast<uint32_t>(id % 11)});
          rig.pass(10 * kMs);
          rig.take_all();
        }
      }
      rig.pass(3000 * kMs);
      rig.take_all();
      rig.check();
      CHECK(rig.count("blocks_expected") == id);
    }
  }
}

TEST_CASE("sizes of raw payloads near 2^64, with packets missing") {
  for (const uint64_t size : {~0ULL, ~0ULL - 200, 1ULL << 63, 1ULL << 32, (1ULL << 31) + 1}) {
    StreamConfig config = Rig::with_resend();
    config.deliver_incomplete = true;
    Rig rig(config);
    TestBlock block(1, sized_leader(2, 1, size), pattern(1, 2000), trailer(2, {}), 200);
    rig.send_range(block, 0, 8);
    rig.pass(3000 * kMs);
    CHECK(rig.count("blocks_complete") == 0);
    CHECK(rig.count("blocks_incomplete") == 1);
    const auto frame = rig.take();
    REQUIRE(frame.has_value());
    CHECK_FALSE(frame->complete());
    CHECK(frame->data.size() == 2000);
    rig.check();
  }
}

TEST_CASE("packet ids up to 2^32 - 1, of every format") {
  for (const bool resend : {false, true}) {
    StreamConfig config = resend ? Rig::with_resend() : Rig::defaults();
    config.packet_size = 248;
    Rig rig(config);
    const TestBlock block = Rig::image(1, true);
    rig.send_range(block, 0, 3);
    uint64_t sent = 0;
    for (uint8_t format = 1; format <= 8; ++format) {
      for (const uint32_t id : {0xFFFFFFFFU, 0xFFFFFFFEU, 0x80000000U, 0x7FFFFFFFU, 0x01000000U, 100'000U}) {
        rig.send(joined(gvsp_header(true, 0, 1, format, id), Bytes(200)));
        ++sent;
        rig.send(gvsp_header(true, 0x8011, 1, format, id));
      }
    }
    CHECK(rig.count("malformed") == sent);
    CHECK(rig.count("refused") == sent);
    rig.send_range(block, 4, 11);
    rig.expect_complete(block);
    rig.check();
  }
}

TEST_CASE("a trailer whose id the map cannot hold") {
  Rig rig(Rig::with_resend());
  const TestBlock block = Rig::image(1);
  rig.send_range(block, 0, 10);
  rig.send(joined(gvsp_header(false, 0, 1, 2, 5000), block.trailer_body));
  rig.pass(3000 * kMs);
  rig.send(Rig::image(2));
  rig.expect_complete(Rig::image(2));
  CHECK(rig.count("malformed") == 1);
  rig.check();
}

TEST_CASE("the highest id the map holds, without a trailer") {
  StreamConfig config = Rig::with_resend();
  config.payload_size = 0;
  config.deliver_incomplete = true;
  Rig rig(config, 4, 2000);
  const uint32_t top = rig.pool.layout().map_bits - 1;
  Bytes leader = sized_leader(2, 1, 0);
  rig.send(joined(gvsp_header(true, 0, 1, 1, 0), leader));
  Bytes prefix(8);
  rig.send(joined(gvsp_header(true, 0, 1, 7, top), joined(prefix, pattern(1, 100))));
  rig.pass(3000 * kMs);
  rig.send(gvsp_header(true, 0x8011, 1, 3, top));
  rig.pass(3000 * kMs);
  rig.check();
  CHECK(rig.count("blocks_incomplete") == 1);
}

TEST_CASE("bodies of every length, of every format and payload type") {
  for (const bool extended : {false, true}) {
    StreamConfig config = Rig::with_resend();
    config.deliver_incomplete = true;
    config.packet_size_confirmed = extended;
    Rig rig(config);
    std::mt19937 random(3);
    uint64_t block = 0;
    for (uint8_t format = 0; format < 16; ++format) {
      for (size_t length = 0; length < 80; ++length) {
        ++block;
        Bytes body(length);
        for (auto& byte : body) byte = static_cast<uint8_t>(random() % 4 == 0 ? random() : 0);
        if (length > 3) body[3] = static_cast<uint8_t>(random() % 13);
        for (const uint32_t id : {0U, 1U, 2U})
          rig.send(joined(gvsp_header(extended, 0, block, format, id), body));
        rig.pass(kMs / 4);
        rig.take_all();
        rig.check();
      }
    }
  }
}

TEST_CASE("block ids at the ends of 64 bits") {
  StreamConfig config = Rig::with_resend();
  config.packet_size = 248;
  Rig rig(config);
  std::mt19937_64 random(11);
  const uint64_t ids[] = {1, ~0ULL, ~0ULL - 1, 1ULL << 63, (1ULL << 63) - 1, (1ULL << 63) + 1,
                          2, 65535, 65536,     3};
  for (int i = 0; i < 3000; ++i) {
    const TestBlock block(ids[random() % 10] + random() % 2, 100, 20, 200, true);
    if (block.id == 0) continue;
    rig.send(block, {static_cast<uint32_t>(random() % 12)});
    if (i % 7 == 0) rig.pass(kMs);
    rig.take_all();
    rig.check();
  }
  rig.pass(5000 * kMs);
  rig.check();
}

TEST_CASE("two witnesses of an absurd id do not make absurd sums") {
  StreamConfig config = Rig::defaults();
  config.packet_size = 248;
  Rig rig(config);
  rig.send(Rig::image(1, true));
  rig.send(Rig::image(1ULL << 62, true));
  rig.send(Rig::image(2, true).at_time(1ULL << 63));
  rig.pass(10 * kMs);
  CHECK(rig.count("blocks_missed") == 0);
  CHECK(rig.count("resyncs") == 2);
  CHECK(rig.count("blocks_complete") == 3);
  rig.check();
}

TEST_CASE("a slot smaller than the image: nothing behind it is touched, nothing is called complete") {
  for (const uint64_t capacity : {1U, 199U, 200U, 201U, 1999U}) {
    for (const bool deliver : {false, true}) {
      StreamConfig config = Rig::defaults();
      config.deliver_incomplete = deliver;
      Rig rig(config, 2, capacity);
      rig.send(Rig::image(1));
      rig.send_range(Rig::image(2), 1, 11);
      rig.pass(3000 * kMs);
      CHECK(rig.count("blocks_complete") == 0);
      while (const auto frame = rig.take()) {
        CHECK_FALSE(frame->complete());
        CHECK(frame->data.size() <= capacity);
      }
      rig.check();
    }
  }
}
