// Every symbol that JCudnn's natives link and the back-end does not call: there, so that they load, and of no use.
#include "cudnn_double.h"

#define SIM_UNNEEDED(name)                                              \
    int name() {                                                        \
        sim_violation("%s: the double of cuDNN does not do it", #name); \
        return cudnn::NOT_SUPPORTED;                                    \
    }

SIM_ENTRY_POINTS

extern "C" {
#include "cudnn_unneeded.h"
}
