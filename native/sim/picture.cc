#include "sim/picture.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace gw::sim {

namespace {

struct Rgb {
  uint8_t r = 0, g = 0, b = 0;
};

uint8_t luminance(Rgb c) { return static_cast<uint8_t>((c.r * 77 + c.g * 150 + c.b * 29) >> 8); }

struct Box {
  uint32_t left = 0, top = 0, right = 0, bottom = 0;  // right and bottom are not part of it
};

// The card: colour bars on top, a smooth gradient with a grid, grey steps at the bottom, and a target that
// wanders around as the blocks go by, so that a picture shows that frames move.
class TestCard {
 public:
  TestCard(uint32_t width, uint32_t height, uint64_t block_id) : width_(width), height_(height) {
    const double phase = static_cast<double>(block_id % 240) / 240 * 6.283185307179586;
    center_x_ = width * (0.5 + 0.3 * std::cos(phase));
    center_y_ = height * (0.5 + 0.2 * std::sin(2 * phase));
    radius_ = std::max(2.0, 0.12 * std::min(width, height));
  }

  Box target_box() const {
    const auto limit = [](double v, uint32_t most) {
      return static_cast<uint32_t>(std::clamp(v, 0.0, most * 1.0));
    };
    return {limit(center_x_ - radius_, width_), limit(center_y_ - radius_, height_),
            limit(center_x_ + radius_ + 1, width_), limit(center_y_ + radius_ + 1, height_)};
  }

  Rgb at(uint32_t x, uint32_t y) const {
    const double dx = x + 0.5 - center_x_, dy = y + 0.5 - center_y_;
    const double distance = (dx * dx + dy * dy) / (radius_ * radius_);
    return distance < 1 ? target(std::sqrt(distance), dx, dy) : background(x, y);
  }

  Rgb background(uint32_t x, uint32_t y) const {
    const uint32_t band = y * 16 / height_;
    if (band < 3) return bar(x);
    if (band >= 14) return grey(static_cast<uint8_t>(x * 11 / width_ * 255 / 10));
    if (width_ >= 64 &&
        (x * 16 / width_ != (x + 1) * 16 / width_ || y * 9 / height_ != (y + 1) * 9 / height_)) {
      return grey(200);
    }
    return gradient(x, y);
  }

 private:
  static Rgb grey(uint8_t level) { return {level, level, level}; }

  Rgb bar(uint32_t x) const {
    constexpr std::array<Rgb, 8> kBars = {{{235, 235, 235},
                                           {220, 200, 40},
                                           {60, 190, 200},
                                           {70, 180, 80},
                                           {190, 80, 170},
                                           {205, 70, 60},
                                           {60, 80, 190},
                                           {25, 25, 30}}};
    return kBars[x * 8 / width_];
  }

  Rgb gradient(uint32_t x, uint32_t y) const {
    const auto u = static_cast<double>(x) / width_, v = static_cast<double>(y) / height_;
    return {static_cast<uint8_t>(30 + 110 * u), static_cast<uint8_t>(50 + 90 * v),
            static_cast<uint8_t>(120 - 60 * u * v)};
  }

  static Rgb target(double distance, double dx, double dy) {
    if (distance > 0.92) return {250, 250, 245};
    const bool dark_quarter = (dx < 0) == (dy < 0);
    if (distance < 0.45) return dark_quarter ? Rgb{240, 120, 40} : Rgb{250, 250, 245};
    return dark_quarter ? Rgb{250, 250, 245} : Rgb{240, 120, 40};
  }

  uint32_t width_, height_;
  double center_x_, center_y_, radius_;
};

// Writes one component after the other, of any width, in the bit order of the format's class.
class PixelPacker {
 public:
  PixelPacker(uint32_t format, MutableBytes out) : format_(format), out_(out) {}

  void put(uint8_t level) {
    switch (format_) {
      case pfnc::kMono16:
        byte(level);  // little-endian, the low byte repeats the level so that white is white
        byte(level);
        break;
      case pfnc::kMono10p:
        bits(static_cast<uint32_t>(level) << 2 | level >> 6, 10);
        break;
      case pfnc::kMono12p:
      case 0x010C0059:  // BayerRG12p
        bits(static_cast<uint32_t>(level) << 4 | level >> 4, 12);
        break;
      case pfnc::kMono12Packed:
        packed12(static_cast<uint32_t>(level) << 4 | level >> 4);
        break;
      default:
        byte(level);
    }
  }

  void finish() {
    if (filled_ > 0) byte(static_cast<uint8_t>(held_));
  }

 private:
  void byte(uint8_t value) {
    if (at_ < out_.size()) out_[at_++] = value;
  }
  void bits(uint32_t value, uint32_t n) {  // least significant bit first
    held_ |= value << filled_;
    filled_ += n;
    while (filled_ >= 8) {
      byte(static_cast<uint8_t>(held_));
      held_ >>= 8;
      filled_ -= 8;
    }
  }
  void packed12(uint32_t value) {  // pairs: high byte, both low nibbles (first pixel's low), high byte
    if (!second_) {
      byte(static_cast<uint8_t>(value >> 4));
      held_ = value & 15;
      filled_ = 4;
    } else {
      byte(static_cast<uint8_t>(held_ | (value & 15) << 4));
      byte(static_cast<uint8_t>(value >> 4));
      held_ = filled_ = 0;
    }
    second_ = !second_;
  }

  uint32_t format_;
  MutableBytes out_;
  size_t at_ = 0;
  uint32_t held_ = 0, filled_ = 0;
  bool second_ = false;
};

// Which colour the filter has at a pixel: 0 red, 1 green, 2 blue; -1 where there is no filter.
int bayer_color(uint32_t format, uint32_t x, uint32_t y) {
  const uint32_t cell = (y & 1) * 2 + (x & 1);
  constexpr int kRG[] = {0, 1, 1, 2}, kGR[] = {1, 0, 2, 1}, kGB[] = {1, 2, 0, 1}, kBG[] = {2, 1, 1, 0};
  switch (format) {
    case 0x01080009:
    case 0x010C0059:
      return kRG[cell];
    case 0x01080008:
      return kGR[cell];
    case 0x0108000A:
      return kGB[cell];
    case 0x0108000B:
      return kBG[cell];
    default:
      return -1;
  }
}

// Pixels [begin, end) of line y, color(x, y) each, through the packer.
template <typename Color>
void put_line(PixelPacker& packer, uint32_t format, uint32_t y, uint32_t begin, uint32_t end,
              const Color& color) {
  for (uint32_t x = begin; x < end; ++x) {
    const Rgb c = color(x, y);
    const int filter = bayer_color(format, x, y);
    if (format == pfnc::kRgb8) {
      packer.put(c.r);
      packer.put(c.g);
      packer.put(c.b);
    } else if (filter >= 0) {
      packer.put(filter == 0 ? c.r : filter == 1 ? c.g : c.b);
    } else {
      packer.put(luminance(c));
    }
  }
}

// Bytes from line to line; 0 where lines do not begin on bytes.
size_t pitch_of(const StreamFormat& format) {
  if (format.padding_x != 0) return pfnc::line_bytes(format.pixel_format, format.width, format.padding_x);
  const uint64_t bits = uint64_t{format.width} * pfnc::bits_per_pixel(format.pixel_format);
  const bool pairs = format.pixel_format == pfnc::kMono12Packed && format.width % 2 != 0;
  return bits % 8 == 0 && !pairs ? bits / 8 : 0;
}

template <typename Color>
void put_image(const StreamFormat& format, uint32_t height, MutableBytes out, const Color& color) {
  const size_t pitch = format.padding_x != 0 ? pitch_of(format) : 0;
  PixelPacker packer(format.pixel_format, out);
  for (uint32_t y = 0; y < height; ++y) {
    if (pitch != 0) packer = PixelPacker(format.pixel_format, out.subspan(y * pitch, pitch));
    put_line(packer, format.pixel_format, y, 0, format.width, color);
    if (pitch != 0) packer.finish();
  }
  packer.finish();
}

}  // namespace

void PictureMaker::render(const Block& block, MutableBytes out) {
  const StreamFormat& format = *block.format;
  const size_t pitch = pitch_of(format);
  const TestCard card(format.width, format.height, block.id);
  switch (block.pattern) {
    case TestPattern::kBlack:
      std::fill(out.begin(), out.end(), uint8_t{0});
      return;
    case TestPattern::kWhite:
      std::fill(out.begin(), out.end(), uint8_t{0xFF});
      return;
    case TestPattern::kGreyHorizontalRampMoving: {
      std::fill(out.begin(), out.end(), uint8_t{0});
      const auto ramp = [&](uint32_t x, uint32_t) {
        const auto level = static_cast<uint8_t>(x + block.id);
        return Rgb{level, level, level};
      };
      put_image(format, pitch != 0 ? 1 : block.height, out, ramp);
      for (uint32_t y = 1; pitch != 0 && y < block.height; ++y) {
        std::copy_n(out.begin(), pitch, out.begin() + static_cast<std::ptrdiff_t>(y * pitch));
      }
      return;
    }
    default:
      break;
  }
  if (pitch == 0) {  // the target cannot be put into the middle of a byte: draw it all
    std::fill(out.begin(), out.end(), uint8_t{0});
    put_image(format, block.height, out, [&](uint32_t x, uint32_t y) { return card.at(x, y); });
    return;
  }
  if (base_format_ != block.format) {
    base_.assign(pitch * format.height, 0);
    put_image(format, format.height, base_, [&](uint32_t x, uint32_t y) { return card.background(x, y); });
    base_format_ = block.format;
  }
  std::copy_n(base_.begin(), out.size(), out.begin());
  const Box box = card.target_box();
  const uint32_t left = box.left / 8 * 8;  // eight pixels begin on a byte in every format
  const size_t first_byte = uint64_t{left} * pfnc::bits_per_pixel(format.pixel_format) / 8;
  const uint32_t right = std::min((box.right + 7) / 8 * 8, format.width);
  for (uint32_t y = box.top; y < std::min(box.bottom, block.height); ++y) {
    PixelPacker packer(format.pixel_format, out.subspan(y * pitch + first_byte));
    put_line(packer, format.pixel_format, y, left, right,
             [&](uint32_t px, uint32_t py) { return card.at(px, py); });
    // A line that does not end on a byte only exists with padding behind it.
    if (right == format.width) packer.finish();
  }
}

}  // namespace gw::sim
