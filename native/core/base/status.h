// What went wrong, as a value. Purpose: the only error type of the core; no exceptions cross its borders.
// Thread: any. Not used on the packet path, which has nothing to report but counters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace gw {

enum class Errc : uint8_t {
  kOk = 0,
  kTimeout,       // the camera did not answer within all tries
  kAccessDenied,  // GVCP status 0x8006
  kGvcpStatus,    // any other GVCP error status, in Status::gvcp_status
  kControlLost,   // control was ours and is not any more
  kNotFound,
  kNetwork,   // a system call failed, in Status::sys_errno
  kProtocol,  // the camera answered something that makes no sense
  kClosed,    // the object was closed meanwhile
  kCanceled,
  kInvalidArgument,
  kNegotiation,  // no test packet arrived at any size
  kResources,    // the system gives no more threads or memory
};

struct Status {
  Errc code = Errc::kOk;
  uint16_t gvcp_status = 0;
  int sys_errno = 0;
  std::string message;  // for people; says what was attempted

  bool ok() const { return code == Errc::kOk; }
  static Status error(Errc code, std::string message) { return {code, 0, 0, std::move(message)}; }
  static Status system(int sys_errno, std::string message) {
    return {Errc::kNetwork, 0, sys_errno, std::move(message)};
  }
};

template <typename T>
class Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {}  // NOLINT(google-explicit-constructor)
  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace gw
