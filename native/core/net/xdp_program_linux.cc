#include "net/xdp_program_linux.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <vector>

#ifndef BPF_F_XDP_HAS_FRAGS
#define BPF_F_XDP_HAS_FRAGS (1U << 5)  // Linux 5.18
#endif
#ifndef BPF_F_TEST_XDP_LIVE_FRAMES
#define BPF_F_TEST_XDP_LIVE_FRAMES (1U << 1)  // Linux 5.18
#endif

namespace gw {

namespace {

constexpr size_t kCounterBytes = 4096;  // a page, which is what is mapped
constexpr char kLicense[] = "MIT";
constexpr int kRedirectMap = 51;  // BPF_FUNC_redirect_map

Status failure(int error, const std::string& what) {
  return Status::system(error, what + ": " + std::generic_category().message(error));
}

int bpf(bpf_cmd command, bpf_attr& attributes) {
  return static_cast<int>(::syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

Descriptor create_map(bpf_map_type type, uint32_t value_bytes, uint32_t entries, uint32_t flags) {
  bpf_attr attributes{};
  attributes.map_type = type;
  attributes.key_size = sizeof(uint32_t);
  attributes.value_size = value_bytes;
  attributes.max_entries = entries;
  attributes.map_flags = flags;
  return Descriptor(bpf(BPF_MAP_CREATE, attributes));
}

Descriptor load_program(const std::vector<bpf_insn>& code, uint32_t flags) {
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_XDP;
  attributes.expected_attach_type = BPF_XDP;
  attributes.insns = reinterpret_cast<uintptr_t>(code.data());
  attributes.insn_cnt = static_cast<uint32_t>(code.size());
  attributes.license = reinterpret_cast<uintptr_t>(kLicense);
  attributes.prog_flags = flags;
  std::memcpy(attributes.prog_name, "gigewire", sizeof "gigewire");
  return Descriptor(bpf(BPF_PROG_LOAD, attributes));
}

// A few instructions of eBPF, with jumps to two places that are known at the end only.
class Assembler {
 public:
  enum class Label : uint8_t { kPass, kFragment };

  void load(uint8_t width, uint8_t to, uint8_t from, int16_t at) {
    emit(BPF_LDX | BPF_MEM | width, to, from, at, 0);
  }
  void move(uint8_t to, uint8_t from) { emit(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0); }
  void set(uint8_t to, int32_t value) { emit(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value); }
  void add(uint8_t to, int32_t value) { emit(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, value); }
  void mask(uint8_t to, int32_t value) { emit(BPF_ALU64 | BPF_AND | BPF_K, to, 0, 0, value); }
  void jump_unless_equal(uint8_t reg, uint32_t value, Label to) {
    jumps_.push_back({code_.size(), to});
    emit(BPF_JMP32 | BPF_JNE | BPF_K, reg, 0, 0, static_cast<int32_t>(value));
  }
  void jump_if_greater(uint8_t reg, uint8_t than, Label to) {
    jumps_.push_back({code_.size(), to});
    emit(BPF_JMP | BPF_JGT | BPF_X, reg, than, 0, 0);
  }
  void load_map(uint8_t to, int fd, uint8_t what) {
    emit(BPF_LD | BPF_DW | BPF_IMM, to, what, 0, fd);
    emit(0, 0, 0, 0, 0);
  }
  void add_to_memory(uint8_t at, uint8_t value) {
    emit(BPF_STX | BPF_DW | BPF_ATOMIC, at, value, 0, BPF_ADD);
  }
  void call(int32_t function) { emit(BPF_JMP | BPF_CALL, 0, 0, 0, function); }
  void exit() { emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0); }
  void place(Label label) {
    for (const Jump& jump : jumps_) {
      if (jump.to == label) code_[jump.at].off = static_cast<int16_t>(code_.size() - jump.at - 1);
    }
  }
  const std::vector<bpf_insn>& code() const { return code_; }

 private:
  struct Jump {
    size_t at;
    Label to;
  };
  void emit(int code, uint8_t to, uint8_t from, int16_t offset, int32_t value) {
    bpf_insn instruction{};
    instruction.code = static_cast<uint8_t>(code);
    instruction.dst_reg = to & 0xF;
    instruction.src_reg = from & 0xF;
    instruction.off = offset;
    instruction.imm = value;
    code_.push_back(instruction);
  }
  std::vector<bpf_insn> code_;
  std::vector<Jump> jumps_;
};

// Offsets in an Ethernet frame with an IPv4 header of the usual length.
constexpr int16_t kType = 12, kVersion = 14, kFragment = 20, kProtocol = 23, kSource = 26, kDestination = 30,
                  kPort = 36;
constexpr int32_t kHeaders = 42;

std::vector<bpf_insn> stream_program(uint32_t camera_address, const Endpoint& local, int sockets,
                                     int counter) {
  using Label = Assembler::Label;
  enum : uint8_t { kResult = 0, kMap = 1, kData = 2, kEnd = 3, kLimit = 4, kValue = 5, kContext = 6 };
  Assembler a;
  a.move(kContext, 1);
  a.load(BPF_W, kData, kContext, offsetof(xdp_md, data));
  a.load(BPF_W, kEnd, kContext, offsetof(xdp_md, data_end));
  a.move(kLimit, kData);
  a.add(kLimit, kHeaders);
  a.jump_if_greater(kLimit, kEnd, Label::kPass);
  const auto require = [&](uint8_t width, int16_t at, uint32_t value) {
    a.load(width, kValue, kData, at);
    a.jump_unless_equal(kValue, value, Label::kPass);
  };
  // Numbers in memory as they are on the wire.
  require(BPF_H, kType, htons(0x0800));
  require(BPF_B, kVersion, 0x45);
  require(BPF_B, kProtocol, 17);
  require(BPF_W, kSource, htonl(camera_address));
  require(BPF_W, kDestination, htonl(local.address));
  a.load(BPF_H, kValue, kData, kFragment);
  a.mask(kValue, htons(0x3FFF));
  a.jump_unless_equal(kValue, 0, Label::kFragment);
  require(BPF_H, kPort, htons(local.port));
  a.load_map(kMap, sockets, BPF_PSEUDO_MAP_FD);
  a.load(BPF_W, 2, kContext, offsetof(xdp_md, rx_queue_index));
  a.set(3, XDP_PASS);  // where the queue has no socket
  a.call(kRedirectMap);
  a.exit();

  a.place(Label::kFragment);  // the first one has the port
  a.mask(kValue, htons(0x1FFF));
  a.jump_unless_equal(kValue, 0, Label::kPass);
  require(BPF_H, kPort, htons(local.port));
  a.load_map(kMap, counter, BPF_PSEUDO_MAP_VALUE);
  a.set(kValue, 1);
  a.add_to_memory(kMap, kValue);

  a.place(Label::kPass);
  a.set(kResult, XDP_PASS);
  a.exit();
  return a.code();
}

}  // namespace

XdpProgram::~XdpProgram() {
  link_.reset();
  if (count_ != nullptr) ::munmap(count_, kCounterBytes);
}

Status XdpProgram::load(uint32_t camera_address, const Endpoint& local, uint32_t queues) {
  sockets_ = create_map(BPF_MAP_TYPE_XSKMAP, sizeof(uint32_t), queues, 0);
  if (!sockets_.valid()) return failure(errno, "making a map of XDP sockets");
  counter_ = create_map(BPF_MAP_TYPE_ARRAY, sizeof(uint64_t), 1, BPF_F_MMAPABLE);
  if (!counter_.valid()) return failure(errno, "making a map for a counter");
  void* const mapped = ::mmap(nullptr, kCounterBytes, PROT_READ, MAP_SHARED, counter_.get(), 0);
  if (mapped == MAP_FAILED) return failure(errno, "mapping a counter");
  count_ = mapped;
  const auto code = stream_program(camera_address, local, sockets_.get(), counter_.get());
  program_ = load_program(code, BPF_F_XDP_HAS_FRAGS);
  if (!program_.valid() && errno == EINVAL) program_ = load_program(code, 0);  // before Linux 5.18
  if (!program_.valid()) return failure(errno, "loading an XDP program");
  return {};
}

Status XdpProgram::set_socket(uint32_t queue, int xdp_socket) {
  const auto value = static_cast<uint32_t>(xdp_socket);
  bpf_attr attributes{};
  attributes.map_fd = static_cast<uint32_t>(sockets_.get());
  attributes.key = reinterpret_cast<uintptr_t>(&queue);
  attributes.value = reinterpret_cast<uintptr_t>(&value);
  if (bpf(BPF_MAP_UPDATE_ELEM, attributes) == 0) return {};
  return failure(errno, "an XDP socket for queue " + std::to_string(queue));
}

Status XdpProgram::attach(int interface_index) {
  for (const bool native : {true, false}) {
    bpf_attr attributes{};
    attributes.link_create.prog_fd = static_cast<uint32_t>(program_.get());
    attributes.link_create.target_ifindex = static_cast<uint32_t>(interface_index);
    attributes.link_create.attach_type = BPF_XDP;
    attributes.link_create.flags = native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
    link_ = Descriptor(bpf(BPF_LINK_CREATE, attributes));
    native_ = native;
    if (link_.valid()) return {};
    const int error = errno;
    if (error == EBUSY || error == EEXIST) {
      return Status::system(error, "another XDP program is at this interface already");
    }
    if (!native || error == EPERM) return failure(error, "attaching an XDP program");
  }
  return {};
}

uint64_t XdpProgram::fragments() const {
  return std::atomic_ref<uint64_t>(*static_cast<uint64_t*>(count_)).load(std::memory_order_relaxed);
}

bool inject_frame(int interface_index, const uint8_t* frame, uint32_t size) {
  Assembler pass;
  pass.set(0, XDP_PASS);
  pass.exit();
  const Descriptor program = load_program(pass.code(), 0);
  if (!program.valid()) return false;
  xdp_md context{};
  context.data_end = size;
  context.ingress_ifindex = static_cast<uint32_t>(interface_index);
  bpf_attr attributes{};
  attributes.test.prog_fd = static_cast<uint32_t>(program.get());
  attributes.test.data_in = reinterpret_cast<uintptr_t>(frame);
  attributes.test.data_size_in = size;
  attributes.test.ctx_in = reinterpret_cast<uintptr_t>(&context);
  attributes.test.ctx_size_in = sizeof context;
  attributes.test.repeat = 1;
  attributes.test.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
  return bpf(BPF_PROG_TEST_RUN, attributes) == 0;
}

}  // namespace gw
