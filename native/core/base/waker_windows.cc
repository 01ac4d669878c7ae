// base/waker.h for Windows.
#include <windows.h>

#include "base/waker.h"

namespace gw {

Waker::Waker() : event_(::CreateEventW(nullptr, TRUE, FALSE, nullptr)) {}

Waker::~Waker() {
  if (event_ != nullptr) ::CloseHandle(event_);
}

void Waker::wake() noexcept { ::SetEvent(event_); }
void Waker::clear() noexcept { ::ResetEvent(event_); }

}  // namespace gw
