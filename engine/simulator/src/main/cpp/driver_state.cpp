// Settings, counting, failures and faults, violations, handles of the libraries: what tests steer and ask, and what each call begins with.
#include "driver.h"

#include <algorithm>
#include <climits>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <sys/stat.h>

namespace sim {

State state;

thread_local int Locked::depth = 0;

Unlocked::Unlocked() {
    for (int i = 0; i < Locked::depth; i++) state.lock.unlock();
}

Unlocked::~Unlocked() {
    for (int i = 0; i < Locked::depth; i++) state.lock.lock();
}

static thread_local std::vector<CUcontext> stackOfThread;

std::vector<CUcontext> &contextStack() { return stackOfThread; }

CUcontext currentContext() { return stackOfThread.empty() ? nullptr : stackOfThread.back(); }

uint32_t draw(uint32_t bound) {
    state.random ^= state.random << 13;
    state.random ^= state.random >> 7;
    state.random ^= state.random << 17;
    return (uint32_t)(((state.random >> 32) * bound) >> 32);
}

static std::string text(const char *format, va_list arguments) {
    char buffer[1024];
    vsnprintf(buffer, sizeof buffer, format, arguments);
    return buffer;
}

static void addViolation(const std::string &violation) {
    if (state.violations.size() < 1000) state.violations.push_back(violation);
}

Entry::Entry(const char *name, bool needsContext) : call(sim_call(name)), status(CUDA_SUCCESS) {
    if (call.fails) {
        status = (CUresult)call.status;
        return;
    }
    if (state.inCallback) {
        status = wrong(CUDA_ERROR_NOT_PERMITTED, "called from a host function of a stream");
        return;
    }
    if (!state.initialized) {
        status = wrong(CUDA_ERROR_NOT_INITIALIZED, "called before cuInit");
        return;
    }
    context = currentContext();
    if (!needsContext) return;
    if (!context) {
        status = wrong(CUDA_ERROR_INVALID_CONTEXT, "no context is current on this thread");
    } else if (!state.contexts.count(context)) {
        status = wrong(CUDA_ERROR_CONTEXT_IS_DESTROYED, "the current context was destroyed");
    } else {
        status = context->error;
    }
}

CUresult Entry::wrong(CUresult result, const char *format, ...) const {
    va_list arguments;
    va_start(arguments, format);
    addViolation(std::string(call.name) + ": " + text(format, arguments));
    va_end(arguments);
    return result;
}

static void resetSettings() {
    state.driverVersion = 12060;
    state.computeMajor = 9, state.computeMinor = 0;
    state.multiprocessors = 3;
    state.kernelOrder = SIM_SHUFFLED;
    state.streamOrder = STREAMS_RANDOM;
    state.seed = state.random = 1;
    state.peerAccess = true;
    state.accessLimit = (uint64_t)1 << 35;
    state.patience = 20000;
    state.deviceCount = 1;
    for (Device &device : state.devices) device.memory = (size_t)8 << 30;
    state.calls.clear();
    state.plans.clear();
    state.mutations.clear();
    state.freedEarly = 0;
    state.fired = 0;
    state.violations.clear();
}

struct InitialSettings {
    InitialSettings() { resetSettings(); }
};
static InitialSettings initialSettings;

static long count(const std::string &kind) {
    if (kind == "context") return (long)state.contexts.size();
    if (kind == "stream") {
        return (long)std::count_if(state.streams.begin(), state.streams.end(), [](CUstream stream) {
            CUcontext context = stream->context;
            return stream != context->defaultStream && stream != context->perThreadStream && stream != context->faultStream;
        });
    }
    if (kind == "event") return (long)state.events.size();
    if (kind == "module") return (long)state.modules.size();
    if (kind == "graph") return (long)state.graphs.size();
    if (kind == "graphExec") return (long)state.graphExecs.size();
    long host = (long)std::count_if(state.memory.begin(), state.memory.end(), [](const auto &entry) { return entry.second.host; });
    if (kind == "hostMemory") return host;
    if (kind == "deviceMemory") return (long)state.memory.size() - host;
    auto found = state.handles.find(kind);
    return found == state.handles.end() ? 0 : (long)found->second.size();
}

static std::string liveObjects() {
    std::string result;
    auto add = [&](const std::string &kind) {
        if (long n = count(kind)) result += kind + "\t" + std::to_string(n) + "\n";
    };
    for (const char *kind : {"context", "stream", "event", "module", "graph", "graphExec", "deviceMemory", "hostMemory"}) add(kind);
    for (auto &entry : state.handles) add(entry.first);
    return result;
}

} // namespace sim

using namespace sim;

SimCall sim_call(const char *name) {
    Locked locked(state.lock);
    long number = ++state.calls[name];
    SimCall call = {name, false, 0, SIM_NONE};
    auto plans = state.plans.find(name);
    if (plans == state.plans.end()) return call;
    for (size_t i = 0; i < plans->second.size(); i++) {
        Planned planned = plans->second[i];
        if (planned.atCall != number) continue;
        plans->second.erase(plans->second.begin() + (long)i);
        state.fired++;
        call.fails = planned.fails;
        call.status = planned.status;
        call.fault = planned.fault;
        break;
    }
    return call;
}

std::string sim_mutate(const char *file, const std::string &source) {
    Locked locked(state.lock);
    std::string result = source;
    for (const State::Mutation &mutation : state.mutations) {
        if (mutation.file != file) continue;
        size_t at = result.find(mutation.from);
        if (at == std::string::npos) {
            sim_violation("%s: nothing to change: %s", file, mutation.from.c_str());
            continue;
        }
        result.replace(at, mutation.from.size(), mutation.to);
        state.fired++;
    }
    return result;
}

void sim_violation(const char *format, ...) {
    Locked locked(state.lock);
    va_list arguments;
    va_start(arguments, format);
    addViolation(text(format, arguments));
    va_end(arguments);
}

void sim_handle_created(const char *kind, const void *handle) {
    Locked locked(state.lock);
    state.handles[kind].insert(handle);
}

bool sim_handle_known(const char *kind, const void *handle, const char *call) {
    Locked locked(state.lock);
    if (state.handles[kind].count(handle)) return true;
    sim_violation("%s: %p is no live %s", call, handle, kind);
    return false;
}

bool sim_handle_destroyed(const char *kind, const void *handle, const char *call) {
    Locked locked(state.lock);
    if (!sim_handle_known(kind, handle, call)) return false;
    state.handles[kind].erase(handle);
    return true;
}

CUcontext sim_current_context(const char *call) {
    Locked locked(state.lock);
    CUcontext context = currentContext();
    if (context && state.contexts.count(context)) return context;
    sim_violation("%s: no context is current on this thread", call);
    return nullptr;
}

CUdevice sim_device(CUcontext context) {
    Locked locked(state.lock);
    return state.contexts.count(context) ? context->device : -1;
}

int sim_compute_capability(CUcontext) { return state.computeMajor * 10 + state.computeMinor; }

const char *sim_folder() {
    static const std::string folder = [] {
        Dl_info self;
        char path[PATH_MAX];
        std::string library = dladdr((void *)sim_folder, &self) && realpath(self.dli_fname, path) ? path : "./";
        return library.substr(0, library.rfind('/'));
    }();
    return folder.c_str();
}

const char *sim_kernel_folder() {
    Locked locked(state.lock);
    if (state.kernelFolder.empty()) state.kernelFolder = std::string(sim_folder()) + "/kernels";
    mkdir(state.kernelFolder.c_str(), 0755);
    return state.kernelFolder.c_str();
}

// ---- For Java ----

extern "C" SIM_EXPORT void tenon_sim_reset() {
    Locked locked(state.lock);
    resetSettings();
}

// Settings by name; false if there is none of that name.
extern "C" SIM_EXPORT bool tenon_sim_set(const char *name, long index, long value) {
    Locked locked(state.lock);
    std::string setting = name;
    if (setting == "devices") state.deviceCount = (int)value;
    else if (setting == "memory") state.devices[index].memory = (size_t)value;
    else if (setting == "driverVersion") state.driverVersion = (int)value;
    else if (setting == "computeCapability") state.computeMajor = (int)value / 10, state.computeMinor = (int)value % 10;
    else if (setting == "multiprocessors") state.multiprocessors = (int)value;
    else if (setting == "kernelOrder") state.kernelOrder = (int)value;
    else if (setting == "streamOrder") state.streamOrder = (int)value;
    else if (setting == "seed") state.seed = (uint64_t)value, state.random = (uint64_t)value * 0x9E3779B97F4A7C15 | 1;
    else if (setting == "accessLimit") state.accessLimit = (uint64_t)value;
    else if (setting == "patience") state.patience = (int)value;
    else if (setting == "peerAccess") state.peerAccess = value != 0;
    else return false;
    return true;
}

extern "C" SIM_EXPORT void tenon_sim_kernel_folder(const char *folder) {
    Locked locked(state.lock);
    state.kernelFolder = folder;
}

// The n-th call from now on.
extern "C" SIM_EXPORT void tenon_sim_plan(const char *call, long n, int fails, int status, int fault) {
    Locked locked(state.lock);
    state.plans[call].push_back({state.calls[call] + n, fails != 0, status, (SimFault)fault});
}

// Changes the first place in a kernel file where a text stands, when NVRTC compiles it.
extern "C" SIM_EXPORT void tenon_sim_mutate(const char *file, const char *from, const char *to) {
    Locked locked(state.lock);
    state.mutations.push_back({file, from, to});
}

extern "C" SIM_EXPORT void tenon_sim_clear_plans() {
    Locked locked(state.lock);
    state.plans.clear();
    state.mutations.clear();
}

extern "C" SIM_EXPORT long tenon_sim_count(const char *what, const char *name) {
    Locked locked(state.lock);
    std::string question = what;
    if (question == "calls") {
        auto found = state.calls.find(name);
        return found == state.calls.end() ? 0 : found->second;
    }
    if (question == "fired") return state.fired;
    if (question == "live") return count(name);
    if (question == "memoryUsed") return (long)state.devices[atoi(name)].used;
    return -1;
}

// Texts by name, lines: copies at most `capacity` bytes and returns the whole length.
extern "C" SIM_EXPORT long tenon_sim_text(const char *what, char *buffer, long capacity) {
    Locked locked(state.lock);
    std::string question = what, result;
    if (question == "violations") {
        checkGuards();
        for (const std::string &violation : state.violations) result += violation + "\n";
    } else if (question == "live") {
        result = liveObjects();
    } else if (question == "calls") {
        for (auto &entry : state.calls) result += entry.first + "\t" + std::to_string(entry.second) + "\n";
    }
    long length = std::min((long)result.size(), capacity);
    if (length > 0) memcpy(buffer, result.data(), (size_t)length);
    return (long)result.size();
}

extern "C" SIM_EXPORT void tenon_sim_clear_violations() {
    Locked locked(state.lock);
    state.violations.clear();
}

extern "C" SIM_EXPORT void tenon_sim_clear_calls() {
    Locked locked(state.lock);
    state.calls.clear();
    state.plans.clear();
    state.fired = 0;
}
