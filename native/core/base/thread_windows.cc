// The system's part of base/thread.h, for Windows.
#include <windows.h>

#include <string>

#include "base/thread.h"

namespace gw {

void leave_signals_to_the_process() {}  // Windows runs console handlers in a thread of its own

void set_current_thread_name(std::string_view name) {
  // Windows 10, version 1607; on Windows Server 2016 only this library has it.
  using SetDescription = HRESULT(WINAPI*)(HANDLE, PCWSTR);
  const HMODULE library = ::GetModuleHandleW(L"KernelBase.dll");
  if (library == nullptr) return;
  const auto found = ::GetProcAddress(library, "SetThreadDescription");
  if (found == nullptr) return;
  // Names are ASCII, so every character is one of UTF-16.
  const std::wstring wide(name.begin(), name.end());
  reinterpret_cast<SetDescription>(reinterpret_cast<void*>(found))(::GetCurrentThread(), wide.c_str());
}

void set_precise_sleep() {}  // waits that must be exact use a timer that is: base/wait_windows.h

}  // namespace gw
