#include "binding/errors.h"

#include "binding/environment.h"
#include "wire/gvcp.h"

namespace gw::binding {

const char* error_code(Errc code) {
  switch (code) {
    case Errc::kOk:
      return "OK";
    case Errc::kTimeout:
      return "ERR_GIGE_TIMEOUT";
    case Errc::kAccessDenied:
      return "ERR_GIGE_ACCESS_DENIED";
    case Errc::kGvcpStatus:
      return "ERR_GIGE_STATUS";
    case Errc::kControlLost:
      return "ERR_GIGE_CONTROL_LOST";
    case Errc::kNotFound:
      return "ERR_GIGE_NOT_FOUND";
    case Errc::kNetwork:
      return "ERR_GIGE_NETWORK";
    case Errc::kProtocol:
      return "ERR_GIGE_STATUS";
    case Errc::kClosed:
    case Errc::kCanceled:
      return "ERR_GIGE_CLOSED";
    case Errc::kInvalidArgument:
      return "ERR_GIGE_INVALID_ARGUMENT";
    case Errc::kNegotiation:
      return "ERR_GIGE_PACKET_SIZE_NEGOTIATION";
    case Errc::kResources:
      return "ERR_GIGE_NATIVE";
  }
  return "ERR_GIGE_NATIVE";
}

Napi::Value make_error(Napi::Env env, const Status& status, Napi::Object details) {
  if (status.sys_errno != 0) details.Set("errno", status.sys_errno);
  if (status.gvcp_status != 0) {
    details.Set("status", status.gvcp_status);
    details.Set("statusName", gvcp::status_name(status.gvcp_status));
  }
  auto& factory = Environment::of(env).error_factory;
  if (factory.IsEmpty()) return Napi::Error::New(env, status.message).Value();
  return factory.Call(
      {Napi::String::New(env, error_code(status.code)), Napi::String::New(env, status.message), details});
}

Napi::Value make_error(Napi::Env env, const Status& status) {
  return make_error(env, status, Napi::Object::New(env));
}

void throw_status(Napi::Env env, const Status& status) { throw Napi::Error(env, make_error(env, status)); }

void throw_invalid(Napi::Env env, const std::string& message) {
  throw_status(env, Status::error(Errc::kInvalidArgument, message));
}

}  // namespace gw::binding
