// Bootstrap register addresses and bits. Purpose: names for numbers. Source: reference page "GigE Vision on
// the wire", section 2. Masks apply to the host-order value of the 32-bit register.
#pragma once

#include <cstdint>

namespace gw::reg {

constexpr uint32_t kVersion = 0x0000;
constexpr uint32_t kDeviceMode = 0x0004;
constexpr uint32_t kMacHigh = 0x0008;
constexpr uint32_t kMacLow = 0x000C;
constexpr uint32_t kIpCapability = 0x0010;
constexpr uint32_t kIpConfiguration = 0x0014;
constexpr uint32_t kCurrentIp = 0x0024;
constexpr uint32_t kCurrentMask = 0x0034;
constexpr uint32_t kCurrentGateway = 0x0044;
constexpr uint32_t kManufacturer = 0x0048;
constexpr uint32_t kModel = 0x0068;
constexpr uint32_t kDeviceVersion = 0x0088;
constexpr uint32_t kManufacturerInfo = 0x00A8;
constexpr uint32_t kSerial = 0x00D8;
constexpr uint32_t kUserName = 0x00E8;
constexpr uint32_t kFirstUrl = 0x0200;
constexpr uint32_t kSecondUrl = 0x0400;
constexpr uint32_t kUrlSize = 512;
constexpr uint32_t kInterfaceCount = 0x0600;
constexpr uint32_t kPersistentIp = 0x064C;
constexpr uint32_t kPersistentMask = 0x065C;
constexpr uint32_t kPersistentGateway = 0x066C;
constexpr uint32_t kLinkSpeed = 0x0670;
constexpr uint32_t kMessageChannels = 0x0900;
constexpr uint32_t kStreamChannels = 0x0904;
constexpr uint32_t kActiveLinks = 0x0910;
constexpr uint32_t kGvspCapability = 0x092C;
constexpr uint32_t kMessageCapability = 0x0930;
constexpr uint32_t kGvcpCapability = 0x0934;
constexpr uint32_t kHeartbeatTimeout = 0x0938;
constexpr uint32_t kTickFrequencyHigh = 0x093C;
constexpr uint32_t kTickFrequencyLow = 0x0940;
constexpr uint32_t kTimestampControl = 0x0944;
constexpr uint32_t kTimestampHigh = 0x0948;
constexpr uint32_t kTimestampLow = 0x094C;
constexpr uint32_t kDiscoveryAckDelay = 0x0950;
constexpr uint32_t kGvcpConfiguration = 0x0954;
constexpr uint32_t kPendingTimeout = 0x0958;
constexpr uint32_t kGvspConfiguration = 0x0960;
constexpr uint32_t kLinkConfigCapability = 0x0964;
constexpr uint32_t kControlPrivilege = 0x0A00;  // CCP
constexpr uint32_t kPrimaryPort = 0x0A04;
constexpr uint32_t kPrimaryIp = 0x0A14;
constexpr uint32_t kMessagePort = 0x0B00;
constexpr uint32_t kMessageAddress = 0x0B10;
constexpr uint32_t kMessageTimeout = 0x0B14;          // ms before an event is sent again
constexpr uint32_t kMessageRetransmissions = 0x0B18;  // how often
constexpr uint32_t kMessageSourcePort = 0x0B1C;

constexpr uint32_t kStreamBase = 0x0D00;
constexpr uint32_t kStreamStride = 0x40;
constexpr uint32_t kMaxStreams = 512;
constexpr uint32_t stream(uint32_t channel, uint32_t offset) {
  return kStreamBase + kStreamStride * channel + offset;
}
constexpr uint32_t kScp = 0x00;   // host port; not 0 opens the channel
constexpr uint32_t kScps = 0x04;  // packet size and its flags
constexpr uint32_t kScpd = 0x08;  // gap between packets, ticks
constexpr uint32_t kScda = 0x18;  // destination address
constexpr uint32_t kScsp = 0x1C;  // the camera's own port
constexpr uint32_t kScc = 0x20;   // stream capability
constexpr uint32_t kSccfg = 0x24;

// CCP
constexpr uint32_t kCcpExclusive = 0x1;
constexpr uint32_t kCcpControl = 0x2;
constexpr uint32_t kCcpSwitchover = 0x4;

// GVCP capability 0x0934
constexpr uint32_t kCapUserName = 0x80000000;
constexpr uint32_t kCapSerial = 0x40000000;
constexpr uint32_t kCapHeartbeatDisable = 0x20000000;
constexpr uint32_t kCapLinkSpeed = 0x10000000;
constexpr uint32_t kCapPrimaryInfo = 0x08000000;
constexpr uint32_t kCapManifest = 0x04000000;
constexpr uint32_t kCapDiscoveryDelay = 0x01000000;
constexpr uint32_t kCapExtendedStatus11 = 0x00400000;
constexpr uint32_t kCapExtendedStatus20 = 0x00040000;
constexpr uint32_t kCapAction = 0x00000040;
constexpr uint32_t kCapPendingAck = 0x00000020;
constexpr uint32_t kCapEventData = 0x00000010;
constexpr uint32_t kCapEvent = 0x00000008;
constexpr uint32_t kCapPacketResend = 0x00000004;
constexpr uint32_t kCapWriteMem = 0x00000002;
constexpr uint32_t kCapConcatenation = 0x00000001;

// GVCP configuration 0x0954
constexpr uint32_t kCfgExtendedStatus20 = 0x00040000;
constexpr uint32_t kCfgExtendedStatus11 = 0x00000004;
constexpr uint32_t kCfgPendingAck = 0x00000002;
constexpr uint32_t kCfgHeartbeatDisable = 0x00000001;

// GVSP capability 0x092C and configuration 0x0960
constexpr uint32_t kGvspCapScsp = 0x80000000;
constexpr uint32_t kGvspCapLegacyIds = 0x40000000;
constexpr uint32_t kMessageCapSourcePort = 0x80000000;  // of 0x0930
constexpr uint32_t kGvspCfgExtendedIds = 0x40000000;

// SCPS
constexpr uint32_t kScpsFireTest = 0x80000000;
constexpr uint32_t kScpsDontFragment = 0x40000000;
constexpr uint32_t kScpsBigEndianPixels = 0x20000000;
constexpr uint32_t kScpsSizeMask = 0x0000FFFF;

// SCC and SCCFG
constexpr uint32_t kSccAllIn = 0x4;
constexpr uint32_t kSccUnconditional = 0x2;
constexpr uint32_t kSccExtendedChunk = 0x1;

// IP configuration 0x0010, 0x0014
constexpr uint32_t kIpLla = 0x4;
constexpr uint32_t kIpDhcp = 0x2;
constexpr uint32_t kIpPersistent = 0x1;

constexpr uint32_t kDefaultHeartbeatMs = 3000;

}  // namespace gw::reg
