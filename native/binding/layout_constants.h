// The shared-memory layout as JavaScript sees it. Purpose: lets a test compare lib/layout.ts with the C++
// structs, and computes how much memory a stream needs. Thread: JS thread.
#pragma once

#include <napi.h>

namespace gw::binding {

Napi::Object layout_constants(Napi::Env env);
Napi::Value stream_layout_value(
    const Napi::CallbackInfo& info);  // streamLayout(slots, slotBytes, packetSize)
Napi::Value pixel_format_value(
    const Napi::CallbackInfo& info);  // pixelFormat(code | name) => {...} | undefined

}  // namespace gw::binding
