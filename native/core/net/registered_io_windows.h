// Winsock's registered I/O, declared as its public documentation tells it: mingw's headers have none of it.
// Purpose: the table of functions, which a test replaces by one of its own. Thread: any. Windows only.
#pragma once

#include <winsock2.h>

namespace gw::rio {

using BufferId = struct BufferIdTag*;
using CompletionQueue = struct CompletionQueueTag*;
using RequestQueue = struct RequestQueueTag*;

inline const BufferId kNoBuffer = reinterpret_cast<BufferId>(static_cast<ULONG_PTR>(0xFFFFFFFF));
constexpr ULONG kCorrupt = 0xFFFFFFFF;  // what dequeue gives for a queue that is spoiled

// Flags of a request.
constexpr DWORD kDefer = 2;       // together with the next one that is not deferred
constexpr DWORD kCommitOnly = 8;  // no request: what was deferred begins

struct Slice {  // of a registered buffer
  BufferId buffer;
  ULONG offset;
  ULONG length;
};

struct Completion {
  LONG status;  // a Winsock error
  ULONG bytes;
  ULONGLONG socket_context;
  ULONGLONG request_context;
};

struct Notification {
  int type;  // kByEvent
  HANDLE event;
  BOOL reset;  // by notify
  void* unused;
};
constexpr int kByEvent = 1;

struct Functions {
  DWORD size;
  BOOL(WINAPI* receive)(RequestQueue, Slice*, ULONG, DWORD, void*);
  int(WINAPI* receive_ex)(RequestQueue, Slice* data, ULONG data_count, Slice* local, Slice* remote,
                          Slice* control, Slice* flags_out, DWORD flags, void* context);
  void* send;
  void* send_ex;
  void(WINAPI* close_completion_queue)(CompletionQueue);
  CompletionQueue(WINAPI* create_completion_queue)(DWORD size, Notification*);
  RequestQueue(WINAPI* create_request_queue)(SOCKET, ULONG receives, ULONG receive_buffers, ULONG sends,
                                             ULONG send_buffers, CompletionQueue receive,
                                             CompletionQueue send, void* context);
  ULONG(WINAPI* dequeue_completion)(CompletionQueue, Completion*, ULONG count);
  void(WINAPI* deregister_buffer)(BufferId);
  int(WINAPI* notify)(CompletionQueue);
  BufferId(WINAPI* register_buffer)(char*, DWORD);
  BOOL(WINAPI* resize_completion_queue)(CompletionQueue, DWORD);
  BOOL(WINAPI* resize_request_queue)(RequestQueue, DWORD, DWORD);
};

}  // namespace gw::rio
