// base/waker.h for Linux and other POSIX systems.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/waker.h"

#ifdef __linux__
#include <sys/eventfd.h>
#endif

namespace gw {

#ifdef __linux__

Waker::Waker() : read_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), write_fd_(read_fd_) {}

void Waker::wake() noexcept {
  const int saved = errno;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(write_fd_, &one, sizeof one);  // EAGAIN: signalled already
  errno = saved;
}

void Waker::clear() noexcept {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(read_fd_, &count, sizeof count);
}

#else

Waker::Waker() {
  int ends[2];
  if (::pipe(ends) != 0) return;
  for (const int fd : ends) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
  }
  read_fd_ = ends[0];
  write_fd_ = ends[1];
}

void Waker::wake() noexcept {
  const int saved = errno;
  const char one = 1;
  [[maybe_unused]] const ssize_t written = ::write(write_fd_, &one, 1);  // EAGAIN: signalled more than enough
  errno = saved;
}

void Waker::clear() noexcept {
  char sink[64];
  while (::read(read_fd_, sink, sizeof sink) > 0) {
  }
}

#endif

Waker::~Waker() {
  if (write_fd_ >= 0 && write_fd_ != read_fd_) ::close(write_fd_);
  if (read_fd_ >= 0) ::close(read_fd_);
}

}  // namespace gw
