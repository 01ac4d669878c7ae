// GenICam nodes as text. Purpose: one function for each kind of node that our description has, so that the
// description itself reads as a list of features. Thread: any. Owner: build_description.
#pragma once

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gw::sim {

using Elements = std::initializer_list<std::pair<const char*, std::string>>;
using Names = std::initializer_list<const char*>;

inline std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llX", static_cast<unsigned long long>(value));
  return text;
}

inline std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

class DescriptionWriter {
 public:
  void raw(std::string_view text) { out += text; }

  void node(const char* type, const std::string& name, bool standard, Elements elements) {
    begin(type, name, standard);
    put(elements);
    end(type);
  }

  void category(const char* name, Names features) {
    begin("Category", name, true);
    for (const char* feature : features) put({{"pFeature", feature}});
    end("Category");
  }

  struct Entry {
    std::string name;
    uint64_t value;
  };
  void enumeration(const char* name, bool standard, Elements elements, const std::vector<Entry>& entries,
                   const char* value_node, Names selected = {}) {
    begin("Enumeration", name, standard);
    put(elements);
    for (const Entry& entry : entries) {
      out += "    <EnumEntry Name=\"" + entry.name + "\" NameSpace=\"" + (standard ? "Standard" : "Custom") +
             "\">\n";
      out += "      <Value>" + std::to_string(entry.value) + "</Value>\n    </EnumEntry>\n";
    }
    put({{"pValue", value_node}});
    for (const char* feature : selected) put({{"pSelected", feature}});
    end("Enumeration");
  }

  // A big-endian register. cachable: WriteThrough where only the host changes it.
  void integer_register(const std::string& name, uint32_t address, const char* access, bool host_only = true,
                        int length = 4, Elements extra = {}) {
    begin("IntReg", name, false);
    put({{"Address", hex(address)},
         {"Length", std::to_string(length)},
         {"AccessMode", access},
         {"pPort", "Device"}});
    put({{"Cachable", host_only ? "WriteThrough" : "NoCache"}});
    put(extra);
    put({{"Sign", "Unsigned"}, {"Endianess", "BigEndian"}});
    end("IntReg");
  }

  void masked_register(const std::string& name, uint32_t address, const char* access, int lsb, int msb) {
    begin("MaskedIntReg", name, false);
    put({{"Address", hex(address)},
         {"Length", "4"},
         {"AccessMode", access},
         {"pPort", "Device"},
         {"Cachable", "NoCache"}});
    if (lsb == msb) {
      put({{"Bit", std::to_string(lsb)}});
    } else {
      put({{"LSB", std::to_string(lsb)}, {"MSB", std::to_string(msb)}});
    }
    put({{"Sign", "Unsigned"}, {"Endianess", "BigEndian"}});
    end("MaskedIntReg");
  }

  void float_register(const std::string& name, uint32_t address, const char* access, int length,
                      bool host_only) {
    begin("FloatReg", name, false);
    put({{"Address", hex(address)},
         {"Length", std::to_string(length)},
         {"AccessMode", access},
         {"pPort", "Device"},
         {"Cachable", host_only ? "WriteThrough" : "NoCache"},
         {"Endianess", "BigEndian"}});
    end("FloatReg");
  }

  void string_register(const char* name, const char* tip, uint32_t address, int length, const char* access) {
    node("StringReg", name, true,
         {{"ToolTip", tip},
          {"Address", hex(address)},
          {"Length", std::to_string(length)},
          {"AccessMode", access},
          {"pPort", "Device"},
          {"Cachable", "WriteThrough"}});
  }

  void command(const char* name, const char* tip, uint32_t address, uint32_t value = 1, Elements extra = {}) {
    const std::string target = std::string(name) + "Reg";
    begin("Command", name, true);
    put({{"ToolTip", tip}});
    put(extra);
    put({{"pValue", target}, {"CommandValue", std::to_string(value)}});
    end("Command");
    integer_register(target, address, "WO", false);
  }

  // A feature with a register of its own behind it.
  void register_integer(const char* name, const char* tip, uint32_t address, const char* access,
                        bool host_only, Elements extra = {}, int length = 4) {
    const std::string target = std::string(name) + "Reg";
    begin("Integer", name, true);
    put({{"ToolTip", tip}});
    put(extra);
    put({{"pValue", target}});
    end("Integer");
    integer_register(target, address, access, host_only, length);
  }

  // A feature whose value comes with each block: a chunk of 64 bits, big-endian, behind a port of its own.
  void chunk_integer(const std::string& name, const char* tip, uint32_t chunk_id) {
    node("Integer", name, true, {{"ToolTip", tip}, {"pValue", name + "Reg"}});
    attached_register(name + "Reg", 0, 8, name + "Port");
    node("Port", name + "Port", false, {{"ChunkID", hex(chunk_id).substr(2)}});
  }

  // A feature whose value comes with an event, from this offset of its item.
  void event_integer(const std::string& name, const char* tip, uint16_t event_id, uint32_t offset, int length,
                     const std::string& port) {
    node("Integer", name, true,
         {{"EventID", hex(event_id).substr(2)}, {"ToolTip", tip}, {"pValue", name + "Reg"}});
    attached_register(name + "Reg", offset, length, port);
  }

  // Of data that comes by itself: nobody writes it.
  void attached_register(const std::string& name, uint32_t offset, int length, const std::string& port) {
    node("IntReg", name, false,
         {{"Address", hex(offset)},
          {"Length", std::to_string(length)},
          {"AccessMode", "RO"},
          {"pPort", port},
          {"Cachable", "NoCache"},
          {"Sign", "Unsigned"},
          {"Endianess", "BigEndian"}});
  }

  void knife(const char* name, std::initializer_list<std::pair<const char*, const char*>> variables,
             const std::string& formula) {
    begin("IntSwissKnife", name, false);
    for (const auto& [variable, target] : variables) {
      out += "    <pVariable Name=\"" + std::string(variable) + "\">" + target + "</pVariable>\n";
    }
    put({{"Formula", formula}});
    end("IntSwissKnife");
  }

  std::string out;

 private:
  void begin(const char* type, const std::string& name, bool standard) {
    out += std::string("  <") + type + " Name=\"" + name + "\" NameSpace=\"" +
           (standard ? "Standard" : "Custom") + "\">\n";
  }
  void put(Elements elements) {
    for (const auto& [element, value] : elements) {
      if (value.empty()) continue;  // names what this camera does not have
      out += std::string("    <") + element + ">" + escaped(value) + "</" + element + ">\n";
    }
  }
  void end(const char* type) { out += std::string("  </") + type + ">\n"; }
};

}  // namespace gw::sim
