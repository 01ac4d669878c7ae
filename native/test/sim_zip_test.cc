// The stored zip and the description inside it.
#include <cctype>
#include <set>
#include <string>

#include "doctest/doctest.h"
#include "sim/description.h"
#include "sim/zip_store.h"

using namespace gw;
using namespace gw::sim;

namespace {

uint32_t le16(ConstBytes b, size_t at) { return b[at] | b[at + 1] << 8; }
uint32_t le32(ConstBytes b, size_t at) { return le16(b, at) | le16(b, at + 2) << 16; }

ConstBytes bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// All values of <element>value</element>.
std::multiset<std::string> values(const std::string& xml, const std::string& element) {
  std::multiset<std::string> found;
  const std::string open = "<" + element + ">", close = "</" + element + ">";
  for (size_t at = xml.find(open); at != std::string::npos; at = xml.find(open, at + 1)) {
    const size_t begin = at + open.size();
    found.insert(xml.substr(begin, xml.find(close, begin) - begin));
  }
  return found;
}

// Names of all nodes but enumeration entries.
std::multiset<std::string> node_names(const std::string& xml) {
  std::multiset<std::string> names;
  for (size_t at = xml.find("\n  <"); at != std::string::npos; at = xml.find("\n  <", at + 1)) {
    const size_t name = xml.find("Name=\"", at), end = xml.find('>', at);
    if (std::isalpha(static_cast<unsigned char>(xml[at + 4])) == 0 || name > end) continue;
    names.insert(xml.substr(name + 6, xml.find('"', name + 6) - name - 6));
  }
  return names;
}

}  // namespace

TEST_CASE("zip: crc32 of the well-known check text") { CHECK(crc32(bytes_of("123456789")) == 0xCBF43926); }

TEST_CASE("zip: what the directory says is what is there") {
  const std::string content = "some text, not compressed";
  const std::vector<uint8_t> zip = zip_store("a.xml", bytes_of(content));
  const size_t end = zip.size() - 22;
  REQUIRE(le32(zip, end) == 0x06054B50);
  CHECK(le16(zip, end + 10) == 1);
  const size_t directory = le32(zip, end + 16);
  CHECK(directory + le32(zip, end + 12) == end);
  REQUIRE(le32(zip, directory) == 0x02014B50);
  CHECK(le16(zip, directory + 10) == 0);  // stored
  CHECK(le32(zip, directory + 16) == crc32(bytes_of(content)));
  CHECK(le32(zip, directory + 20) == content.size());
  CHECK(le32(zip, directory + 24) == content.size());
  CHECK(std::string(zip.begin() + static_cast<long>(directory) + 46, zip.begin() + static_cast<long>(end)) ==
        "a.xml");
  const size_t local = le32(zip, directory + 42);
  REQUIRE(le32(zip, local) == 0x04034B50);
  const size_t data = local + 30 + le16(zip, local + 26) + le16(zip, local + 28);
  CHECK(std::string(zip.begin() + static_cast<long>(data),
                    zip.begin() + static_cast<long>(data + content.size())) == content);
}

TEST_CASE("description: every pointer has its node and every name is used once") {
  for (const uint16_t padding : {0, 8}) {
    SimOptions options;
    options.padding_x = padding;
    const std::string xml = build_description(options);
    const std::multiset<std::string> names = node_names(xml);
    CHECK(names.size() > 100);
    for (const std::string& name : names) CHECK_MESSAGE(names.count(name) == 1, name);
    for (const char* pointer :
         {"pFeature", "pValue", "pMin", "pMax", "pInc", "pIsLocked", "pPort", "pSelected"}) {
      const std::multiset<std::string> targets = values(xml, pointer);
      CHECK(!targets.empty());
      for (const std::string& target : targets)
        CHECK_MESSAGE(names.count(target) == 1, pointer << " " << target);
    }
    for (const char* wanted :
         {"Root", "DeviceVendorName", "DeviceUserID", "Width", "PixelFormat", "PayloadSize",
          "AcquisitionStart", "AcquisitionFrameRate", "ExposureTime", "TriggerSoftware", "GevSCPSPacketSize",
          "GevHeartbeatTimeout", "TLParamsLocked", "Device"}) {
      CHECK_MESSAGE(names.count(wanted) == 1, wanted);
    }
  }
}

TEST_CASE("description: names of the maker cannot break it") {
  SimOptions options;
  options.manufacturer = "<A & \"B\">";
  const std::string xml = build_description(options);
  CHECK(xml.find("VendorName=\"_A____B__\"") != std::string::npos);
  CHECK(xml.find("<A &") == std::string::npos);
}
