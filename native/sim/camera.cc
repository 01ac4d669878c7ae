#include "sim/camera.h"

#include <algorithm>
#include <cstdio>

#include "sim/control_server.h"
#include "sim/description.h"
#include "sim/stream_sender.h"
#include "sim/zip_store.h"
#include "wire/gvsp.h"

namespace gw::sim {

namespace {

constexpr uint64_t kMaxImageBytes = 256 << 20;

Status invalid(const char* what) {
  return Status::error(Errc::kInvalidArgument, std::string("simulator: ") + what);
}

// Those whose leaders, trailers and packets this camera can write.
bool can_send(uint16_t payload_type) {
  switch (gvsp::base_type(payload_type)) {
    case gvsp::kH264Stream:
    case gvsp::kMultiZoneImage:
    case gvsp::kMultiPartData:
    case gvsp::kGenDcContainer:
      return false;
    default:
      return true;
  }
}

Status check(const SimOptions& o) {
  if (o.width == 0 || o.height == 0 || o.width > o.sensor_width || o.height > o.sensor_height) {
    return invalid("width and height must be within 1 and the sensor's size");
  }
  if (o.sensor_width > 65536 || o.sensor_height > 65536 ||
      uint64_t{o.sensor_width} * o.sensor_height * 3 > kMaxImageBytes) {
    return invalid("the sensor is too large");
  }
  if (!is_supported_format(o.pixel_format)) return invalid("pixel format not supported");
  if (!can_send(o.payload_type)) return invalid("payload type not supported");
  if (!(o.frame_rate == 0 || (o.frame_rate >= kMinFrameRate && o.frame_rate <= kMaxFrameRate))) {
    return invalid("frame rate must be 0 or within 0.01 and 1e6");
  }
  if (o.packet_size_min < 128 || o.packet_size_max > 65535 ||
      (o.packet_size != 0 && o.packet_size < o.packet_size_min) || o.packet_size > o.packet_size_max ||
      o.packet_size_increment == 0) {
    return invalid("packet size limits make no sense");
  }
  if (static_cast<uint32_t>(o.test_pattern) > static_cast<uint32_t>(TestPattern::kWhite)) {
    return invalid("unknown test pattern");
  }
  if (o.resend_history_blocks > 1 << 20) return invalid("resend history too long");
  return check_faults(o.faults);
}

// A locally administered address that stays the same for a serial number.
std::array<uint8_t, 6> mac_of(const std::string& serial) {
  uint64_t h = 0xCBF29CE484222325;
  for (const char c : serial) h = (h ^ static_cast<uint8_t>(c)) * 0x100000001B3;
  std::array<uint8_t, 6> mac{};
  for (size_t i = 0; i < mac.size(); ++i) mac[i] = static_cast<uint8_t>(h >> (8 * i));
  mac[0] = 0x02;
  return mac;
}

std::string url_of(const SimOptions& options, size_t length) {
  char numbers[40];
  std::snprintf(numbers, sizeof numbers, ";%X;%zX", kDescriptionAddress, length);
  return "Local:" + description_file_name(options) + numbers;
}

}  // namespace

Result<std::unique_ptr<SimulatedCamera>> SimulatedCamera::start(const SimOptions& asked) {
  SimOptions options = asked;
  if (options.sensor_width == 0) options.sensor_width = options.width;
  if (options.sensor_height == 0) options.sensor_height = options.height;
  if (std::all_of(options.mac.begin(), options.mac.end(), [](uint8_t b) { return b == 0; })) {
    options.mac = mac_of(options.serial);
  }
  if (Status checked = check(options); !checked.ok()) return checked;

  const std::string xml = build_description(options);
  const ConstBytes text(reinterpret_cast<const uint8_t*>(xml.data()), xml.size());
  std::vector<uint8_t> description = options.zip ? zip_store("gigewire_simulator.xml", text)
                                                 : std::vector<uint8_t>(text.begin(), text.end());
  std::string url = url_of(options, description.size());
  const uint32_t mask = options.subnet_mask != 0 ? options.subnet_mask : 0xFFFFFFFF;

  std::unique_ptr<SimulatedCamera> camera(new SimulatedCamera);
  camera->counters_ = std::make_unique<Counters>();
  camera->sender_ = std::make_unique<StreamSender>(options, *camera->counters_);
  camera->control_ =
      std::make_unique<ControlServer>(options, *camera->counters_, *camera->sender_,
                                      RegisterMap(options, mask, std::move(description), std::move(url)));
  Result<std::shared_ptr<CameraSocket>> stream = camera->control_->bind();
  if (!stream.ok()) return stream.status();
  ControlServer* control = camera->control_.get();
  const auto notify = [control](SenderEvent event, uint64_t value) {
    control->on_sender_event(event, value);
  };
  camera->sender_->start(*stream, notify);
  camera->control_->start();
  camera->running_ = true;
  return camera;
}

SimulatedCamera::~SimulatedCamera() { stop(); }

void SimulatedCamera::stop() {
  running_ = false;
  // The sender may still notify the control server's object, which outlives both threads.
  if (control_ != nullptr) control_->stop();
  if (sender_ != nullptr) sender_->stop();
}

SimStats SimulatedCamera::stats() const {
  SimStats stats;
  counters_->copy_to(stats);
  control_->copy_status(stats);
  return stats;
}

std::vector<SendTimes::Entry> SimulatedCamera::send_times() const { return sender_->send_times(); }

Endpoint SimulatedCamera::control_endpoint() const {
  SimStats stats;
  control_->copy_status(stats);
  return stats.control;
}

void SimulatedCamera::set_faults(const FaultPlan& faults) {
  control_->set_faults(faults);
  sender_->set_faults(faults);
}

Status SimulatedCamera::running() const {
  return running_ ? Status{} : Status::error(Errc::kClosed, "the simulator is stopped");
}

Status SimulatedCamera::crash() {
  control_->crash();
  return running();
}

Status SimulatedCamera::reboot(uint32_t silence_ms) {
  control_->reboot(silence_ms);
  return running();
}

Status SimulatedCamera::stall_control(uint32_t ms) {
  control_->stall(ms);
  return running();
}

Status SimulatedCamera::lose_control_privilege() {
  control_->lose_control();
  return running();
}

Status SimulatedCamera::trigger() {
  sender_->trigger();
  return running();
}

}  // namespace gw::sim
