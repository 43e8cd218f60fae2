// What the simulated driver hands to a kernel that was compiled for the host, and gets back. Included by both sides.
#pragma once

#include <cstddef>
#include <cstdint>

struct SimParameter {
    uint32_t bytes;
    uint32_t alignment;
    uint32_t pointer; // whether it is an address of device memory
};

struct SimSignature {
    uint32_t version; // SIM_LAUNCH_VERSION
    uint32_t count;
    const SimParameter *parameters;
};

enum { SIM_LAUNCH_VERSION = 6, SIM_WARP = 32, SIM_MAX_THREADS = 1024, SIM_STACK_BYTES = 64 << 10 };

enum SimOrder { SIM_ASCENDING = 0, SIM_DESCENDING = 1, SIM_SHUFFLED = 2 };

struct SimLaunch {
    unsigned grid[3], block[3];
    int order; // SimOrder: of blocks, of threads, and of whoever waits
    uint64_t seed;
    char *stacks; // SIM_MAX_THREADS times SIM_STACK_BYTES
    bool half;            // of a fault: half of the blocks do not run
    uint64_t accessLimit; // loads and stores, of all threads together
    // The memory that the address lies in and the kernel may touch: false if there is none.
    bool (*find)(uintptr_t address, uintptr_t *from, uintptr_t *to);
    // Results
    int status;        // a CUresult
    uintptr_t address; // that was not to be touched, or 0
    char message[400];
};

// Runs the kernel; or, without a launch, tells its signature.
typedef const SimSignature *(*SimThunk)(SimLaunch *launch, void **arguments);
