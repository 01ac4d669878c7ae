#include "net/xdp_socket_linux.h"

#include <linux/if_xdp.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <string>
#include <system_error>

#ifndef XDP_USE_SG
#define XDP_USE_SG (1 << 4)  // Linux 6.6
#endif
#ifndef XDP_PKT_CONTD
#define XDP_PKT_CONTD (1 << 0)
#endif

namespace gw {

namespace {

constexpr uint32_t kSmallChunk = 2048;
constexpr uint32_t kLargeChunk = 4096;
constexpr uint32_t kHeadroom = 256;  // the kernel's, in each chunk
constexpr uint32_t kFewestChunks = 1024;
constexpr uint32_t kMostChunks = 32768;  // of each ring the kernel takes no more
constexpr int kUnusedRing = 64;

Status failure(int error, const std::string& what) {
  return Status::system(error, what + ": " + std::generic_category().message(error));
}

std::atomic_ref<uint32_t> atomic(uint32_t* word) { return std::atomic_ref<uint32_t>(*word); }

}  // namespace

XdpSocket::~XdpSocket() {
  for (const Ring* ring : {&receive_, &fill_}) {
    if (ring->mapping != nullptr) ::munmap(ring->mapping, ring->mapped);
  }
  fd_.reset();  // before its memory goes
  if (memory_ != nullptr) ::munmap(memory_, memory_bytes_);
}

Status XdpSocket::open(const XdpSocketOptions& options) {
  fd_ = Descriptor(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd_.valid()) return failure(errno, "opening an XDP socket");
  chunk_bytes_ = options.frame_bytes <= kSmallChunk - kHeadroom ? kSmallChunk : kLargeChunk;
  const uint32_t pieces = (options.frame_bytes + chunk_bytes_ - kHeadroom - 1) / (chunk_bytes_ - kHeadroom);
  const uint64_t wanted = std::clamp<uint64_t>(options.memory_bytes / chunk_bytes_,
                                               uint64_t{kFewestChunks} * std::bit_ceil(pieces), kMostChunks);
  chunks_ = static_cast<uint32_t>(std::bit_ceil(wanted));  // a packet takes a whole chunk, however small
  memory_bytes_ = uint64_t{chunks_} * chunk_bytes_;
  void* const memory = ::mmap(nullptr, memory_bytes_, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) return failure(errno, "memory of an XDP socket");
  memory_ = static_cast<uint8_t*>(memory);
  held_.reserve(chunks_);

  xdp_umem_reg umem{};
  umem.addr = reinterpret_cast<uintptr_t>(memory_);
  umem.len = memory_bytes_;
  umem.chunk_size = chunk_bytes_;
  if (::setsockopt(fd_.get(), SOL_XDP, XDP_UMEM_REG, &umem, sizeof umem) != 0) {
    return failure(errno, "locking " + std::to_string(memory_bytes_) + " bytes for an XDP socket");
  }
  const int ring = static_cast<int>(chunks_);
  if (::setsockopt(fd_.get(), SOL_XDP, XDP_UMEM_FILL_RING, &ring, sizeof ring) != 0 ||
      ::setsockopt(fd_.get(), SOL_XDP, XDP_UMEM_COMPLETION_RING, &kUnusedRing, sizeof kUnusedRing) != 0 ||
      ::setsockopt(fd_.get(), SOL_XDP, XDP_RX_RING, &ring, sizeof ring) != 0) {
    return failure(errno, "rings of an XDP socket");
  }
  const Status mapped = map_rings();
  if (!mapped.ok()) return mapped;
  for (uint32_t i = 0; i < chunks_; ++i) held_.push_back(uint64_t{i} * chunk_bytes_);
  release();

  sockaddr_xdp where{};
  where.sxdp_family = AF_XDP;
  where.sxdp_ifindex = static_cast<uint32_t>(options.interface_index);
  where.sxdp_queue_id = options.queue;
  where.sxdp_flags = static_cast<uint16_t>((options.zero_copy ? XDP_ZEROCOPY : XDP_COPY) |
                                           XDP_USE_NEED_WAKEUP | (pieces > 1 ? XDP_USE_SG : 0));
  if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0) return {};
  const int error = errno;
  if (pieces > 1 && error == EINVAL) {
    return Status::system(EMSGSIZE, "frames of " + std::to_string(options.frame_bytes) +
                                        " bytes through XDP sockets of this kernel or driver");
  }
  if (error == EBUSY)
    return Status::system(error, "another XDP socket has queue " + std::to_string(options.queue));
  return failure(error, "binding an XDP socket to queue " + std::to_string(options.queue));
}

Status XdpSocket::map_rings() {
  xdp_mmap_offsets at{};
  socklen_t size = sizeof at;
  if (::getsockopt(fd_.get(), SOL_XDP, XDP_MMAP_OFFSETS, &at, &size) != 0 || size != sizeof at) {
    return failure(errno, "rings of an XDP socket");
  }
  const Status received =
      map(receive_, XDP_PGOFF_RX_RING, sizeof(xdp_desc), at.rx.producer, at.rx.consumer, at.rx.desc);
  if (!received.ok()) return received;
  return map(fill_, XDP_UMEM_PGOFF_FILL_RING, sizeof(uint64_t), at.fr.producer, at.fr.consumer, at.fr.desc);
}

Status XdpSocket::map(Ring& ring, uint64_t which, size_t entry_bytes, uint64_t producer, uint64_t consumer,
                      uint64_t entries) {
  ring.mapped = entries + chunks_ * entry_bytes;
  void* const mapping = ::mmap(nullptr, ring.mapped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                               fd_.get(), static_cast<off_t>(which));
  if (mapping == MAP_FAILED) return failure(errno, "mapping a ring of an XDP socket");
  ring.mapping = mapping;
  auto* const base = static_cast<uint8_t*>(mapping);
  ring.producer = reinterpret_cast<uint32_t*>(base + producer);
  ring.consumer = reinterpret_cast<uint32_t*>(base + consumer);
  ring.entries = base + entries;
  return {};
}

uint32_t XdpSocket::available() {
  return std::min(atomic(receive_.producer).load(std::memory_order_acquire) - taken_, chunks_);
}

XdpSocket::Piece XdpSocket::next() {
  const xdp_desc& entry = static_cast<const xdp_desc*>(receive_.entries)[taken_++ & (chunks_ - 1)];
  Piece piece;
  piece.more = (entry.options & XDP_PKT_CONTD) != 0;
  if (entry.addr >= memory_bytes_ || held_.size() == chunks_) return piece;
  held_.push_back(entry.addr / chunk_bytes_ * chunk_bytes_);
  if (entry.addr % chunk_bytes_ + entry.len > chunk_bytes_) return piece;
  piece.data = memory_ + entry.addr;
  piece.size = entry.len;
  return piece;
}

void XdpSocket::release() {
  atomic(receive_.consumer).store(taken_, std::memory_order_release);
  if (held_.empty()) return;
  auto* const entries = static_cast<uint64_t*>(fill_.entries);
  for (const uint64_t chunk : held_) entries[filled_++ & (chunks_ - 1)] = chunk;
  held_.clear();
  atomic(fill_.producer).store(filled_, std::memory_order_release);
}

uint64_t XdpSocket::drops() const {
  xdp_statistics statistics{};
  socklen_t size = sizeof statistics;
  if (::getsockopt(fd_.get(), SOL_XDP, XDP_STATISTICS, &statistics, &size) != 0) return 0;
  return statistics.rx_dropped + statistics.rx_ring_full;
}

}  // namespace gw
