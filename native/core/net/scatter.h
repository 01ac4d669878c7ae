// One datagram in pieces: its head to a staging buffer, its data to where the path wants it, the rest behind
// the gap that is left for it. Purpose: what sources on sockets of different systems share. Pure. Thread:
// any.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "net/packet_source.h"

namespace gw {

struct Pieces {
  struct Piece {
    uint8_t* to = nullptr;
    uint32_t size = 0;
  };
  std::array<Piece, 3> pieces;
  uint32_t count = 0;
};

// Whether the plan has a place for the i-th datagram of a read, and the staging buffer room for the gap.
inline bool lands(const LandingPlan& plan, size_t i, uint32_t staging_size) {
  return i < plan.landings.size() && plan.landings[i].to != nullptr &&
         plan.head + plan.landings[i].room < staging_size;
}

inline Pieces pieces_for(const LandingPlan& plan, size_t i, uint8_t* staging, uint32_t staging_size) {
  if (!lands(plan, i, staging_size)) return {{{{staging, staging_size}}}, 1};
  const Landing& landing = plan.landings[i];
  const uint32_t behind = plan.head + landing.room;
  return {{{{staging, plan.head}, {landing.to, landing.room}, {staging + behind, staging_size - behind}}}, 3};
}

// Tells where the i-th datagram is that was received so.
inline void mark_landing(PacketView& view, const LandingPlan& plan, size_t i, uint32_t staging_size) {
  if (view.size <= plan.head || !lands(plan, i, staging_size)) return;
  view.landed = plan.landings[i].to;
  view.landed_size = std::min(view.size - plan.head, plan.landings[i].room);
  view.head = plan.head;
}

}  // namespace gw
