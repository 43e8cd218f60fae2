// What the simulated driver (libcuda.so.1) offers to the other simulated libraries, which link against it.
//
// An entry point of a library double looks like this:
//
//   extern "C" cudnnStatus_t cudnnSoftmaxForward(cudnnHandle_t handle, ...) {
//       SimCall call = sim_call("cudnnSoftmaxForward");
//       if (call.fails) return (cudnnStatus_t)call.status;             // injected by a test
//       if (call.fault == SIM_DROP) return CUDNN_STATUS_SUCCESS;        // ditto
//       if (!sim_handle_known("cudnnHandle", handle, call.name)) return CUDNN_STATUS_BAD_PARAM;
//       ... validate descriptors; what is wrong: sim_violation("cudnnSoftmaxForward: ...") and the real status ...
//       CUresult queued = sim_enqueue(sim_stream(call, handle->stream), call.name, {{x, bytesX, "x"}, {y, bytesY, "y"}}, [=] { loops });
//       return queued == CUDA_SUCCESS ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_EXECUTION_FAILED;
//   }
//
// All functions may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#define SIM_EXPORT __attribute__((visibility("default")))

typedef int CUdevice;
typedef unsigned long long CUdeviceptr;
typedef struct CUctx_st *CUcontext;
typedef struct CUmod_st *CUmodule;
typedef struct CUfunc_st *CUfunction;
typedef struct CUstream_st *CUstream;
typedef struct CUevent_st *CUevent;
typedef struct CUgraph_st *CUgraph;
typedef struct CUgraphExec_st *CUgraphExec;

enum CUresult {
    CUDA_SUCCESS = 0,
    CUDA_ERROR_INVALID_VALUE = 1,
    CUDA_ERROR_OUT_OF_MEMORY = 2,
    CUDA_ERROR_NOT_INITIALIZED = 3,
    CUDA_ERROR_DEINITIALIZED = 4,
    CUDA_ERROR_NO_DEVICE = 100,
    CUDA_ERROR_INVALID_DEVICE = 101,
    CUDA_ERROR_INVALID_IMAGE = 200,
    CUDA_ERROR_INVALID_CONTEXT = 201,
    CUDA_ERROR_NO_BINARY_FOR_GPU = 209,
    CUDA_ERROR_PEER_ACCESS_UNSUPPORTED = 217,
    CUDA_ERROR_INVALID_PTX = 218,
    CUDA_ERROR_INVALID_HANDLE = 400,
    CUDA_ERROR_ILLEGAL_STATE = 401,
    CUDA_ERROR_NOT_FOUND = 500,
    CUDA_ERROR_NOT_READY = 600,
    CUDA_ERROR_ILLEGAL_ADDRESS = 700,
    CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES = 701,
    CUDA_ERROR_LAUNCH_TIMEOUT = 702,
    CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED = 704,
    CUDA_ERROR_PEER_ACCESS_NOT_ENABLED = 705,
    CUDA_ERROR_PRIMARY_CONTEXT_ACTIVE = 708,
    CUDA_ERROR_CONTEXT_IS_DESTROYED = 709,
    CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED = 712,
    CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED = 713,
    CUDA_ERROR_MISALIGNED_ADDRESS = 716,
    CUDA_ERROR_LAUNCH_FAILED = 719,
    CUDA_ERROR_NOT_PERMITTED = 800,
    CUDA_ERROR_NOT_SUPPORTED = 801,
    CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED = 900,
    CUDA_ERROR_STREAM_CAPTURE_INVALIDATED = 901,
    CUDA_ERROR_STREAM_CAPTURE_MERGE = 902,
    CUDA_ERROR_STREAM_CAPTURE_UNMATCHED = 903,
    CUDA_ERROR_STREAM_CAPTURE_UNJOINED = 904,
    CUDA_ERROR_STREAM_CAPTURE_ISOLATION = 905,
    CUDA_ERROR_STREAM_CAPTURE_IMPLICIT = 906,
    CUDA_ERROR_CAPTURED_EVENT = 907,
    CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD = 908,
    CUDA_ERROR_UNKNOWN = 999
};

// The folder that the driver was loaded from, links followed. Its name is a hash of the sources.
SIM_EXPORT const char *sim_folder();
// Where compiled kernels are kept.
SIM_EXPORT const char *sim_kernel_folder();

// The source of a kernel file with the changes that a test asked for.
SIM_EXPORT std::string sim_mutate(const char *file, const std::string &source);

// ---- Counting, failures and faults ----

// What a test asked to go wrong with one call. A library double does what fits the call; where nothing fits, it does nothing.
enum SimFault {
    SIM_NONE = 0,
    SIM_DROP = 1,         // does nothing, says success
    SIM_SWAP_ARGS = 2,    // two arguments of the same kind change places
    SIM_WRONG_STREAM = 3, // runs on a stream of its own (sim_stream does it)
    SIM_EARLY = 4,        // runs now, before what was queued (sim_enqueue does it when its stream comes from sim_stream)
    SIM_HALF = 5          // does half of the work
};

struct SimCall {
    const char *name;
    bool fails;     // return `status` at once
    int status;
    SimFault fault; // SIM_NONE but in tests of the tests
};

// Counts the call under its name (without _v2) and says whether this one is to fail or to be faulty.
SIM_EXPORT SimCall sim_call(const char *name);

// The stream to hand to sim_enqueue: `stream`, but for the faults SIM_WRONG_STREAM and SIM_EARLY.
SIM_EXPORT CUstream sim_stream(const SimCall &call, CUstream stream);

// Records something that a correct program never does. printf style.
SIM_EXPORT void sim_violation(const char *format, ...) __attribute__((format(printf, 1, 2)));

// ---- Handles of the libraries: known, live, counted as leaks ----

SIM_EXPORT void sim_handle_created(const char *kind, const void *handle);
// False, and a violation, if there is no live handle of that kind.
SIM_EXPORT bool sim_handle_known(const char *kind, const void *handle, const char *call);
SIM_EXPORT bool sim_handle_destroyed(const char *kind, const void *handle, const char *call);

// ---- Memory ----

struct SimRange {
    const void *address;
    size_t bytes;
    const char *what;
};

// Whether the range lies inside one live allocation that the current context may use; if not, a violation. bytes == 0: null is fine.
SIM_EXPORT bool sim_check_device(const void *address, size_t bytes, const char *what);

// Whether the address is not one of device memory (say, alpha and beta); if it is, a violation.
SIM_EXPORT bool sim_check_host(const void *address, size_t bytes, const char *what);

// ---- Streams ----

// Queues work, which runs late; or adds it to the graph that is being captured, and then it runs at each launch of the graph, from the same copies of
// its arguments. The ranges are checked now and again when the work runs; work
// on memory that was freed in between does not run. Streams: null is the default stream.
SIM_EXPORT CUresult sim_enqueue(CUstream stream, const char *what, const std::vector<SimRange> &ranges, std::function<void()> work);

// Runs what the stream holds, as a library does that must give a result to the host. Refused, with a violation, in a capture.
SIM_EXPORT CUresult sim_synchronize(CUstream stream, const char *what);

// Whether the stream is being captured.
SIM_EXPORT bool sim_capturing(CUstream stream);

// For calls that may not be made while a capture is under way (allocation, creation of library handles): a violation and the status, or success.
SIM_EXPORT CUresult sim_unsafe_in_capture(const char *call);

// Null and a violation where the thread has no current context.
SIM_EXPORT CUcontext sim_current_context(const char *call);
// False, and a violation, if the stream is not a live stream of that context.
SIM_EXPORT bool sim_stream_of(CUstream stream, CUcontext context, const char *call);
SIM_EXPORT CUdevice sim_device(CUcontext context);
// 90 for 9.0.
SIM_EXPORT int sim_compute_capability(CUcontext context);
