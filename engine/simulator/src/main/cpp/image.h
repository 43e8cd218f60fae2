// What the simulated NVRTC gives for a cubin or for PTX: this header, then a shared library.
#pragma once

#include <cstdint>

#define SIM_IMAGE_MAGIC "TENONSIM"

struct SimImage {
    char magic[8];
    char build[32];  // of the simulator: kernels of another one are compiled anew
    uint32_t binary;       // cubin, not PTX
    uint32_t architecture; // 90 for 9.0
    char hash[40];         // of source and options, with a 0 at the end
    uint64_t libraryBytes;
};
