// The state of the simulated driver, shared by its source files. Everything is guarded by one lock: one thread at a time is in the driver, and queued work
// runs on whichever thread waits for it.
#pragma once

#include "kernel_launch.h"
#include "marks.h"
#include "simulator.h"

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#define CU_EXPORT extern "C" SIM_EXPORT CUresult

namespace sim {

enum { MAX_DEVICES = 8, GUARD_BYTES = 256 };

// When queued work of streams runs.
enum StreamOrder {
    STREAMS_RANDOM = 0,       // seeded: sometimes only what a wait needs, sometimes other streams first
    STREAMS_LAZY = 1,         // only what a wait needs
    STREAMS_OTHERS_FIRST = 2, // at every wait, all that the other streams hold first
    STREAMS_IMMEDIATE = 3     // at once: the order of the calls
};

// Marks a point in a stream; without a stream, one that somebody waits for and nobody has queued yet (marks.h).
struct Ticket {
    bool done = false;
    CUstream stream = nullptr;
    std::string what; // of a mark
    std::chrono::steady_clock::time_point time;
};
typedef std::shared_ptr<Ticket> TicketPtr;

struct Work {
    std::string what;
    std::vector<SimRange> ranges;
    std::function<void()> run;
};

// A step of a stream's queue: waits for a point in another stream, unless it was told not to, then works, then is done.
struct Step {
    TicketPtr waitsFor;
    std::shared_ptr<const bool> unless;
    std::shared_ptr<Work> work;
    TicketPtr ticket;
};

struct Node {
    std::shared_ptr<Work> work;
    std::vector<int> after;
};

struct Capture {
    CUstream origin;
    int mode;
    std::thread::id thread;
    bool valid = true;
    std::vector<Node> nodes;
    std::set<CUstream> streams;
};
typedef std::shared_ptr<Capture> CapturePtr;

struct Allocation {
    char *block; // with the guards
    uintptr_t address;
    size_t bytes;
    CUcontext context;
    bool host; // pinned
    uint64_t number;
    bool registered = false;
};

struct Device {
    size_t memory, used = 0;
    CUcontext primary = nullptr;
    int primaryUses = 0;
    unsigned primaryFlags = 0;
};

// What a test asked for.
struct Planned {
    long atCall; // counted from 1
    bool fails;
    int status;
    SimFault fault;
};

struct State {
    std::recursive_mutex lock;
    bool initialized = false;

    // Settings
    int deviceCount = 1;
    int driverVersion = 12060;
    int computeMajor = 9, computeMinor = 0;
    int multiprocessors = 3;
    int kernelOrder = SIM_SHUFFLED;
    int streamOrder = STREAMS_RANDOM;
    uint64_t seed = 1;
    bool peerAccess = true;
    uint64_t accessLimit = 0; // of a kernel: loads and stores of all its threads
    int patience = 0;         // milliseconds that a wait for a mark may last
    std::string kernelFolder;

    Device devices[MAX_DEVICES];
    uint64_t random = 1, launches = 0, allocations = 0;

    std::unordered_set<CUcontext> contexts;
    std::unordered_set<CUstream> streams; // with those that belong to contexts
    std::unordered_set<CUevent> events;
    std::unordered_set<CUmodule> modules;
    std::unordered_set<CUfunction> functions;
    std::unordered_set<CUgraph> graphs;
    std::unordered_set<CUgraphExec> graphExecs;
    std::map<uintptr_t, Allocation> memory;           // by address: device and pinned
    std::deque<Allocation> quarantine;                // freed, filled with 0xFF, not given back yet
    size_t quarantineBytes = 0;
    std::map<std::string, std::unordered_set<const void *>> handles; // of libraries, by kind
    std::vector<CapturePtr> captures;

    std::map<std::string, long> calls;
    std::map<std::string, std::vector<Planned>> plans;
    struct Mutation {
        std::string file, from, to;
    };
    std::vector<Mutation> mutations; // of kernel sources
    uintptr_t freedEarly = 0;        // of a fault: freed after the next launch
    long fired = 0;
    std::vector<std::string> violations;

    char *stacks = nullptr;
    int runningDepth = 0;  // in queued work
    bool inCallback = false;
};

extern State state;

// Holds the lock. Who waits for another thread's call lets it go meanwhile, however often it is held (Unlocked).
class Locked {
public:
    explicit Locked(std::recursive_mutex &lock) : lock(lock) {
        lock.lock();
        depth++;
    }
    ~Locked() {
        depth--;
        lock.unlock();
    }
    Locked(const Locked &) = delete;

private:
    friend class Unlocked;
    static thread_local int depth;
    std::recursive_mutex &lock;
};

class Unlocked {
public:
    Unlocked();
    ~Unlocked();
};

// ---- driver_state.cpp ----

uint32_t draw(uint32_t bound);
// What every entry point begins with: counts the call, and gives a status to return, or CUDA_SUCCESS. `contextFree`: may be called without a context.
struct Entry {
    SimCall call;
    CUresult status;
    CUcontext context = nullptr;
    Entry(const char *name, bool needsContext = true);
    bool fails() const { return status != CUDA_SUCCESS; }
    bool dropped() const { return call.fault == SIM_DROP; }
    // A violation, with the call's name before it.
    CUresult wrong(CUresult status, const char *format, ...) const __attribute__((format(printf, 3, 4)));
};

std::vector<CUcontext> &contextStack();
CUcontext currentContext();

// ---- driver_memory.cpp ----

// The live allocation that the address lies in (or ends at, with bytes == 0), or null.
Allocation *findAllocation(uintptr_t address);
CUresult allocate(CUcontext context, size_t bytes, bool host, uintptr_t *address);
void release(uintptr_t address);
// "inside a block of 400 bytes, 8 behind its end", for messages.
std::string describe(uintptr_t address);
bool reachable(const Allocation &allocation, CUcontext context);
// Null if all is well; otherwise what is wrong with the range for the context.
std::string rangeError(uintptr_t address, size_t bytes, CUcontext context);
bool hostRangeIsDevice(uintptr_t address);
bool isPinned(uintptr_t address, size_t bytes);
void checkGuards();

// ---- driver_stream.cpp ----

// The stream behind a handle (0 and the special handles too), or null.
CUstream resolve(CUstream stream, CUcontext context);
CUresult enqueue(CUstream stream, std::shared_ptr<Work> work, const char *call);
void runAll(CUstream stream);
void runUntil(const TicketPtr &ticket);
void runContext(CUcontext context);
// Makes a little progress, as time passes.
void runSome();
CUresult synchronize(CUstream stream, const char *call);
CUresult unsafeInCapture(const char *call);
void invalidate(const CapturePtr &capture);
CUstream newStream(CUcontext context, unsigned flags, int priority);
void removeStream(CUstream stream);
// An error that a later synchronization of the context tells, and every call after it.
void failContext(CUcontext context, CUresult status);

} // namespace sim

extern "C" void tenon_sim_reset();

struct CUctx_st {
    CUdevice device;
    bool primary = false;
    unsigned flags = 0;
    CUresult error = CUDA_SUCCESS; // sticky
    CUstream defaultStream = nullptr, perThreadStream = nullptr, faultStream = nullptr;
    std::set<CUcontext> peers; // whose memory this one may use
    unsigned cacheConfig = 0;
    std::map<int, size_t> limits;
};

struct CUstream_st {
    CUcontext context;
    unsigned flags; // 1: does not wait for the default stream
    int priority;
    bool isDefault = false;
    bool early = false; // of a fault: runs at once
    uint64_t id;
    std::deque<sim::Step> queue;
    sim::TicketPtr tail; // of the last step
    sim::CapturePtr capture;
    std::vector<int> captureTail;
};

struct CUevent_st {
    CUcontext context;
    unsigned flags; // 2: no timing
    sim::TicketPtr ticket;
    sim::CapturePtr capture;
    std::vector<int> captureTail;
};

struct CUfunc_st {
    CUmodule module;
    std::string name;
    SimThunk thunk;
    const SimSignature *signature;
    std::map<int, int> attributes;
};

struct CUmod_st {
    CUcontext context;
    void *library;
    std::map<std::string, CUfunction> functions;
};

struct CUgraph_st {
    std::vector<sim::Node> nodes;
};

struct CUgraphExec_st {
    CUcontext context;
    std::vector<sim::Node> nodes;
};
