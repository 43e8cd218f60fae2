// A double of NCCL: sums over and copies to all devices of one process, on their streams, checked as the library checks them, and where it would hang or compute nonsense, said.
//
// Communicators that do not block are slower here than they need be: what a group of calls starts is queued some time after ncclGroupEnd, while the program asks for the state, and what
// is the first of a communicator waits for all ranks. Until a communicator is ready, it is also
// looked for where ncclCommInitRankConfig put it, as the library up to 2.17 does.
#include "library.h"
#include "marks.h"

#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

namespace {

enum Status {
    SUCCESS = 0,
    UNHANDLED_CUDA_ERROR = 1,
    SYSTEM_ERROR = 2,
    INTERNAL_ERROR = 3,
    INVALID_ARGUMENT = 4,
    INVALID_USAGE = 5,
    REMOTE_ERROR = 6,
    IN_PROGRESS = 7
};

enum Kind { ALL_REDUCE, BROADCAST };
enum { UINT8 = 1, FLOAT32 = 7, SUM = 0 };

constexpr int VERSION = 22800;
constexpr unsigned MAGIC = 0xcafebeef;
constexpr int ID_BYTES = 128, MOST_RANKS = 8;
constexpr const char *HANDLE = "ncclComm";
/** Neighbours that are added in one order of ranks; the next ones are added in another. */
constexpr int64_t RUN = 64;

struct Id {
    char bytes[ID_BYTES];
};

struct Config {
    size_t size;
    unsigned magic;
    unsigned version;
    int blocking;
};

/** What all ranks do together. */
struct Operation {
    const char *call;
    Kind kind;
    size_t count;
    int type, redOp, root;
    std::vector<SimMark> arrived;  // by rank: its stream has come to the operation
    std::vector<const void *> send;
    int cameRanks = 0;
    std::vector<char> result;  // made by the first rank that has waited for all

    size_t bytes() const {
        return count * (type == FLOAT32 ? sizeof(float) : 1);
    }
};

typedef std::shared_ptr<Operation> OperationPtr;

struct Comm;

/** The communicators that belong together. */
struct Clique {
    int size;
    std::vector<Comm *> members;  // by rank, null before they came
    std::vector<OperationPtr> operations;
    int came = 0;
    bool broken = false;
};

/** A rank's part of an operation. */
struct Part {
    Comm *comm;
    SimCall call;
    Kind kind;
    const void *send;
    void *receive;
    size_t count;
    int type, redOp, root;
    CUstream stream;
};

struct Comm {
    std::shared_ptr<Clique> clique;
    int rank;
    CUcontext context;
    bool blocking;
    Status state = SUCCESS;
    std::vector<Part> started;  // by a group of calls, not queued yet
    bool starting = true;       // the communicator itself is not ready yet
    void **made = nullptr;      // where the program wanted it
    bool finalizing = false;
    size_t issued = 0;  // operations
    std::shared_ptr<size_t> finished = std::make_shared<size_t>(0);
    std::shared_ptr<bool> aborted = std::make_shared<bool>(false);
    std::chrono::steady_clock::time_point since;
    int polls = 0;
    bool inGroup = false;
    std::thread::id user;  // of the group
};

std::recursive_mutex lock;
uint64_t ids = 0;
std::map<uint64_t, std::shared_ptr<Clique>> cliques;

thread_local int groupDepth = 0;
thread_local std::vector<Part> groupParts;
thread_local std::vector<Comm *> groupInits;
thread_local char lastError[500] = "";

typedef std::lock_guard<std::recursive_mutex> Guard;

__attribute__((format(printf, 2, 3))) Status fail(Status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(lastError, sizeof lastError, format, arguments);
    va_end(arguments);
    return status;
}

/** Like fail, for what a correct program never does. */
__attribute__((format(printf, 2, 3))) Status wrong(Status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(lastError, sizeof lastError, format, arguments);
    va_end(arguments);
    sim_violation("%s", lastError);
    return status;
}

Comm *live(const char *call, void *handle) {
    if (handle == nullptr || !sim_handle_known(HANDLE, handle, call)) {
        return nullptr;
    }
    Comm *comm = static_cast<Comm *>(handle);
    if (comm->inGroup && comm->user != std::this_thread::get_id()) {
        sim_violation("%s: rank %d is in a group of calls of another thread", call, comm->rank);
        return nullptr;
    }
    return comm;
}

extern "C" CUresult cuCtxPushCurrent_v2(CUcontext);
extern "C" CUresult cuCtxPopCurrent_v2(CUcontext *);

/** The library makes its device current by itself. */
struct Current {
    explicit Current(CUcontext context) : ok(cuCtxPushCurrent_v2(context) == CUDA_SUCCESS) {}
    ~Current() {
        if (ok) {
            cuCtxPopCurrent_v2(nullptr);
        }
    }
    bool ok;
};

// ---- Operations ----

/** Adds in an order that changes with the place, as rings that begin at different ranks do; all ranks get what is added once. */
void compute(Operation &operation) {
    int size = int(operation.send.size());
    operation.result.resize(operation.bytes());
    if (operation.kind == BROADCAST) {
        std::memcpy(operation.result.data(), operation.send[size_t(operation.root)], operation.bytes());
        return;
    }
    auto from = [&](int rank) { return static_cast<const float *>(operation.send[size_t(rank)]); };
    float *result = reinterpret_cast<float *>(operation.result.data());
    for (int64_t i = 0; i < int64_t(operation.count); i++) {
        int first = int(i / RUN % size);
        float sum = from(first)[i];
        for (int r = 1; r < size; r++) {
            sum += from((first + r) % size)[i];
        }
        result[i] = sum;
    }
}

std::string missing(const char *call, const Comm &comm, size_t number, int rank) {
    char text[200];
    snprintf(text, sizeof text, "%s number %zu of rank %d waits for rank %d of %d", call, number, comm.rank, rank, comm.clique->size);
    return text;
}

/** Queues a part: the rank's stream waits for those of all ranks, then has the result. */
Status queue(const Part &part) {
    Comm &comm = *part.comm;
    Clique &clique = *comm.clique;
    size_t number = comm.issued++;
    if (number == clique.operations.size()) {
        auto made = std::make_shared<Operation>();
        *made = {part.call.name, part.kind, part.count, part.type, part.redOp, part.root, {}, {}, 0, {}};
        made->send.resize(size_t(clique.size));
        for (int r = 0; r < clique.size; r++) {
            made->arrived.push_back(sim_mark(missing(part.call.name, comm, number, r)));
        }
        clique.operations.push_back(made);
    }
    OperationPtr operation = clique.operations[number];
    if (operation->kind != part.kind || operation->count != part.count || operation->type != part.type
            || operation->redOp != part.redOp || operation->root != part.root) {
        clique.broken = true;
        return wrong(INVALID_USAGE, "%s number %zu of rank %d: %zu elements, root %d; another rank called %s: %zu elements, root %d", part.call.name,
                number, comm.rank, part.count, part.root, operation->call, operation->count, operation->root);
    }
    Current current(comm.context);
    if (!current.ok) {
        return fail(UNHANDLED_CUDA_ERROR, "%s: the device of rank %d cannot be made current", part.call.name, comm.rank);
    }
    size_t bytes = operation->bytes();
    std::vector<SimRange> ranges;
    ranges.push_back({part.receive, bytes, "recvbuff"});
    bool reads = part.kind == ALL_REDUCE || comm.rank == part.root;
    if (reads) {
        ranges.push_back({part.send, bytes, "sendbuff"});
    }
    operation->send[size_t(comm.rank)] = part.send;
    operation->cameRanks++;
    CUstream stream = sim_stream(part.call, part.stream);
    CUresult status = sim_place(operation->arrived[size_t(comm.rank)], stream, part.call.name, ranges);
    for (int r = 0; r < clique.size && status == CUDA_SUCCESS; r++) {
        status = sim_await(stream, operation->arrived[size_t(r)], comm.aborted, part.call.name);
    }
    if (status == CUDA_SUCCESS) {
        auto aborted = comm.aborted;
        auto finished = comm.finished;
        void *receive = part.receive;
        status = sim_enqueue(stream, part.call.name, ranges, [operation, aborted, finished, receive, bytes] {
            ++*finished;
            if (*aborted) {
                std::memset(receive, 0xff, bytes);  // whatever was there when it ended
                return;
            }
            if (operation->result.empty()) {
                compute(*operation);
            }
            std::memcpy(receive, operation->result.data(), bytes);
        });
    }
    return status == CUDA_SUCCESS ? SUCCESS
                                  : fail(UNHANDLED_CUDA_ERROR, "%s: the stream of rank %d takes no work: %d", part.call.name, comm.rank, int(status));
}

/** The state of a communicator after some more of what it does in the background. */
Status progress(Comm &comm) {
    if (comm.state != IN_PROGRESS) {
        return comm.state;
    }
    Clique &clique = *comm.clique;
    if (comm.starting && *comm.made != &comm) {
        return comm.state = wrong(INTERNAL_ERROR, "ncclCommInitRankConfig: rank %d: the communicator is not where it was put; was the memory freed too early?", comm.rank);
    }
    if (comm.polls > 0) {
        comm.polls--;
        return IN_PROGRESS;
    }
    bool inTime = std::chrono::steady_clock::now() - comm.since < std::chrono::milliseconds(sim_patience());
    if (comm.starting) {
        if (clique.came == clique.size) {
            comm.starting = false;
            return comm.state = clique.broken ? INVALID_USAGE : SUCCESS;
        }
        return comm.state = inTime ? IN_PROGRESS : wrong(SYSTEM_ERROR, "ncclCommInitRankConfig: rank %d of %d waits for the others in vain", comm.rank, clique.size);
    }
    if (!comm.started.empty()) {
        for (const Part &part : comm.started) {
            Status status = queue(part);
            if (status != SUCCESS) {
                comm.started.clear();
                return comm.state = status;
            }
        }
        comm.started.clear();
    }
    if (comm.finalizing) {
        if (*comm.finished < comm.issued) {
            sim_progress();
        }
        if (*comm.finished < comm.issued) {
            return comm.state = inTime ? IN_PROGRESS : wrong(SYSTEM_ERROR, "ncclCommFinalize: rank %d has operations that do not end", comm.rank);
        }
        return comm.state = SUCCESS;
    }
    // Ranks connect to each other when they first need to.
    if (!clique.operations.empty() && clique.operations[0]->cameRanks < clique.size) {
        return comm.state = inTime ? IN_PROGRESS
                                   : wrong(SYSTEM_ERROR, "%s: rank %d of %d waits for the others in vain", clique.operations[0]->call, comm.rank, clique.size);
    }
    return comm.state = clique.broken ? INVALID_USAGE : SUCCESS;
}

void start(Comm &comm) {
    comm.state = IN_PROGRESS;
    comm.since = std::chrono::steady_clock::now();
    comm.polls = int((comm.issued + size_t(comm.rank)) % 3);
}

Status collective(const char *name, Kind kind, const void *send, void *receive, size_t count, int type, int redOp, int root, void *handle, CUstream stream) {
    Guard guard(lock);
    SimCall call = sim_call(name);
    if (call.fails) {
        return Status(call.status);
    }
    if (call.fault == SIM_DROP) {
        return SUCCESS;
    }
    Comm *comm = live(name, handle);
    if (comm == nullptr) {
        return fail(INVALID_ARGUMENT, "%s: no communicator", name);
    }
    if (comm->state == IN_PROGRESS) {
        return wrong(INVALID_ARGUMENT, "%s: rank %d has not ended its last call", name, comm->rank);
    }
    if (comm->state != SUCCESS || comm->finalizing) {
        return wrong(INVALID_ARGUMENT, "%s: rank %d is in error, or finalized", name, comm->rank);
    }
    if ((type != FLOAT32 && (type != UINT8 || kind != BROADCAST)) || redOp != SUM || root < 0 || root >= comm->clique->size) {
        return wrong(INVALID_ARGUMENT, "%s: type %d, operation %d, root %d: the double of NCCL adds floats and copies floats and bytes", name, type, redOp, root);
    }
    if (groupDepth == 0) {
        return wrong(INVALID_USAGE, "%s: outside of a group of calls", name);
    }
    Current current(comm->context);
    if (!current.ok || !sim_stream_of(stream, comm->context, name)) {
        return fail(INVALID_ARGUMENT, "%s: the stream is not one of rank %d's device", name, comm->rank);
    }
    int64_t width = type == FLOAT32 ? sizeof(float) : 1;
    int64_t bytes = int64_t(count) * width;
    library::Operands operands(name);
    operands.out("recvbuff", receive, bytes, width);
    if (kind == ALL_REDUCE || comm->rank == root) {
        operands.in("sendbuff", send, bytes, width);
        operands.inPlace(send);
    }
    if (!operands.valid()) {
        return fail(INVALID_ARGUMENT, "%s: bad memory", name);
    }
    if (call.fault == SIM_HALF) {
        count /= 2;
    }
    if (count == 0) {
        return SUCCESS;
    }
    comm->inGroup = true;
    comm->user = std::this_thread::get_id();
    groupParts.push_back({comm, call, kind, send, receive, count, type, redOp, root, stream});
    return SUCCESS;
}

Status endGroup() {
    bool background = false;
    for (Comm *comm : groupInits) {
        start(*comm);
        background = true;
    }
    groupInits.clear();
    for (Part &part : groupParts) {
        Comm &comm = *part.comm;
        comm.inGroup = false;
        if (comm.state != IN_PROGRESS) {
            start(comm);
        }
        comm.started.push_back(part);
        background = true;
    }
    groupParts.clear();
    return background ? IN_PROGRESS : SUCCESS;
}

void forget(Comm *comm, const char *call) {
    sim_handle_destroyed(HANDLE, comm, call);
    comm->clique->members[size_t(comm->rank)] = nullptr;
    delete comm;
}

}  // namespace

SIM_ENTRY_POINTS

extern "C" {

int ncclGetVersion(int *version) {
    SIM_ENTER("ncclGetVersion")
    *version = VERSION;
    return SUCCESS;
}

const char *ncclGetErrorString(int status) {
    switch (status) {
        case SUCCESS:
            return "no error";
        case UNHANDLED_CUDA_ERROR:
            return "unhandled cuda error";
        case SYSTEM_ERROR:
            return "unhandled system error";
        case INTERNAL_ERROR:
            return "internal error";
        case INVALID_ARGUMENT:
            return "invalid argument";
        case INVALID_USAGE:
            return "invalid usage";
        case REMOTE_ERROR:
            return "remote process exited or there was a network error";
        case IN_PROGRESS:
            return "NCCL operation in progress";
        default:
            return "unknown result code";
    }
}

/** Of the thread's last failed call. */
const char *ncclGetLastError(void *) {
    return lastError;
}

int ncclGetUniqueId(Id *id) {
    Guard guard(lock);
    SIM_ENTER("ncclGetUniqueId")
    std::memset(id->bytes, 0, ID_BYTES);
    uint64_t number = ++ids;
    std::memcpy(id->bytes, &number, sizeof number);
    // All of it must come back.
    id->bytes[ID_BYTES - 1] = char(number);
    return SUCCESS;
}

int ncclCommInitRankConfig(void **made, int size, Id id, int rank, const Config *config) {
    Guard guard(lock);
    SIM_ENTER("ncclCommInitRankConfig")
    uint64_t number;
    std::memcpy(&number, id.bytes, sizeof number);
    if (number == 0 || number > ids || id.bytes[ID_BYTES - 1] != char(number)) {
        return wrong(INVALID_ARGUMENT, "%s: the id is none of ncclGetUniqueId", call.name);
    }
    if (made == nullptr || size < 1 || size > MOST_RANKS || rank < 0 || rank >= size) {
        return wrong(INVALID_ARGUMENT, "%s: rank %d of %d", call.name, rank, size);
    }
    if (config == nullptr || config->magic != MAGIC || config->size < sizeof(Config) || config->version < 21400 || config->blocking != 0) {
        return wrong(INVALID_ARGUMENT, "%s: the double of NCCL wants a config (of 2.14 at least) that does not block", call.name);
    }
    CUcontext context = sim_current_context(call.name);
    if (context == nullptr) {
        return fail(UNHANDLED_CUDA_ERROR, "%s: no device", call.name);
    }
    std::shared_ptr<Clique> &clique = cliques[number];
    if (!clique) {
        clique = std::make_shared<Clique>();
        clique->size = size;
        clique->members.resize(size_t(size));
    }
    if (clique->size != size || clique->members[size_t(rank)] != nullptr) {
        return wrong(INVALID_ARGUMENT, "%s: rank %d of %d: it is there already, or the others say another size", call.name, rank, size);
    }
    Comm *comm = new Comm;
    comm->clique = clique;
    comm->rank = rank;
    comm->context = context;
    comm->blocking = false;
    for (Comm *other : clique->members) {
        if (other != nullptr && sim_device(other->context) == sim_device(context)) {
            clique->broken = true;
            fail(INVALID_USAGE, "Duplicate GPU detected : rank %d and rank %d both on CUDA device %d", rank, other->rank, sim_device(context));
        }
    }
    clique->members[size_t(rank)] = comm;
    clique->came++;
    if (clique->came == size) {
        cliques.erase(number);
    }
    sim_handle_created(HANDLE, comm);
    *made = comm;
    comm->made = made;
    if (groupDepth > 0) {
        groupInits.push_back(comm);
        return SUCCESS;
    }
    start(*comm);
    return IN_PROGRESS;
}

int ncclCommGetAsyncError(void *handle, int *status) {
    Guard guard(lock);
    SIM_ENTER("ncclCommGetAsyncError")
    Comm *comm = live(call.name, handle);
    if (comm == nullptr || status == nullptr) {
        return fail(INVALID_ARGUMENT, "%s: no communicator", call.name);
    }
    *status = progress(*comm);
    return SUCCESS;
}

int ncclGroupStart() {
    SIM_ENTER("ncclGroupStart")
    groupDepth++;
    return SUCCESS;
}

int ncclGroupEnd() {
    Guard guard(lock);
    SimCall call = sim_call("ncclGroupEnd");
    if (groupDepth == 0) {
        return wrong(INVALID_USAGE, "%s: without ncclGroupStart", call.name);
    }
    if (--groupDepth > 0) {
        return SUCCESS;
    }
    if (call.fails || call.fault == SIM_DROP) {
        for (Part &part : groupParts) {
            part.comm->inGroup = false;
        }
        groupParts.clear();
        groupInits.clear();
        return call.fails ? call.status : int(SUCCESS);
    }
    return endGroup();
}

int ncclAllReduce(const void *send, void *receive, size_t count, int type, int redOp, void *comm, CUstream stream) {
    return collective("ncclAllReduce", ALL_REDUCE, send, receive, count, type, redOp, 0, comm, stream);
}

int ncclBroadcast(const void *send, void *receive, size_t count, int type, int root, void *comm, CUstream stream) {
    return collective("ncclBroadcast", BROADCAST, send, receive, count, type, SUM, root, comm, stream);
}

int ncclCommFinalize(void *handle) {
    Guard guard(lock);
    SIM_ENTER("ncclCommFinalize")
    Comm *comm = live(call.name, handle);
    if (comm == nullptr) {
        return fail(INVALID_ARGUMENT, "%s: no communicator", call.name);
    }
    if (comm->state != SUCCESS || comm->finalizing) {
        return wrong(INVALID_ARGUMENT, "%s: rank %d is in error, or has not ended its last call, or was finalized before", call.name, comm->rank);
    }
    comm->finalizing = true;
    start(*comm);
    return IN_PROGRESS;
}

int ncclCommDestroy(void *handle) {
    Guard guard(lock);
    SIM_ENTER("ncclCommDestroy")
    Comm *comm = live(call.name, handle);
    if (comm == nullptr) {
        return fail(INVALID_ARGUMENT, "%s: no communicator", call.name);
    }
    if (*comm->finished < comm->issued || comm->state == IN_PROGRESS) {
        sim_violation("%s: rank %d has operations that have not ended", call.name, comm->rank);
    }
    forget(comm, call.name);
    return SUCCESS;
}

int ncclCommAbort(void *handle) {
    Guard guard(lock);
    SIM_ENTER("ncclCommAbort")
    if (handle == nullptr) {
        return SUCCESS;
    }
    Comm *comm = live(call.name, handle);
    if (comm == nullptr) {
        return fail(INVALID_ARGUMENT, "%s: no communicator", call.name);
    }
    *comm->aborted = true;
    forget(comm, call.name);
    return SUCCESS;
}

}  // extern "C"
