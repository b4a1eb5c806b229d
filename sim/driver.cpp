// Main program of a simulator without a testbench: it reads a request and pictures, drives the ports of the
// accelerator, and writes a record per picture. sim/driver.py has the other end of both pipes.
//
// A cycle is two evaluations: what combines inputs, with the clock low, and the rising edge.

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <unistd.h>
#include <vector>

#include "Vtop.h"
#include "verilated.h"
#if VM_TRACE
#include "verilated_fst_c.h"
#endif

namespace {

enum Outcome : uint32_t { DONE, STUCK, FAILED, MISPLACED_LAST };

// What sim/driver.py packs as REQUEST and RECORD, in the same order.
struct Request {
    uint64_t pictures, beats, beat_bytes, classes, loads, memory_bytes, word_bytes, latency, deadline;
};
struct Record {
    uint64_t outcome, status, begun, ended, cycles, additions, stalls;
};

const int RESET_CYCLES = 4;
const int HALF_CYCLE = 5;  // in units of the wave's time
// Cycles without busy after which a picture will have no logits, or its counters are up to date.
const int SETTLED = 8;
const uint64_t LAST = uint64_t(1) << 32;
const unsigned MOST_BURSTS = 4;
const unsigned DECODE_ERROR = 3;

// A port takes bytes as they lie in memory, whether it is a number or an array of words.
template <typename Port>
void put(Port& port, const uint8_t* bytes, size_t count) {
    std::memset(&port, 0, sizeof port);
    if (count) std::memcpy(&port, bytes, count);
}

void read_all(void* target, size_t count) {
    if (count && std::fread(target, 1, count, stdin) != count) {
        std::fprintf(stderr, "the request must be whole\n");
        std::exit(2);
    }
}

// The pictures of a request, the accelerator, and the clock.
class Driver {
public:
    Driver(const char* wave, FILE* results) : results{results} {
        read_all(&request, sizeof request);
        loads.resize(request.loads);
        read_all(loads.data(), 8 * request.loads);
        memory.resize(request.memory_bytes);
        read_all(memory.data(), request.memory_bytes);
        picture.resize(request.beats * request.beat_bytes);
        logits.resize(request.classes);
#if VM_TRACE
        Verilated::traceEverOn(true);
        top.trace(&fst, 99);
        fst.open(wave);
#else
        (void)wave;
#endif
    }

    ~Driver() {
        top.final();
#if VM_TRACE
        fst.close();
#endif
    }

    void run() {
        next_beat = request.beats;
        for (int count = 0; count < RESET_CYCLES; ++count) cycle();
        top.aresetn = 1;
        Record record{};
        if (!load()) {
            record.outcome = STUCK;
            write(record);
        }
        for (uint64_t number = 0; number < request.pictures && record.outcome == DONE; ++number) {
            read_all(picture.data(), picture.size());
            record = classify();
            write(record);
        }
    }

private:
    // Takes a cycle: every port offers what is next, and what both sides agree on is taken.
    void cycle() {
        const bool sends = next_beat < request.beats;
        top.s_axis_pixels_tvalid = sends;
        if (sends) {
            put(top.s_axis_pixels_tdata, &picture[next_beat * request.beat_bytes], request.beat_bytes);
            top.s_axis_pixels_tlast = next_beat == request.beats - 1;
        }
        offer();
        top.aclk = 0;
        evaluate(0);
        if (sends && top.s_axis_pixels_tready) {
            if (next_beat == 0) begun = now;
            ++next_beat;
        }
        idle = top.busy || sends ? 0 : idle + 1;
        if (top.m_axis_logits_tvalid && top.m_axis_logits_tready) receive();
        take();
        top.aclk = 1;
        evaluate(HALF_CYCLE);
        ++now;
    }

    void evaluate(int later) {
        top.eval();
#if VM_TRACE
        fst.dump(now * 2 * HALF_CYCLE + later);
#else
        (void)later;
#endif
    }

    void receive() {
        ++received;
        const bool last = top.m_axis_logits_tlast;
        if (received <= request.classes) logits[received - 1] = int32_t(top.m_axis_logits_tdata);
        if (last != (received == request.classes)) misplaced = true;
        ended = now;
    }

#ifdef EXTERNAL
    // The memory answers bursts in their order: the first beat after some cycles, then one per cycle.
    struct Burst {
        uint64_t address, due, left;
    };
    std::deque<Burst> bursts;

    void offer() {
        const bool answers = !bursts.empty() && now >= bursts.front().due;
        top.m_axi_weights_arready = bursts.size() < MOST_BURSTS;
        top.m_axi_weights_rvalid = answers;
        if (!answers) return;
        const Burst& burst = bursts.front();
        const bool there = burst.address + request.word_bytes <= memory.size();
        put(top.m_axi_weights_rdata, there ? &memory[burst.address] : nullptr, there ? request.word_bytes : 0);
        top.m_axi_weights_rresp = there ? 0 : DECODE_ERROR;
        top.m_axi_weights_rlast = burst.left == 1;
    }

    void take() {
        if (top.m_axi_weights_rvalid && top.m_axi_weights_rready) {
            Burst& burst = bursts.front();
            burst.address += request.word_bytes;
            if (--burst.left == 0) bursts.pop_front();
        }
        if (top.m_axi_weights_arvalid && top.m_axi_weights_arready)
            bursts.push_back({top.m_axi_weights_araddr, now + request.latency, top.m_axi_weights_arlen + uint64_t(1)});
    }

    uint64_t stalls() { return top.stalls; }
    bool load() { return true; }
#else
    void offer() {
        const bool sends = next_load < loads.size();
        top.s_axis_load_tvalid = sends;
        if (!sends) return;
        top.s_axis_load_tdata = uint32_t(loads[next_load]);
        top.s_axis_load_tlast = (loads[next_load] & LAST) != 0;
    }

    void take() {
        if (top.s_axis_load_tvalid && top.s_axis_load_tready) ++next_load;
    }

    uint64_t stalls() { return 0; }

    bool load() {
        const uint64_t limit = now + request.deadline + 2 * loads.size();
        while (next_load < loads.size() && now < limit) cycle();
        return next_load == loads.size();
    }

    uint64_t next_load = 0;
#endif

    Record classify() {
        next_beat = received = 0;
        misplaced = false;
        idle = 0;
        top.m_axis_logits_tready = 1;
        const uint64_t limit = now + request.deadline;
        Outcome outcome = DONE;
        while (received < request.classes || idle < SETTLED) {
            if (misplaced || now >= limit) {
                outcome = misplaced && !top.error ? MISPLACED_LAST : top.error ? FAILED : STUCK;
                break;
            }
            if (next_beat == request.beats && received < request.classes && idle >= SETTLED) {
                outcome = FAILED;
                break;
            }
            cycle();
        }
        if (outcome == DONE && top.error) outcome = FAILED;
        return {outcome, top.status, begun, ended, top.cycles, top.additions, stalls()};
    }

    void write(const Record& record) {
        std::fwrite(&record, sizeof record, 1, results);
        std::fwrite(logits.data(), 4, logits.size(), results);
        std::fflush(results);
    }

    Request request;
    std::vector<uint64_t> loads;
    std::vector<uint8_t> memory, picture;
    std::vector<int32_t> logits;
    FILE* results;
    Vtop top{""};  // without a scope of its own in waves
    uint64_t now = 0, next_beat = 0, received = 0, begun = 0, ended = 0;
    int idle = 0;
    bool misplaced = false;
#if VM_TRACE
    VerilatedFstC fst;
#endif
};

}  // namespace

int main(int argc, char** argv) {
    Verilated::commandArgs(argc, argv);
    // What a simulator prints must not come between records.
    FILE* results = fdopen(dup(STDOUT_FILENO), "wb");
    dup2(STDERR_FILENO, STDOUT_FILENO);
    Driver{argc > 1 ? argv[1] : "", results}.run();
    return 0;
}
