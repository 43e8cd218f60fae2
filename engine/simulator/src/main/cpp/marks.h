// Points in streams that other streams wait for before anybody has queued them: what the work of several devices is that runs together, each part called by a thread of its own.
#pragma once

#include "simulator.h"

#include <memory>
#include <string>

namespace sim {
struct Ticket;
}
typedef std::shared_ptr<sim::Ticket> SimMark;

// A mark that no stream has yet. `what` says for messages what is missing while that is so.
SIM_EXPORT SimMark sim_mark(const std::string &what);

// The mark's place is behind what the stream holds; until then the ranges must be live.
SIM_EXPORT CUresult sim_place(const SimMark &mark, CUstream stream, const char *call, const std::vector<SimRange> &ranges);

// The stream waits for the mark, or until `unless` is true. Whoever waits for the stream then waits for the thread that places the mark, and lets it into the driver; after the time of the
// setting "patience" it is a violation, and the stream's context fails.
SIM_EXPORT CUresult sim_await(CUstream stream, const SimMark &mark, const std::shared_ptr<const bool> &unless, const char *call);

// Makes a little progress, as time passes.
SIM_EXPORT void sim_progress();

// Milliseconds that a thread may wait for another one's call.
SIM_EXPORT int sim_patience();
