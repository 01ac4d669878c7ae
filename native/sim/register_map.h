// The camera's registers: values, access rules and what a write sets off. Purpose: everything that a host can
// read or write, without any socket. Thread: the control thread. Owner: ControlServer.
#pragma once

#include <optional>
#include <vector>

#include "base/bytes.h"
#include "sim/options.h"

namespace gw::sim {

// Manufacturer-specific registers; the description names them.
namespace feature {
constexpr uint32_t kSensorWidth = 0xA000, kSensorHeight = 0xA004, kWidthMax = 0xA008, kHeightMax = 0xA00C;
constexpr uint32_t kWidth = 0xA010, kHeight = 0xA014, kOffsetX = 0xA018, kOffsetY = 0xA01C;
constexpr uint32_t kWidthInc = 0xA020, kHeightInc = 0xA024, kPixelFormat = 0xA028, kPayloadSize = 0xA02C;
constexpr uint32_t kTestPattern = 0xA030, kAcquisitionMode = 0xA034, kFrameCount = 0xA038;
constexpr uint32_t kAcquisitionStart = 0xA03C, kAcquisitionStop = 0xA040;
constexpr uint32_t kFrameRateEnable = 0xA044, kFrameRate = 0xA048;  // float64
constexpr uint32_t kExposureRaw = 0xA050;                           // tenths of a microsecond
constexpr uint32_t kGain = 0xA054;                                  // float32
constexpr uint32_t kTriggerSelector = 0xA058, kTriggerMode = 0xA05C, kTriggerSource = 0xA060;
constexpr uint32_t kTriggerSoftware = 0xA064, kChunkModeActive = 0xA068;
constexpr uint32_t kUserSetSelector = 0xA06C, kUserSetLoad = 0xA070, kUserSetSave = 0xA074;
constexpr uint32_t kTemperature = 0xA078;  // float32
constexpr uint32_t kDeviceReset = 0xA07C, kAcquisitionStatus = 0xA080;
constexpr uint32_t kSlowRegister = 0xA084;  // takes pending_ack_ms where the fault plan says so
constexpr uint32_t kPatternSeed = 0xA088;   // 64 bits
constexpr uint32_t kPacketSizeMin = 0xA090, kPacketSizeMax = 0xA094, kPacketSizeInc = 0xA098;
constexpr uint32_t kEventSelector = 0xA0A0, kTestEventGenerate = 0xA0A4;
constexpr uint32_t kTestNotification = 0xA0A8, kFrameEndNotification = 0xA0AC;  // one for each selector
constexpr uint32_t kEnd = 0xA0B0;
}  // namespace feature

constexpr uint32_t kDescriptionAddress = 0x00010000;
constexpr uint64_t kTickFrequency = 1'000'000'000;

// What the rest of the camera has to do after a write.
enum Effect : uint32_t {
  kEffectControlTaken = 0x001,
  kEffectControlReleased = 0x002,  // channels are closed already
  kEffectChannel = 0x004,          // SCP or SCDA changed
  kEffectFireTest = 0x008,
  kEffectStart = 0x010,
  kEffectStop = 0x020,
  kEffectSoftwareTrigger = 0x040,
  kEffectLive = 0x080,  // something that a running acquisition takes over: rate, pattern, gap, packet size
  kEffectReset = 0x100,
  kEffectHeartbeat = 0x200,  // timeout or its switch changed
  kEffectTestEvent = 0x400,
};

// What this camera tells by its message channel, by event id.
enum class EventKind : uint16_t { kTest = 0x9001, kFrameEnd = 0x9002 };

struct WriteResult {
  uint16_t status = 0;  // gvcp::StatusCode
  uint32_t effects = 0;
};

class RegisterMap {
 public:
  // description = the bytes at kDescriptionAddress, url = where the first URL register points to
  RegisterMap(const SimOptions& options, uint32_t subnet_mask, std::vector<uint8_t> description,
              std::string url);

  // address and size are multiples of 4; anything else is BAD_ALIGNMENT. Nothing is read on failure.
  uint16_t read(uint32_t address, MutableBytes out) const;
  // Words in order. wrong_at, when given, receives the offset of the word that failed; earlier ones stay
  // written.
  WriteResult write(uint32_t address, ConstBytes data, const Endpoint& from, size_t* wrong_at = nullptr);

  // Access by privilege; 0 or ACCESS_DENIED.
  uint16_t may_read(const Endpoint& from) const;
  uint16_t may_write(const Endpoint& from, uint32_t address) const;

  uint32_t word(uint32_t address) const;  // any register, no access rules
  void set_word(uint32_t address, uint32_t value);
  double float64(uint32_t address) const;
  Endpoint controller() const { return controller_; }
  void release_control();  // CCP, channels and stream state as after CCP = 0
  void power_up();         // everything but persistent settings (user name, IP configuration, user set 1)

  void set_address(uint32_t address, uint32_t mask, uint32_t gateway);
  void set_acquiring(bool on) { acquiring_ = on; }
  bool acquiring() const { return acquiring_; }
  void set_faults(const FaultPlan& faults);
  void set_source_port(uint16_t port) { source_port_ = port; }
  bool is_slow(uint32_t address) const;
  uint64_t timestamp(uint64_t now_ns) const { return now_ns - timestamp_base_; }
  uint64_t timestamp_base() const { return timestamp_base_; }
  uint32_t effective_packet_size() const;  // what packets really have, after silent clamping
  uint64_t image_bytes() const;            // at the current geometry
  uint64_t payload_bytes() const;          // with chunks

 private:
  uint16_t write_word(uint32_t address, uint32_t value, const Endpoint& from, uint32_t& effects);
  uint16_t write_feature(uint32_t address, uint32_t value, uint32_t& effects);
  uint16_t write_packet_size(uint32_t value, uint32_t& effects);
  uint16_t write_privilege(uint32_t value, const Endpoint& from, uint32_t& effects);
  uint16_t write_geometry(uint32_t address, uint32_t value);
  void close_channels();
  void load_user_set(uint32_t index);
  void update_derived();
  void put_text(uint32_t address, size_t size, const std::string& text);
  uint32_t live_word(uint32_t address) const;  // registers whose value is computed when read

  SimOptions options_;
  FaultPlan faults_;
  uint32_t subnet_mask_;
  std::string url_;
  std::vector<uint8_t> memory_;                  // 0 .. feature::kEnd
  std::vector<uint8_t> description_;             // padded to a multiple of 4
  std::vector<uint8_t> default_set_, user_set_;  // the settings part of the feature registers
  Endpoint controller_;
  uint64_t timestamp_base_ = 0;
  uint16_t source_port_ = 0;
  bool acquiring_ = false;
};

}  // namespace gw::sim
