#include "binding/layout_constants.h"

#include <cstddef>

#include "binding/arguments.h"
#include "path/control_block.h"
#include "path/stream_stats.h"
#include "wire/gvsp.h"
#include "wire/pixel_format.h"

namespace gw::binding {

Napi::Object layout_constants(Napi::Env env) {
  auto all = Napi::Object::New(env);
  const auto group = [&](const char* name) {
    auto object = Napi::Object::New(env);
    all.Set(name, object);
    return object;
  };
  auto header = group("header");
#define GW_OFFSET(object, type, field, name) object.Set(name, static_cast<double>(offsetof(type, field)))
  GW_OFFSET(header, ControlHeader, magic, "magic");
  GW_OFFSET(header, ControlHeader, version, "version");
  GW_OFFSET(header, ControlHeader, slot_count, "slotCount");
  GW_OFFSET(header, ControlHeader, ring_capacity, "ringCapacity");
  GW_OFFSET(header, ControlHeader, slot_capacity, "slotCapacity");
  GW_OFFSET(header, ControlHeader, slot_stride, "slotStride");
  GW_OFFSET(header, ControlHeader, data_offset, "dataOffset");
  GW_OFFSET(header, ControlHeader, total_size, "totalSize");
  GW_OFFSET(header, ControlHeader, stats_offset, "statsOffset");
  GW_OFFSET(header, ControlHeader, events_offset, "eventsOffset");
  GW_OFFSET(header, ControlHeader, slots_offset, "slotsOffset");
  GW_OFFSET(header, ControlHeader, ring_offset, "ringOffset");
  GW_OFFSET(header, ControlHeader, maps_offset, "mapsOffset");
  GW_OFFSET(header, ControlHeader, map_stride, "mapStride");
  GW_OFFSET(header, ControlHeader, map_bits, "mapBits");
  GW_OFFSET(header, ControlHeader, ring_head, "ringHead");
  GW_OFFSET(header, ControlHeader, stream_state, "streamState");
  GW_OFFSET(header, ControlHeader, fail_errno, "failErrno");
  GW_OFFSET(header, ControlHeader, event_head, "eventHead");
  GW_OFFSET(header, ControlHeader, ring_tail, "ringTail");
  GW_OFFSET(header, ControlHeader, frames_taken, "framesTaken");
  GW_OFFSET(header, ControlHeader, event_tail, "eventTail");
  header.Set("size", static_cast<double>(sizeof(ControlHeader)));
  auto slot = group("slot");
  GW_OFFSET(slot, SlotHeader, state, "state");
  GW_OFFSET(slot, SlotHeader, flags, "flags");
  GW_OFFSET(slot, SlotHeader, block_id, "blockId");
  GW_OFFSET(slot, SlotHeader, timestamp, "timestamp");
  GW_OFFSET(slot, SlotHeader, host_time_ns, "hostTimeNs");
  GW_OFFSET(slot, SlotHeader, ready_time_ns, "readyTimeNs");
  GW_OFFSET(slot, SlotHeader, payload_bytes, "payloadBytes");
  GW_OFFSET(slot, SlotHeader, payload_type, "payloadType");
  GW_OFFSET(slot, SlotHeader, pixel_format, "pixelFormat");
  GW_OFFSET(slot, SlotHeader, width, "width");
  GW_OFFSET(slot, SlotHeader, height, "height");
  GW_OFFSET(slot, SlotHeader, offset_x, "offsetX");
  GW_OFFSET(slot, SlotHeader, offset_y, "offsetY");
  GW_OFFSET(slot, SlotHeader, padding_x, "paddingX");
  GW_OFFSET(slot, SlotHeader, padding_y, "paddingY");
  GW_OFFSET(slot, SlotHeader, packets_expected, "packetsExpected");
  GW_OFFSET(slot, SlotHeader, packets_received, "packetsReceived");
  GW_OFFSET(slot, SlotHeader, packets_resent, "packetsResent");
  GW_OFFSET(slot, SlotHeader, data_size, "dataSize");
  GW_OFFSET(slot, SlotHeader, chunk_length, "chunkLength");
  GW_OFFSET(slot, SlotHeader, chunk_layout, "chunkLayout");
  GW_OFFSET(slot, SlotHeader, sequence, "sequence");
  GW_OFFSET(slot, SlotHeader, trailer_status, "trailerStatus");
  GW_OFFSET(slot, SlotHeader, holder, "holder");
  slot.Set("size", static_cast<double>(sizeof(SlotHeader)));
  auto event = group("event");
  GW_OFFSET(event, EventEntry, kind, "kind");
  GW_OFFSET(event, EventEntry, a, "a");
  GW_OFFSET(event, EventEntry, b, "b");
  GW_OFFSET(event, EventEntry, block_id, "blockId");
  GW_OFFSET(event, EventEntry, time_ns, "timeNs");
  event.Set("size", static_cast<double>(sizeof(EventEntry)));
  event.Set("capacity", kEventCapacity);
#undef GW_OFFSET
  auto stats = group("stats");
  stats.Set("sequence", static_cast<double>(offsetof(StatsPage, sequence)));
  stats.Set("values", static_cast<double>(offsetof(StatsPage, values)));
  auto names = Napi::Array::New(env);
#define GW_NAME(name) names[names.Length()] = Napi::String::New(env, #name);
  GW_STREAM_COUNTERS(GW_NAME)
#undef GW_NAME
  stats.Set("names", names);
  auto constants = group("constants");
  constants.Set("magic", kControlMagic);
  constants.Set("version", kControlVersion);
  constants.Set("slotFree", +kSlotFree);
  constants.Set("slotReady", +kSlotReady);
  constants.Set("slotLeased", +kSlotLeased);
  constants.Set("stateMask", +kSlotStateMask);
  constants.Set("unclaimed", kUnclaimed);
  constants.Set("frameComplete", +kFrameComplete);
  constants.Set("frameExtendedIds", +kFrameExtendedIds);
  constants.Set("frameExplicitOffsets", +kFrameExplicitOffsets);
  constants.Set("streamRunning", +kStreamRunning);
  constants.Set("streamEnded", +kStreamEnded);
  constants.Set("streamFailed", +kStreamFailed);
  constants.Set("eventIncomplete", +kEventIncomplete);
  constants.Set("eventStarved", +kEventStarved);
  constants.Set("eventMissed", +kEventMissed);
  constants.Set("eventFragments", +kEventFragments);
  constants.Set("eventFirewallBypassed", +kEventFirewallBypassed);
  return all;
}

Napi::Value stream_layout_value(const Napi::CallbackInfo& info) {
  const auto slots = address_argument(info, 0);
  const auto bytes = address_argument(info, 1);
  const auto packet_size = address_argument(info, 2);
  const ControlLayout layout = control_layout(slots, bytes, gvsp::data_size(packet_size, true));
  if (layout.total_size == 0) {
    throw_invalid(info.Env(), std::to_string(slots) + " buffers of " + std::to_string(bytes) +
                                  " bytes cannot be laid out (1 to 4096 buffers of up to 2 GiB)");
  }
  auto object = Napi::Object::New(info.Env());
  object.Set("totalSize", static_cast<double>(layout.total_size));
  object.Set("page", static_cast<double>(kPage));
  return object;
}

Napi::Value pixel_format_value(const Napi::CallbackInfo& info) {
  uint32_t code = 0;
  if (info[0].IsString()) {
    const auto found = pfnc::code(info[0].As<Napi::String>().Utf8Value());
    if (!found) return info.Env().Undefined();
    code = *found;
  } else {
    code = address_argument(info, 0);
  }
  auto object = Napi::Object::New(info.Env());
  object.Set("code", code);
  object.Set("name", std::string(pfnc::name(code)));
  object.Set("bitsPerPixel", pfnc::bits_per_pixel(code));
  object.Set("packedLines", pfnc::is_gige_packed(code));
  return object;
}

}  // namespace gw::binding
