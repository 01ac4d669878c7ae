// RegisterMap, the writing half: which values each register takes and what a write sets off.
// Thread: the control thread. Owner: ControlServer.
#include <bit>
#include <cmath>

#include "base/clock.h"
#include "sim/description.h"
#include "sim/register_map.h"
#include "wire/bootstrap.h"
#include "wire/gvcp.h"

namespace gw::sim {

namespace {

using namespace gvcp;  // status codes

constexpr uint32_t kScpAddress = reg::stream(0, reg::kScp);
constexpr uint32_t kScpsAddress = reg::stream(0, reg::kScps);

bool is_feature(uint32_t address) { return address >= feature::kSensorWidth; }

}  // namespace

WriteResult RegisterMap::write(uint32_t address, ConstBytes data, const Endpoint& from, size_t* wrong_at) {
  WriteResult result;
  if (wrong_at != nullptr) *wrong_at = 0;
  if (address % 4 != 0 || data.size() % 4 != 0) return {kBadAlignment, 0};
  if (uint64_t{address} + data.size() > memory_.size()) {
    const bool description =
        address >= kDescriptionAddress && address - kDescriptionAddress < description_.size();
    return {description ? kWriteProtect : kInvalidAddress, 0};
  }
  for (size_t at = 0; at < data.size(); at += 4) {
    const uint32_t word_address = address + static_cast<uint32_t>(at);
    if (wrong_at != nullptr) *wrong_at = at;
    result.status = may_write(from, word_address);
    if (result.status == kSuccess)
      result.status = write_word(word_address, load_be32(&data[at]), from, result.effects);
    if (result.status != kSuccess) break;
  }
  return result;
}

uint16_t RegisterMap::write_word(uint32_t address, uint32_t value, const Endpoint& from, uint32_t& effects) {
  if (is_feature(address)) return write_feature(address, value, effects);
  if (address >= reg::kUserName && address < reg::kUserName + 16) {
    set_word(address, value);
    return kSuccess;
  }
  switch (address) {
    case reg::kControlPrivilege:
      return write_privilege(value, from, effects);
    case reg::kIpConfiguration:
      set_word(address, (value & word(reg::kIpCapability)) | reg::kIpLla);
      return kSuccess;
    case reg::kPersistentIp:
    case reg::kPersistentMask:
    case reg::kPersistentGateway:
      set_word(address, value);
      return kSuccess;
    case reg::kHeartbeatTimeout:
      set_word(address, value < 500 ? 500 : value);
      effects |= kEffectHeartbeat;
      return kSuccess;
    case reg::kTimestampControl: {
      const uint64_t now = SteadyClock::instance().now_ns();
      if ((value & 1) != 0) timestamp_base_ = now;
      if ((value & 2) != 0) {
        set_word(reg::kTimestampHigh, static_cast<uint32_t>(timestamp(now) >> 32));
        set_word(reg::kTimestampLow, static_cast<uint32_t>(timestamp(now)));
      }
      effects |= kEffectLive;
      return kSuccess;
    }
    case reg::kGvcpConfiguration:
      set_word(address,
               value & (reg::kCfgExtendedStatus20 | reg::kCfgExtendedStatus11 | reg::kCfgHeartbeatDisable |
                        (options_.pending_ack ? reg::kCfgPendingAck : 0)));
      effects |= kEffectHeartbeat;
      return kSuccess;
    case reg::kGvspConfiguration:
      if (acquiring_) return kAccessDenied;
      set_word(address, value & reg::kGvspCfgExtendedIds);
      return kSuccess;
    case reg::kMessagePort:
      if ((value & 0x000F0000) != 0) return kInvalidParameter;
      set_word(address, value & 0xFFFF);
      return kSuccess;
    case reg::kMessageAddress:
    case reg::kMessageTimeout:
    case reg::kMessageRetransmissions:
      set_word(address, value);
      return kSuccess;
    case kScpAddress:
      if ((value & 0x000F0000) != 0) return kInvalidParameter;  // there is one network interface
      set_word(address, value & 0xFFFF);
      if ((value & 0xFFFF) == 0) acquiring_ = false;
      effects |= kEffectChannel;
      return kSuccess;
    case kScpsAddress:
      return write_packet_size(value, effects);
    case reg::stream(0, reg::kScpd):
      set_word(address, value);
      effects |= kEffectLive;
      return kSuccess;
    case reg::stream(0, reg::kScda):
      set_word(address, value);
      effects |= kEffectChannel;
      return kSuccess;
    case reg::stream(0, reg::kSccfg):
      set_word(address, value & word(reg::stream(0, reg::kScc)));  // Aravis sets more than we offer
      return kSuccess;
    default:
      return kWriteProtect;
  }
}

uint16_t RegisterMap::write_privilege(uint32_t value, const Endpoint& from, uint32_t& effects) {
  // may_write has let only the controller, or anyone while there is none, come here.
  if ((value & ~(reg::kCcpExclusive | reg::kCcpControl)) != 0) return kInvalidParameter;  // no switchover
  const bool held = word(reg::kControlPrivilege) != 0;
  if (value == 0) {
    release_control();
    if (held) effects |= kEffectControlReleased;
    return kSuccess;
  }
  set_word(reg::kControlPrivilege, (value & reg::kCcpExclusive) != 0 ? reg::kCcpExclusive : reg::kCcpControl);
  controller_ = from;
  if (!held) effects |= kEffectControlTaken;
  return kSuccess;
}

uint16_t RegisterMap::write_packet_size(uint32_t value, uint32_t& effects) {
  uint32_t size = value & reg::kScpsSizeMask;
  const uint32_t before = word(kScpsAddress);
  switch (faults_.packet_size) {
    case PacketSizeFault::kClamp:
      if (size > faults_.clamp_size) size = faults_.clamp_size;
      break;
    case PacketSizeFault::kRound:
      size -= size % faults_.round_to;
      if (size < options_.packet_size_min) size = options_.packet_size_min;
      break;
    case PacketSizeFault::kIgnore:
      size = before & reg::kScpsSizeMask;
      break;
    case PacketSizeFault::kUnaligned:
      if (size % faults_.round_to != 0) return kBadAlignment;
      break;
    default:
      break;
  }
  const bool unset = size == 0 && options_.packet_size == 0;
  if (!unset && (size < options_.packet_size_min || size > options_.packet_size_max))
    return kInvalidParameter;
  const uint32_t flags = value & reg::kScpsDontFragment;  // pixels are little-endian only
  if (acquiring_ && (size | flags) != (before & (reg::kScpsSizeMask | reg::kScpsDontFragment)))
    return kAccessDenied;
  set_word(kScpsAddress, flags | size);
  if ((value & reg::kScpsFireTest) != 0) effects |= kEffectFireTest;
  return kSuccess;
}

uint16_t RegisterMap::write_geometry(uint32_t address, uint32_t value) {
  const bool horizontal = address == feature::kWidth || address == feature::kOffsetX;
  const uint32_t increment = word(horizontal ? feature::kWidthInc : feature::kHeightInc);
  const uint32_t sensor = word(horizontal ? feature::kSensorWidth : feature::kSensorHeight);
  const uint32_t size_address = horizontal ? feature::kWidth : feature::kHeight;
  const uint32_t offset_address = horizontal ? feature::kOffsetX : feature::kOffsetY;
  const bool is_size = address == size_address;
  const uint32_t other = word(is_size ? offset_address : size_address);
  if (value % increment != 0 || (is_size && value == 0)) return kInvalidParameter;
  if (value > sensor || other > sensor - value) return kInvalidParameter;
  set_word(address, value);
  update_derived();
  return kSuccess;
}

uint16_t RegisterMap::write_feature(uint32_t address, uint32_t value, uint32_t& effects) {
  const auto at_most = [&](uint32_t limit, uint32_t effect = 0) -> uint16_t {
    if (value > limit) return kInvalidParameter;
    set_word(address, value);
    effects |= effect;
    return kSuccess;
  };
  const auto command = [&](uint32_t effect) -> uint16_t {
    if (value != 0) effects |= effect;
    return kSuccess;
  };
  switch (address) {
    case feature::kWidth:
    case feature::kHeight:
    case feature::kOffsetX:
    case feature::kOffsetY:
      return acquiring_ ? static_cast<uint16_t>(kAccessDenied) : write_geometry(address, value);
    case feature::kPixelFormat:
      if (acquiring_) return kAccessDenied;
      if (!is_supported_format(value)) return kInvalidParameter;
      set_word(address, value);
      update_derived();
      return kSuccess;
    case feature::kTestPattern:
      return at_most(static_cast<uint32_t>(TestPattern::kWhite), kEffectLive);
    case feature::kAcquisitionMode:
      return acquiring_ ? static_cast<uint16_t>(kAccessDenied) : at_most(2);
    case feature::kFrameCount:
      if (acquiring_) return kAccessDenied;
      return value == 0 ? static_cast<uint16_t>(kInvalidParameter) : at_most(0x7FFFFFFF);
    case feature::kAcquisitionStart:
      return command(kEffectStart);
    case feature::kAcquisitionStop:
      return command(kEffectStop);
    case feature::kFrameRateEnable:
      return at_most(1, kEffectLive);
    case feature::kFrameRate:  // the high half of a float64, which carries sign, exponent and NaN
    case feature::kFrameRate + 4: {
      const uint32_t before = word(address);
      set_word(address, value);
      const double rate = float64(feature::kFrameRate);
      // The other half is still the old one: a little beyond the limits is let through, the sender clamps.
      if (!(rate >= kMinFrameRate * 0.99 && rate <= kMaxFrameRate * 1.01)) {
        set_word(address, before);
        return kInvalidParameter;
      }
      effects |= kEffectLive;
      return kSuccess;
    }
    case feature::kExposureRaw:
      return value == 0 ? static_cast<uint16_t>(kInvalidParameter) : at_most(100'000'000);
    case feature::kGain: {
      const float gain = std::bit_cast<float>(value);
      if (!(gain >= 0 && gain <= 48)) return kInvalidParameter;
      set_word(address, value);
      return kSuccess;
    }
    case feature::kTriggerSelector:
      return at_most(0);
    case feature::kTriggerMode:
    case feature::kTriggerSource:
      return at_most(1, kEffectLive);
    case feature::kTriggerSoftware:
      return command(kEffectSoftwareTrigger);
    case feature::kChunkModeActive: {
      if (acquiring_) return kAccessDenied;
      const uint16_t status = at_most(1);
      update_derived();
      return status;
    }
    case feature::kUserSetSelector:
    case feature::kEventSelector:
    case feature::kTestNotification:
      return at_most(1);
    case feature::kFrameEndNotification:
      return at_most(1, kEffectLive);
    case feature::kTestEventGenerate:
      return command(kEffectTestEvent);
    case feature::kUserSetLoad:
      if (acquiring_) return kAccessDenied;
      if (value != 0) load_user_set(word(feature::kUserSetSelector));
      return kSuccess;
    case feature::kUserSetSave:
      if (word(feature::kUserSetSelector) == 0) return kAccessDenied;  // the default set is the maker's
      if (value != 0)
        user_set_.assign(memory_.begin() + feature::kWidth, memory_.begin() + feature::kUserSetSelector);
      return kSuccess;
    case feature::kDeviceReset:
      return command(kEffectReset);
    case feature::kSlowRegister:
      return at_most(0xFFFFFFFF);
    default:
      return kWriteProtect;
  }
}

}  // namespace gw::sim
