// Streams, events, captures and graphs. Work that is queued runs when somebody waits for it, and streams run against each other in a seeded order: what is
// not ordered by events comes in the order that the program did not think of.
#include "driver.h"

#include <algorithm>

namespace sim {

static thread_local int captureModeOfThread = 0; // global

static void perform(const std::shared_ptr<Work> &work, CUcontext context) {
    for (const SimRange &range : work->ranges) {
        uintptr_t address = (uintptr_t)range.address;
        bool lives = range.bytes == 0 ? address == 0 || findAllocation(address) : rangeError(address, range.bytes, nullptr).empty();
        if (lives) continue;
        sim_violation("%s: when it ran, %s was %s", work->what.c_str(), range.what, describe(address).c_str());
        failContext(context, CUDA_ERROR_ILLEGAL_ADDRESS);
        return;
    }
    if (context->error) return;
    work->run();
}

static bool waits(const Step &step) { return step.waitsFor && !step.waitsFor->done && !(step.unless && *step.unless); }

// Lets other threads into the driver until a stream has the mark; false where that is in vain.
static bool awaitPlace(const Step &step, CUcontext context) {
    auto start = std::chrono::steady_clock::now();
    while (waits(step) && !step.waitsFor->stream) {
        if (context->error) return false;
        if (std::chrono::steady_clock::now() - start > std::chrono::milliseconds(state.patience)) {
            sim_violation("a stream waited %d ms for what did not come: %s", state.patience, step.waitsFor->what.c_str());
            failContext(context, CUDA_ERROR_LAUNCH_TIMEOUT);
            return false;
        }
        Unlocked unlocked;
        std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    return true;
}

// One step, or, where another thread did it while this one waited, none.
static void runStep(CUstream stream) {
    Step step = stream->queue.front();
    while (waits(step)) {
        if (step.waitsFor->stream) runStep(step.waitsFor->stream);
        else if (!awaitPlace(step, stream->context)) break;
    }
    if (!state.streams.count(stream) || stream->queue.empty() || stream->queue.front().ticket != step.ticket) return;
    stream->queue.pop_front();
    if (step.work) perform(step.work, stream->context);
    step.ticket->done = true;
    step.ticket->time = std::chrono::steady_clock::now();
}

void runUntil(const TicketPtr &ticket) {
    while (!ticket->done) runStep(ticket->stream);
}

// Whether the queued steps up to the ticket (all, if null) run without anybody's further call. `known` are tickets of which that is known.
static bool comes(CUstream stream, const TicketPtr &ticket, size_t steps, std::unordered_set<const Ticket *> &known) {
    for (const Step &step : stream->queue) {
        if (steps-- == 0) break;
        if (waits(step) && !known.count(step.waitsFor.get())) {
            if (!step.waitsFor->stream || !comes(step.waitsFor->stream, step.waitsFor, SIZE_MAX, known)) return false;
            known.insert(step.waitsFor.get());
        }
        if (step.ticket == ticket) break;
    }
    return true;
}

// Whether the next step runs without anybody's further call.
static bool ready(CUstream stream) {
    if (stream->queue.empty()) return false;
    std::unordered_set<const Ticket *> known;
    return !waits(stream->queue.front()) || comes(stream, nullptr, 1, known);
}

void runAll(CUstream stream) {
    while (state.streams.count(stream) && !stream->queue.empty()) runStep(stream);
}

// In the order of their making, so that equal seeds mean equal orders.
static std::vector<CUstream> busyStreams() {
    std::vector<CUstream> busy;
    for (CUstream stream : state.streams) {
        if (ready(stream)) busy.push_back(stream);
    }
    std::sort(busy.begin(), busy.end(), [](CUstream a, CUstream b) { return a->id < b->id; });
    return busy;
}

// Those that need nobody's further call.
static void runSteps(CUstream stream, size_t count) {
    for (; count > 0 && ready(stream); count--) runStep(stream);
}

void runSome() {
    std::vector<CUstream> busy = busyStreams();
    if (!busy.empty()) runSteps(busy[draw((uint32_t)busy.size())], 1 + draw(3));
}

// What other streams do before somebody's wait is over.
static void disturb(CUstream except) {
    if (state.streamOrder == STREAMS_LAZY) return;
    for (CUstream stream : busyStreams()) {
        if (stream == except) continue;
        if (state.streamOrder == STREAMS_OTHERS_FIRST) {
            runSteps(stream, SIZE_MAX);
        } else if (draw(2) == 0) {
            runSteps(stream, draw((uint32_t)stream->queue.size() + 1));
        }
    }
}

void runContext(CUcontext context) {
    disturb(nullptr);
    for (;;) {
        std::vector<CUstream> busy = busyStreams();
        busy.erase(std::remove_if(busy.begin(), busy.end(), [&](CUstream stream) { return stream->context != context; }), busy.end());
        if (!busy.empty()) {
            runSteps(busy[draw((uint32_t)busy.size())], 1 + draw(4));
            continue;
        }
        auto waiting = std::find_if(state.streams.begin(), state.streams.end(),
                [&](CUstream stream) { return stream->context == context && !stream->queue.empty(); });
        if (waiting == state.streams.end()) return;
        runStep(*waiting);
    }
}

void failContext(CUcontext context, CUresult status) {
    if (!context->error) context->error = status;
}

CUstream newStream(CUcontext context, unsigned flags, int priority) {
    static uint64_t streamNumber = 0;
    CUstream stream = new CUstream_st{context, flags, priority, false, false, ++streamNumber, {}, nullptr, nullptr, {}};
    state.streams.insert(stream);
    return stream;
}

void removeStream(CUstream stream) {
    runAll(stream);
    state.streams.erase(stream);
    for (const CapturePtr &capture : state.captures) capture->streams.erase(stream);
    delete stream;
}

CUstream resolve(CUstream stream, CUcontext context) {
    if (stream == nullptr || stream == (CUstream)1) return context->defaultStream;
    if (stream == (CUstream)2) return context->perThreadStream;
    return state.streams.count(stream) && stream->context == context ? stream : nullptr;
}

static TicketPtr push(CUstream stream, const TicketPtr &waitsFor, const std::shared_ptr<Work> &work) {
    auto ticket = std::make_shared<Ticket>();
    ticket->stream = stream;
    stream->queue.push_back({waitsFor, nullptr, work, ticket});
    stream->tail = ticket;
    return ticket;
}

// The default stream waits for all others that are not told not to care, and they for it.
static void orderWithDefaultStream(CUstream stream) {
    CUcontext context = stream->context;
    if (stream->isDefault) {
        for (CUstream other : state.streams) {
            if (other->context == context && other != stream && !(other->flags & 1) && other->tail && !other->tail->done) {
                push(stream, other->tail, nullptr);
            }
        }
    } else if (!(stream->flags & 1)) {
        const TicketPtr &tail = context->defaultStream->tail;
        if (tail && !tail->done) push(stream, tail, nullptr);
    }
}

static void settle(CUstream stream) {
    if (state.streamOrder == STREAMS_IMMEDIATE || stream->early) {
        runSteps(stream, SIZE_MAX);
    } else if (stream->queue.size() > 2000) {
        runSteps(stream, 1000); // queues end somewhere
    } else if (state.streamOrder == STREAMS_RANDOM && draw(8) == 0) {
        runSome();
    }
}

static CUresult addNode(CUstream stream, const std::shared_ptr<Work> &work) {
    Capture &capture = *stream->capture;
    if (!capture.valid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    capture.nodes.push_back({work, stream->captureTail});
    stream->captureTail = {(int)capture.nodes.size() - 1};
    return CUDA_SUCCESS;
}

// Use of the default stream while a stream that waits for it is being captured.
static CUresult defaultStreamInCapture(CUstream stream, const char *call) {
    if (!stream->isDefault) return CUDA_SUCCESS;
    for (const CapturePtr &capture : state.captures) {
        for (CUstream captured : capture->streams) {
            if (captured->context != stream->context || (captured->flags & 1)) continue;
            invalidate(capture);
            sim_violation("%s: uses the default stream while a stream that waits for it is being captured", call);
            return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
        }
    }
    return CUDA_SUCCESS;
}

CUresult enqueue(CUstream stream, std::shared_ptr<Work> work, const char *call) {
    if (stream->capture) return addNode(stream, work);
    if (CUresult status = defaultStreamInCapture(stream, call)) return status;
    orderWithDefaultStream(stream);
    push(stream, nullptr, work);
    settle(stream);
    return CUDA_SUCCESS;
}

void invalidate(const CapturePtr &capture) { capture->valid = false; }

CUresult unsafeInCapture(const char *call) {
    for (const CapturePtr &capture : state.captures) {
        bool own = capture->thread == std::this_thread::get_id();
        bool refused = captureModeOfThread != 2 && ((own && capture->mode != 2) || (captureModeOfThread == 0 && capture->mode == 0));
        if (!refused) continue;
        invalidate(capture);
        sim_violation("%s: not allowed while a stream is being captured (mode %d)", call, capture->mode);
        return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }
    return CUDA_SUCCESS;
}

CUresult synchronize(CUstream stream, const char *call) {
    if (stream->capture) {
        invalidate(stream->capture);
        sim_violation("%s: waits for a stream that is being captured", call);
        return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }
    disturb(stream);
    if (stream->isDefault) orderWithDefaultStream(stream);
    runAll(stream);
    return stream->context->error;
}

// Nodes in an order that respects their dependencies and is otherwise shuffled.
static void runNodes(const std::vector<Node> &nodes, CUcontext context) {
    std::vector<int> missing(nodes.size()), ready;
    std::vector<std::vector<int>> followers(nodes.size());
    for (size_t i = 0; i < nodes.size(); i++) {
        missing[i] = (int)nodes[i].after.size();
        for (int before : nodes[i].after) followers[before].push_back((int)i);
        if (missing[i] == 0) ready.push_back((int)i);
    }
    while (!ready.empty()) {
        size_t pick = state.streamOrder == STREAMS_IMMEDIATE ? 0 : draw((uint32_t)ready.size());
        int node = ready[pick];
        ready.erase(ready.begin() + (long)pick);
        if (nodes[node].work) perform(nodes[node].work, context);
        for (int follower : followers[node]) {
            if (--missing[follower] == 0) ready.push_back(follower);
        }
    }
}

} // namespace sim

using namespace sim;

// ---- For the libraries ----

CUstream sim_stream(const SimCall &call, CUstream stream) {
    Locked locked(state.lock);
    CUcontext context = currentContext();
    if (!context || (call.fault != SIM_WRONG_STREAM && call.fault != SIM_EARLY)) return stream;
    if (!context->faultStream) context->faultStream = newStream(context, 1, 0);
    context->faultStream->early = call.fault == SIM_EARLY;
    return context->faultStream;
}

CUresult sim_enqueue(CUstream stream, const char *what, const std::vector<SimRange> &ranges, std::function<void()> run) {
    Locked locked(state.lock);
    CUcontext context = sim_current_context(what);
    if (!context) return CUDA_ERROR_INVALID_CONTEXT;
    if (context->error) return context->error;
    stream = resolve(stream, context);
    if (!stream) {
        sim_violation("%s: no live stream of the current context", what);
        return CUDA_ERROR_INVALID_HANDLE;
    }
    for (const SimRange &range : ranges) {
        if (!sim_check_device(range.address, range.bytes, (std::string(what) + ": " + range.what).c_str())) return CUDA_ERROR_INVALID_VALUE;
    }
    auto work = std::make_shared<Work>();
    *work = {what, ranges, std::move(run)};
    return enqueue(stream, work, what);
}

SimMark sim_mark(const std::string &what) {
    auto mark = std::make_shared<Ticket>();
    mark->what = what;
    return mark;
}

// The stream behind a handle; null and a status where there is none that the current context may use.
static CUstream usable(CUstream handle, const char *call, CUresult *status) {
    CUcontext context = sim_current_context(call);
    *status = !context ? CUDA_ERROR_INVALID_CONTEXT : context->error;
    CUstream stream = *status == CUDA_SUCCESS ? resolve(handle, context) : nullptr;
    if (*status == CUDA_SUCCESS && !stream) {
        sim_violation("%s: no live stream of the current context", call);
        *status = CUDA_ERROR_INVALID_HANDLE;
    }
    if (stream && stream->capture) {
        invalidate(stream->capture);
        sim_violation("%s: the simulated device does not capture it", call);
        *status = CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }
    return *status == CUDA_SUCCESS ? stream : nullptr;
}

CUresult sim_place(const SimMark &mark, CUstream handle, const char *call, const std::vector<SimRange> &ranges) {
    Locked locked(state.lock);
    CUresult status;
    CUstream stream = usable(handle, call, &status);
    if (!stream) return status;
    auto work = std::make_shared<Work>();
    *work = {call, ranges, [] {}};
    mark->stream = stream;
    stream->queue.push_back({nullptr, nullptr, work, mark});
    stream->tail = mark;
    settle(stream);
    return CUDA_SUCCESS;
}

CUresult sim_await(CUstream handle, const SimMark &mark, const std::shared_ptr<const bool> &unless, const char *call) {
    Locked locked(state.lock);
    CUresult status;
    CUstream stream = usable(handle, call, &status);
    if (!stream) return status;
    push(stream, mark, nullptr);
    stream->queue.back().unless = unless;
    return CUDA_SUCCESS;
}

void sim_progress() {
    Locked locked(state.lock);
    runSome();
}

int sim_patience() { return state.patience; }

CUresult sim_synchronize(CUstream stream, const char *what) {
    Locked locked(state.lock);
    CUcontext context = sim_current_context(what);
    if (!context) return CUDA_ERROR_INVALID_CONTEXT;
    stream = resolve(stream, context);
    return stream ? synchronize(stream, what) : CUDA_ERROR_INVALID_HANDLE;
}

bool sim_capturing(CUstream stream) {
    Locked locked(state.lock);
    CUcontext context = currentContext();
    stream = context ? resolve(stream, context) : nullptr;
    return stream && stream->capture;
}

CUresult sim_unsafe_in_capture(const char *call) {
    Locked locked(state.lock);
    return unsafeInCapture(call);
}

bool sim_stream_of(CUstream stream, CUcontext context, const char *call) {
    Locked locked(state.lock);
    if (resolve(stream, context)) return true;
    sim_violation("%s: %p is no live stream of the context", call, (void *)stream);
    return false;
}

// ---- Streams ----

static CUresult createStream(const char *name, CUstream *stream, unsigned flags, int priority) {
    Locked locked(state.lock);
    Entry entry(name);
    if (entry.fails()) return entry.status;
    if (!stream || flags > 1) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "flags %u", flags);
    *stream = newStream(entry.context, flags, std::max(-5, std::min(0, priority)));
    return CUDA_SUCCESS;
}

CU_EXPORT cuStreamCreate(CUstream *stream, unsigned flags) { return createStream("cuStreamCreate", stream, flags, 0); }
CU_EXPORT cuStreamCreateWithPriority(CUstream *stream, unsigned flags, int priority) {
    return createStream("cuStreamCreateWithPriority", stream, flags, priority);
}

// An entry point that is given a stream.
struct StreamEntry : Entry {
    CUstream stream = nullptr;
    StreamEntry(const char *name, CUstream handle) : Entry(name) {
        if (fails()) return;
        stream = resolve(sim_stream(call, handle), context);
        if (!stream) status = wrong(CUDA_ERROR_INVALID_HANDLE, "no live stream of the current context");
    }
};

CU_EXPORT cuStreamDestroy_v2(CUstream handle) {
    Locked locked(state.lock);
    StreamEntry entry("cuStreamDestroy", handle);
    if (entry.fails()) return entry.status;
    if (!state.streams.count(handle)) return entry.wrong(CUDA_ERROR_INVALID_HANDLE, "a stream that was not created");
    if (entry.dropped()) return CUDA_SUCCESS;
    if (handle->capture) {
        invalidate(handle->capture);
        return entry.wrong(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the stream is being captured");
    }
    removeStream(handle);
    return CUDA_SUCCESS;
}

CU_EXPORT cuStreamSynchronize(CUstream handle) {
    Locked locked(state.lock);
    StreamEntry entry("cuStreamSynchronize", handle);
    if (entry.fails()) return entry.status;
    if (entry.dropped()) return CUDA_SUCCESS;
    if (!entry.stream->capture) {
        if (CUresult status = unsafeInCapture(entry.call.name)) return status;
    }
    return synchronize(entry.stream, entry.call.name);
}

CU_EXPORT cuStreamQuery(CUstream handle) {
    Locked locked(state.lock);
    StreamEntry entry("cuStreamQuery", handle);
    if (entry.fails()) return entry.status;
    if (entry.stream->capture) return synchronize(entry.stream, entry.call.name);
    if (CUresult status = unsafeInCapture(entry.call.name)) return status;
    bool done = entry.stream->queue.empty();
    if (!done) runSteps(entry.stream, 1);
    return done ? entry.context->error : CUDA_ERROR_NOT_READY;
}

CU_EXPORT cuStreamGetFlags(CUstream handle, unsigned *flags) {
    Locked locked(state.lock);
    StreamEntry entry("cuStreamGetFlags", handle);
    if (entry.fails()) return entry.status;
    *flags = entry.stream->flags;
    return CUDA_SUCCESS;
}

CU_EXPORT cuStreamGetPriority(CUstream handle, int *priority) {
    Locked locked(state.lock);
    StreamEntry entry("cuStreamGetPriority", handle);
    if (entry.fails()) return entry.status;
    *priority = entry.stream->priority;
    return CUDA_SUCCESS;
}

CU_EXPORT cuStreamGetId(CUstream handle, unsigned long long *id) {
    Locked locked(state.lock);
    StreamEntry entry("cuStreamGetId", handle);
    if (entry.fails()) return entry.status;
    *id = entry.stream->id;
    return CUDA_SUCCESS;
}

CU_EXPORT cuStreamGetCtx(CUstream handle, CUcontext *context) {
    Locked locked(state.lock);
    StreamEntry entry("cuStreamGetCtx", handle);
    if (entry.fails()) return entry.status;
    *context = entry.stream->context;
    return CUDA_SUCCESS;
}

// Runs a function of the program when the stream gets there. It must not call the driver.
static void callBack(const std::function<void()> &function) {
    bool outer = state.inCallback;
    state.inCallback = true;
    function();
    state.inCallback = outer;
}

CU_EXPORT cuLaunchHostFunc(CUstream handle, void (*function)(void *), void *data) {
    Locked locked(state.lock);
    StreamEntry entry("cuLaunchHostFunc", handle);
    if (entry.fails()) return entry.status;
    if (!function) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "null function");
    if (entry.dropped()) return CUDA_SUCCESS;
    auto work = std::make_shared<Work>();
    *work = {entry.call.name, {}, [=] { callBack([=] { function(data); }); }};
    return enqueue(entry.stream, work, entry.call.name);
}

CU_EXPORT cuStreamAddCallback(CUstream handle, void (*function)(CUstream, CUresult, void *), void *data, unsigned flags) {
    Locked locked(state.lock);
    StreamEntry entry("cuStreamAddCallback", handle);
    if (entry.fails()) return entry.status;
    if (!function || flags != 0) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "null function, or flags");
    if (entry.stream->capture) {
        invalidate(entry.stream->capture);
        return entry.wrong(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "in a capture (cuLaunchHostFunc may)");
    }
    if (entry.dropped()) return CUDA_SUCCESS;
    auto work = std::make_shared<Work>();
    *work = {entry.call.name, {}, [=] { callBack([=] { function(handle, CUDA_SUCCESS, data); }); }};
    return enqueue(entry.stream, work, entry.call.name);
}

// ---- Events ----

CU_EXPORT cuEventCreate(CUevent *event, unsigned flags) {
    Locked locked(state.lock);
    Entry entry("cuEventCreate");
    if (entry.fails()) return entry.status;
    if (!event || flags > 7) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "flags %u", flags);
    *event = new CUevent_st{entry.context, flags, nullptr, nullptr, {}};
    state.events.insert(*event);
    return CUDA_SUCCESS;
}

static bool known(Entry &entry, CUevent event) {
    if (entry.fails()) return false;
    if (state.events.count(event)) return true;
    entry.status = entry.wrong(CUDA_ERROR_INVALID_HANDLE, "%p is no live event", (void *)event);
    return false;
}

CU_EXPORT cuEventDestroy_v2(CUevent event) {
    Locked locked(state.lock);
    Entry entry("cuEventDestroy");
    if (!known(entry, event)) return entry.status;
    if (entry.dropped()) return CUDA_SUCCESS;
    state.events.erase(event);
    delete event;
    return CUDA_SUCCESS;
}

static CUresult record(const char *name, CUevent event, CUstream handle) {
    Locked locked(state.lock);
    StreamEntry entry(name, handle);
    if (!known(entry, event)) return entry.status;
    if (event->context != entry.stream->context) return entry.wrong(CUDA_ERROR_INVALID_HANDLE, "event and stream are of different contexts");
    if (entry.dropped()) return CUDA_SUCCESS;
    if (entry.stream->capture) {
        if (!entry.stream->capture->valid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
        event->capture = entry.stream->capture;
        event->captureTail = entry.stream->captureTail;
        event->ticket = nullptr;
        return CUDA_SUCCESS;
    }
    if (CUresult status = defaultStreamInCapture(entry.stream, name)) return status;
    event->capture = nullptr;
    orderWithDefaultStream(entry.stream);
    event->ticket = push(entry.stream, nullptr, nullptr);
    settle(entry.stream);
    return CUDA_SUCCESS;
}

CU_EXPORT cuEventRecord(CUevent event, CUstream stream) { return record("cuEventRecord", event, stream); }
CU_EXPORT cuEventRecordWithFlags(CUevent event, CUstream stream, unsigned) { return record("cuEventRecordWithFlags", event, stream); }

CU_EXPORT cuStreamWaitEvent(CUstream handle, CUevent event, unsigned) {
    Locked locked(state.lock);
    StreamEntry entry("cuStreamWaitEvent", handle);
    if (!known(entry, event)) return entry.status;
    if (entry.dropped()) return CUDA_SUCCESS;
    CUstream stream = entry.stream;
    if (event->capture && std::count(state.captures.begin(), state.captures.end(), event->capture)) {
        if (!event->capture->valid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
        if (stream->capture && stream->capture != event->capture) {
            invalidate(stream->capture);
            invalidate(event->capture);
            return entry.wrong(CUDA_ERROR_STREAM_CAPTURE_MERGE, "the event belongs to another capture");
        }
        if (!stream->capture) {
            stream->capture = event->capture;
            stream->captureTail.clear();
            event->capture->streams.insert(stream);
        }
        for (int node : event->captureTail) {
            if (!std::count(stream->captureTail.begin(), stream->captureTail.end(), node)) stream->captureTail.push_back(node);
        }
        return CUDA_SUCCESS;
    }
    if (stream->capture) {
        if (!event->ticket) return CUDA_SUCCESS;
        invalidate(stream->capture);
        return entry.wrong(CUDA_ERROR_STREAM_CAPTURE_ISOLATION, "the event was recorded outside the capture");
    }
    // An event that was never recorded is nothing to wait for.
    if (event->ticket && !event->ticket->done) {
        push(stream, event->ticket, nullptr);
        settle(stream);
    }
    return CUDA_SUCCESS;
}

static bool captured(Entry &entry, CUevent event) {
    if (!event->capture) return false;
    invalidate(event->capture);
    entry.status = entry.wrong(CUDA_ERROR_CAPTURED_EVENT, "the event was recorded in a capture");
    return true;
}

CU_EXPORT cuEventSynchronize(CUevent event) {
    Locked locked(state.lock);
    Entry entry("cuEventSynchronize");
    if (!known(entry, event) || captured(entry, event)) return entry.status;
    if (entry.dropped()) return CUDA_SUCCESS;
    if (CUresult status = unsafeInCapture(entry.call.name)) return status;
    if (event->ticket && !event->ticket->done) {
        disturb(event->ticket->stream);
        runUntil(event->ticket);
    }
    return event->context->error;
}

CU_EXPORT cuEventQuery(CUevent event) {
    Locked locked(state.lock);
    Entry entry("cuEventQuery");
    if (!known(entry, event) || captured(entry, event)) return entry.status;
    if (CUresult status = unsafeInCapture(entry.call.name)) return status;
    if (!event->ticket || event->ticket->done) return event->context->error;
    runSteps(event->ticket->stream, 1);
    return CUDA_ERROR_NOT_READY;
}

static CUresult elapsed(float *milliseconds, CUevent start, CUevent end) {
    Locked locked(state.lock);
    Entry entry("cuEventElapsedTime");
    if (!known(entry, start) || !known(entry, end) || captured(entry, start) || captured(entry, end)) return entry.status;
    if (!start->ticket || !end->ticket) return entry.wrong(CUDA_ERROR_INVALID_HANDLE, "an event was not recorded");
    if ((start->flags | end->flags) & 2) return entry.wrong(CUDA_ERROR_INVALID_HANDLE, "an event without timing");
    if (!start->ticket->done || !end->ticket->done) return CUDA_ERROR_NOT_READY;
    *milliseconds = std::chrono::duration<float, std::milli>(end->ticket->time - start->ticket->time).count();
    return CUDA_SUCCESS;
}

CU_EXPORT cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end) { return elapsed(milliseconds, start, end); }
CU_EXPORT cuEventElapsedTime_v2(float *milliseconds, CUevent start, CUevent end) { return elapsed(milliseconds, start, end); }

// ---- Capture ----

CU_EXPORT cuStreamBeginCapture_v2(CUstream handle, int mode) {
    Locked locked(state.lock);
    StreamEntry entry("cuStreamBeginCapture", handle);
    if (entry.fails()) return entry.status;
    CUstream stream = entry.stream;
    if (stream->isDefault) return entry.wrong(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the default stream cannot be captured");
    if (stream->capture) return entry.wrong(CUDA_ERROR_ILLEGAL_STATE, "the stream is being captured");
    if (mode < 0 || mode > 2) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "mode %d", mode);
    auto capture = std::make_shared<Capture>();
    capture->origin = stream;
    capture->mode = mode;
    capture->thread = std::this_thread::get_id();
    capture->streams.insert(stream);
    stream->capture = capture;
    stream->captureTail.clear();
    state.captures.push_back(capture);
    return CUDA_SUCCESS;
}

// Whether every node comes before the end of the stream that the capture began with.
static bool joined(const Capture &capture) {
    std::vector<bool> seen(capture.nodes.size());
    std::vector<int> open = capture.origin->captureTail;
    size_t count = 0;
    while (!open.empty()) {
        int node = open.back();
        open.pop_back();
        if (seen[node]) continue;
        seen[node] = true;
        count++;
        open.insert(open.end(), capture.nodes[node].after.begin(), capture.nodes[node].after.end());
    }
    return count == capture.nodes.size();
}

CU_EXPORT cuStreamEndCapture(CUstream handle, CUgraph *graph) {
    Locked locked(state.lock);
    StreamEntry entry("cuStreamEndCapture", handle);
    if (entry.fails()) return entry.status;
    CUstream stream = entry.stream;
    if (graph) *graph = nullptr;
    if (!graph) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "null");
    if (!stream->capture) return entry.wrong(CUDA_ERROR_ILLEGAL_STATE, "the stream is not being captured");
    CapturePtr capture = stream->capture;
    if (capture->origin != stream) {
        invalidate(capture);
        return entry.wrong(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, "the capture began on another stream");
    }
    if (capture->mode != 2 && capture->thread != std::this_thread::get_id()) {
        return entry.wrong(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, "the capture began on another thread");
    }
    bool whole = joined(*capture);
    for (CUstream member : capture->streams) {
        member->capture = nullptr;
        member->captureTail.clear();
    }
    state.captures.erase(std::find(state.captures.begin(), state.captures.end(), capture));
    if (!capture->valid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    if (!whole) return entry.wrong(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, "work of another stream is not joined");
    *graph = new CUgraph_st{capture->nodes};
    state.graphs.insert(*graph);
    return CUDA_SUCCESS;
}

static int captureStatus(CUstream stream) { return !stream->capture ? 0 : stream->capture->valid ? 1 : 2; }

CU_EXPORT cuStreamIsCapturing(CUstream handle, int *status) {
    Locked locked(state.lock);
    StreamEntry entry("cuStreamIsCapturing", handle);
    if (entry.fails()) return entry.status;
    if (CUresult refused = defaultStreamInCapture(entry.stream, entry.call.name)) return refused;
    *status = captureStatus(entry.stream);
    return CUDA_SUCCESS;
}

CU_EXPORT cuStreamGetCaptureInfo_v2(CUstream handle, int *status, uint64_t *id, CUgraph *, void *, size_t *) {
    Locked locked(state.lock);
    StreamEntry entry("cuStreamGetCaptureInfo", handle);
    if (entry.fails()) return entry.status;
    *status = captureStatus(entry.stream);
    if (id) *id = (uint64_t)entry.stream->capture.get();
    return CUDA_SUCCESS;
}

CU_EXPORT cuThreadExchangeStreamCaptureMode(int *mode) {
    Locked locked(state.lock);
    Entry entry("cuThreadExchangeStreamCaptureMode", false);
    if (entry.fails()) return entry.status;
    if (!mode || *mode < 0 || *mode > 2) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "mode");
    std::swap(*mode, captureModeOfThread);
    return CUDA_SUCCESS;
}

// ---- Graphs ----

static bool known(Entry &entry, CUgraph graph) {
    if (entry.fails()) return false;
    if (state.graphs.count(graph)) return true;
    entry.status = entry.wrong(CUDA_ERROR_INVALID_VALUE, "%p is no live graph", (void *)graph);
    return false;
}

static bool known(Entry &entry, CUgraphExec graph) {
    if (entry.fails()) return false;
    if (state.graphExecs.count(graph)) return true;
    entry.status = entry.wrong(CUDA_ERROR_INVALID_VALUE, "%p is no live executable graph", (void *)graph);
    return false;
}

static CUresult instantiate(CUgraphExec *exec, CUgraph graph) {
    Locked locked(state.lock);
    Entry entry("cuGraphInstantiate");
    if (!known(entry, graph)) return entry.status;
    if (!exec) return entry.wrong(CUDA_ERROR_INVALID_VALUE, "null");
    *exec = new CUgraphExec_st{entry.context, graph->nodes};
    state.graphExecs.insert(*exec);
    return CUDA_SUCCESS;
}

CU_EXPORT cuGraphInstantiate(CUgraphExec *exec, CUgraph graph, void *, char *, size_t) { return instantiate(exec, graph); }
CU_EXPORT cuGraphInstantiate_v2(CUgraphExec *exec, CUgraph graph, void *, char *, size_t) { return instantiate(exec, graph); }
CU_EXPORT cuGraphInstantiateWithFlags(CUgraphExec *exec, CUgraph graph, unsigned long long) { return instantiate(exec, graph); }
CU_EXPORT cuGraphInstantiateWithParams(CUgraphExec *exec, CUgraph graph, void *) { return instantiate(exec, graph); }

CU_EXPORT cuGraphUpload(CUgraphExec exec, CUstream handle) {
    Locked locked(state.lock);
    StreamEntry entry("cuGraphUpload", handle);
    known(entry, exec);
    return entry.status;
}

CU_EXPORT cuGraphLaunch(CUgraphExec exec, CUstream handle) {
    Locked locked(state.lock);
    StreamEntry entry("cuGraphLaunch", handle);
    if (!known(entry, exec)) return entry.status;
    if (exec->context != entry.context) return entry.wrong(CUDA_ERROR_INVALID_CONTEXT, "the graph is of another context");
    if (entry.dropped()) return CUDA_SUCCESS;
    auto nodes = std::make_shared<std::vector<Node>>(exec->nodes);
    CUcontext context = exec->context;
    auto work = std::make_shared<Work>();
    *work = {entry.call.name, {}, [nodes, context] { runNodes(*nodes, context); }};
    return enqueue(entry.stream, work, entry.call.name);
}

CU_EXPORT cuGraphDestroy(CUgraph graph) {
    Locked locked(state.lock);
    Entry entry("cuGraphDestroy");
    if (!known(entry, graph)) return entry.status;
    if (entry.dropped()) return CUDA_SUCCESS;
    state.graphs.erase(graph);
    delete graph;
    return CUDA_SUCCESS;
}

CU_EXPORT cuGraphExecDestroy(CUgraphExec exec) {
    Locked locked(state.lock);
    Entry entry("cuGraphExecDestroy");
    if (!known(entry, exec)) return entry.status;
    if (entry.dropped()) return CUDA_SUCCESS;
    state.graphExecs.erase(exec);
    delete exec;
    return CUDA_SUCCESS;
}

CU_EXPORT cuGraphGetNodes(CUgraph graph, void **nodes, size_t *count) {
    Locked locked(state.lock);
    Entry entry("cuGraphGetNodes");
    if (!known(entry, graph)) return entry.status;
    if (nodes) {
        for (size_t i = 0; i < *count; i++) nodes[i] = i < graph->nodes.size() ? &graph->nodes[i] : nullptr;
        *count = std::min(*count, graph->nodes.size());
    } else {
        *count = graph->nodes.size();
    }
    return CUDA_SUCCESS;
}
