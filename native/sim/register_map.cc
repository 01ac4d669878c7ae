#include "sim/register_map.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/clock.h"
#include "sim/packetizer.h"
#include "wire/bootstrap.h"
#include "wire/gvcp.h"

namespace gw::sim {

namespace {

using namespace gvcp;  // status codes

constexpr uint32_t kScpAddress = reg::stream(0, reg::kScp);
constexpr uint32_t kScpsAddress = reg::stream(0, reg::kScps);
constexpr uint32_t kScpdAddress = reg::stream(0, reg::kScpd);
constexpr uint32_t kScdaAddress = reg::stream(0, reg::kScda);
constexpr uint32_t kScspAddress = reg::stream(0, reg::kScsp);
constexpr uint32_t kSccAddress = reg::stream(0, reg::kScc);
constexpr uint32_t kSccfgAddress = reg::stream(0, reg::kSccfg);

// The registers that a user set holds: from Width to ChunkModeActive.
constexpr uint32_t kSetBegin = feature::kWidth, kSetEnd = feature::kUserSetSelector;

}  // namespace

RegisterMap::RegisterMap(const SimOptions& options, uint32_t subnet_mask, std::vector<uint8_t> description,
                         std::string url)
    : options_(options),
      faults_(options.faults),
      subnet_mask_(subnet_mask),
      url_(std::move(url)),
      memory_(feature::kEnd, 0),
      description_(std::move(description)) {
  description_.resize((description_.size() + 3) / 4 * 4, 0);
  put_text(reg::kUserName, 16, options_.user_name);
  set_word(reg::kIpConfiguration, reg::kIpLla | reg::kIpPersistent);
  set_word(reg::kPersistentIp, options_.address);
  set_word(reg::kPersistentMask, subnet_mask_);
  set_word(reg::kPersistentGateway, options_.gateway);
  set_address(options_.address, subnet_mask_, options_.gateway);
  power_up();
}

void RegisterMap::power_up() {
  set_word(reg::kVersion, 0x00020000);
  set_word(reg::kDeviceMode, 0x80000001);  // big-endian, transmitter, UTF-8
  set_word(reg::kMacHigh, static_cast<uint32_t>(options_.mac[0]) << 8 | options_.mac[1]);
  set_word(reg::kMacLow, load_be32(&options_.mac[2]));
  set_word(reg::kIpCapability, reg::kIpLla | reg::kIpDhcp | reg::kIpPersistent);
  put_text(reg::kManufacturer, 32, options_.manufacturer);
  put_text(reg::kModel, 32, options_.model);
  put_text(reg::kDeviceVersion, 32, options_.device_version);
  put_text(reg::kManufacturerInfo, 48, options_.manufacturer_info);
  put_text(reg::kSerial, 16, options_.serial);
  put_text(reg::kFirstUrl, reg::kUrlSize, url_);
  set_word(reg::kInterfaceCount, 1);
  set_word(reg::kLinkSpeed, 10'000);
  set_word(reg::kStreamChannels, 1);
  set_word(reg::kMessageChannels, 1);
  set_word(reg::kMessageCapability, reg::kMessageCapSourcePort);
  set_word(reg::kActiveLinks, 1);
  uint32_t capability = reg::kCapEvent | reg::kCapEventData | reg::kCapUserName | reg::kCapSerial |
                        reg::kCapHeartbeatDisable | reg::kCapLinkSpeed | reg::kCapPrimaryInfo |
                        reg::kCapDiscoveryDelay | reg::kCapExtendedStatus11 | reg::kCapExtendedStatus20;
  if (options_.resend) capability |= reg::kCapPacketResend;
  if (options_.concatenation) capability |= reg::kCapConcatenation;
  if (options_.write_memory) capability |= reg::kCapWriteMem;
  if (options_.pending_ack) capability |= reg::kCapPendingAck;
  set_word(reg::kGvcpCapability, capability);
  set_word(reg::kHeartbeatTimeout, std::max<uint32_t>(options_.heartbeat_timeout_ms, 500));
  set_word(reg::kTickFrequencyHigh, static_cast<uint32_t>(kTickFrequency >> 32));
  set_word(reg::kTickFrequencyLow, static_cast<uint32_t>(kTickFrequency));
  set_word(reg::kDiscoveryAckDelay, options_.discovery_delay_ms);
  set_word(reg::kGvcpConfiguration, 0);
  set_word(reg::kPendingTimeout, 100);
  set_word(reg::kGvspConfiguration, options_.extended_ids ? reg::kGvspCfgExtendedIds : 0);
  set_word(reg::kLinkConfigCapability, 1);
  set_word(kScpsAddress, reg::kScpsDontFragment | options_.packet_size);
  set_word(kScpdAddress, 0);
  set_word(kSccAddress, options_.all_in ? reg::kSccAllIn : 0);
  set_word(kSccfgAddress, options_.all_in ? reg::kSccAllIn : 0);
  set_word(reg::kMessageTimeout, 200);
  set_word(reg::kMessageRetransmissions, 3);

  set_word(feature::kSensorWidth, options_.sensor_width);
  set_word(feature::kSensorHeight, options_.sensor_height);
  set_word(feature::kWidth, options_.width);
  set_word(feature::kHeight, options_.height);
  set_word(feature::kOffsetX, 0);
  set_word(feature::kOffsetY, 0);
  set_word(feature::kWidthInc, options_.width % 4 == 0 && options_.sensor_width % 4 == 0 ? 4 : 1);
  set_word(feature::kHeightInc, options_.height % 2 == 0 && options_.sensor_height % 2 == 0 ? 2 : 1);
  set_word(feature::kPixelFormat, options_.pixel_format);
  set_word(feature::kTestPattern, static_cast<uint32_t>(options_.test_pattern));
  set_word(feature::kAcquisitionMode, 0);
  set_word(feature::kFrameCount, 1);
  set_word(feature::kFrameRateEnable, options_.frame_rate > 0 ? 1 : 0);
  const auto rate = std::bit_cast<uint64_t>(options_.frame_rate > 0 ? options_.frame_rate : 30.0);
  set_word(feature::kFrameRate, static_cast<uint32_t>(rate >> 32));
  set_word(feature::kFrameRate + 4, static_cast<uint32_t>(rate));
  set_word(feature::kExposureRaw, 100'000);
  set_word(feature::kGain, std::bit_cast<uint32_t>(0.0F));
  set_word(feature::kTriggerSelector, 0);
  set_word(feature::kTriggerMode, 0);
  set_word(feature::kTriggerSource, 0);
  set_word(feature::kChunkModeActive, options_.chunk_mode ? 1 : 0);
  set_word(feature::kUserSetSelector, 0);
  set_word(feature::kSlowRegister, 0);
  set_word(feature::kEventSelector, 0);
  set_word(feature::kTestNotification, 0);
  set_word(feature::kFrameEndNotification, 0);
  set_word(feature::kPatternSeed, static_cast<uint32_t>(options_.seed >> 32));
  set_word(feature::kPatternSeed + 4, static_cast<uint32_t>(options_.seed));
  set_word(feature::kPacketSizeMin, options_.packet_size_min);
  set_word(feature::kPacketSizeMax, options_.packet_size_max);
  set_word(feature::kPacketSizeInc, options_.packet_size_increment);
  default_set_.assign(memory_.begin() + kSetBegin, memory_.begin() + kSetEnd);
  if (user_set_.empty()) user_set_ = default_set_;
  timestamp_base_ = SteadyClock::instance().now_ns();
  acquiring_ = false;
  set_faults(faults_);
  release_control();
  update_derived();
}

void RegisterMap::set_faults(const FaultPlan& faults) {
  faults_ = faults;
  set_word(reg::kGvspCapability, reg::kGvspCapLegacyIds | (faults_.no_scsp ? 0 : reg::kGvspCapScsp));
}

void RegisterMap::set_address(uint32_t address, uint32_t mask, uint32_t gateway) {
  set_word(reg::kCurrentIp, address);
  set_word(reg::kCurrentMask, mask);
  set_word(reg::kCurrentGateway, gateway);
}

void RegisterMap::put_text(uint32_t address, size_t size, const std::string& text) {
  write_text(MutableBytes(memory_).subspan(address, size), text);
}

uint32_t RegisterMap::word(uint32_t address) const { return load_be32(&memory_[address]); }
void RegisterMap::set_word(uint32_t address, uint32_t value) { store_be32(&memory_[address], value); }

double RegisterMap::float64(uint32_t address) const {
  return std::bit_cast<double>(load_be64(&memory_[address]));
}

uint32_t RegisterMap::live_word(uint32_t address) const {
  switch (address) {
    case reg::kPrimaryPort:
      return controller_.port;
    case reg::kPrimaryIp:
      return controller_.address;
    case kScspAddress:
      return (word(kScpAddress) & 0xFFFF) != 0 && !faults_.no_scsp ? source_port_ : 0;
    case feature::kAcquisitionStatus:
      return acquiring_ ? 1 : 0;
    case feature::kTemperature: {
      // A slow wave, so that whoever polls it sees it move.
      const double seconds = static_cast<double>(SteadyClock::instance().now_ns()) * 1e-9;
      return std::bit_cast<uint32_t>(static_cast<float>(42.5 + 2.5 * std::sin(seconds / 10)));
    }
    default:
      return word(address);
  }
}

uint16_t RegisterMap::read(uint32_t address, MutableBytes out) const {
  if (address % 4 != 0 || out.size() % 4 != 0) return kBadAlignment;
  const uint64_t end = uint64_t{address} + out.size();
  if (address >= kDescriptionAddress && end <= uint64_t{kDescriptionAddress} + description_.size()) {
    std::memcpy(out.data(), &description_[address - kDescriptionAddress], out.size());
    return kSuccess;
  }
  if (end > memory_.size()) return kInvalidAddress;
  for (size_t at = 0; at < out.size(); at += 4) {
    store_be32(&out[at], live_word(address + static_cast<uint32_t>(at)));
  }
  return kSuccess;
}

uint16_t RegisterMap::may_read(const Endpoint& from) const {
  const bool exclusive = (word(reg::kControlPrivilege) & reg::kCcpExclusive) != 0;
  return exclusive && from != controller_ ? kAccessDenied : kSuccess;
}

uint16_t RegisterMap::may_write(const Endpoint& from, uint32_t address) const {
  const bool free = word(reg::kControlPrivilege) == 0;
  if (free) return address == reg::kControlPrivilege ? kSuccess : kAccessDenied;
  return from == controller_ ? kSuccess : kAccessDenied;
}

bool RegisterMap::is_slow(uint32_t address) const {
  return faults_.pending_ack_ms > 0 &&
         (address == feature::kSlowRegister || address == feature::kUserSetLoad);
}

uint32_t RegisterMap::effective_packet_size() const {
  const uint32_t size = word(kScpsAddress) & reg::kScpsSizeMask;
  return faults_.packet_size == PacketSizeFault::kSilentClamp ? std::min(size, faults_.clamp_size) : size;
}

uint64_t RegisterMap::image_bytes() const {
  return pfnc::image_bytes(word(feature::kPixelFormat), word(feature::kWidth), word(feature::kHeight),
                           options_.padding_x, 0);
}

uint64_t RegisterMap::payload_bytes() const {
  return image_bytes() + (word(feature::kChunkModeActive) != 0 ? kChunkTailBytes : 0);
}

void RegisterMap::update_derived() {
  set_word(feature::kWidthMax, word(feature::kSensorWidth));
  set_word(feature::kHeightMax, word(feature::kSensorHeight));
  set_word(feature::kPayloadSize, static_cast<uint32_t>(payload_bytes()));
}

void RegisterMap::close_channels() {
  set_word(kScpAddress, 0);
  set_word(kScdaAddress, 0);
  set_word(reg::kMessagePort, 0);
  set_word(reg::kMessageAddress, 0);
  acquiring_ = false;
}

void RegisterMap::release_control() {
  set_word(reg::kControlPrivilege, 0);
  controller_ = {};
  close_channels();
}

void RegisterMap::load_user_set(uint32_t index) {
  const std::vector<uint8_t>& set = index == 0 ? default_set_ : user_set_;
  std::copy(set.begin(), set.end(), memory_.begin() + kSetBegin);
  update_derived();
}

}  // namespace gw::sim
