#include "base/thread.h"

#include <string>
#include <utility>

namespace gw {

NamedThread::NamedThread(std::string_view name, std::function<void()> body) { start(name, std::move(body)); }

void NamedThread::start(std::string_view name, std::function<void()> body) {
  join();
  thread_ = std::thread([name = std::string(name), body = std::move(body)] {
    leave_signals_to_the_process();
    set_current_thread_name(name);
    body();
  });
}

void NamedThread::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace gw
