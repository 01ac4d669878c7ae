// Resend requests: how many, how often, and what they cost.
#include <doctest/doctest.h>

#include <algorithm>

#include "path_rig.h"

using namespace gw;
using namespace gw::test;

namespace {

// How long so many requests wait for an answer together: from the fourth on each twice as long, 50 ms at
// most.
uint64_t patience(uint32_t tries, uint64_t wait = 10 * kMs) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < tries; ++i) {
    if (i >= 3) wait = std::min(wait * 2, 50 * kMs);
    sum += wait;
  }
  return sum;
}

}  // namespace

TEST_CASE("the limit of tries: each packet is asked for so often, and its last answer is waited for") {
  for (const uint32_t tries : {1U, 2U, 3U, 8U}) {
    CAPTURE(tries);
    StreamConfig config = for_long();
    config.resend.max_tries = tries;
    config.resend.block_timeout_ns = 10'000 * kMs;
    Rig rig(config);
    const TestBlock block = long_image(1);
    rig.send_all_but(block, {10});
    rig.pass(patience(tries) - 1);
    CHECK(rig.requests().size() == tries);
    SUBCASE("the last answer comes in time") {
      rig.send(block, {10});
      rig.expect_complete(block);
    }
    SUBCASE("it does not") {
      rig.pass(1);
      CHECK(rig.count("blocks_incomplete") == 1);
      CHECK(rig.count("missing_exhausted") == 1);
      rig.pass(1000 * kMs);
      CHECK(rig.requests().empty());
    }
    rig.check();
  }
}

TEST_CASE("the limit of tries holds for each packet, not for the block") {
  // One gap after the other, each answered at its second try: more rounds than a packet has tries.
  StreamConfig config = for_long();
  config.resend.max_tries = 3;
  Rig rig(config);
  const TestBlock block = long_image(1);
  rig.send(block, {0});
  for (uint32_t id = 1; id + 1 <= 99; id += 3) {
    rig.send(block, {id, id + 2});
    rig.pass(2 * kMs);  // asked for: no answer
    rig.requests();
    rig.pass(11 * kMs);
    const auto requests = rig.requests();
    REQUIRE(requests.size() == 1);
    CHECK(same(requests[0], 1, id + 1, id + 1));
    rig.send(block, {id + 1});
  }
  rig.send(block, {100});
  rig.send(long_image(2), {0, 1});  // the trailer is lost, too
  rig.settle();
  const auto requests = rig.requests();
  REQUIRE(requests.size() == 1);
  CHECK(same(requests[0], 1, 101, gvcp::kToEnd));
  rig.send(block, {101});
  rig.expect_complete(block);
  rig.check();
}

TEST_CASE("a tail that nobody answers: so many tries, then the block is over") {
  StreamConfig config = for_long();
  config.resend.max_tries = 4;
  Rig rig(config);
  rig.send_range(long_image(1), 0, 90);
  rig.send(long_image(2));
  rig.pass(patience(4) - 1);
  CHECK_FALSE(rig.take().has_value());
  const auto requests = rig.requests();
  CHECK(requests.size() == 4);
  for (const auto& request : requests) CHECK(same(request, 1, 91, gvcp::kToEnd));
  rig.pass(kMs);
  rig.expect_complete(long_image(2));
  CHECK(rig.count("blocks_incomplete") == 1);
  CHECK(rig.count("missing_exhausted") == 11);
  rig.check();
}

TEST_CASE("a block of which nothing was seen has three tries") {
  Rig rig(for_long());
  rig.send(long_image(1));
  rig.send(long_image(3));
  rig.pass(patience(3));
  CHECK(rig.requests().size() == 3);
  CHECK(rig.take_all() == 2);
  CHECK(rig.count("blocks_missed") == 1);
  CHECK(rig.count("missing_exhausted") == 102);
  rig.check();
}

TEST_CASE("the traffic budget: no more is asked for than it allows, and it grows with what arrives") {
  StreamConfig config = for_long(400);
  config.resend.budget_burst = 30;
  config.resend.budget_percent = 10;
  config.resend.block_timeout_ns = 1000 * kMs;
  Rig rig(config);
  const TestBlock block = long_image(1, 400);
  rig.send_range(block, 0, 100);
  rig.send_range(block, 201, 401);  // 100 lost
  rig.pass(0);
  // What the budget has is spent on the first of them, not saved up for a range that never fits.
  auto requests = rig.requests();
  REQUIRE(requests.size() == 1);
  CHECK(same(requests[0], 1, 101, 130));
  CHECK(rig.count("resend_requested") == 30);
  rig.pass(50 * kMs);
  CHECK(rig.requests().empty());  // nothing arrived
  rig.send_range(block, 101, 130);
  rig.pass(50 * kMs);
  requests = rig.requests();
  uint64_t asked = 0;
  for (const auto& request : requests) asked += request.last_packet - request.first_packet + 1;
  CHECK(asked == 3);  // 30 packets came: a tenth of them
  CHECK(requests[0].first_packet == 131);
  rig.pass(2000 * kMs);
  CHECK(rig.count("missing_exhausted") == 3);
  CHECK(rig.count("missing_not_requested") == 67);
  rig.check();
}

TEST_CASE("the budget is shared by all blocks, over a long stream of losses") {
  StreamConfig config = for_long();
  config.resend.budget_burst = 50;
  config.resend.budget_percent = 5;
  Rig rig(config);
  for (uint64_t id = 1; id <= 100; ++id) {
    const TestBlock block = long_image(id);
    for (uint32_t at = 0; at <= 101; ++at) {
      if (at % 3 != 1) rig.send(block.packet(at));  // a third is lost, nothing is answered
    }
    rig.pass(20 * kMs);
  }
  CHECK(rig.count("resend_requested") <= 50 + rig.count("accepted") * 5 / 100);
  CHECK(rig.count("resend_requested") >= 50);
  rig.check();
}

TEST_CASE("resend off: nothing is ever asked for") {
  StreamConfig config = for_long();
  config.resend.enabled = false;
  Rig rig(config);
  rig.send_all_but(long_image(1), {0, 10, 101});
  rig.send_range(long_image(3), 0, 50);
  rig.pass(5000 * kMs);
  CHECK(rig.requests().empty());
  CHECK(rig.count("resend_requests") == 0);
  CHECK(rig.count("missing_not_requested") == rig.count("packets_missing"));
  rig.check();
}

TEST_CASE("blocks without a slot are not asked for") {
  Rig rig(for_long(), 1);
  rig.send(long_image(1));  // takes the only slot, and nobody takes it
  rig.send_all_but(long_image(2), {10, 101});
  rig.send(long_image(3), {0, 1, 3});
  rig.pass(5000 * kMs);
  CHECK(rig.requests().empty());
  CHECK(rig.count("blocks_no_slot") == 2);
  rig.check();
}

TEST_CASE("a block that no slot can hold is not asked for") {
  StreamConfig config = for_long();
  Rig rig(config, 4, 5000);
  rig.send_range(long_image(1), 0, 30);
  rig.send_range(long_image(2), 0, 3);
  rig.pass(5000 * kMs);
  CHECK(rig.requests().empty());
  CHECK(rig.count("blocks_incomplete") == 2);
  CHECK(rig.count("malformed") > 0);
  rig.check();
}

TEST_CASE("a last packet that was cut is asked for") {
  Rig rig(for_long());
  const TestBlock block = long_image(1);
  rig.send_range(block, 0, 99);
  Bytes cut = block.packet(100);
  cut.pop_back();
  rig.send(cut);
  rig.send(block, {101});
  rig.settle();
  const auto requests = rig.requests();
  REQUIRE(requests.size() == 1);
  CHECK(same(requests[0], 1, 100, 100));
  rig.send(block, {100});
  rig.expect_complete(block);
  CHECK(rig.count("malformed") == 1);
  rig.check();
}

TEST_CASE("variable height with a lost tail: nothing beyond the trailer is asked for") {
  Rig rig(for_long());
  TestBlock block = long_image(1, 60);
  block.leader_body = image_leader(1, 5, kMono8, 100, 200);
  rig.send_all_but(block, {58, 59, 60});
  rig.settle();
  const auto requests = rig.requests();
  REQUIRE(requests.size() == 1);
  CHECK(same(requests[0], 1, 58, 60));
  rig.send(block, {58, 59, 60});
  const auto frame = rig.take();
  REQUIRE(frame.has_value());
  CHECK(frame->header.height == 120);
  CHECK(frame->data == block.payload);
  rig.check();
}

TEST_CASE("thousands of gaps: each is asked for once a round, and a packet asks for nothing by itself") {
  StreamConfig config = for_long(20'000);
  config.resend.budget_burst = 1'000'000;
  Rig rig(config, 2);
  const TestBlock block = long_image(1, 20'000);
  size_t calls = 0;
  for (uint32_t id = 0; id <= 20'000; id += 2) {  // every other packet is lost; 1 us each
    rig.send(block.packet(id));
    rig.now += 1000;
    const size_t before = rig.camera.requests.size();
    rig.settle();
    if (rig.camera.requests.size() != before) ++calls;
  }
  // 10 ms of stream, one round of first requests per ms at most.
  CHECK(calls <= 11);
  rig.send(block, {20'001});
  rig.settle();
  CHECK(rig.camera.requests.size() == 10'000);
  // One request for each gap, none twice.
  std::vector<uint32_t> firsts;
  for (const auto& request : rig.requests()) {
    CHECK(request.first_packet == request.last_packet);
    firsts.push_back(request.first_packet);
  }
  std::sort(firsts.begin(), firsts.end());
  CHECK(std::unique(firsts.begin(), firsts.end()) == firsts.end());
  for (uint32_t id = 1; id <= 20'000; id += 2) rig.send(block.packet(id));
  rig.expect_complete(block);
  CHECK(rig.requests().empty());
  CHECK(rig.count("packets_resent") == 10'000);
  rig.check();
}

TEST_CASE("'this and all before' for thousands of packets costs each id once") {
  StreamConfig config = for_long(200'000);
  config.deliver_incomplete = true;
  config.resend.budget_burst = 1'000'000;
  Rig rig(config, 2);
  const TestBlock block = long_image(1, 200'000);
  rig.send(block, {0, 200'001});
  rig.settle();
  CHECK(rig.requests().size() == 1);
  // 200'000 answers of 200'000 ids each would take minutes.
  for (uint32_t id = 1; id <= 200'000; ++id) rig.send(block.refusal(id, 0x8011));
  rig.settle();
  CHECK(rig.count("missing_refused") == 200'000);
  CHECK(rig.count("blocks_incomplete") == 1);
  rig.check();
}

TEST_CASE("the response time follows the camera, within bounds") {
  for (const uint64_t delay_ms : {0U, 4U, 15U, 60U}) {
    CAPTURE(delay_ms);
    StreamConfig config = for_long();
    config.resend.block_timeout_ns = 10'000 * kMs;
    config.resend.response_timeout_ns = 100 * kMs;
    Rig rig(config);
    for (uint64_t id = 1; id <= 40; ++id) {
      rig.send_all_but(long_image(id), {10});
      rig.pass(delay_ms * kMs);
      rig.send(long_image(id), {10});
      rig.expect_complete(long_image(id));
    }
    rig.requests();
    rig.send_all_but(long_image(41), {10});
    rig.settle();
    CHECK(rig.requests().size() == 1);
    const uint64_t expected = std::clamp<uint64_t>(3 * delay_ms + 1, 3, 50) * kMs;
    rig.pass(expected * 9 / 10);
    CHECK(rig.requests().empty());
    rig.pass(expected / 10 + kMs);
    CHECK(rig.requests().size() == 1);
  }
}

TEST_CASE("the deadline is asked for as soon as there is one, and is never in the past for ever") {
  Rig rig(for_long());
  CHECK(rig.next_deadline() == ResendPolicy::kNever);
  rig.send(long_image(1), {0, 1});
  CHECK(rig.next_deadline() <= rig.now + 20 * kMs);
  rig.settle();
  CHECK(rig.next_deadline() > rig.now);
  rig.send(long_image(1), {3});
  CHECK(rig.next_deadline() <= rig.now + kMs);
  rig.pass(5000 * kMs);
  CHECK(rig.count("blocks_incomplete") == 1);
  CHECK(rig.next_deadline() == ResendPolicy::kNever);
  rig.check();
}
