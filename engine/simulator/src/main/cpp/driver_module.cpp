// Modules, functions and launches of kernels.
#include "driver.h"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image.h"

namespace sim {

static CUcontext launchContext;

static bool findForKernel(uintptr_t address, uintptr_t *from, uintptr_t *to) {
    Allocation *allocation = findAllocation(address);
    if (!allocation || address >= allocation->address + allocation->bytes || !reachable(*allocation, launchContext)) return false;
    *from = allocation->address;
    *to = allocation->address + allocation->bytes;
    return true;
}

struct KernelCall {
    std::string name;
    SimThunk thunk;
    CUcontext context;
    unsigned grid[3], block[3];
    bool half;
    std::vector<std::vector<char>> values;
};

static void runKernel(const KernelCall &kernel) {
    if (!state.stacks) {
        size_t bytes = (size_t)SIM_MAX_THREADS * SIM_STACK_BYTES;
        state.stacks = (char *)mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    std::vector<std::vector<char>> values = kernel.values; // kernels may change their parameters
    std::vector<void *> arguments;
    for (std::vector<char> &value : values) arguments.push_back(value.data());
    arguments.push_back(nullptr);
    SimLaunch launch = {};
    memcpy(launch.grid, kernel.grid, sizeof launch.grid);
    memcpy(launch.block, kernel.block, sizeof launch.block);
    launch.half = kernel.half;
    launch.order = state.kernelOrder;
    launch.seed = state.seed + ++state.launches;
    launch.stacks = state.stacks;
    launch.accessLimit = state.accessLimit;
    launch.find = findForKernel;
    launchContext = kernel.context;
    kernel.thunk(&launch, arguments.data());
    if (launch.status != 0) {
        std::string where = launch.address ? ": " + describe(launch.address) : "";
        sim_violation("kernel %s: %s%s", kernel.name.c_str(), launch.message, where.c_str());
        failContext(kernel.context, (CUresult)launch.status);
    }
}

// Writes the library in the image into the kernel folder, unless it is there, and returns its path, or nothing.
static std::string unpack(const SimImage *image) {
    std::string path = std::string(sim_kernel_folder()) + "/" + image->hash + ".so";
    struct stat information;
    if (stat(path.c_str(), &information) == 0 && information.st_size == (off_t)image->libraryBytes) return path;
    std::string temporary = path + "." + std::to_string(getpid());
    int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0) return "";
    const char *bytes = (const char *)image + sizeof *image;
    size_t left = image->libraryBytes;
    while (left > 0) {
        ssize_t written = write(file, bytes, left);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) break;
        bytes += written;
        left -= (size_t)written;
    }
    close(file);
    return left == 0 && rename(temporary.c_str(), path.c_str()) == 0 ? path : "";
}

} // namespace sim

using namespace sim;

static CUresult load(const char *name, CUmodule *module, const void *data) {
    Locked locked(state.lock);
    Entry entry(name);
    if (entry.fails()) return entry.status;
    if (!module || !data) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "null");
    if (CUresult status = unsafeInCapture(name)) return status;
    const SimImage *image = (const SimImage *)data;
    if (memcmp(image->magic, SIM_IMAGE_MAGIC, sizeof image->magic) != 0) return entry.wrong(CUDA_ERROR_INVALID_IMAGE, "no image of the simulated NVRTC");
    // As if the file were of a newer driver: programs that keep compiled kernels compile them anew.
    if (strncmp(image->build, strrchr(sim_folder(), '/') + 1, sizeof image->build - 1) != 0) return CUDA_ERROR_INVALID_IMAGE;
    int major = image->architecture / 10, minor = image->architecture % 10;
    // A cubin runs on devices of its major version from its minor one on, PTX on all newer ones.
    int device = state.computeMajor * 10 + state.computeMinor;
    bool runs = image->binary ? major == state.computeMajor && minor <= state.computeMinor : (int)image->architecture <= device;
    if (!runs) {
        return entry.wrong(CUDA_ERROR_NO_BINARY_FOR_GPU, "compiled for %s_%d, the device is %d.%d", image->binary ? "sm" : "compute",
                image->architecture, state.computeMajor, state.computeMinor);
    }
    std::string path = unpack(image);
    void *library = path.empty() ? nullptr : dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) return entry.wrong(CUDA_ERROR_INVALID_IMAGE, "%s", path.empty() ? "cannot write into the kernel folder" : dlerror());
    *module = new CUmod_st{entry.context, library, {}};
    state.modules.insert(*module);
    return CUDA_SUCCESS;
}

CU_EXPORT cuModuleLoadData(CUmodule *module, const void *image) { return load("cuModuleLoadData", module, image); }
CU_EXPORT cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned, int *, void **) { return load("cuModuleLoadDataEx", module, image); }

CU_EXPORT cuModuleUnload(CUmodule module) {
    Locked locked(state.lock);
    Entry entry("cuModuleUnload");
    if (entry.fails()) return entry.status;
    if (!state.modules.count(module)) return entry.wrong(CUDA_ERROR_INVALID_HANDLE, "%p is no live module", (void *)module);
    if (entry.dropped()) return CUDA_SUCCESS;
    if (CUresult status = unsafeInCapture(entry.call.name)) return status;
    // The library stays open: graphs and queued work may hold kernels of it.
    for (auto &function : module->functions) {
        state.functions.erase(function.second);
        delete function.second;
    }
    state.modules.erase(module);
    delete module;
    return CUDA_SUCCESS;
}

CU_EXPORT cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
    Locked locked(state.lock);
    Entry entry("cuModuleGetFunction");
    if (entry.fails()) return entry.status;
    if (!function || !name) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "null");
    if (!state.modules.count(module)) return entry.wrong(CUDA_ERROR_INVALID_HANDLE, "%p is no live module", (void *)module);
    auto found = module->functions.find(name);
    if (found == module->functions.end()) {
        SimThunk thunk = (SimThunk)dlsym(module->library, (std::string("tenon_thunk_") + name).c_str());
        if (!thunk) return entry.wrong(CUDA_ERROR_NOT_FOUND, "no kernel %s", name);
        const SimSignature *signature = thunk(nullptr, nullptr);
        if (signature->version != SIM_LAUNCH_VERSION) return entry.wrong(CUDA_ERROR_INVALID_IMAGE, "compiled by another version of the simulator");
        found = module->functions.insert({name, new CUfunc_st{module, name, thunk, signature, {}}}).first;
        state.functions.insert(found->second);
    }
    *function = found->second;
    return CUDA_SUCCESS;
}

static bool known(Entry &entry, CUfunction function) {
    if (entry.fails()) return false;
    if (state.functions.count(function)) return true;
    entry.status = entry.wrong(CUDA_ERROR_INVALID_HANDLE, "%p is no live function", (void *)function);
    return false;
}

enum { MAX_THREADS_PER_BLOCK = 0, SHARED_SIZE_BYTES = 1, CONST_SIZE_BYTES = 2, LOCAL_SIZE_BYTES = 3, NUM_REGS = 4, MAX_DYNAMIC_SHARED_SIZE_BYTES = 8 };

static const unsigned SHARED_BYTES = 48 << 10, SHARED_BYTES_OPT_IN = 99 << 10;

CU_EXPORT cuFuncGetAttribute(int *value, int attribute, CUfunction function) {
    Locked locked(state.lock);
    Entry entry("cuFuncGetAttribute");
    if (!known(entry, function)) return entry.status;
    if (!value) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "null");
    auto set = function->attributes.find(attribute);
    if (set != function->attributes.end()) *value = set->second;
    else if (attribute == MAX_THREADS_PER_BLOCK) *value = SIM_MAX_THREADS;
    else if (attribute == NUM_REGS) *value = 32;
    else if (attribute == MAX_DYNAMIC_SHARED_SIZE_BYTES) *value = SHARED_BYTES;
    else if (attribute >= 0 && attribute <= 9) *value = 0;
    else return entry.wrong(CUDA_ERROR_INVALID_VALUE, "attribute %d", attribute);
    return CUDA_SUCCESS;
}

CU_EXPORT cuFuncSetAttribute(CUfunction function, int attribute, int value) {
    Locked locked(state.lock);
    Entry entry("cuFuncSetAttribute");
    if (!known(entry, function)) return entry.status;
    if (attribute < 8 || attribute > 9 || value < 0 || (attribute == MAX_DYNAMIC_SHARED_SIZE_BYTES && (unsigned)value > SHARED_BYTES_OPT_IN)) {
        return entry.wrong(CUDA_ERROR_INVALID_VALUE, "attribute %d = %d", attribute, value);
    }
    function->attributes[attribute] = value;
    return CUDA_SUCCESS;
}

CU_EXPORT cuFuncSetCacheConfig(CUfunction function, int) {
    Locked locked(state.lock);
    Entry entry("cuFuncSetCacheConfig");
    known(entry, function);
    return entry.status;
}

CU_EXPORT cuFuncGetModule(CUmodule *module, CUfunction function) {
    Locked locked(state.lock);
    Entry entry("cuFuncGetModule");
    if (!known(entry, function)) return entry.status;
    *module = function->module;
    return CUDA_SUCCESS;
}

CU_EXPORT cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, CUfunction function, int threads, size_t shared) {
    Locked locked(state.lock);
    Entry entry("cuOccupancyMaxActiveBlocksPerMultiprocessor");
    if (!known(entry, function)) return entry.status;
    if (!blocks || threads < 1 || threads > SIM_MAX_THREADS || shared > SHARED_BYTES_OPT_IN) {
        return entry.wrong(CUDA_ERROR_INVALID_VALUE, "%d threads", threads);
    }
    *blocks = std::min(32, 2048 / ((threads + 31) / 32 * 32));
    return CUDA_SUCCESS;
}

// The values of the parameters, from an array of pointers or from one buffer; false if there are none.
static bool readParameters(const SimSignature *signature, void **parameters, void **extra, std::vector<std::vector<char>> *values) {
    const char *buffer = nullptr;
    for (void **at = extra; at && at[0]; at += 2) {
        if (at[0] == (void *)1) buffer = (const char *)at[1];
    }
    if (signature->count > 0 && !parameters && !buffer) return false;
    size_t offset = 0;
    for (uint32_t i = 0; i < signature->count; i++) {
        SimParameter parameter = signature->parameters[i];
        offset = (offset + parameter.alignment - 1) / parameter.alignment * parameter.alignment;
        const char *from = parameters ? (const char *)parameters[i] : buffer + offset;
        if (!from) return false;
        values->push_back(std::vector<char>(from, from + parameter.bytes));
        offset += parameter.bytes;
    }
    return true;
}

static uintptr_t pointerOf(const std::vector<char> &value) {
    uintptr_t address;
    memcpy(&address, value.data(), sizeof address);
    return address;
}

static void swapFirstTwoPointers(const SimSignature *signature, std::vector<std::vector<char>> &values) {
    int first = -1;
    for (uint32_t i = 0; i < signature->count; i++) {
        if (!signature->parameters[i].pointer) continue;
        if (first >= 0) {
            std::swap(values[(size_t)first], values[i]);
            return;
        }
        first = (int)i;
    }
}

CU_EXPORT cuLaunchKernel(CUfunction function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned sharedBytes,
        CUstream handle, void **parameters, void **extra) {
    Locked locked(state.lock);
    Entry entry("cuLaunchKernel");
    if (!known(entry, function)) return entry.status;
    // Failures and faults may be asked for by kernel, too: "kernel relu_forward".
    std::string kernelName = "kernel " + function->name;
    SimCall call = sim_call(kernelName.c_str());
    if (call.fails) return (CUresult)call.status;
    if (call.fault == SIM_NONE) call.fault = entry.call.fault;
    if (function->module->context != entry.context) return entry.wrong(CUDA_ERROR_INVALID_HANDLE, "%s is of another context", function->name.c_str());
    CUstream stream = resolve(sim_stream(call, handle), entry.context);
    if (!stream) return entry.wrong(CUDA_ERROR_INVALID_HANDLE, "%s: no live stream of the current context", function->name.c_str());
    bool fits = gx > 0 && gx <= INT_MAX && gy > 0 && gy <= 65535 && gz > 0 && gz <= 65535 && bx > 0 && bx <= 1024 && by > 0 && by <= 1024 && bz > 0 &&
            bz <= 64 && (uint64_t)bx * by * bz <= SIM_MAX_THREADS;
    if (!fits) {
        return entry.wrong(CUDA_ERROR_INVALID_VALUE, "%s: grid (%u, %u, %u), block (%u, %u, %u)", function->name.c_str(), gx, gy, gz, bx, by, bz);
    }
    auto raised = function->attributes.find(MAX_DYNAMIC_SHARED_SIZE_BYTES);
    unsigned allowed = raised == function->attributes.end() ? SHARED_BYTES : (unsigned)raised->second;
    if (sharedBytes > allowed) {
        return entry.wrong(CUDA_ERROR_INVALID_VALUE, "%s: %u bytes of dynamic shared memory, of %u", function->name.c_str(), sharedBytes, allowed);
    }
    if (call.fault == SIM_DROP) return CUDA_SUCCESS;

    auto kernel = std::make_shared<KernelCall>();
    *kernel = {function->name, function->thunk, entry.context, {gx, gy, gz}, {bx, by, bz}, call.fault == SIM_HALF, {}};
    if (!readParameters(function->signature, parameters, extra, &kernel->values)) {
        return entry.wrong(CUDA_ERROR_INVALID_VALUE, "%s: parameters are missing", function->name.c_str());
    }
    if (call.fault == SIM_SWAP_ARGS) swapFirstTwoPointers(function->signature, kernel->values);
    auto work = std::make_shared<Work>();
    for (uint32_t i = 0; i < function->signature->count; i++) {
        if (!function->signature->parameters[i].pointer) continue;
        uintptr_t address = pointerOf(kernel->values[i]);
        Allocation *allocation = findAllocation(address);
        if (address != 0 && (!allocation || !reachable(*allocation, entry.context))) {
            // A device finds out when the kernel touches it; programs have no reason to pass such an address.
            entry.wrong(CUDA_ERROR_INVALID_VALUE, "%s: parameter %u is %s", function->name.c_str(), i, describe(address).c_str());
        }
        work->ranges.push_back({(void *)address, 0, "a parameter"});
    }
    work->what = kernelName;
    work->run = [kernel] { runKernel(*kernel); };
    if (state.freedEarly != 0) {
        if (findAllocation(state.freedEarly)) release(state.freedEarly);
        state.freedEarly = 0;
    }
    return enqueue(stream, work, entry.call.name);
}
