// The simulated NVRTC: compiles .cu files for the host, with g++. The same source is libnvrtc.so.12 and .13; NVRTC_MAJOR says which.
#include "image.h"
#include "nvrtc_fast_math.h"
#include "simulator.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <mutex>
#include <sstream>
#include <unistd.h>
#include <unordered_set>

#if NVRTC_MAJOR == 12
static const int MINOR = 6;
static const int ARCHITECTURES[] = {50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87, 89, 90};
#else
static const int MINOR = 0;
static const int ARCHITECTURES[] = {75, 80, 86, 87, 88, 89, 90, 100, 103, 110, 120, 121};
#endif
static const int DEFAULT_ARCHITECTURE = NVRTC_MAJOR == 12 ? 52 : 75;

enum nvrtcResult {
    NVRTC_SUCCESS = 0,
    NVRTC_ERROR_OUT_OF_MEMORY = 1,
    NVRTC_ERROR_PROGRAM_CREATION_FAILURE = 2,
    NVRTC_ERROR_INVALID_INPUT = 3,
    NVRTC_ERROR_INVALID_PROGRAM = 4,
    NVRTC_ERROR_INVALID_OPTION = 5,
    NVRTC_ERROR_COMPILATION = 6,
    NVRTC_ERROR_BUILTIN_OPERATION_FAILURE = 7,
    NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID = 10,
    NVRTC_ERROR_INTERNAL_ERROR = 11
};

struct Program {
    std::string source, name, log, cubin, ptx;
    bool compiled = false;
};
typedef Program *nvrtcProgram;

static std::mutex lock;
static std::unordered_set<nvrtcProgram> programs;

#define NVRTC_EXPORT extern "C" SIM_EXPORT nvrtcResult

static bool known(nvrtcProgram program, const char *call) {
    if (programs.count(program)) return true;
    sim_violation("%s: %p is no live program", call, (void *)program);
    return false;
}

// ---- Options ----

struct Options {
    int architecture = DEFAULT_ARCHITECTURE;
    bool binary = false; // sm_, not compute_
    bool fastFunctions = false, flushDenormals = false, preciseDivision = true, preciseRoot = true;
    std::vector<std::string> compiler;
    std::string unknown;
};

static bool startsWith(const std::string &text, const char *prefix) { return text.compare(0, strlen(prefix), prefix) == 0; }

static bool readArchitecture(const std::string &value, Options *options) {
    options->binary = startsWith(value, "sm_");
    if (!options->binary && !startsWith(value, "compute_")) return false;
    options->architecture = atoi(value.c_str() + value.find('_') + 1);
    for (int known : ARCHITECTURES) {
        if (known == options->architecture) return true;
    }
    return false;
}

// Whether it is `name` followed by a truth value, which goes to *value.
static bool readFlag(const std::string &option, const std::string &name, bool *value) {
    if (option == name + "=true") *value = true;
    else if (option == name + "=false") *value = false;
    else return false;
    return true;
}

// The options that change arithmetic. In a program that is compiled for the host only --use_fast_math contracts products and sums.
static bool readArithmetic(const std::string &option, Options *options) {
    if (option == "use_fast_math") {
        options->fastFunctions = options->flushDenormals = true;
        options->preciseDivision = options->preciseRoot = false;
        return true;
    }
    bool contracts;
    return readFlag(option, "ftz", &options->flushDenormals) || readFlag(option, "prec-div", &options->preciseDivision) ||
            readFlag(option, "prec-sqrt", &options->preciseRoot) || readFlag(option, "fmad", &contracts);
}

static std::string arithmeticFlags(const Options &options) {
    std::string flags;
    if (options.fastFunctions) {
        flags += " -DSIM_FAST_FUNCTIONS=1 -ffp-contract=fast";
#if defined(__x86_64__)
        if (__builtin_cpu_supports("fma")) flags += " -mfma";
#endif
    }
    if (options.flushDenormals) flags += " -DSIM_FLUSH_DENORMALS=1";
    if (!options.preciseRoot) flags += " -DSIM_APPROXIMATE_ROOT=1";
    return flags;
}

static Options readOptions(int count, const char *const *texts) {
    // What changes nothing in a program that is compiled for the host.
    static const char *const WITHOUT_EFFECT[] = {"lineinfo", "generate-line-info", "G", "device-debug",
            "restrict", "w", "disable-warnings", "default-device", "device-as-default-execution-space", "maxrregcount=",
            "extra-device-vectorization", "split-compile=", "dopt=", "minimal", "std="};
    Options options;
    for (int i = 0; i < count; i++) {
        std::string text = texts[i];
        size_t dashes = text.find_first_not_of('-');
        std::string option = dashes == std::string::npos ? "" : text.substr(dashes);
        bool understood = false;
        if (dashes == 1 || dashes == 2) {
            for (const char *prefix : {"gpu-architecture=", "arch="}) {
                if (startsWith(option, prefix)) understood = readArchitecture(option.substr(strlen(prefix)), &options);
            }
            understood = understood || readArithmetic(option, &options);
            if (startsWith(option, "define-macro=")) {
                options.compiler.push_back("-D" + option.substr(strlen("define-macro=")));
                understood = true;
            } else if (startsWith(text, "-D") || startsWith(text, "-U")) {
                options.compiler.push_back(text);
                understood = text.size() > 2;
            }
            for (const char *known : WITHOUT_EFFECT) {
                bool hasValue = known[strlen(known) - 1] == '=';
                understood = understood || (hasValue ? startsWith(option, known) : option == known);
            }
        }
        if (!understood) options.unknown = text;
    }
    return options;
}

// ---- Compiling ----

static uint64_t hash(const std::string &text, uint64_t seed) {
    uint64_t value = seed;
    for (unsigned char byte : text) value = (value ^ byte) * 0x100000001B3;
    return value;
}

static std::string quoted(const std::string &text) {
    std::string result = "'";
    for (char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return result + "'";
}

static bool readFile(const std::string &path, std::string *content) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return false;
    content->assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    return true;
}

static bool run(const std::string &command, std::string *output) {
    FILE *pipe = popen((command + " 2>&1").c_str(), "r");
    if (!pipe) {
        *output += std::string("cannot run g++: ") + strerror(errno);
        return false;
    }
    char buffer[4096];
    size_t bytes;
    while ((bytes = fread(buffer, 1, sizeof buffer, pipe)) > 0) output->append(buffer, bytes);
    return pclose(pipe) == 0;
}

static const char *const COMPILER_FLAGS =
        // The language of NVRTC's default, with the rounding that the source says.
        "-std=gnu++17 -O2 -ffp-contract=off -fno-strict-aliasing -fwrapv -fPIC -fvisibility=hidden -w "
        // The checks behind which kernel_runtime.cpp stands.
        "-fsanitize=kernel-address,alignment,null,bounds,integer-divide-by-zero --param asan-instrumentation-with-call-threshold=0 "
        "--param asan-stack=0 --param asan-globals=0";

// The shared library for a source: from the folder, or compiled now.
static bool compile(const std::string &source, const std::string &name, const Options &options, std::string *hashText, std::string *library,
        std::string *log) {
    std::string own = sim_folder(), flags = COMPILER_FLAGS + arithmeticFlags(options);
    for (const std::string &option : options.compiler) flags += " " + quoted(option);
    // Unnamed: see __shared__ in kernel_shim.h.
    std::string text = "namespace {\n#line 1 \"" + name + "\"\n" + (options.preciseDivision ? source : sim_approximate_divisions(source)) + "\n}\n";
    std::string key = own + '\0' + flags + '\0' + text;
    char digits[40] = {};
    snprintf(digits, sizeof digits, "%016llx%016llx", (unsigned long long)hash(key, 0xCBF29CE484222325), (unsigned long long)hash(key, 0x9E3779B97F4A7C15));
    *hashText = digits;
    std::string path = std::string(sim_kernel_folder()) + "/" + digits;
    if (readFile(path + ".so", library) && !library->empty()) return true;

    std::string temporary = path + "." + std::to_string(getpid());
    std::ofstream(temporary + ".cpp") << text;
    bool done = run("g++ " + flags + " -I" + quoted(own) + " -include kernel_shim.h -c " + quoted(temporary + ".cpp") + " -o " +
                            quoted(temporary + ".kernel.o"),
                        log) &&
            run("g++ -shared -Wl,-T," + quoted(own + "/kernel.ld") + " " + quoted(temporary + ".kernel.o") + " " + quoted(own + "/kernel_runtime.o") + " -o " +
                            quoted(temporary + ".so"),
                    log);
    done = done && readFile(temporary + ".so", library) && rename((temporary + ".so").c_str(), (path + ".so").c_str()) == 0;
    unlink((temporary + ".cpp").c_str());
    unlink((temporary + ".kernel.o").c_str());
    return done;
}

static std::string image(bool binary, int architecture, const std::string &hashText, const std::string &library) {
    SimImage header = {};
    memcpy(header.magic, SIM_IMAGE_MAGIC, sizeof header.magic);
    strncpy(header.build, strrchr(sim_folder(), '/') + 1, sizeof header.build - 1);
    header.binary = binary;
    header.architecture = (uint32_t)architecture;
    memcpy(header.hash, hashText.c_str(), hashText.size());
    header.libraryBytes = library.size();
    return std::string((const char *)&header, sizeof header) + library;
}

// ---- The library's functions ----

NVRTC_EXPORT nvrtcVersion(int *major, int *minor) {
    SimCall call = sim_call("nvrtcVersion");
    if (call.fails) return (nvrtcResult)call.status;
    if (!major || !minor) return NVRTC_ERROR_INVALID_INPUT;
    *major = NVRTC_MAJOR;
    *minor = MINOR;
    return NVRTC_SUCCESS;
}

NVRTC_EXPORT nvrtcGetNumSupportedArchs(int *count) {
    SimCall call = sim_call("nvrtcGetNumSupportedArchs");
    if (call.fails) return (nvrtcResult)call.status;
    if (!count) return NVRTC_ERROR_INVALID_INPUT;
    *count = sizeof ARCHITECTURES / sizeof *ARCHITECTURES;
    return NVRTC_SUCCESS;
}

NVRTC_EXPORT nvrtcGetSupportedArchs(int *architectures) {
    SimCall call = sim_call("nvrtcGetSupportedArchs");
    if (call.fails) return (nvrtcResult)call.status;
    if (!architectures) return NVRTC_ERROR_INVALID_INPUT;
    memcpy(architectures, ARCHITECTURES, sizeof ARCHITECTURES);
    return NVRTC_SUCCESS;
}

NVRTC_EXPORT nvrtcCreateProgram(nvrtcProgram *program, const char *source, const char *name, int headers, const char *const *, const char *const *) {
    SimCall call = sim_call("nvrtcCreateProgram");
    if (call.fails) return (nvrtcResult)call.status;
    if (!program || !source || headers != 0) {
        sim_violation("nvrtcCreateProgram: null, or headers, which are not simulated");
        return NVRTC_ERROR_INVALID_INPUT;
    }
    std::lock_guard<std::mutex> locked(lock);
    *program = new Program;
    (*program)->source = source;
    (*program)->name = name ? name : "default_program";
    programs.insert(*program);
    sim_handle_created("nvrtcProgram", *program);
    return NVRTC_SUCCESS;
}

NVRTC_EXPORT nvrtcDestroyProgram(nvrtcProgram *program) {
    SimCall call = sim_call("nvrtcDestroyProgram");
    if (call.fails) return (nvrtcResult)call.status;
    std::lock_guard<std::mutex> locked(lock);
    if (!program || !known(*program, call.name)) return NVRTC_ERROR_INVALID_PROGRAM;
    sim_handle_destroyed("nvrtcProgram", *program, call.name);
    programs.erase(*program);
    delete *program;
    *program = nullptr;
    return NVRTC_SUCCESS;
}

NVRTC_EXPORT nvrtcCompileProgram(nvrtcProgram program, int count, const char *const *texts) {
    SimCall call = sim_call("nvrtcCompileProgram");
    if (call.fails) return (nvrtcResult)call.status;
    std::lock_guard<std::mutex> locked(lock);
    if (!known(program, call.name)) return NVRTC_ERROR_INVALID_PROGRAM;
    program->log.clear();
    Options options = readOptions(count, texts);
    if (!options.unknown.empty()) {
        program->log = "nvrtc: error: invalid option: " + options.unknown + "\n";
        return NVRTC_ERROR_INVALID_OPTION;
    }
    std::string hashText, library;
    std::string source = sim_mutate(program->name.c_str(), program->source);
    if (!compile(source, program->name, options, &hashText, &library, &program->log)) return NVRTC_ERROR_COMPILATION;
    program->compiled = true;
    program->cubin = options.binary ? image(true, options.architecture, hashText, library) : "";
    program->ptx = image(false, options.architecture, hashText, library);
    return NVRTC_SUCCESS;
}

static nvrtcResult size(const char *name, nvrtcProgram program, std::string Program::*text, size_t *bytes, bool needsCode) {
    SimCall call = sim_call(name);
    if (call.fails) return (nvrtcResult)call.status;
    std::lock_guard<std::mutex> locked(lock);
    if (!known(program, name)) return NVRTC_ERROR_INVALID_PROGRAM;
    if (!bytes || (needsCode && !program->compiled)) return NVRTC_ERROR_INVALID_INPUT;
    *bytes = (program->*text).size() + (needsCode ? 0 : 1);
    return NVRTC_SUCCESS;
}

static nvrtcResult copy(const char *name, nvrtcProgram program, std::string Program::*text, char *to, bool needsCode) {
    SimCall call = sim_call(name);
    if (call.fails) return (nvrtcResult)call.status;
    std::lock_guard<std::mutex> locked(lock);
    if (!known(program, name)) return NVRTC_ERROR_INVALID_PROGRAM;
    if (!to || (needsCode && !program->compiled)) return NVRTC_ERROR_INVALID_INPUT;
    memcpy(to, (program->*text).c_str(), (program->*text).size() + (needsCode ? 0 : 1));
    return NVRTC_SUCCESS;
}

NVRTC_EXPORT nvrtcGetProgramLogSize(nvrtcProgram program, size_t *bytes) { return size("nvrtcGetProgramLogSize", program, &Program::log, bytes, false); }
NVRTC_EXPORT nvrtcGetProgramLog(nvrtcProgram program, char *to) { return copy("nvrtcGetProgramLog", program, &Program::log, to, false); }
NVRTC_EXPORT nvrtcGetCUBINSize(nvrtcProgram program, size_t *bytes) { return size("nvrtcGetCUBINSize", program, &Program::cubin, bytes, true); }
NVRTC_EXPORT nvrtcGetCUBIN(nvrtcProgram program, char *to) { return copy("nvrtcGetCUBIN", program, &Program::cubin, to, true); }
NVRTC_EXPORT nvrtcGetPTXSize(nvrtcProgram program, size_t *bytes) { return size("nvrtcGetPTXSize", program, &Program::ptx, bytes, true); }
NVRTC_EXPORT nvrtcGetPTX(nvrtcProgram program, char *to) { return copy("nvrtcGetPTX", program, &Program::ptx, to, true); }

extern "C" SIM_EXPORT const char *nvrtcGetErrorString(nvrtcResult status) {
    switch (status) {
    case NVRTC_SUCCESS: return "NVRTC_SUCCESS";
    case NVRTC_ERROR_OUT_OF_MEMORY: return "NVRTC_ERROR_OUT_OF_MEMORY";
    case NVRTC_ERROR_PROGRAM_CREATION_FAILURE: return "NVRTC_ERROR_PROGRAM_CREATION_FAILURE";
    case NVRTC_ERROR_INVALID_INPUT: return "NVRTC_ERROR_INVALID_INPUT";
    case NVRTC_ERROR_INVALID_PROGRAM: return "NVRTC_ERROR_INVALID_PROGRAM";
    case NVRTC_ERROR_INVALID_OPTION: return "NVRTC_ERROR_INVALID_OPTION";
    case NVRTC_ERROR_COMPILATION: return "NVRTC_ERROR_COMPILATION";
    case NVRTC_ERROR_BUILTIN_OPERATION_FAILURE: return "NVRTC_ERROR_BUILTIN_OPERATION_FAILURE";
    case NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID: return "NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID";
    case NVRTC_ERROR_INTERNAL_ERROR: return "NVRTC_ERROR_INTERNAL_ERROR";
    }
    return "NVRTC_ERROR unknown";
}

// What JCuda's native library wants to link against besides.
#define UNUSED(name) \
    NVRTC_EXPORT name() { \
        sim_violation("%s: not simulated", #name); \
        return NVRTC_ERROR_INTERNAL_ERROR; \
    }

UNUSED(nvrtcAddNameExpression)
UNUSED(nvrtcGetLoweredName)
UNUSED(nvrtcGetLTOIR)
UNUSED(nvrtcGetLTOIRSize)
UNUSED(nvrtcGetNVVM)
UNUSED(nvrtcGetNVVMSize)
UNUSED(nvrtcGetOptiXIR)
UNUSED(nvrtcGetOptiXIRSize)
