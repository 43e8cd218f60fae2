#include "nvrtc_fast_math.h"

#include <cctype>

// Where the literal or comment at `at` ends, or `at` where there is none.
static size_t skip(const std::string &source, size_t at) {
    char c = source[at];
    if (c == '/' && (source[at + 1] == '/' || source[at + 1] == '*')) {
        bool line = source[at + 1] == '/';
        size_t end = source.find(line ? "\n" : "*/", at + 2);
        return end == std::string::npos ? source.size() : end + (line ? 0 : 2);
    }
    bool separatesDigits = c == '\'' && at > 0 && isalnum((unsigned char)source[at - 1]);
    if (c != '"' && (c != '\'' || separatesDigits)) return at;
    size_t end = at + 1;
    while (end < source.size() && source[end] != c) end += source[end] == '\\' ? 2 : 1;
    return end < source.size() ? end + 1 : source.size();
}

// The end of a directive that is no macro, or `at`. A macro's body is source like any other.
static size_t skipDirective(const std::string &source, size_t at) {
    size_t word = source.find_first_not_of(" \t", at);
    if (word == std::string::npos || source[word] != '#') return at;
    word = source.find_first_not_of(" \t", word + 1);
    if (word == std::string::npos || source.compare(word, 6, "define") == 0) return at;
    size_t end = at;
    do {
        end = source.find('\n', end + 1);
    } while (end != std::string::npos && source[end - 1] == '\\');
    return end == std::string::npos ? source.size() : end;
}

std::string sim_approximate_divisions(const std::string &source) {
    std::string result;
    size_t at = 0;
    while (at < source.size()) {
        size_t end = skip(source, at);
        if (end == at && (at == 0 || source[at - 1] == '\n')) end = skipDirective(source, at);
        if (end > at) {
            result.append(source, at, end - at);
            at = end;
        } else if (source[at] != '/') {
            result += source[at++];
        } else if (source[at + 1] == '=') {
            result += "*= sim_shim::DIVISOR =";
            at += 2;
        } else {
            result += "/ sim_shim::DIVIDE /";
            at++;
        }
    }
    return result;
}
