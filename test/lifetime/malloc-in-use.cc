// An addon of the tests: how many bytes malloc() has given out and not got back, in all of the process.
#include <malloc.h>
#include <node_api.h>

static napi_value in_use(napi_env env, napi_callback_info) {
  const struct mallinfo2 info = mallinfo2();
  napi_value value = nullptr;
  napi_create_double(env, static_cast<double>(info.uordblks + info.hblkhd), &value);
  return value;
}

NAPI_MODULE_INIT() {
  napi_value function = nullptr;
  napi_create_function(env, "inUse", NAPI_AUTO_LENGTH, in_use, nullptr, &function);
  return function;
}
