// Resend requests that the camera refuses.
#include <doctest/doctest.h>

#include <algorithm>

#include "path_rig.h"

using namespace gw;
using namespace gw::test;

TEST_CASE("refusals are obeyed") {
  for (const uint16_t status : {0x800C, 0x8011, 0x8012, 0x8FFF}) {
    CAPTURE(status);
    Rig rig(for_long());
    const TestBlock block = long_image(1);
    rig.send_all_but(block, {10, 20, 30});
    rig.settle();
    CHECK(rig.requests().size() == 3);
    rig.send(block.refusal(20, status));
    rig.settle();
    // One packet that will never come is enough: the block is over, and nothing more is asked for.
    CHECK(rig.count("blocks_incomplete") == 1);
    CHECK(rig.count("refused") == 1);
    CHECK(rig.count("missing_refused") == (status == 0x8011 ? 2 : 1));
    CHECK(rig.count("missing_exhausted") == (status == 0x8011 ? 1 : 2));
    rig.pass(1000 * kMs);
    CHECK(rig.requests().empty());
    rig.check();
  }
}

TEST_CASE("where incomplete frames are wanted, the packets that were not refused are still asked for") {
  StreamConfig config = for_long();
  config.deliver_incomplete = true;
  for (const uint16_t status : {0x800C, 0x8011}) {
    CAPTURE(status);
    Rig rig(config);
    const TestBlock block = long_image(1);
    rig.send_all_but(block, {10, 20, 30});
    rig.settle();
    CHECK(rig.requests().size() == 3);
    rig.send(block.refusal(20, status));
    rig.pass(10 * kMs);
    auto requests = rig.requests();
    REQUIRE(requests.size() == (status == 0x8011 ? 1 : 2));
    CHECK(same(requests.back(), 1, 30, 30));
    rig.send(block, {30});
    if (status == 0x800C) {
      CHECK(same(requests[0], 1, 10, 10));
      CHECK_FALSE(rig.take().has_value());
      rig.send(block, {10});
    }
    rig.settle();
    const auto frame = rig.take();
    REQUIRE(frame.has_value());
    CHECK_FALSE(frame->complete());
    CHECK(frame->header.packets_received == (status == 0x8011 ? 100 : 101));
    CHECK(rig.count("missing_refused") == (status == 0x8011 ? 2 : 1));
    CHECK(rig.count("missing_exhausted") == 0);
    rig.check();
  }
}

TEST_CASE("'not yet' and 'busy' are asked again after the response time") {
  for (const uint16_t status : {0x8010, 0x8014}) {
    CAPTURE(status);
    Rig rig(for_long());
    const TestBlock block = long_image(1);
    rig.send_all_but(block, {10});
    rig.settle();
    CHECK(rig.requests().size() == 1);
    rig.send(block.refusal(10, status));
    rig.pass(9 * kMs);
    CHECK(rig.requests().empty());
    rig.pass(kMs);
    CHECK(rig.requests().size() == 1);
    rig.send(block, {10});
    rig.expect_complete(block);
    CHECK(rig.count("refused") == 1);
    CHECK(rig.count("missing_refused") == 0);
    rig.check();
  }
}

TEST_CASE("a packet that was refused and comes all the same is taken") {
  Rig rig(for_long());
  const TestBlock block = long_image(1);
  rig.send_range(block, 0, 9);
  rig.send_range(block, 11, 20);
  rig.pass(kMs);
  CHECK(rig.requests().size() == 1);
  rig.send(block.refusal(10, 0x800C));
  rig.pass(kMs);
  rig.send(block, {10});
  rig.send_range(block, 21, 101);
  rig.expect_complete(block);
  rig.check();
}

TEST_CASE("refusals that answer no question change nothing") {
  Rig rig(for_long());
  const TestBlock block = long_image(1);
  rig.send(block.refusal(3, 0x800C));  // before any block
  rig.send_all_but(block, {10});
  rig.send(block.refusal(50, 0x800C));  // is here
  rig.send(block.refusal(10, 0x800C));  // was not asked for yet
  rig.settle();
  CHECK(rig.requests().size() == 1);
  rig.send(block.refusal(102, 0x8011));  // beyond the block
  rig.send(block.refusal(0xFFFFFF, 0x800C));
  rig.send(long_image(2).refusal(1, 0x800C));  // a block that is not open
  rig.send(long_image(60000).refusal(1, 0x800C));
  rig.send(gvsp_header(true, 0x800C, 1, 3, 10));  // another layout
  rig.settle();
  CHECK(rig.count("blocks_expected") == 0);
  rig.send(block, {10});
  rig.expect_complete(block);
  CHECK(rig.count("refused") == 8);
  rig.check();
}

TEST_CASE("a missing tail that is refused: the block is over at once") {
  Rig rig(for_long());
  rig.send_range(long_image(1), 0, 90);
  rig.send(long_image(2));
  rig.settle();
  CHECK(rig.requests().size() == 1);
  for (uint32_t id = 91; id <= 101; ++id) rig.send(long_image(1).refusal(id, 0x800C));
  rig.settle();
  rig.expect_complete(long_image(2));
  CHECK(rig.count("refused") == 11);
  CHECK(rig.count("missing_refused") == 11);
  rig.pass(1000 * kMs);
  CHECK(rig.requests().empty());
  rig.check();
}
