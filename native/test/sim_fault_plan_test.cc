// Faults: right rates, the same ones for the same seed, and their text form.
#include <cmath>
#include <limits>

#include "doctest/doctest.h"
#include "sim/fault_plan.h"

using namespace gw;
using namespace gw::sim;

namespace {

using Fates = std::vector<std::vector<PacketFate>>;

Fates plan(const FaultPlan& faults, uint64_t seed, uint64_t blocks, uint32_t packets) {
  FaultPlanner planner(faults, seed);
  planner.start();
  Fates all(blocks);
  for (uint64_t b = 0; b < blocks; ++b) planner.plan_block(b, packets, all[b]);
  return all;
}

size_t count_lost(const Fates& fates, LossCause cause) {
  size_t n = 0;
  for (const auto& block : fates) {
    for (const PacketFate& fate : block) n += fate.lost == cause ? 1 : 0;
  }
  return n;
}

bool same(const Fates& a, const Fates& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    for (size_t k = 0; k < a[i].size(); ++k) {
      if (a[i][k].lost != b[i][k].lost || a[i][k].flags != b[i][k].flags) return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("faults: none asked for, none planned") {
  CHECK_FALSE(FaultPlanner({}, 1).touches_packets());
  for (const auto& block : plan({}, 1, 10, 100)) {
    for (const PacketFate& fate : block) CHECK(fate.clean());
  }
}

TEST_CASE("faults: the seed decides, and only the seed") {
  FaultPlan faults;
  faults.loss = 0.05;
  faults.burst_loss = 0.001;
  faults.duplicate = faults.reorder = faults.truncate = 0.02;
  const Fates first = plan(faults, 7, 100, 500);
  CHECK(same(first, plan(faults, 7, 100, 500)));
  CHECK_FALSE(same(first, plan(faults, 8, 100, 500)));
  CHECK(FaultPlanner(faults, 7).touches_packets());
}

TEST_CASE("faults: rates are what was asked for, within five standard deviations") {
  FaultPlan faults;
  faults.loss = 0.01;
  const double n = 200'000, sigma = std::sqrt(n * 0.01 * 0.99);
  const auto lost = static_cast<double>(count_lost(plan(faults, 3, 200, 1000), LossCause::kRandom));
  CHECK(std::abs(lost - n * 0.01) < 5 * sigma);
  faults.loss = 1;
  CHECK(count_lost(plan(faults, 3, 10, 100), LossCause::kRandom) == 1000);
}

TEST_CASE("faults: bursts have their length and run on into the next block") {
  FaultPlan faults;
  faults.burst_loss = 0.002;
  faults.burst_length = 20;
  const Fates fates = plan(faults, 11, 300, 50);
  size_t run = 0, runs = 0, across = 0;
  for (const auto& block : fates) {
    if (run > 0 && block[0].lost == LossCause::kBurst) ++across;
    for (const PacketFate& fate : block) {
      if (fate.lost == LossCause::kBurst) {
        ++run;
      } else if (run > 0) {
        CHECK(run % 20 == 0);  // several may touch
        runs += run / 20;
        run = 0;
      }
    }
  }
  CHECK(runs > 10);
  CHECK(across > 0);
}

TEST_CASE("faults: a new acquisition begins outside any burst") {
  FaultPlan faults;
  faults.burst_loss = 0.01;
  faults.burst_length = 100'000;
  FaultPlanner planner(faults, 5);
  std::vector<PacketFate> used, fresh;
  planner.start();
  planner.plan_block(0, 2000, used);
  REQUIRE(used.back().lost == LossCause::kBurst);
  planner.start();
  planner.plan_block(0, 2000, used);
  FaultPlanner(faults, 5).plan_block(0, 2000, fresh);
  REQUIRE(fresh.front().lost == LossCause::kNone);
  CHECK(same({used}, {fresh}));
}

TEST_CASE("faults: leader, trailer, tail and block each lose their own packets under their own cause") {
  FaultPlan faults;
  faults.lose_leader = 1;
  Fates fates = plan(faults, 1, 5, 10);
  CHECK(count_lost(fates, LossCause::kLeader) == 5);
  CHECK(fates[2][0].lost == LossCause::kLeader);

  faults = {};
  faults.lose_trailer = 1;
  fates = plan(faults, 1, 5, 10);
  CHECK(count_lost(fates, LossCause::kTrailer) == 5);
  CHECK(fates[2][9].lost == LossCause::kTrailer);

  faults = {};
  faults.lose_tail = 1;
  faults.tail_length = 4;
  fates = plan(faults, 1, 5, 10);
  CHECK(count_lost(fates, LossCause::kTail) == 20);
  CHECK(fates[2][5].clean());
  CHECK(fates[2][6].lost == LossCause::kTail);
  faults.tail_length = 4'000'000'000;
  CHECK(count_lost(plan(faults, 1, 5, 10), LossCause::kTail) == 50);

  faults = {};
  faults.lose_block = 0.5;
  fates = plan(faults, 1, 200, 10);
  const size_t lost = count_lost(fates, LossCause::kBlock);
  CHECK(lost % 10 == 0);
  CHECK(lost > 600);
  CHECK(lost < 1400);
}

TEST_CASE("faults: chosen packets are dropped as often as asked, resends included") {
  FaultPlan faults;
  faults.drop_packets = {{3, 5, 1}, {kEveryBlock, kTrailerPacket, 2}};
  const Fates fates = plan(faults, 1, 5, 10);
  CHECK(count_lost(fates, LossCause::kChosen) == 6);
  CHECK(fates[3][5].lost == LossCause::kChosen);
  CHECK(fates[4][9].lost == LossCause::kChosen);
  const FaultPlanner planner(faults, 1);
  CHECK(planner.resend_fate(3, 5, 10, 1) == LossCause::kNone);
  CHECK(planner.resend_fate(3, 9, 10, 1) == LossCause::kChosen);
  CHECK(planner.resend_fate(3, 9, 10, 2) == LossCause::kNone);
}

TEST_CASE("faults: resends are spared unless asked, and then lost at the same rate") {
  FaultPlan faults;
  faults.loss = 0.2;
  size_t lost = 0;
  for (uint32_t i = 0; i < 5000; ++i)
    lost += FaultPlanner(faults, 1).resend_fate(1, i, 5000, 1) != LossCause::kNone;
  CHECK(lost == 0);
  faults.faults_on_resend = true;
  const FaultPlanner planner(faults, 1);
  for (uint32_t i = 0; i < 5000; ++i) lost += planner.resend_fate(1, i, 5000, 1) != LossCause::kNone;
  CHECK(lost > 850);
  CHECK(lost < 1150);
}

TEST_CASE("faults: truncation only meets data packets") {
  FaultPlan faults;
  faults.truncate = 1;
  const Fates fates = plan(faults, 1, 1, 10);
  CHECK(fates[0][0].clean());
  CHECK(fates[0][9].clean());
  for (size_t i = 1; i < 9; ++i) CHECK(fates[0][i].flags == kFateTruncate);
}

TEST_CASE("faults: text form") {
  FaultPlan faults;
  CHECK(set_fault(faults, "loss", "0.25").ok());
  CHECK(faults.loss == 0.25);
  CHECK(set_fault(faults, "burst_length", "7").ok());
  CHECK(faults.burst_length == 7);
  CHECK(set_fault(faults, "no_scsp", "1").ok());
  CHECK(faults.no_scsp);
  CHECK(set_fault(faults, "packet_size", "silent_clamp").ok());
  CHECK(faults.packet_size == PacketSizeFault::kSilentClamp);
  CHECK(set_fault(faults, "resend", "not_yet_first").ok());
  CHECK(faults.resend == ResendFault::kNotYetFirst);
  CHECK(set_fault(faults, "crash_after_blocks", "12").ok());
  CHECK(faults.crash_after_blocks == 12);
  CHECK(set_fault(faults, "drop_packets", "*:trailer").ok());
  CHECK(set_fault(faults, "drop_packets", "4:17:3").ok());
  REQUIRE(faults.drop_packets.size() == 2);
  CHECK(faults.drop_packets[0].block == kEveryBlock);
  CHECK(faults.drop_packets[0].packet == kTrailerPacket);
  CHECK(faults.drop_packets[0].count == 1);
  CHECK(faults.drop_packets[1].block == 4);
  CHECK(faults.drop_packets[1].packet == 17);
  CHECK(faults.drop_packets[1].count == 3);
  const std::pair<const char*, const char*> wrong[] = {{"los", "0.1"},
                                                       {"loss", "1.5"},
                                                       {"loss", "-0.1"},
                                                       {"loss", "nan"},
                                                       {"loss", ""},
                                                       {"loss", "0.1x"},
                                                       {"burst_length", "-1"},
                                                       {"packet_size", "odd"},
                                                       {"no_scsp", "maybe"},
                                                       {"drop_packets", "4"},
                                                       {"drop_packets", "4:x"},
                                                       {"drop_packets", "1:2:3:4"},
                                                       {"", ""},
                                                       {"burst_length", "99999999999"}};
  for (const auto& [key, value] : wrong) {
    const double before = faults.loss;
    CHECK_FALSE_MESSAGE(set_fault(faults, key, value).ok(), key << "=" << value);
    CHECK(faults.loss == before);
    CHECK(faults.drop_packets.size() == 2);
  }
  faults.round_to = 0;
  CHECK(check_faults(faults).ok());
  faults.packet_size = PacketSizeFault::kRound;
  CHECK_FALSE(check_faults(faults).ok());
}
