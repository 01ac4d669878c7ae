#include <poll.h>

#include <algorithm>
#include <array>
#include <climits>
#include <ctime>

#include "net/readiness.h"

namespace gw {

void wait_ready(std::span<Readiness> sources, Waker& waker, uint64_t now_ns, uint64_t until_ns) {
  std::array<pollfd, kMostWaitedFor + 1> waiting;
  const size_t count = std::min(sources.size(), kMostWaitedFor);
  for (size_t i = 0; i < count; ++i) waiting[i] = {sources[i].fd, POLLIN, 0};
  waiting[count] = {waker.fd(), POLLIN, 0};
  const uint64_t left = until_ns > now_ns ? until_ns - now_ns : 0;
#ifdef __linux__
  const timespec timeout{static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
  const int ready = ::ppoll(waiting.data(), count + 1, &timeout, nullptr);
#else
  const auto ms = static_cast<int>(std::min<uint64_t>((left + 999'999) / 1'000'000, INT_MAX));
  const int ready = ::poll(waiting.data(), static_cast<nfds_t>(count + 1), ms);
#endif
  for (size_t i = 0; i < count; ++i) sources[i].ready = ready > 0 && waiting[i].revents != 0;
  if (ready > 0 && waiting[count].revents != 0) waker.clear();
}

}  // namespace gw
