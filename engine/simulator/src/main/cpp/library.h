// What the doubles of cuBLAS and cuDNN share: entering a call, operands of a call, the way into a stream.
#pragma once

#include "simulator.h"

#include <cstring>

// Stands before the functions that programs call: the libraries are compiled with hidden symbols.
#define SIM_ENTRY_POINTS _Pragma("GCC visibility push(default)")

// Opens an entry point that returns a status of which 0 is success.
#define SIM_ENTER(name)                \
    SimCall call = sim_call(name);     \
    if (call.fails) {                  \
        return call.status;            \
    }                                  \
    if (call.fault == SIM_DROP) {      \
        return 0;                      \
    }

namespace library {

// No document says what a workspace needs; device allocations have this much.
constexpr int64_t WORKSPACE_ALIGNMENT = 256;

/** A handle's place: the context it was made in and the stream it was given. */
struct Place {
    CUcontext context = nullptr;
    CUstream stream = nullptr;
    bool streamSet = false;
};

/** Whether work may be queued: the handle's context is current, and a stream was set. The libraries would take the default stream, which the back-end never means. */
inline bool ready(const char *call, const Place &place) {
    CUcontext current = sim_current_context(call);
    if (current == nullptr) {
        return false;
    }
    if (current != place.context) {
        sim_violation("%s: another context is current than the one the handle was made in", call);
        return false;
    }
    if (!place.streamSet) {
        sim_violation("%s: the handle was given no stream", call);
        return false;
    }
    return sim_stream_of(place.stream, place.context, call);
}

/** The memory a call reads and writes, checked together. */
class Operands {
public:
    explicit Operands(const char *call) : call(call) {}

    void in(const char *what, const void *address, int64_t bytes, int64_t alignment) {
        add(what, address, bytes, alignment, false);
    }

    void out(const char *what, const void *address, int64_t bytes, int64_t alignment) {
        add(what, address, bytes, alignment, true);
    }

    /** Two operands may be the same memory, exactly. */
    void inPlace(const void *address) {
        shared.push_back(address);
    }

    /** Scalars and results that the library reads and writes at once, on the host. */
    bool host(const char *what, const void *address, size_t bytes) {
        ok = sim_check_host(address, bytes, what) && ok;
        return ok;
    }

    bool valid() {
        for (size_t i = 0; i < ranges.size(); i++) {
            for (size_t j = 0; j < i; j++) {
                if ((written[i] || written[j]) && overlap(ranges[i], ranges[j]) && !allowed(ranges[i], ranges[j])) {
                    sim_violation("%s: %s and %s overlap", call, ranges[j].what, ranges[i].what);
                    ok = false;
                }
            }
        }
        return ok;
    }

    const std::vector<SimRange> &all() const {
        return ranges;
    }

private:
    void add(const char *what, const void *address, int64_t bytes, int64_t alignment, bool writes) {
        if (bytes == 0) {
            return;
        }
        if (!sim_check_device(address, size_t(bytes), what)) {
            ok = false;
            return;
        }
        if (reinterpret_cast<uintptr_t>(address) % uintptr_t(alignment) != 0) {
            sim_violation("%s: %s is at %p, which is not a multiple of %ld bytes", call, what, address, long(alignment));
            ok = false;
        }
        ranges.push_back({address, size_t(bytes), what});
        written.push_back(writes);
    }

    static bool overlap(const SimRange &a, const SimRange &b) {
        const char *from = static_cast<const char *>(a.address), *other = static_cast<const char *>(b.address);
        return from < other + b.bytes && other < from + a.bytes;
    }

    bool allowed(const SimRange &a, const SimRange &b) const {
        for (const void *address : shared) {
            if (a.address == address && b.address == address) {
                return true;
            }
        }
        return false;
    }

    const char *call;
    bool ok = true;
    std::vector<SimRange> ranges;
    std::vector<bool> written;
    std::vector<const void *> shared;
};

/** Queues the work behind what the stream holds, where a fault does not send it elsewhere. */
inline bool enqueue(const SimCall &call, const Place &place, const Operands &operands, std::function<void()> work) {
    return sim_enqueue(sim_stream(call, place.stream), call.name, operands.all(), std::move(work)) == CUDA_SUCCESS;
}

/** Leaves NaN at both ends of a workspace, as whoever lends one to a library must expect. */
inline void spoil(void *workspace, size_t bytes) {
    if (workspace != nullptr && bytes > 0) {
        size_t part = bytes < (64 << 10) ? bytes : 64 << 10;
        std::memset(workspace, 0xff, part);
        std::memset(static_cast<char *>(workspace) + bytes - part, 0xff, part);
    }
}

}  // namespace library
