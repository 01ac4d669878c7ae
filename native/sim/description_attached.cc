#include "sim/description_attached.h"

#include "sim/packetizer.h"
#include "sim/register_map.h"

namespace gw::sim {

// All of them or none: which there are cannot be chosen.
void write_chunks(DescriptionWriter& w) {
  w.node("Integer", "ChunkSelectorValue", false, {{"Value", "0"}});
  w.enumeration("ChunkSelector", true, {{"ToolTip", "Which chunk ChunkEnable means."}},
                {{"Image", 0}, {"FrameID", 1}, {"Timestamp", 2}}, "ChunkSelectorValue", {"ChunkEnable"});
  w.node("Boolean", "ChunkEnable", true,
         {{"ToolTip", "Whether blocks carry the selected chunk in chunk mode."},
          {"ImposedAccessMode", "RO"},
          {"pValue", "ChunkModeActiveReg"},
          {"OnValue", "1"},
          {"OffValue", "0"}});
  w.chunk_integer("ChunkFrameID", "Block id of the frame.", kBlockIdChunkId);
  w.chunk_integer("ChunkTimestamp", "When the frame was exposed, in ticks.", kTimestampChunkId);
}

// Items as a host hands them on: of 16 bytes, whatever came over the wire.
void write_events(DescriptionWriter& w) {
  constexpr uint32_t kIdAt = 2, kTimestampAt = 8, kDataAt = 16;
  w.enumeration("EventSelector", true, {{"ToolTip", "Which event EventNotification means."}},
                {{"Test", 0}, {"FrameEnd", 1}}, "EventSelectorReg", {"EventNotification"});
  w.integer_register("EventSelectorReg", feature::kEventSelector, "RW");
  w.enumeration("EventNotification", true, {{"ToolTip", "Whether the selected event is sent."}},
                {{"Off", 0}, {"On", 1}}, "EventNotificationReg");
  w.node("IntReg", "EventNotificationReg", false,
         {{"Address", hex(feature::kTestNotification)},
          {"pIndex", "EventSelectorReg"},
          {"Length", "4"},
          {"AccessMode", "RW"},
          {"pPort", "Device"},
          {"Cachable", "WriteThrough"},
          {"Sign", "Unsigned"},
          {"Endianess", "BigEndian"}});
  w.command("TestEventGenerate", "Sends the event Test.", feature::kTestEventGenerate);
  const auto event = [&](const std::string& name, EventKind kind, const char* what) {
    const auto id = static_cast<uint16_t>(kind);
    const std::string port = name + "Port";
    w.event_integer(name, what, id, kIdAt, 2, port);
    w.event_integer(name + "Timestamp", "When it was, in ticks.", id, kTimestampAt, 8, port);
    w.node("Port", port, false, {{"EventID", hex(id).substr(2)}});
  };
  event("EventTest", EventKind::kTest, "Id of the event that TestEventGenerate sends.");
  event("EventFrameEnd", EventKind::kFrameEnd, "Id of the event at the end of a frame.");
  w.event_integer("EventFrameEndFrameID", "Block id of that frame.",
                  static_cast<uint16_t>(EventKind::kFrameEnd), kDataAt, 8, "EventFrameEndPort");
}

}  // namespace gw::sim
