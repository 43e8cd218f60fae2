// Initialization, devices, contexts and error texts of the simulated driver.
#include "driver.h"

#include <algorithm>
#include <cstring>
#include <dlfcn.h>

using namespace sim;

struct ErrorText {
    CUresult status;
    const char *name, *text;
};

static const ErrorText ERRORS[] = {
        {CUDA_SUCCESS, "CUDA_SUCCESS", "no error"},
        {CUDA_ERROR_INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
        {CUDA_ERROR_OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
        {CUDA_ERROR_NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
        {CUDA_ERROR_DEINITIALIZED, "CUDA_ERROR_DEINITIALIZED", "driver shutting down"},
        {CUDA_ERROR_NO_DEVICE, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
        {CUDA_ERROR_INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
        {CUDA_ERROR_INVALID_IMAGE, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
        {CUDA_ERROR_INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
        {CUDA_ERROR_NO_BINARY_FOR_GPU, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device"},
        {CUDA_ERROR_PEER_ACCESS_UNSUPPORTED, "CUDA_ERROR_PEER_ACCESS_UNSUPPORTED", "peer access is not supported between these two devices"},
        {CUDA_ERROR_INVALID_PTX, "CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"},
        {CUDA_ERROR_INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
        {CUDA_ERROR_ILLEGAL_STATE, "CUDA_ERROR_ILLEGAL_STATE", "the operation cannot be performed in the present state"},
        {CUDA_ERROR_NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
        {CUDA_ERROR_NOT_READY, "CUDA_ERROR_NOT_READY", "device not ready"},
        {CUDA_ERROR_ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
        {CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested for launch"},
        {CUDA_ERROR_LAUNCH_TIMEOUT, "CUDA_ERROR_LAUNCH_TIMEOUT", "the launch timed out and was terminated"},
        {CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED, "CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED", "peer access is already enabled"},
        {CUDA_ERROR_PEER_ACCESS_NOT_ENABLED, "CUDA_ERROR_PEER_ACCESS_NOT_ENABLED", "peer access has not been enabled"},
        {CUDA_ERROR_PRIMARY_CONTEXT_ACTIVE, "CUDA_ERROR_PRIMARY_CONTEXT_ACTIVE", "cannot set while device is active in this process"},
        {CUDA_ERROR_CONTEXT_IS_DESTROYED, "CUDA_ERROR_CONTEXT_IS_DESTROYED", "context is destroyed"},
        {CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, "CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED",
                "part or all of the requested memory range is already mapped"},
        {CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED, "CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED",
                "pointer does not correspond to a registered memory region"},
        {CUDA_ERROR_MISALIGNED_ADDRESS, "CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"},
        {CUDA_ERROR_LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
        {CUDA_ERROR_NOT_PERMITTED, "CUDA_ERROR_NOT_PERMITTED", "operation not permitted"},
        {CUDA_ERROR_NOT_SUPPORTED, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
        {CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED",
                "operation not permitted when stream is capturing"},
        {CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED",
                "operation failed due to a previous error during capture"},
        {CUDA_ERROR_STREAM_CAPTURE_MERGE, "CUDA_ERROR_STREAM_CAPTURE_MERGE", "operation would result in a merge of separate capture sequences"},
        {CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED", "capture was not ended in the same stream as it began"},
        {CUDA_ERROR_STREAM_CAPTURE_UNJOINED, "CUDA_ERROR_STREAM_CAPTURE_UNJOINED", "capturing stream has unjoined work"},
        {CUDA_ERROR_STREAM_CAPTURE_ISOLATION, "CUDA_ERROR_STREAM_CAPTURE_ISOLATION", "dependency created on uncaptured work in another stream"},
        {CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, "CUDA_ERROR_STREAM_CAPTURE_IMPLICIT",
                "operation would make the legacy stream depend on a capturing blocking stream"},
        {CUDA_ERROR_CAPTURED_EVENT, "CUDA_ERROR_CAPTURED_EVENT", "operation not permitted on an event last recorded in a capturing stream"},
        {CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, "CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD",
                "attempt to terminate a thread-local capture sequence from another thread"},
        {CUDA_ERROR_UNKNOWN, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

static const ErrorText *errorText(CUresult status) {
    for (const ErrorText &error : ERRORS) {
        if (error.status == status) return &error;
    }
    return nullptr;
}

CU_EXPORT cuGetErrorName(CUresult status, const char **name) {
    const ErrorText *error = errorText(status);
    *name = error ? error->name : nullptr;
    return error ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CU_EXPORT cuGetErrorString(CUresult status, const char **text) {
    const ErrorText *error = errorText(status);
    *text = error ? error->text : nullptr;
    return error ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CU_EXPORT cuInit(unsigned flags) {
    Locked locked(state.lock);
    SimCall call = sim_call("cuInit");
    if (call.fails) return (CUresult)call.status;
    if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
    if (state.deviceCount == 0) return CUDA_ERROR_NO_DEVICE;
    state.initialized = true;
    return CUDA_SUCCESS;
}

CU_EXPORT cuDriverGetVersion(int *version) {
    Locked locked(state.lock);
    SimCall call = sim_call("cuDriverGetVersion");
    if (call.fails) return (CUresult)call.status;
    *version = state.driverVersion;
    return CUDA_SUCCESS;
}

static const char *const SUFFIXES[] = {"_v2", ""};

static CUresult procAddress(const char *name, void **address) {
    Locked locked(state.lock);
    SimCall call = sim_call("cuGetProcAddress");
    if (call.fails) return (CUresult)call.status;
    Dl_info self;
    dladdr((void *)procAddress, &self);
    void *library = dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD);
    *address = nullptr;
    for (const char *suffix : SUFFIXES) {
        if (library && !*address) *address = dlsym(library, (std::string(name) + suffix).c_str());
    }
    if (library) dlclose(library);
    return *address ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}

CU_EXPORT cuGetProcAddress(const char *name, void **address, int, uint64_t) { return procAddress(name, address); }
CU_EXPORT cuGetProcAddress_v2(const char *name, void **address, int, uint64_t, int *status) {
    CUresult result = procAddress(name, address);
    if (status) *status = *address ? 0 : 1;
    return result;
}

// ---- Devices ----

// An entry point that is given a device and needs no context.
struct DeviceEntry : Entry {
    DeviceEntry(const char *name, CUdevice device) : Entry(name, false) {
        if (!fails() && (device < 0 || device >= state.deviceCount)) status = wrong(CUDA_ERROR_INVALID_DEVICE, "device %d of %d", device, state.deviceCount);
    }
};

CU_EXPORT cuDeviceGetCount(int *count) {
    Locked locked(state.lock);
    Entry entry("cuDeviceGetCount", false);
    if (entry.fails()) return entry.status;
    *count = state.deviceCount;
    return CUDA_SUCCESS;
}

CU_EXPORT cuDeviceGet(CUdevice *device, int ordinal) {
    Locked locked(state.lock);
    DeviceEntry entry("cuDeviceGet", ordinal);
    if (entry.fails()) return entry.status;
    *device = ordinal;
    return CUDA_SUCCESS;
}

CU_EXPORT cuDeviceGetName(char *name, int capacity, CUdevice device) {
    Locked locked(state.lock);
    DeviceEntry entry("cuDeviceGetName", device);
    if (entry.fails()) return entry.status;
    if (!name || capacity < 1) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "%d bytes", capacity);
    snprintf(name, (size_t)capacity, "Simulated device %d", device);
    return CUDA_SUCCESS;
}

CU_EXPORT cuDeviceTotalMem_v2(size_t *bytes, CUdevice device) {
    Locked locked(state.lock);
    DeviceEntry entry("cuDeviceTotalMem", device);
    if (entry.fails()) return entry.status;
    *bytes = state.devices[device].memory;
    return CUDA_SUCCESS;
}

CU_EXPORT cuDeviceComputeCapability(int *major, int *minor, CUdevice device) {
    Locked locked(state.lock);
    DeviceEntry entry("cuDeviceComputeCapability", device);
    if (entry.fails()) return entry.status;
    *major = state.computeMajor;
    *minor = state.computeMinor;
    return CUDA_SUCCESS;
}

static CUresult uuid(unsigned char *bytes, CUdevice device) {
    Locked locked(state.lock);
    DeviceEntry entry("cuDeviceGetUuid", device);
    if (entry.fails()) return entry.status;
    memcpy(bytes, "SIMULATEDDEVICE0", 16);
    bytes[15] = (unsigned char)('0' + device);
    return CUDA_SUCCESS;
}

CU_EXPORT cuDeviceGetUuid(unsigned char *bytes, CUdevice device) { return uuid(bytes, device); }
CU_EXPORT cuDeviceGetUuid_v2(unsigned char *bytes, CUdevice device) { return uuid(bytes, device); }

CU_EXPORT cuDeviceGetPCIBusId(char *text, int capacity, CUdevice device) {
    Locked locked(state.lock);
    DeviceEntry entry("cuDeviceGetPCIBusId", device);
    if (entry.fails()) return entry.status;
    snprintf(text, (size_t)capacity, "0000:%02X:00.0", device + 1);
    return CUDA_SUCCESS;
}

static bool attributeOf(int attribute, CUdevice device, int *value) {
    switch (attribute) {
    case 1: *value = SIM_MAX_THREADS; break; // threads per block
    case 2:
    case 3: *value = 1024; break; // block x, y
    case 4: *value = 64; break;
    case 5: *value = 0x7FFFFFFF; break; // grid x
    case 6:
    case 7: *value = 65535; break;
    case 8: *value = 48 << 10; break; // shared memory per block
    case 9: *value = 64 << 10; break; // constant memory
    case 10: *value = SIM_WARP; break;
    case 12: *value = 65536; break;   // registers per block
    case 13: *value = 1500000; break; // clock, kHz
    case 14: *value = 512; break;     // alignment of textures
    case 16: *value = state.multiprocessors; break;
    case 17: // kernel time-out
    case 18: // integrated
    case 20: // compute mode
    case 32: // ECC
    case 34: // PCI device
    case 35: // TCC
    case 50: // PCI domain
    case 115: *value = 0; break; // memory pools
    case 15:
    case 19:
    case 31:
    case 41:
    case 78:
    case 79:
    case 80: *value = 1; break;          // overlap, mapped memory, concurrent kernels, unified addresses, priorities, caches
    case 33: *value = device + 1; break; // PCI bus
    case 36: *value = 2000000; break;    // memory clock, kHz
    case 37: *value = 4096; break;       // memory bus, bits
    case 38: *value = 4 << 20; break;    // L2
    case 39: *value = 2048; break;       // threads per multiprocessor
    case 40: *value = 2; break;          // copy engines
    case 75: *value = state.computeMajor; break;
    case 76: *value = state.computeMinor; break;
    case 81: *value = 100 << 10; break; // shared memory per multiprocessor
    case 82: *value = 65536; break;     // registers per multiprocessor
    case 83:
    case 95: *value = 0; break;        // managed memory, cooperative launch
    case 97: *value = 99 << 10; break; // shared memory per block, opt-in
    case 106: *value = 32; break;      // blocks per multiprocessor
    default: return false;
    }
    return true;
}

CU_EXPORT cuDeviceGetAttribute(int *value, int attribute, CUdevice device) {
    Locked locked(state.lock);
    DeviceEntry entry("cuDeviceGetAttribute", device);
    if (entry.fails()) return entry.status;
    if (!value || !attributeOf(attribute, device, value)) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "attribute %d", attribute);
    return CUDA_SUCCESS;
}

// ---- Contexts ----

static CUcontext newContext(CUdevice device, unsigned flags, bool primary) {
    CUcontext context = new CUctx_st;
    context->device = device;
    context->flags = flags;
    context->primary = primary;
    context->defaultStream = newStream(context, 0, 0);
    context->defaultStream->isDefault = true;
    context->perThreadStream = newStream(context, 0, 0);
    state.contexts.insert(context);
    return context;
}

template <class T> static void destroyOf(std::unordered_set<T> &objects, CUcontext context) {
    for (auto next = objects.begin(); next != objects.end();) {
        T object = *next;
        if (object->context == context) {
            next = objects.erase(next);
            delete object;
        } else {
            ++next;
        }
    }
}

// With everything that belongs to it.
static void destroyContext(CUcontext context) {
    runContext(context);
    for (CapturePtr &capture : state.captures) {
        if (capture->origin->context != context) continue;
        invalidate(capture);
        for (CUstream member : capture->streams) member->capture = nullptr;
    }
    state.captures.erase(std::remove_if(state.captures.begin(), state.captures.end(),
                                 [&](const CapturePtr &capture) { return capture->origin->context == context; }),
            state.captures.end());
    destroyOf(state.streams, context);
    destroyOf(state.events, context);
    destroyOf(state.graphExecs, context);
    for (CUmodule module : state.modules) {
        if (module->context != context) continue;
        for (auto &function : module->functions) {
            state.functions.erase(function.second);
            delete function.second;
        }
    }
    destroyOf(state.modules, context);
    std::vector<uintptr_t> addresses;
    for (auto &entry : state.memory) {
        if (entry.second.context == context) addresses.push_back(entry.first);
    }
    for (uintptr_t address : addresses) release(address);
    for (CUcontext other : state.contexts) other->peers.erase(context);
    state.contexts.erase(context);
    std::vector<CUcontext> &stack = contextStack();
    if (!stack.empty() && stack.back() == context) stack.pop_back();
    // The handle stays valid to look at: other threads may have it as current.
}

static CUresult createContext(CUcontext *context, unsigned flags, CUdevice device) {
    Locked locked(state.lock);
    DeviceEntry entry("cuCtxCreate", device);
    if (entry.fails()) return entry.status;
    if (!context) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "null");
    *context = newContext(device, flags, false);
    contextStack().push_back(*context);
    return CUDA_SUCCESS;
}

CU_EXPORT cuCtxCreate_v2(CUcontext *context, unsigned flags, CUdevice device) { return createContext(context, flags, device); }
CU_EXPORT cuCtxCreate_v4(CUcontext *context, void *, unsigned flags, CUdevice device) { return createContext(context, flags, device); }

static bool known(Entry &entry, CUcontext context) {
    if (entry.fails()) return false;
    if (state.contexts.count(context)) return true;
    entry.status = entry.wrong(CUDA_ERROR_INVALID_CONTEXT, "%p is no live context", (void *)context);
    return false;
}

CU_EXPORT cuCtxDestroy_v2(CUcontext context) {
    Locked locked(state.lock);
    Entry entry("cuCtxDestroy", false);
    if (!known(entry, context)) return entry.status;
    if (context->primary) return entry.wrong(CUDA_ERROR_INVALID_CONTEXT, "a primary context");
    if (entry.dropped()) return CUDA_SUCCESS;
    destroyContext(context);
    return CUDA_SUCCESS;
}

CU_EXPORT cuCtxSetCurrent(CUcontext context) {
    Locked locked(state.lock);
    Entry entry("cuCtxSetCurrent", false);
    if (context && !known(entry, context)) return entry.status;
    if (entry.fails()) return entry.status;
    if (entry.dropped()) return CUDA_SUCCESS;
    std::vector<CUcontext> &stack = contextStack();
    if (!stack.empty()) stack.pop_back();
    if (context) stack.push_back(context);
    return CUDA_SUCCESS;
}

CU_EXPORT cuCtxGetCurrent(CUcontext *context) {
    Locked locked(state.lock);
    Entry entry("cuCtxGetCurrent", false);
    if (entry.fails()) return entry.status;
    *context = currentContext();
    return CUDA_SUCCESS;
}

CU_EXPORT cuCtxPushCurrent_v2(CUcontext context) {
    Locked locked(state.lock);
    Entry entry("cuCtxPushCurrent", false);
    if (!known(entry, context)) return entry.status;
    contextStack().push_back(context);
    return CUDA_SUCCESS;
}

CU_EXPORT cuCtxPopCurrent_v2(CUcontext *context) {
    Locked locked(state.lock);
    Entry entry("cuCtxPopCurrent", false);
    if (entry.fails()) return entry.status;
    if (contextStack().empty()) return entry.wrong(CUDA_ERROR_INVALID_CONTEXT, "no context is current on this thread");
    if (context) *context = currentContext();
    contextStack().pop_back();
    return CUDA_SUCCESS;
}

CU_EXPORT cuCtxGetDevice(CUdevice *device) {
    Locked locked(state.lock);
    Entry entry("cuCtxGetDevice");
    if (entry.fails()) return entry.status;
    *device = entry.context->device;
    return CUDA_SUCCESS;
}

CU_EXPORT cuCtxGetFlags(unsigned *flags) {
    Locked locked(state.lock);
    Entry entry("cuCtxGetFlags");
    if (entry.fails()) return entry.status;
    *flags = entry.context->flags;
    return CUDA_SUCCESS;
}

CU_EXPORT cuCtxGetApiVersion(CUcontext context, unsigned *version) {
    Locked locked(state.lock);
    Entry entry("cuCtxGetApiVersion", false);
    if (context && !known(entry, context)) return entry.status;
    *version = 3020;
    return CUDA_SUCCESS;
}

CU_EXPORT cuCtxGetStreamPriorityRange(int *least, int *greatest) {
    Locked locked(state.lock);
    Entry entry("cuCtxGetStreamPriorityRange");
    if (entry.fails()) return entry.status;
    if (least) *least = 0;
    if (greatest) *greatest = -5;
    return CUDA_SUCCESS;
}

CU_EXPORT cuCtxSetLimit(int limit, size_t value) {
    Locked locked(state.lock);
    Entry entry("cuCtxSetLimit");
    if (entry.fails()) return entry.status;
    entry.context->limits[limit] = value;
    return CUDA_SUCCESS;
}

CU_EXPORT cuCtxGetLimit(size_t *value, int limit) {
    Locked locked(state.lock);
    Entry entry("cuCtxGetLimit");
    if (entry.fails()) return entry.status;
    *value = entry.context->limits[limit];
    return CUDA_SUCCESS;
}

CU_EXPORT cuCtxSynchronize() {
    Locked locked(state.lock);
    Entry entry("cuCtxSynchronize");
    if (entry.fails()) return entry.status;
    if (entry.dropped()) return CUDA_SUCCESS;
    for (const CapturePtr &capture : state.captures) {
        if (capture->origin->context != entry.context) continue;
        invalidate(capture);
        return entry.wrong(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "a stream of the context is being captured");
    }
    runContext(entry.context);
    return entry.context->error;
}

CU_EXPORT cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice number) {
    Locked locked(state.lock);
    DeviceEntry entry("cuDevicePrimaryCtxRetain", number);
    if (entry.fails()) return entry.status;
    Device &device = state.devices[number];
    if (!device.primary) device.primary = newContext(number, device.primaryFlags, true);
    device.primaryUses++;
    *context = device.primary;
    return CUDA_SUCCESS;
}

CU_EXPORT cuDevicePrimaryCtxRelease_v2(CUdevice number) {
    Locked locked(state.lock);
    DeviceEntry entry("cuDevicePrimaryCtxRelease", number);
    if (entry.fails()) return entry.status;
    Device &device = state.devices[number];
    if (device.primaryUses == 0) return entry.wrong(CUDA_ERROR_INVALID_CONTEXT, "more releases than retains");
    if (entry.dropped()) return CUDA_SUCCESS;
    if (--device.primaryUses == 0) {
        destroyContext(device.primary);
        device.primary = nullptr;
    }
    return CUDA_SUCCESS;
}

CU_EXPORT cuDevicePrimaryCtxReset_v2(CUdevice number) {
    Locked locked(state.lock);
    DeviceEntry entry("cuDevicePrimaryCtxReset", number);
    if (entry.fails()) return entry.status;
    Device &device = state.devices[number];
    if (device.primary) destroyContext(device.primary);
    device.primary = nullptr;
    device.primaryUses = 0;
    return CUDA_SUCCESS;
}

CU_EXPORT cuDevicePrimaryCtxSetFlags_v2(CUdevice number, unsigned flags) {
    Locked locked(state.lock);
    DeviceEntry entry("cuDevicePrimaryCtxSetFlags", number);
    if (entry.fails()) return entry.status;
    state.devices[number].primaryFlags = flags;
    return CUDA_SUCCESS;
}

CU_EXPORT cuDevicePrimaryCtxGetState(CUdevice number, unsigned *flags, int *active) {
    Locked locked(state.lock);
    DeviceEntry entry("cuDevicePrimaryCtxGetState", number);
    if (entry.fails()) return entry.status;
    if (flags) *flags = state.devices[number].primaryFlags;
    if (active) *active = state.devices[number].primary != nullptr;
    return CUDA_SUCCESS;
}

extern "C" SIM_EXPORT void tenon_sim_restart() {
    Locked locked(state.lock);
    while (!state.contexts.empty()) {
        CUcontext context = *state.contexts.begin();
        failContext(context, CUDA_ERROR_DEINITIALIZED); // queued work does not run
        destroyContext(context);
    }
    for (Device &device : state.devices) {
        device.primary = nullptr;
        device.primaryUses = 0;
    }
    for (CUgraph graph : state.graphs) delete graph;
    state.graphs.clear();
    state.handles.clear();
    tenon_sim_reset();
}

// ---- Peers ----

CU_EXPORT cuDeviceCanAccessPeer(int *can, CUdevice device, CUdevice peer) {
    Locked locked(state.lock);
    DeviceEntry entry("cuDeviceCanAccessPeer", device);
    if (entry.fails()) return entry.status;
    if (peer < 0 || peer >= state.deviceCount) return entry.wrong(CUDA_ERROR_INVALID_DEVICE, "device %d", peer);
    *can = state.peerAccess && device != peer;
    return CUDA_SUCCESS;
}

CU_EXPORT cuCtxEnablePeerAccess(CUcontext peer, unsigned flags) {
    Locked locked(state.lock);
    Entry entry("cuCtxEnablePeerAccess");
    if (!known(entry, peer)) return entry.status;
    if (flags != 0 || peer->device == entry.context->device) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "flags, or the same device");
    if (!state.peerAccess) return entry.wrong(CUDA_ERROR_PEER_ACCESS_UNSUPPORTED, "unsupported");
    // No call asks for it, so nobody can know better.
    if (!entry.context->peers.insert(peer).second) return CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED;
    return CUDA_SUCCESS;
}

CU_EXPORT cuCtxDisablePeerAccess(CUcontext peer) {
    Locked locked(state.lock);
    Entry entry("cuCtxDisablePeerAccess");
    if (!known(entry, peer)) return entry.status;
    if (entry.context->peers.erase(peer) == 0) return entry.wrong(CUDA_ERROR_PEER_ACCESS_NOT_ENABLED, "not enabled");
    return CUDA_SUCCESS;
}

CU_EXPORT cuProfilerStart() {
    Locked locked(state.lock);
    return Entry("cuProfilerStart").status;
}

CU_EXPORT cuProfilerStop() {
    Locked locked(state.lock);
    return Entry("cuProfilerStop").status;
}
