// Test pictures for people. Purpose: images that look like something, in every supported pixel format; not
// checkable at rate, but a function of the block as well. Thread: the stream thread. Owner: StreamSender.
#pragma once

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "sim/packetizer.h"

namespace gw::sim {

class PictureMaker {
 public:
  // out has block.image_bytes bytes. Any pattern but Checkable. Only what moves is drawn for each block; what
  // stands still is kept from the first block of a format.
  void render(const Block& block, MutableBytes out);

 private:
  std::shared_ptr<const StreamFormat> base_format_;
  std::vector<uint8_t> base_;  // the test card without its target, at full height
};

}  // namespace gw::sim
