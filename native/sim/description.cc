#include "sim/description.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "sim/description_attached.h"
#include "sim/description_writer.h"
#include "sim/packetizer.h"
#include "sim/register_map.h"
#include "wire/bootstrap.h"

namespace gw::sim {

namespace {

constexpr std::array<uint32_t, 11> kFormats = {
    0x01080001, 0x010A0046, 0x010C0047, 0x010C0006,
    0x01100007,                                      // Mono8, Mono10p, Mono12p, Mono12Packed, Mono16
    0x01080009, 0x01080008, 0x0108000A, 0x0108000B,  // BayerRG8, GR8, GB8, BG8
    0x010C0059, 0x02180014,                          // BayerRG12p, RGB8
};

// An identifier for the root element: letters, digits and underscores.
std::string identifier(const std::string& text) {
  std::string out;
  for (const char c : text) out += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return out.empty() ? "Camera" : out;
}

using Writer = DescriptionWriter;

const char* fire_test_packet(const SimOptions& options) {
  return options.test_packets ? "GevSCPSFireTestPacket" : "";
}

void write_categories(Writer& w, const SimOptions& options) {
  w.category("Root", {"DeviceControl", "ImageFormatControl", "AcquisitionControl", "AnalogControl",
                      "UserSetControl", "ChunkDataControl", "EventControl", "TransportLayerControl"});
  w.category("DeviceControl", {"DeviceVendorName", "DeviceModelName", "DeviceVersion",
                               "DeviceManufacturerInfo", "DeviceSerialNumber", "DeviceUserID",
                               "DeviceScanType", "DeviceTemperature", "DeviceReset", "GwSlowRegister"});
  w.category("ImageFormatControl", {"SensorWidth", "SensorHeight", "WidthMax", "HeightMax", "Width", "Height",
                                    "OffsetX", "OffsetY", "PixelFormat", "TestPattern", "GwTestPatternSeed"});
  w.category(
      "AcquisitionControl",
      {"AcquisitionMode", "AcquisitionStart", "AcquisitionStop", "AcquisitionFrameCount",
       "AcquisitionFrameRateEnable", "AcquisitionFrameRate", "AcquisitionStatusSelector", "AcquisitionStatus",
       "ExposureMode", "ExposureTime", "TriggerSelector", "TriggerMode", "TriggerSource", "TriggerSoftware"});
  w.category("AnalogControl", {"Gain"});
  w.category("UserSetControl", {"UserSetSelector", "UserSetLoad", "UserSetSave"});
  w.category("ChunkDataControl",
             {"ChunkModeActive", "ChunkSelector", "ChunkEnable", "ChunkFrameID", "ChunkTimestamp"});
  w.category("EventControl", {"EventSelector", "EventNotification", "TestEventGenerate", "EventTestData",
                              "EventFrameEndData"});
  w.category("EventTestData", {"EventTest", "EventTestTimestamp"});
  w.category("EventFrameEndData", {"EventFrameEnd", "EventFrameEndTimestamp", "EventFrameEndFrameID"});
  w.category("TransportLayerControl", {"PayloadSize",
                                       "GevCurrentIPAddress",
                                       "GevCurrentSubnetMask",
                                       "GevCurrentDefaultGateway",
                                       "GevPersistentIPAddress",
                                       "GevPersistentSubnetMask",
                                       "GevPersistentDefaultGateway",
                                       "GevMACAddress",
                                       "GevLinkSpeed",
                                       "GevHeartbeatTimeout",
                                       "GevTimestampTickFrequency",
                                       "GevTimestampControlLatch",
                                       "GevTimestampControlReset",
                                       "GevTimestampValue",
                                       "GevCCP",
                                       "GevStreamChannelSelector",
                                       "GevSCPHostPort",
                                       "GevSCDA",
                                       "GevSCSP",
                                       "GevSCPSPacketSize",
                                       fire_test_packet(options),
                                       "GevSCPSDoNotFragment",
                                       "GevSCPD",
                                       "GevGVSPExtendedIDMode"});
}

void write_device(Writer& w) {
  w.string_register("DeviceVendorName", "Who made the device.", reg::kManufacturer, 32, "RO");
  w.string_register("DeviceModelName", "Model of the device.", reg::kModel, 32, "RO");
  w.string_register("DeviceVersion", "Version of the device.", reg::kDeviceVersion, 32, "RO");
  w.string_register("DeviceManufacturerInfo", "What else its maker says.", reg::kManufacturerInfo, 48, "RO");
  w.string_register("DeviceSerialNumber", "Serial number of the device.", reg::kSerial, 16, "RO");
  w.string_register("DeviceUserID", "A name of your own for the device.", reg::kUserName, 16, "RW");
  w.node("Integer", "DeviceScanTypeValue", false, {{"Value", "0"}});
  w.enumeration("DeviceScanType", true, {{"ToolTip", "Shape of the sensor."}, {"ImposedAccessMode", "RO"}},
                {{"Areascan", 0}}, "DeviceScanTypeValue");
  w.node("Float", "DeviceTemperature", true,
         {{"ToolTip", "Temperature of the simulated sensor board; moves slowly."},
          {"pValue", "DeviceTemperatureReg"},
          {"Unit", "C"},
          {"DisplayNotation", "Fixed"},
          {"DisplayPrecision", "2"}});
  w.float_register("DeviceTemperatureReg", feature::kTemperature, "RO", 4, false);
  w.command("DeviceReset", "Restarts the device; it is silent for a while.", feature::kDeviceReset, 1,
            {{"Visibility", "Guru"}});
  w.node("Integer", "GwSlowRegister", false,
         {{"ToolTip", "Free for use; slow to write when the fault plan says so."},
          {"Visibility", "Expert"},
          {"pValue", "GwSlowRegisterReg"}});
  w.integer_register("GwSlowRegisterReg", feature::kSlowRegister, "RW", false);
}

void write_image(Writer& w, const SimOptions& options) {
  w.register_integer("SensorWidth", "Columns of the sensor.", feature::kSensorWidth, "RO", true);
  w.register_integer("SensorHeight", "Lines of the sensor.", feature::kSensorHeight, "RO", true);
  w.register_integer("WidthMax", "Largest Width.", feature::kWidthMax, "RO", true);
  w.register_integer("HeightMax", "Largest Height.", feature::kHeightMax, "RO", true);
  w.integer_register("WidthIncReg", feature::kWidthInc, "RO");
  w.integer_register("HeightIncReg", feature::kHeightInc, "RO");
  w.register_integer("Width", "Columns of the image.", feature::kWidth, "RW", true,
                     {{"pIsLocked", "TLParamsLocked"},
                      {"pMin", "WidthIncReg"},
                      {"pMax", "WidthLimit"},
                      {"pInc", "WidthIncReg"}});
  w.register_integer("Height", "Lines of the image.", feature::kHeight, "RW", true,
                     {{"pIsLocked", "TLParamsLocked"},
                      {"pMin", "HeightIncReg"},
                      {"pMax", "HeightLimit"},
                      {"pInc", "HeightIncReg"}});
  w.register_integer(
      "OffsetX", "First column of the image.", feature::kOffsetX, "RW", true,
      {{"pIsLocked", "TLParamsLocked"}, {"Min", "0"}, {"pMax", "OffsetXLimit"}, {"pInc", "WidthIncReg"}});
  w.register_integer(
      "OffsetY", "First line of the image.", feature::kOffsetY, "RW", true,
      {{"pIsLocked", "TLParamsLocked"}, {"Min", "0"}, {"pMax", "OffsetYLimit"}, {"pInc", "HeightIncReg"}});
  w.knife("WidthLimit", {{"SENSOR", "SensorWidth"}, {"OFFSET", "OffsetXReg"}}, "SENSOR - OFFSET");
  w.knife("HeightLimit", {{"SENSOR", "SensorHeight"}, {"OFFSET", "OffsetYReg"}}, "SENSOR - OFFSET");
  w.knife("OffsetXLimit", {{"SENSOR", "SensorWidth"}, {"SIZE", "WidthReg"}}, "SENSOR - SIZE");
  w.knife("OffsetYLimit", {{"SENSOR", "SensorHeight"}, {"SIZE", "HeightReg"}}, "SENSOR - SIZE");

  std::vector<Writer::Entry> formats;
  for (const uint32_t format : kFormats) formats.push_back({std::string(pfnc::name(format)), format});
  w.enumeration("PixelFormat", true, {{"ToolTip", "Format of the pixels."}, {"pIsLocked", "TLParamsLocked"}},
                formats, "PixelFormatReg");
  w.integer_register("PixelFormatReg", feature::kPixelFormat, "RW");
  w.enumeration(
      "TestPattern", true,
      {{"ToolTip", "What the images show: bytes that a program can check, or something for people."}},
      {{"Checkable", 0}, {"TestCard", 1}, {"GreyHorizontalRampMoving", 2}, {"Black", 3}, {"White", 4}},
      "TestPatternReg");
  w.integer_register("TestPatternReg", feature::kTestPattern, "RW");
  w.node("Integer", "GwTestPatternSeed", false,
         {{"ToolTip", "Seed of the checkable pattern."},
          {"Visibility", "Expert"},
          {"pValue", "GwTestPatternSeedReg"}});
  w.integer_register("GwTestPatternSeedReg", feature::kPatternSeed, "RO", true, 8);

  w.node("Integer", "PayloadSize", true,
         {{"ToolTip", "Bytes of a block."},
          {"pValue", options.padding_x == 0 ? "PayloadSizeFormula" : "PayloadSizeReg"}});
  w.knife("PayloadSizeFormula",
          {{"W", "WidthReg"}, {"H", "HeightReg"}, {"PF", "PixelFormatReg"}, {"CHUNKS", "ChunkModeActiveReg"}},
          "(W * H * ((PF >> 16) & 0xFF) + 7) / 8 + CHUNKS * " + std::to_string(kChunkTailBytes));
  w.integer_register("PayloadSizeReg", feature::kPayloadSize, "RO", false);
}

void write_acquisition(Writer& w) {
  w.enumeration("AcquisitionMode", true,
                {{"ToolTip", "How many blocks an acquisition has."}, {"pIsLocked", "TLParamsLocked"}},
                {{"Continuous", 0}, {"SingleFrame", 1}, {"MultiFrame", 2}}, "AcquisitionModeReg");
  w.integer_register("AcquisitionModeReg", feature::kAcquisitionMode, "RW");
  w.command("AcquisitionStart", "Starts the stream.", feature::kAcquisitionStart);
  w.command("AcquisitionStop", "Stops the stream behind the current block.", feature::kAcquisitionStop);
  w.register_integer("AcquisitionFrameCount", "Blocks in mode MultiFrame.", feature::kFrameCount, "RW", true,
                     {{"pIsLocked", "TLParamsLocked"}, {"Min", "1"}, {"Max", "2147483647"}});
  w.node("Boolean", "AcquisitionFrameRateEnable", true,
         {{"ToolTip", "Off: as fast as it can."},
          {"pValue", "AcquisitionFrameRateEnableReg"},
          {"OnValue", "1"},
          {"OffValue", "0"}});
  w.integer_register("AcquisitionFrameRateEnableReg", feature::kFrameRateEnable, "RW");
  w.node("Float", "AcquisitionFrameRate", true,
         {{"ToolTip", "Blocks per second."},
          {"pValue", "AcquisitionFrameRateReg"},
          {"Min", "0.01"},
          {"Max", "1000000"},
          {"Unit", "Hz"}});
  w.float_register("AcquisitionFrameRateReg", feature::kFrameRate, "RW", 8, true);
  w.node("Integer", "AcquisitionStatusSelectorValue", false, {{"Value", "0"}});
  w.enumeration("AcquisitionStatusSelector", true, {{"ToolTip", "What AcquisitionStatus tells of."}},
                {{"AcquisitionActive", 0}}, "AcquisitionStatusSelectorValue", {"AcquisitionStatus"});
  w.node("Boolean", "AcquisitionStatus", false,
         {{"ToolTip", "An acquisition runs."},
          {"pValue", "AcquisitionStatusReg"},
          {"OnValue", "1"},
          {"OffValue", "0"}});
  w.integer_register("AcquisitionStatusReg", feature::kAcquisitionStatus, "RO", false);
  w.node("Integer", "ExposureModeValue", false, {{"Value", "1"}});
  w.enumeration("ExposureMode", true, {{"ToolTip", "What ends an exposure."}, {"ImposedAccessMode", "RO"}},
                {{"Timed", 1}}, "ExposureModeValue");
  w.node("Converter", "ExposureTime", true,
         {{"ToolTip", "Exposure; the pictures do not depend on it."},
          {"FormulaTo", "FROM * 10"},
          {"FormulaFrom", "TO / 10"},
          {"pValue", "ExposureTimeRaw"},
          {"Unit", "us"},
          {"Slope", "Increasing"}});
  w.node("Integer", "ExposureTimeRaw", false,
         {{"ToolTip", "Exposure in tenths of a microsecond."},
          {"Visibility", "Guru"},
          {"pValue", "ExposureTimeRawReg"},
          {"Min", "1"},
          {"Max", "100000000"}});
  w.integer_register("ExposureTimeRawReg", feature::kExposureRaw, "RW");
  w.enumeration("TriggerSelector", true, {{"ToolTip", "Which trigger the next features mean."}},
                {{"FrameStart", 0}}, "TriggerSelectorReg",
                {"TriggerMode", "TriggerSource", "TriggerSoftware"});
  w.integer_register("TriggerSelectorReg", feature::kTriggerSelector, "RW");
  w.enumeration("TriggerMode", true, {{"ToolTip", "On: a block per trigger."}}, {{"Off", 0}, {"On", 1}},
                "TriggerModeReg");
  w.integer_register("TriggerModeReg", feature::kTriggerMode, "RW");
  w.enumeration("TriggerSource", true, {{"ToolTip", "Where triggers come from."}},
                {{"Software", 0}, {"Line1", 1}}, "TriggerSourceReg");
  w.integer_register("TriggerSourceReg", feature::kTriggerSource, "RW");
  w.command("TriggerSoftware", "Triggers a block.", feature::kTriggerSoftware);
  w.node("Float", "Gain", true,
         {{"ToolTip", "Amplification; the pictures do not depend on it."},
          {"pValue", "GainReg"},
          {"Min", "0"},
          {"Max", "48"},
          {"Unit", "dB"}});
  w.float_register("GainReg", feature::kGain, "RW", 4, true);
  w.enumeration("UserSetSelector", true, {{"ToolTip", "Which set to load or save."}},
                {{"Default", 0}, {"UserSet1", 1}}, "UserSetSelectorReg", {"UserSetLoad", "UserSetSave"});
  w.integer_register("UserSetSelectorReg", feature::kUserSetSelector, "RW");
  w.command("UserSetLoad", "Takes the settings from the set.", feature::kUserSetLoad, 1,
            {{"pIsLocked", "TLParamsLocked"}});
  w.command("UserSetSave", "Keeps the settings in the set.", feature::kUserSetSave);
  w.node("Boolean", "ChunkModeActive", true,
         {{"ToolTip", "Blocks carry chunks behind the image."},
          {"pIsLocked", "TLParamsLocked"},
          {"pValue", "ChunkModeActiveReg"},
          {"OnValue", "1"},
          {"OffValue", "0"}});
  w.integer_register("ChunkModeActiveReg", feature::kChunkModeActive, "RW");
}

void write_transport(Writer& w, const SimOptions& options) {
  const auto ip = [&](const char* name, const char* tip, uint32_t address, const char* access) {
    w.register_integer(name, tip, address, access, true,
                       {{"Visibility", "Expert"}, {"Representation", "IPV4Address"}});
  };
  ip("GevCurrentIPAddress", "Address in use.", reg::kCurrentIp, "RO");
  ip("GevCurrentSubnetMask", "Subnet mask in use.", reg::kCurrentMask, "RO");
  ip("GevCurrentDefaultGateway", "Gateway in use.", reg::kCurrentGateway, "RO");
  ip("GevPersistentIPAddress", "Address after the next start.", reg::kPersistentIp, "RW");
  ip("GevPersistentSubnetMask", "Subnet mask after the next start.", reg::kPersistentMask, "RW");
  ip("GevPersistentDefaultGateway", "Gateway after the next start.", reg::kPersistentGateway, "RW");
  w.register_integer("GevMACAddress", "Hardware address.", reg::kMacHigh, "RO", true,
                     {{"Visibility", "Expert"}, {"Representation", "MACAddress"}}, 8);
  w.register_integer("GevLinkSpeed", "Speed of the link.", reg::kLinkSpeed, "RO", true, {{"Unit", "Mbps"}});
  w.register_integer("GevHeartbeatTimeout", "Silence after which the device frees itself.",
                     reg::kHeartbeatTimeout, "RW", true,
                     {{"Visibility", "Guru"}, {"Min", "500"}, {"Max", "4294967295"}, {"Unit", "ms"}});
  w.register_integer("GevTimestampTickFrequency", "Ticks per second.", reg::kTickFrequencyHigh, "RO", true,
                     {{"Unit", "Hz"}}, 8);
  w.command("GevTimestampControlLatch", "Keeps the current time in GevTimestampValue.",
            reg::kTimestampControl, 2);
  w.command("GevTimestampControlReset", "Sets the time to 0.", reg::kTimestampControl, 1);
  w.register_integer("GevTimestampValue", "The latched time.", reg::kTimestampHigh, "RO", false,
                     {{"Unit", "ticks"}}, 8);
  w.enumeration("GevCCP", true, {{"ToolTip", "Who may control the device."}, {"Visibility", "Guru"}},
                {{"OpenAccess", 0}, {"ExclusiveAccess", 1}, {"ControlAccess", 2}}, "GevCCPReg");
  w.masked_register("GevCCPReg", reg::kControlPrivilege, "RW", 31, 30);
  w.node("Integer", "GevStreamChannelSelector", true,
         {{"ToolTip", "Which stream channel the next features mean."},
          {"Value", "0"},
          {"Min", "0"},
          {"Max", "0"},
          {"pSelected", "GevSCPHostPort"},
          {"pSelected", "GevSCDA"},
          {"pSelected", "GevSCSP"},
          {"pSelected", "GevSCPSPacketSize"},
          {"pSelected", fire_test_packet(options)},
          {"pSelected", "GevSCPSDoNotFragment"},
          {"pSelected", "GevSCPD"}});
  const auto masked = [&](const char* type, const char* name, const char* tip, uint32_t address,
                          const char* access, int lsb, int msb, Elements extra) {
    const std::string target = std::string(name) + "Reg";
    std::string body = "  <" + std::string(type) + " Name=\"" + name + "\" NameSpace=\"Standard\">\n";
    const auto put = [&](const char* element, const std::string& value) {
      body += "    <" + std::string(element) + ">" + value + "</" + element + ">\n";
    };
    put("ToolTip", tip);
    for (const auto& [element, value] : extra) put(element, value);
    put("pValue", target);
    w.raw(body + "  </" + type + ">\n");
    w.masked_register(target, address, access, lsb, msb);
  };
  masked("Integer", "GevSCPHostPort", "Port to which the stream goes; 0 closes the channel.",
         reg::stream(0, reg::kScp), "RW", 31, 16, {{"Visibility", "Guru"}});
  w.register_integer("GevSCDA", "Address to which the stream goes.", reg::stream(0, reg::kScda), "RW", false,
                     {{"Visibility", "Guru"}, {"Representation", "IPV4Address"}});
  masked("Integer", "GevSCSP", "Port from which the stream comes.", reg::stream(0, reg::kScsp), "RO", 31, 16,
         {{"Visibility", "Guru"}});
  w.integer_register("GevSCPSPacketSizeMinReg", feature::kPacketSizeMin, "RO");
  w.integer_register("GevSCPSPacketSizeMaxReg", feature::kPacketSizeMax, "RO");
  w.integer_register("GevSCPSPacketSizeIncReg", feature::kPacketSizeInc, "RO");
  masked("Integer", "GevSCPSPacketSize", "Size of stream packets with their IP and UDP headers.",
         reg::stream(0, reg::kScps), "RW", 31, 16,
         {{"Visibility", "Expert"},
          {"pIsLocked", "TLParamsLocked"},
          {"pMin", "GevSCPSPacketSizeMinReg"},
          {"pMax", "GevSCPSPacketSizeMaxReg"},
          {"pInc", "GevSCPSPacketSizeIncReg"},
          {"Unit", "B"}});
  if (options.test_packets) {
    masked("Boolean", "GevSCPSFireTestPacket", "Sends one test packet of the size set.",
           reg::stream(0, reg::kScps), "RW", 0, 0, {{"Visibility", "Guru"}});
  }
  masked("Boolean", "GevSCPSDoNotFragment", "Stream packets must not be cut on their way.",
         reg::stream(0, reg::kScps), "RW", 1, 1, {{"Visibility", "Guru"}});
  w.register_integer("GevSCPD", "Gap between stream packets.", reg::stream(0, reg::kScpd), "RW", true,
                     {{"Visibility", "Expert"}, {"Min", "0"}, {"Max", "4294967295"}, {"Unit", "ticks"}});
  w.enumeration("GevGVSPExtendedIDMode", true, {{"ToolTip", "64-bit block ids."}, {"Visibility", "Expert"}},
                {{"Off", 0}, {"On", 1}}, "GevGVSPExtendedIDModeReg");
  w.masked_register("GevGVSPExtendedIDModeReg", reg::kGvspConfiguration, "RW", 1, 1);
  w.node("Integer", "TLParamsLocked", true,
         {{"ToolTip", "1 while the host streams: the layout of blocks must not change."},
          {"Visibility", "Invisible"},
          {"Value", "0"},
          {"Min", "0"},
          {"Max", "1"}});
  w.node("Port", "Device", true, {});
}

}  // namespace

std::span<const uint32_t> supported_formats() { return kFormats; }

bool is_supported_format(uint32_t pixel_format) {
  return std::find(kFormats.begin(), kFormats.end(), pixel_format) != kFormats.end();
}

std::string build_description(const SimOptions& options) {
  Writer w;
  w.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<RegisterDescription ModelName=\"" +
        identifier(options.model) + "\" VendorName=\"" + identifier(options.manufacturer) +
        "\" StandardNameSpace=\"GEV\" SchemaMajorVersion=\"1\" SchemaMinorVersion=\"1\" "
        "SchemaSubMinorVersion=\"0\""
        " MajorVersion=\"1\" MinorVersion=\"0\" SubMinorVersion=\"0\""
        " ToolTip=\"A camera without a camera\""
        " ProductGuid=\"6B1F0B52-5C0E-4E0B-9A55-3C0B6F3E7A01\" "
        "VersionGuid=\"6B1F0B52-5C0E-4E0B-9A55-3C0B6F3E7A02\""
        " xmlns=\"http://www.genicam.org/GenApi/Version_1_1\""
        " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
        " xsi:schemaLocation=\"http://www.genicam.org/GenApi/Version_1_1 GenApiSchema_Version_1_1.xsd\">\n");
  write_categories(w, options);
  write_device(w);
  write_image(w, options);
  write_acquisition(w);
  write_chunks(w);
  write_events(w);
  write_transport(w, options);
  w.raw("</RegisterDescription>\n");
  return std::move(w.out);
}

std::string description_file_name(const SimOptions& options) {
  return options.zip ? "gigewire_simulator.zip" : "gigewire_simulator.xml";
}

}  // namespace gw::sim
