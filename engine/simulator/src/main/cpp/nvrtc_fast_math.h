// What the simulated NVRTC does to sources whose divisions may be approximate.
#pragma once

#include <string>

// The source with every division spelled as kernel_fast_math.h wants it; lines stay where they are.
std::string sim_approximate_divisions(const std::string &source);
