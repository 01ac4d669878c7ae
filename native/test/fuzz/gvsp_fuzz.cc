// Fuzz target: every parser of stream packets. Properties: nothing is read outside the input, what was parsed
// survives being written and parsed again, and no image size overflows.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "wire/gvsp.h"
#include "wire/pixel_format.h"

using namespace gw;

namespace {

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ConstBytes input(data, size);
  if (const auto header = gvsp::parse_header(input)) {
    require(header->size <= size, "header within the datagram");
    uint8_t out[gvsp::kExtendedHeader];
    const size_t written = gvsp::write_header(out, *header);
    require(written == header->size, "header size");
    const auto again = gvsp::parse_header(ConstBytes(out, written));
    require(again && again->status == header->status && again->format == header->format &&
                again->block_id == header->block_id && again->packet_id == header->packet_id &&
                again->flags == header->flags && again->extended == header->extended,
            "header written and parsed again");
  }
  for (const size_t skip : {size_t{0}, gvsp::kStandardHeader, gvsp::kExtendedHeader}) {
    if (skip > size) break;
    const ConstBytes body = input.subspan(skip);
    if (const auto leader = gvsp::parse_leader(body)) {
      (void)pfnc::image_bytes(leader->pixel_format, leader->width, leader->height, leader->padding_x,
                              leader->padding_y);
      (void)pfnc::line_bytes(leader->pixel_format, leader->width, leader->padding_x);
      (void)pfnc::name(leader->pixel_format);
      if (gvsp::has_image_leader(leader->payload_type)) {
        uint8_t out[64];
        const size_t written = gvsp::write_leader(out, *leader);
        const auto again = gvsp::parse_leader(ConstBytes(out, written));
        require(again && again->width == leader->width && again->height == leader->height &&
                    again->timestamp == leader->timestamp && again->pixel_format == leader->pixel_format &&
                    again->padding_x == leader->padding_x && again->padding_y == leader->padding_y,
                "leader written and parsed again");
      }
    }
    if (const auto trailer = gvsp::parse_trailer(body)) {
      uint8_t out[64];
      const auto again = gvsp::parse_trailer(ConstBytes(out, gvsp::write_trailer(out, *trailer)));
      require(again && again->payload_type == trailer->payload_type &&
                  (!trailer->size_y || again->size_y == trailer->size_y) &&
                  (!trailer->chunk_length || again->chunk_length == trailer->chunk_length) &&
                  (!trailer->chunk_layout || again->chunk_layout == trailer->chunk_layout),
              "trailer written and parsed again");
    }
    if (const auto all = gvsp::parse_all_in(body)) require(all->data_offset <= body.size(), "all-in data");
  }
  return 0;
}
