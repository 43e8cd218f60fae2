// Runs the blocks and threads of a kernel that was compiled for the host; linked into every compiled .cu file.
//
// One block runs at a time, on one host thread. A device thread runs on a fiber, and only changes to another one where it waits: at a barrier or in a warp
// exchange. Threads that never wait all run on the same fiber, one after the other, so a kernel without barriers is a plain loop.
//
// Wrong kernels do not crash or hang the process; the launch fails with a message instead:
//  - every load and store through a pointer is held against the live memory of the device, by the functions that the compiler's address checking calls;
//    indices of arrays of known size (shared ones among them), alignment and divisors likewise. There are no signal handlers, which a JVM would not stand;
//  - a block in which nobody can go on, a barrier that threads of one block reach in different lines, a warp exchange with a lane outside its own mask;
//  - too many memory accesses: a loop without end.
// Shared memory holds NaN before each block. Which thread goes first is ascending, descending or shuffled: a correct kernel gives the same in all three. In
// descending order, moreover, whoever became able to go on last goes on first, so that one warp runs as far ahead of the others as barriers let it.
#include "kernel_shim.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#if defined(__x86_64__) && !defined(SIM_UCONTEXT)
#define SIM_OWN_SWITCH 1
#else
#include <ucontext.h>
#endif

extern "C" {
extern SIM_HIDDEN char tenon_shared_start[], tenon_shared_end[]; // kernel.ld
extern SIM_HIDDEN char __ehdr_start[];
extern SIM_HIDDEN char _end[];
}

dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace sim_shim {

struct Context {
#if SIM_OWN_SWITCH
    void *stackPointer;
#else
    ucontext_t state;
#endif
};

enum State : unsigned char { UNSTARTED, READY, AT_BARRIER, IN_WARP, DONE };

struct Thread {
    Context *fiber;
    State state;
    int line;       // where it waits
    unsigned mask;  // in a warp exchange: with whom
    int source;     // in a warp exchange: whose value it wants, BALLOT or SYNCHRONIZE
    uint64_t value; // in a warp exchange: what it gives, then what it gets
};

struct Range {
    uintptr_t from, to;
};

enum { FIXED_RANGES = 2, RANGES = 8 };

int currentIndex;
int barrierSum, barrierAll, barrierAny;

static SimLaunch *launch;
static void (*kernelBody)(void **arguments);
static void **kernelArguments;

static Context scheduler;
static Context fibers[SIM_MAX_THREADS];
static Context *idleFibers[SIM_MAX_THREADS];
static int idleCount, fiberCount;

static Thread threads[SIM_MAX_THREADS];
static Thread *current;
static int threadCount, liveCount, inWarpCount;
static int startOrder[SIM_MAX_THREADS], nextStart;
static int ready[SIM_MAX_THREADS], readyFirst, readyCount; // a ring
static unsigned warpLive[SIM_MAX_THREADS / SIM_WARP], warpWaiting[SIM_MAX_THREADS / SIM_WARP]; // lanes
static int barrierCount, sumSoFar, allSoFar, anySoFar;

static Range ranges[RANGES]; // the stacks, shared memory, and what find told
static int nextRange;
static uint64_t accessesLeft;
static uint64_t random64;

// ---- Fibers ----

#if SIM_OWN_SWITCH
extern "C" SIM_HIDDEN void tenon_switch_fiber(void **saveStackPointer, void *loadStackPointer);
asm(".text\n"
    ".p2align 4\n"
    ".globl tenon_switch_fiber\n"
    ".hidden tenon_switch_fiber\n"
    ".type tenon_switch_fiber, @function\n"
    "tenon_switch_fiber:\n"
    "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
    "  movq %rsp, (%rdi)\n"
    "  movq %rsi, %rsp\n"
    "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
    "  ret\n"
    ".size tenon_switch_fiber, .-tenon_switch_fiber\n");

static void change(Context *from, Context *to) { tenon_switch_fiber(&from->stackPointer, to->stackPointer); }

static void prepare(Context *fiber, char *stack, void (*entry)()) {
    void **top = (void **)(stack + SIM_STACK_BYTES);
    *--top = nullptr; // where a call would have put the return address: the entry finds the stack aligned as after one
    *--top = (void *)entry;
    for (int i = 0; i < 6; i++) *--top = nullptr;
    fiber->stackPointer = top;
}
#else
static void change(Context *from, Context *to) { swapcontext(&from->state, &to->state); }

static void prepare(Context *fiber, char *stack, void (*entry)()) {
    getcontext(&fiber->state);
    fiber->state.uc_stack.ss_sp = stack;
    fiber->state.uc_stack.ss_size = SIM_STACK_BYTES;
    fiber->state.uc_link = nullptr;
    makecontext(&fiber->state, entry, 0);
}
#endif

// ---- Failing ----

// The launch ends; its other threads never go on.
[[noreturn]] __attribute__((format(printf, 2, 3), noinline, cold)) static void fail(int status, const char *format, ...) {
    launch->status = status;
    int length = snprintf(launch->message, sizeof launch->message, "block (%u, %u, %u) thread (%u, %u, %u): ", blockIdx.x, blockIdx.y,
            blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(launch->message + length, sizeof launch->message - length, format, arguments);
    va_end(arguments);
    Context nowhere;
    change(&nowhere, &scheduler);
    abort();
}

// For the scheduler, where no thread is the one to blame.
__attribute__((format(printf, 1, 2), cold)) static void failBlock(const char *format, ...) {
    launch->status = 719; // CUDA_ERROR_LAUNCH_FAILED
    int length = snprintf(launch->message, sizeof launch->message, "block (%u, %u, %u): ", blockIdx.x, blockIdx.y, blockIdx.z);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(launch->message + length, sizeof launch->message - length, format, arguments);
    va_end(arguments);
}

// ---- Memory ----

__attribute__((noinline, cold)) static void lookUp(uintptr_t address, size_t bytes, bool store) {
    if (accessesLeft == 0) fail(702, "no end after very many memory accesses: a loop that never ends?");
    Range found;
    if (launch->find(address, &found.from, &found.to)) {
        if (address + bytes > found.to) {
            launch->address = address;
            fail(700, "%s of %zu bytes that ends behind the memory it begins in", store ? "store" : "load", bytes);
        }
        ranges[nextRange] = found;
        nextRange = nextRange + 1 < RANGES ? nextRange + 1 : FIXED_RANGES;
        return;
    }
    // Constants of the compiled file.
    if (!store && address >= (uintptr_t)__ehdr_start && address + bytes <= (uintptr_t)_end) return;
    launch->address = address;
    fail(700, "%s of %zu bytes outside the memory that it may touch", store ? "store" : "load", bytes);
}

static inline void check(uintptr_t address, size_t bytes, bool store) {
    if (--accessesLeft != 0) {
        for (int i = 0; i < RANGES; i++) {
            if (address >= ranges[i].from && address + bytes <= ranges[i].to) return;
        }
    }
    lookUp(address, bytes, store);
}

// What code calls that is compiled with -fsanitize=kernel-address, alignment, null, bounds and integer-divide-by-zero.
extern "C" {

#define SIM_HOOKS(N) \
    SIM_HIDDEN void __asan_load##N##_noabort(uintptr_t address) { check(address, N, false); } \
    SIM_HIDDEN void __asan_store##N##_noabort(uintptr_t address) { check(address, N, true); }
SIM_HOOKS(1)
SIM_HOOKS(2)
SIM_HOOKS(4)
SIM_HOOKS(8)
SIM_HOOKS(16)
SIM_HIDDEN void __asan_loadN_noabort(uintptr_t address, size_t bytes) { check(address, bytes, false); }
SIM_HIDDEN void __asan_storeN_noabort(uintptr_t address, size_t bytes) { check(address, bytes, true); }
SIM_HIDDEN void __asan_handle_no_return() {}

struct SourceLocation {
    const char *file;
    uint32_t line, column;
};
struct TypeMismatch {
    SourceLocation location;
    const void *type;
    unsigned char logAlignment, kind;
};

SIM_HIDDEN void __ubsan_handle_type_mismatch_v1(TypeMismatch *data, uintptr_t address) {
    size_t alignment = (size_t)1 << data->logAlignment;
    if (address == 0) fail(700, "line %u: null pointer", data->location.line);
    launch->address = address;
    fail(716, "line %u: address %#lx is not a multiple of %zu", data->location.line, (unsigned long)address, alignment);
}
SIM_HIDDEN void __ubsan_handle_out_of_bounds(SourceLocation *location, uintptr_t index) {
    fail(700, "line %u: index %ld outside the array", location->line, (long)index);
}
SIM_HIDDEN void __ubsan_handle_divrem_overflow(SourceLocation *location, uintptr_t, uintptr_t) {
    fail(719, "line %u: division of integers by zero", location->line);
}

} // extern "C"

// ---- Order ----

static uint32_t draw(uint32_t bound) {
    random64 ^= random64 << 13;
    random64 ^= random64 >> 7;
    random64 ^= random64 << 17;
    return (uint32_t)(((random64 >> 32) * bound) >> 32);
}

static void exchangeItems(int *items, int i, int j) {
    int item = items[i];
    items[i] = items[j];
    items[j] = item;
}

static void arrange(int *items, int count) {
    if (launch->order == SIM_DESCENDING) {
        for (int i = 0; i < count / 2; i++) exchangeItems(items, i, count - 1 - i);
    } else if (launch->order == SIM_SHUFFLED) {
        for (int i = count - 1; i > 0; i--) exchangeItems(items, i, (int)draw(i + 1));
    }
}

// Block number i of the grid, in a shuffled order, is (i * step + offset) % blocks.
static void drawBlockOrder(uint64_t blocks, uint64_t *step, uint64_t *offset) {
    uint32_t bound = blocks < 0x7FFFFFFF ? (uint32_t)blocks : 0x7FFFFFFF;
    *offset = draw(bound);
    uint64_t divisor;
    do {
        *step = 1 + draw(bound);
        divisor = blocks;
        for (uint64_t rest = *step; rest != 0;) {
            uint64_t next = divisor % rest;
            divisor = rest;
            rest = next;
        }
    } while (divisor != 1);
}

// ---- Running ----

static void setThread(int index) {
    currentIndex = index;
    current = &threads[index];
    if (blockDim.y == 1 && blockDim.z == 1) {
        threadIdx.x = index;
    } else {
        threadIdx = {index % blockDim.x, index / blockDim.x % blockDim.y, index / blockDim.x / blockDim.y};
    }
}

static void completeExchanges(int warp);

static void fiberMain() {
    for (;;) {
        Context *self = threads[startOrder[nextStart]].fiber;
        while (nextStart < threadCount) {
            setThread(startOrder[nextStart++]);
            current->fiber = self;
            current->state = READY;
            kernelBody(kernelArguments);
            // Others may have run meanwhile; now it is this thread again.
            current->state = DONE;
            liveCount--;
            warpLive[currentIndex / SIM_WARP] &= ~(1u << currentIndex % SIM_WARP);
            if (inWarpCount > 0) completeExchanges(currentIndex / SIM_WARP);
            if (readyCount > 0 && launch->order != SIM_ASCENDING) break;
        }
        idleFibers[idleCount++] = self;
        change(self, &scheduler);
    }
}

// Starts threads on a fiber that is free.
static void start() {
    if (idleCount == 0) {
        prepare(&fibers[fiberCount], launch->stacks + (size_t)fiberCount * SIM_STACK_BYTES, fiberMain);
        idleFibers[idleCount++] = &fibers[fiberCount++];
    }
    Context *fiber = idleFibers[--idleCount];
    threads[startOrder[nextStart]].fiber = fiber;
    change(&scheduler, fiber);
}

static void makeReady(int index) {
    threads[index].state = READY;
    ready[(readyFirst + readyCount++) % SIM_MAX_THREADS] = index;
}

static void resumeOne() {
    if (launch->order == SIM_SHUFFLED) {
        exchangeItems(ready, readyFirst, (readyFirst + (int)draw(readyCount)) % SIM_MAX_THREADS);
    }
    readyCount--;
    int index;
    if (launch->order == SIM_DESCENDING) {
        index = ready[(readyFirst + readyCount) % SIM_MAX_THREADS];
    } else {
        index = ready[readyFirst];
        readyFirst = (readyFirst + 1) % SIM_MAX_THREADS;
    }
    setThread(index);
    change(&scheduler, current->fiber);
}

// A barrier opens when every thread that has not returned waits at it.
static void openBarrier() {
    int line = 0;
    readyFirst = 0;
    for (int i = 0; i < threadCount; i++) {
        if (threads[i].state != AT_BARRIER) continue;
        if (line == 0) line = threads[i].line;
        if (threads[i].line != line) {
            failBlock("threads of one block wait at barriers in different lines, %d and %d", line, threads[i].line);
            return;
        }
        makeReady(i);
    }
    if (launch->order == SIM_SHUFFLED) arrange(ready, readyCount);
    barrierSum = sumSoFar, barrierAll = allSoFar, barrierAny = anySoFar;
    sumSoFar = 0, allSoFar = 1, anySoFar = 0;
    barrierCount = 0;
}

static void failStuck() {
    int index = 0;
    while (index < threadCount - 1 && threads[index].state != IN_WARP) index++;
    failBlock("nobody can go on: thread %d waits in line %d for the lanes %#x of its warp, %d of %d threads wait at a barrier", index,
            threads[index].line, threads[index].mask, barrierCount, liveCount);
}

// Rather than let one go on that could.
static bool startsOneNow() {
    if (readyCount == 0 || launch->order == SIM_ASCENDING) return true;
    return launch->order == SIM_SHUFFLED && draw(2) == 0;
}

static void runBlock() {
    memset(tenon_shared_start, 0xFF, tenon_shared_end - tenon_shared_start);
    for (int i = 0; i < threadCount; i++) {
        startOrder[i] = i;
        threads[i].state = UNSTARTED;
    }
    for (int first = 0; first < threadCount; first += SIM_WARP) {
        int lanes = threadCount - first;
        warpLive[first / SIM_WARP] = lanes >= SIM_WARP ? ~0u : (1u << lanes) - 1;
        warpWaiting[first / SIM_WARP] = 0;
    }
    arrange(startOrder, threadCount);
    nextStart = readyFirst = readyCount = barrierCount = inWarpCount = 0;
    sumSoFar = 0, allSoFar = 1, anySoFar = 0;
    liveCount = threadCount;
    while (liveCount > 0 && launch->status == 0) {
        bool starts = nextStart < threadCount;
        if (starts && startsOneNow()) {
            start();
        } else if (readyCount > 0) {
            resumeOne();
        } else if (barrierCount == liveCount) {
            openBarrier();
        } else {
            failStuck();
        }
    }
}

void run(SimLaunch *toRun, void (*body)(void **), void **arguments) {
    launch = toRun;
    kernelBody = body;
    kernelArguments = arguments;
    gridDim = {toRun->grid[0], toRun->grid[1], toRun->grid[2]};
    blockDim = {toRun->block[0], toRun->block[1], toRun->block[2]};
    threadIdx = {0, 0, 0};
    threadCount = (int)(blockDim.x * blockDim.y * blockDim.z);
    idleCount = fiberCount = 0;
    memset(ranges, 0, sizeof ranges);
    ranges[0] = {(uintptr_t)launch->stacks, (uintptr_t)launch->stacks + (size_t)SIM_MAX_THREADS * SIM_STACK_BYTES};
    ranges[1] = {(uintptr_t)tenon_shared_start, (uintptr_t)tenon_shared_end};
    nextRange = FIXED_RANGES;
    accessesLeft = toRun->accessLimit;
    random64 = launch->seed * 0x9E3779B97F4A7C15 + 0x1234567;
    uint64_t blocks = (uint64_t)gridDim.x * gridDim.y * gridDim.z, step = 1, offset = 0;
    if (launch->order == SIM_SHUFFLED) drawBlockOrder(blocks, &step, &offset);
    if (launch->order == SIM_DESCENDING) step = blocks - 1, offset = blocks - 1;
    uint64_t end = toRun->half ? blocks / 2 : blocks;
    for (uint64_t i = 0, block = offset; i < end && launch->status == 0; i++, block = (block + step) % blocks) {
        blockIdx = {(unsigned)(block % gridDim.x), (unsigned)(block / gridDim.x % gridDim.y), (unsigned)(block / gridDim.x / gridDim.y)};
        runBlock();
    }
}

// ---- Waiting ----

void barrier(int predicate, int line) {
    sumSoFar += predicate != 0;
    allSoFar &= predicate != 0;
    anySoFar |= predicate != 0;
    barrierCount++;
    current->state = AT_BARRIER;
    current->line = line;
    change(current->fiber, &scheduler);
}

// Completes the exchanges of a warp to which every named lane that has not returned has come.
static void completeExchanges(int warp) {
    int first = warp * SIM_WARP;
    unsigned waiting = warpWaiting[warp];
    while (waiting != 0) {
        unsigned named = threads[first + __builtin_ctz(waiting)].mask;
        unsigned mask = named & warpLive[warp];
        unsigned come = 0;
        if ((waiting & mask) == mask) {
            for (unsigned rest = waiting; rest != 0; rest &= rest - 1) {
                int lane = __builtin_ctz(rest);
                come |= (unsigned)(threads[first + lane].mask == named) << lane;
            }
        } else {
            come = waiting & -waiting; // look at the others
        }
        waiting &= ~come;
        if (come != mask) continue;
        uint64_t values[SIM_WARP], ballot = 0;
        for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
            int lane = __builtin_ctz(rest);
            values[lane] = threads[first + lane].value;
            ballot |= (uint64_t)(values[lane] != 0) << lane;
        }
        warpWaiting[warp] &= ~mask;
        for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
            int lane = __builtin_ctz(rest);
            Thread &thread = threads[first + lane];
            if (thread.source == BALLOT) {
                thread.value = ballot;
            } else if (thread.source >= 0) {
                // The value of a lane that takes no part is undefined.
                bool there = thread.source < SIM_WARP && (mask >> thread.source & 1);
                thread.value = there ? values[thread.source] : ~(uint64_t)0;
            }
            makeReady(first + lane);
            inWarpCount--;
        }
    }
}

uint64_t exchange(unsigned mask, uint64_t value, int source, int line) {
    int lane = currentIndex % SIM_WARP;
    if (!(mask >> lane & 1)) fail(719, "line %d: lane %d is not in the mask %#x that it gives", line, lane, mask);
    Thread *thread = current;
    thread->state = IN_WARP;
    thread->line = line;
    thread->mask = mask;
    thread->source = source;
    thread->value = value;
    inWarpCount++;
    int warp = currentIndex / SIM_WARP;
    warpWaiting[warp] |= 1u << lane;
    if ((warpWaiting[warp] & mask) == (warpLive[warp] & mask)) completeExchanges(warp);
    change(thread->fiber, &scheduler);
    return thread->value;
}

} // namespace sim_shim
