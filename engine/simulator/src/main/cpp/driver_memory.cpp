// Device memory and pinned host memory: separate host blocks with guards, full of 0xFF (NaN) when fresh and when freed.
#include "driver.h"

#include <cstdlib>
#include <cstring>

namespace sim {

static const size_t QUARANTINE_BYTES = (size_t)64 << 20;
static const unsigned char GUARD = 0xA5;

Allocation *findAllocation(uintptr_t address) {
    auto next = state.memory.upper_bound(address);
    if (next == state.memory.begin()) return nullptr;
    Allocation &allocation = (--next)->second;
    return address <= allocation.address + allocation.bytes ? &allocation : nullptr;
}

static bool guardsAreWhole(const Allocation &allocation) {
    if (allocation.registered) return true;
    const unsigned char *before = (unsigned char *)allocation.address - GUARD_BYTES;
    const unsigned char *behind = (unsigned char *)allocation.address + allocation.bytes;
    for (int i = 0; i < GUARD_BYTES; i++) {
        if (before[i] != GUARD || behind[i] != GUARD) return false;
    }
    return true;
}

static void setGuards(const Allocation &allocation) {
    memset((char *)allocation.address - GUARD_BYTES, GUARD, GUARD_BYTES);
    memset((char *)allocation.address + allocation.bytes, GUARD, GUARD_BYTES);
}

static void checkGuards(const Allocation &allocation) {
    if (guardsAreWhole(allocation)) return;
    sim_violation("memory beside allocation %lu of %zu bytes was written to", (unsigned long)allocation.number, allocation.bytes);
    setGuards(allocation); // it is said once
}

// Freed memory must still be full of 0xFF.
static void checkFreed(const Allocation &allocation) {
    const unsigned char *byte = (unsigned char *)allocation.address;
    uint64_t all = ~(uint64_t)0;
    size_t words = allocation.bytes / sizeof all;
    for (size_t i = 0; i < words; i++) all &= ((const uint64_t *)byte)[i];
    for (size_t i = words * sizeof all; i < allocation.bytes; i++) all &= ~(uint64_t)0xFF | byte[i];
    if (all == ~(uint64_t)0) return;
    sim_violation("allocation %lu of %zu bytes was written to after it was freed", (unsigned long)allocation.number, allocation.bytes);
    memset((char *)allocation.address, 0xFF, allocation.bytes);
}

static void emptyQuarantine(size_t atMost) {
    while (state.quarantineBytes > atMost) {
        Allocation &oldest = state.quarantine.front();
        checkFreed(oldest);
        state.quarantineBytes -= oldest.bytes;
        free(oldest.block);
        state.quarantine.pop_front();
    }
}

void checkGuards() {
    for (auto &entry : state.memory) checkGuards(entry.second);
    for (Allocation &allocation : state.quarantine) checkFreed(allocation);
}

CUresult allocate(CUcontext context, size_t bytes, bool host, uintptr_t *address) {
    Device &device = state.devices[context->device];
    if (!host && (bytes > device.memory || device.used > device.memory - bytes)) return CUDA_ERROR_OUT_OF_MEMORY;
    // 256 bytes are what a device gives, and no more.
    size_t size = bytes + 4 * GUARD_BYTES;
    char *block = (char *)aligned_alloc(512, (size + 511) / 512 * 512);
    if (!block) return CUDA_ERROR_OUT_OF_MEMORY;
    uintptr_t start = (uintptr_t)block + GUARD_BYTES;
    memset((char *)start, 0xFF, bytes);
    Allocation &allocation = state.memory[start] = {block, start, bytes, context, host, ++state.allocations};
    setGuards(allocation);
    if (!host) device.used += bytes;
    *address = start;
    return CUDA_SUCCESS;
}

void release(uintptr_t address) {
    auto found = state.memory.find(address);
    Allocation allocation = found->second;
    checkGuards(allocation);
    state.memory.erase(found);
    if (allocation.registered) return;
    if (!allocation.host) state.devices[allocation.context->device].used -= allocation.bytes;
    memset((char *)address, 0xFF, allocation.bytes);
    state.quarantine.push_back(allocation);
    state.quarantineBytes += allocation.bytes;
    emptyQuarantine(QUARANTINE_BYTES);
}

std::string describe(uintptr_t address) {
    char text[200];
    for (auto next = state.quarantine.rbegin(); next != state.quarantine.rend(); ++next) {
        if (address >= next->address && address < next->address + next->bytes) {
            snprintf(text, sizeof text, "memory that was freed (allocation %lu of %zu bytes)", (unsigned long)next->number, next->bytes);
            return text;
        }
    }
    auto next = state.memory.upper_bound(address);
    if (next != state.memory.begin()) {
        Allocation &allocation = std::prev(next)->second;
        uintptr_t end = allocation.address + allocation.bytes;
        if (address < end) {
            snprintf(text, sizeof text, "byte %zu of allocation %lu of %zu bytes%s", address - allocation.address,
                    (unsigned long)allocation.number, allocation.bytes, allocation.host ? ", host memory" : "");
            return text;
        }
        if (address - end < GUARD_BYTES) {
            snprintf(text, sizeof text, "%zu bytes behind the end of allocation %lu of %zu bytes", address - end,
                    (unsigned long)allocation.number, allocation.bytes);
            return text;
        }
    }
    if (next != state.memory.end() && next->first - address <= GUARD_BYTES) {
        snprintf(text, sizeof text, "%zu bytes before allocation %lu of %zu bytes", next->first - address,
                (unsigned long)next->second.number, next->second.bytes);
        return text;
    }
    snprintf(text, sizeof text, "%#lx, no memory of any device", (unsigned long)address);
    return text;
}

bool reachable(const Allocation &allocation, CUcontext context) {
    if (allocation.host || allocation.context == context) return true;
    return allocation.context->device == context->device || context->peers.count(allocation.context) != 0;
}

std::string rangeError(uintptr_t address, size_t bytes, CUcontext context) {
    if (bytes == 0) return "";
    Allocation *allocation = findAllocation(address);
    if (!allocation || address >= allocation->address + allocation->bytes) return describe(address);
    if (context && !reachable(*allocation, context)) return describe(address) + ", on another device without peer access";
    if (bytes > allocation->address + allocation->bytes - address) {
        return std::to_string(bytes) + " bytes from " + describe(address) + " on: behind its end";
    }
    return "";
}

bool hostRangeIsDevice(uintptr_t address) {
    Allocation *allocation = findAllocation(address);
    return allocation && !allocation->host && address < allocation->address + allocation->bytes;
}

bool isPinned(uintptr_t address, size_t bytes) {
    Allocation *allocation = findAllocation(address);
    return allocation && allocation->host && address + bytes <= allocation->address + allocation->bytes;
}

} // namespace sim

using namespace sim;

bool sim_check_device(const void *address, size_t bytes, const char *what) {
    Locked locked(state.lock);
    if (bytes == 0) return true;
    Allocation *allocation = findAllocation((uintptr_t)address);
    if (allocation && allocation->host) {
        sim_violation("%s: host memory given as device memory", what);
        return false;
    }
    std::string error = rangeError((uintptr_t)address, bytes, currentContext());
    if (error.empty()) return true;
    sim_violation("%s: %s", what, error.c_str());
    return false;
}

bool sim_check_host(const void *address, size_t, const char *what) {
    Locked locked(state.lock);
    if (address && !hostRangeIsDevice((uintptr_t)address)) return true;
    sim_violation("%s: %s given as host memory", what, address ? "device memory" : "null");
    return false;
}

// ---- The driver's functions ----

static CUresult allocateOn(Entry &entry, size_t bytes, bool host, uintptr_t *address) {
    if (entry.fails()) return entry.status;
    if (CUresult status = unsafeInCapture(entry.call.name)) return status;
    if (!address || bytes == 0) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "%zu bytes", bytes);
    return allocate(entry.context, bytes, host, address);
}

CU_EXPORT cuMemAlloc_v2(uintptr_t *address, size_t bytes) {
    Locked locked(state.lock);
    Entry entry("cuMemAlloc");
    if (entry.call.fault == SIM_HALF) bytes = (bytes + 1) / 2;
    CUresult status = allocateOn(entry, bytes, false, address);
    if (status == CUDA_SUCCESS && entry.call.fault == SIM_EARLY) state.freedEarly = *address;
    return status;
}

CU_EXPORT cuMemFree_v2(uintptr_t address) {
    Locked locked(state.lock);
    Entry entry("cuMemFree");
    if (entry.fails()) return entry.status;
    if (address == 0 || entry.dropped()) return CUDA_SUCCESS;
    if (CUresult status = unsafeInCapture(entry.call.name)) return status;
    auto found = state.memory.find(address);
    if (found == state.memory.end() || found->second.host) {
        return entry.wrong(CUDA_ERROR_INVALID_VALUE, "%s", describe(address).c_str());
    }
    // The real one seems to wait for the device; nothing promises it.
    release(address);
    return CUDA_SUCCESS;
}

CU_EXPORT cuMemGetInfo_v2(size_t *free, size_t *total) {
    Locked locked(state.lock);
    Entry entry("cuMemGetInfo");
    if (entry.fails()) return entry.status;
    if (!free || !total) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "null");
    Device &device = state.devices[entry.context->device];
    *total = device.memory;
    *free = device.memory > device.used ? device.memory - device.used : 0;
    return CUDA_SUCCESS;
}

CU_EXPORT cuMemGetAddressRange_v2(uintptr_t *base, size_t *bytes, uintptr_t address) {
    Locked locked(state.lock);
    Entry entry("cuMemGetAddressRange");
    if (entry.fails()) return entry.status;
    Allocation *allocation = findAllocation(address);
    if (!allocation || address >= allocation->address + allocation->bytes) {
        return entry.wrong(CUDA_ERROR_NOT_FOUND, "%s", describe(address).c_str());
    }
    if (base) *base = allocation->address;
    if (bytes) *bytes = allocation->bytes;
    return CUDA_SUCCESS;
}

CU_EXPORT cuMemHostAlloc(uintptr_t *address, size_t bytes, unsigned) {
    Locked locked(state.lock);
    Entry entry("cuMemHostAlloc");
    return allocateOn(entry, bytes, true, address);
}

CU_EXPORT cuMemAllocHost_v2(uintptr_t *address, size_t bytes) {
    Locked locked(state.lock);
    Entry entry("cuMemAllocHost");
    return allocateOn(entry, bytes, true, address);
}

CU_EXPORT cuMemFreeHost(uintptr_t address) {
    Locked locked(state.lock);
    Entry entry("cuMemFreeHost");
    if (entry.fails()) return entry.status;
    if (address == 0 || entry.dropped()) return CUDA_SUCCESS;
    if (CUresult status = unsafeInCapture(entry.call.name)) return status;
    auto found = state.memory.find(address);
    if (found == state.memory.end() || !found->second.host || found->second.registered) {
        return entry.wrong(CUDA_ERROR_INVALID_VALUE, "%s", describe(address).c_str());
    }
    release(address);
    return CUDA_SUCCESS;
}

CU_EXPORT cuMemHostRegister_v2(uintptr_t address, size_t bytes, unsigned) {
    Locked locked(state.lock);
    Entry entry("cuMemHostRegister");
    if (entry.fails()) return entry.status;
    if (address == 0 || bytes == 0 || hostRangeIsDevice(address)) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "%s", describe(address).c_str());
    if (state.memory.count(address)) return entry.wrong(CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, "already registered");
    state.memory[address] = {nullptr, address, bytes, entry.context, true, ++state.allocations, true};
    return CUDA_SUCCESS;
}

CU_EXPORT cuMemHostUnregister(uintptr_t address) {
    Locked locked(state.lock);
    Entry entry("cuMemHostUnregister");
    if (entry.fails()) return entry.status;
    auto found = state.memory.find(address);
    if (found == state.memory.end() || !found->second.registered) return entry.wrong(CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED, "not registered");
    release(address);
    return CUDA_SUCCESS;
}

CU_EXPORT cuMemHostGetDevicePointer_v2(uintptr_t *device, uintptr_t host, unsigned) {
    Locked locked(state.lock);
    Entry entry("cuMemHostGetDevicePointer");
    if (entry.fails()) return entry.status;
    if (!device || !isPinned(host, 1)) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "not pinned memory");
    *device = host;
    return CUDA_SUCCESS;
}

CU_EXPORT cuMemHostGetFlags(unsigned *flags, uintptr_t host) {
    Locked locked(state.lock);
    Entry entry("cuMemHostGetFlags");
    if (entry.fails()) return entry.status;
    if (!flags || !isPinned(host, 1)) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "not pinned memory");
    *flags = 0;
    return CUDA_SUCCESS;
}

// ---- Copies and fills ----

enum Side { HOST, DEVICE, ANY };

// What is wrong with one side of a copy.
static std::string sideError(Side side, uintptr_t address, size_t bytes, CUcontext context) {
    if (side == HOST) {
        if (address == 0) return "null";
        if (hostRangeIsDevice(address)) return "device memory given as host memory";
        Allocation *pinned = findAllocation(address);
        if (pinned && address < pinned->address + pinned->bytes && !isPinned(address, bytes)) return rangeError(address, bytes, context);
        return "";
    }
    Allocation *allocation = findAllocation(address);
    if (side == DEVICE && allocation && allocation->host && address < allocation->address + allocation->bytes) {
        return "host memory given as device memory";
    }
    return rangeError(address, bytes, context);
}

struct Transfer {
    Side toSide, fromSide;
    uintptr_t to, from;
    size_t bytes;
    // For copies between devices.
    CUcontext toContext, fromContext;
};

static CUresult transfer(Entry &entry, Transfer copy, CUstream stream, bool async) {
    if (entry.fails()) return entry.status;
    if (entry.call.fault == SIM_HALF) copy.bytes /= 2;
    if (entry.call.fault == SIM_SWAP_ARGS) std::swap(copy.to, copy.from);
    if (entry.dropped() || copy.bytes == 0) return CUDA_SUCCESS;
    std::string error = sideError(copy.toSide, copy.to, copy.bytes, copy.toContext);
    if (!error.empty()) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "to: %s", error.c_str());
    error = sideError(copy.fromSide, copy.from, copy.bytes, copy.fromContext);
    if (!error.empty()) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "from: %s", error.c_str());
    if (!async) {
        if (CUresult status = unsafeInCapture(entry.call.name)) return status;
        stream = nullptr;
    }
    stream = resolve(sim_stream(entry.call, stream), entry.context);
    if (!stream) return entry.wrong(CUDA_ERROR_INVALID_HANDLE, "no live stream of the current context");

    bool fromPageable = copy.fromSide == HOST && !isPinned(copy.from, copy.bytes);
    bool toPageable = copy.toSide == HOST && !isPinned(copy.to, copy.bytes);
    if (async && stream->capture && (fromPageable || toPageable)) {
        invalidate(stream->capture);
        return entry.wrong(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "a copy of host memory that is not pinned, in a capture");
    }
    auto work = std::make_shared<Work>();
    work->what = entry.call.name;
    if (copy.toSide != HOST || !toPageable) work->ranges.push_back({(void *)copy.to, copy.bytes, "to"});
    if (copy.fromSide != HOST || !fromPageable) work->ranges.push_back({(void *)copy.from, copy.bytes, "from"});
    if (fromPageable) {
        // The driver copies it aside before it returns.
        auto staged = std::make_shared<std::vector<char>>((char *)copy.from, (char *)copy.from + copy.bytes);
        work->run = [copy, staged] { memcpy((void *)copy.to, staged->data(), copy.bytes); };
    } else {
        work->run = [copy] { memmove((void *)copy.to, (void *)copy.from, copy.bytes); };
    }
    if (CUresult status = enqueue(stream, work, entry.call.name)) return status;
    bool onDevice = copy.toSide == DEVICE && copy.fromSide == DEVICE; // the host does not wait for those
    if ((!async && !onDevice) || toPageable) return synchronize(stream, entry.call.name);
    return CUDA_SUCCESS;
}

static CUresult copy(const char *name, Side toSide, uintptr_t to, Side fromSide, uintptr_t from, size_t bytes, CUstream stream, bool async) {
    Locked locked(state.lock);
    Entry entry(name);
    return transfer(entry, {toSide, fromSide, to, from, bytes, entry.context, entry.context}, stream, async);
}

CU_EXPORT cuMemcpyHtoD_v2(uintptr_t to, uintptr_t from, size_t bytes) { return copy("cuMemcpyHtoD", DEVICE, to, HOST, from, bytes, 0, false); }
CU_EXPORT cuMemcpyDtoH_v2(uintptr_t to, uintptr_t from, size_t bytes) { return copy("cuMemcpyDtoH", HOST, to, DEVICE, from, bytes, 0, false); }
CU_EXPORT cuMemcpyDtoD_v2(uintptr_t to, uintptr_t from, size_t bytes) { return copy("cuMemcpyDtoD", DEVICE, to, DEVICE, from, bytes, 0, false); }
CU_EXPORT cuMemcpyHtoDAsync_v2(uintptr_t to, uintptr_t from, size_t bytes, CUstream stream) {
    return copy("cuMemcpyHtoDAsync", DEVICE, to, HOST, from, bytes, stream, true);
}
CU_EXPORT cuMemcpyDtoHAsync_v2(uintptr_t to, uintptr_t from, size_t bytes, CUstream stream) {
    return copy("cuMemcpyDtoHAsync", HOST, to, DEVICE, from, bytes, stream, true);
}
CU_EXPORT cuMemcpyDtoDAsync_v2(uintptr_t to, uintptr_t from, size_t bytes, CUstream stream) {
    return copy("cuMemcpyDtoDAsync", DEVICE, to, DEVICE, from, bytes, stream, true);
}

// Unified addresses: what is no device memory is the host's.
static Side sideOf(uintptr_t address) { return hostRangeIsDevice(address) ? DEVICE : HOST; }

CU_EXPORT cuMemcpy(uintptr_t to, uintptr_t from, size_t bytes) { return copy("cuMemcpy", sideOf(to), to, sideOf(from), from, bytes, 0, false); }
CU_EXPORT cuMemcpyAsync(uintptr_t to, uintptr_t from, size_t bytes, CUstream stream) {
    return copy("cuMemcpyAsync", sideOf(to), to, sideOf(from), from, bytes, stream, true);
}

static CUresult peerCopy(const char *name, uintptr_t to, CUcontext toContext, uintptr_t from, CUcontext fromContext, size_t bytes,
        CUstream stream, bool async) {
    Locked locked(state.lock);
    Entry entry(name);
    if (entry.fails()) return entry.status;
    if (!state.contexts.count(toContext) || !state.contexts.count(fromContext)) return entry.wrong(CUDA_ERROR_INVALID_CONTEXT, "unknown context");
    return transfer(entry, {DEVICE, DEVICE, to, from, bytes, toContext, fromContext}, stream, async);
}

CU_EXPORT cuMemcpyPeer(uintptr_t to, CUcontext toContext, uintptr_t from, CUcontext fromContext, size_t bytes) {
    return peerCopy("cuMemcpyPeer", to, toContext, from, fromContext, bytes, nullptr, false);
}
CU_EXPORT cuMemcpyPeerAsync(uintptr_t to, CUcontext toContext, uintptr_t from, CUcontext fromContext, size_t bytes, CUstream stream) {
    return peerCopy("cuMemcpyPeerAsync", to, toContext, from, fromContext, bytes, stream, true);
}

template <class T> static CUresult fill(const char *name, uintptr_t address, T value, size_t count, CUstream stream, bool async) {
    Locked locked(state.lock);
    Entry entry(name);
    if (entry.fails()) return entry.status;
    if (entry.call.fault == SIM_HALF) count /= 2;
    if (entry.dropped() || count == 0) return CUDA_SUCCESS;
    if (address % sizeof(T) != 0) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "the address is not a multiple of %zu", sizeof(T));
    std::string error = sideError(DEVICE, address, count * sizeof(T), entry.context);
    if (!error.empty()) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "%s", error.c_str());
    if (!async) {
        if (CUresult status = unsafeInCapture(entry.call.name)) return status;
        stream = nullptr;
    }
    stream = resolve(sim_stream(entry.call, stream), entry.context);
    if (!stream) return entry.wrong(CUDA_ERROR_INVALID_HANDLE, "no live stream of the current context");
    auto work = std::make_shared<Work>();
    work->what = name;
    work->ranges.push_back({(void *)address, count * sizeof(T), "memory"});
    work->run = [address, value, count] {
        T *at = (T *)address;
        for (size_t i = 0; i < count; i++) at[i] = value;
    };
    // Without Async in its name it may return before the memory is filled, too.
    return enqueue(stream, work, name);
}

CU_EXPORT cuMemsetD8_v2(uintptr_t address, unsigned char value, size_t count) { return fill("cuMemsetD8", address, value, count, 0, false); }
CU_EXPORT cuMemsetD16_v2(uintptr_t address, unsigned short value, size_t count) { return fill("cuMemsetD16", address, value, count, 0, false); }
CU_EXPORT cuMemsetD32_v2(uintptr_t address, unsigned value, size_t count) { return fill("cuMemsetD32", address, value, count, 0, false); }
CU_EXPORT cuMemsetD8Async(uintptr_t address, unsigned char value, size_t count, CUstream stream) {
    return fill("cuMemsetD8Async", address, value, count, stream, true);
}
CU_EXPORT cuMemsetD16Async(uintptr_t address, unsigned short value, size_t count, CUstream stream) {
    return fill("cuMemsetD16Async", address, value, count, stream, true);
}
CU_EXPORT cuMemsetD32Async(uintptr_t address, unsigned value, size_t count, CUstream stream) {
    return fill("cuMemsetD32Async", address, value, count, stream, true);
}

CU_EXPORT cuPointerGetAttribute(void *data, int attribute, uintptr_t address) {
    Locked locked(state.lock);
    Entry entry("cuPointerGetAttribute");
    if (entry.fails()) return entry.status;
    Allocation *allocation = findAllocation(address);
    if (!data || !allocation || address >= allocation->address + allocation->bytes) return CUDA_ERROR_INVALID_VALUE;
    switch (attribute) {
    case 1: *(CUcontext *)data = allocation->context; return CUDA_SUCCESS;
    case 2: *(unsigned *)data = allocation->host ? 1 : 2; return CUDA_SUCCESS;
    case 3:
    case 4: *(uintptr_t *)data = address; return CUDA_SUCCESS;
    case 9: *(int *)data = allocation->context->device; return CUDA_SUCCESS;
    case 11: *(uintptr_t *)data = allocation->address; return CUDA_SUCCESS;
    case 12: *(size_t *)data = allocation->bytes; return CUDA_SUCCESS;
    default: return entry.wrong(CUDA_ERROR_NOT_SUPPORTED, "attribute %d", attribute);
    }
}
