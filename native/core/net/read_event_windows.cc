#include "net/read_event_windows.h"

#include <winsock2.h>

namespace gw {

ReadEvent::ReadEvent() : event_(::CreateEventW(nullptr, FALSE, FALSE, nullptr)) {}

ReadEvent::~ReadEvent() {
  for (const NativeSocket socket : sockets_) ::WSAEventSelect(socket, nullptr, 0);
  if (event_ != nullptr) ::CloseHandle(event_);
}

bool ReadEvent::select(NativeSocket socket) {
  if (event_ == nullptr || ::WSAEventSelect(socket, event_, FD_READ) != 0) return false;
  sockets_.push_back(socket);
  return true;
}

}  // namespace gw
