// Features whose values come by themselves: with each block as chunks, by the message channel as events.
// Purpose: their part of the description. Thread: any. Owner: build_description.
#pragma once

#include "sim/description_writer.h"

namespace gw::sim {

void write_chunks(DescriptionWriter& w);
void write_events(DescriptionWriter& w);

}  // namespace gw::sim
