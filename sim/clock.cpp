// Main program of a simulator whose clock is made here, not by a testbench: cocotb then runs only
// where one waits for something. cocotb's own main program calls it in every cycle, which takes longer
// than most designs take.

#include "Vtop.h"
#include "verilated.h"
#include "verilated_vpi.h"

extern "C" void vlog_startup_routines_bootstrap();

static const vluint64_t half_cycle = 5;  // of CYCLE_NS, sim/testbenches/base.py
static vluint64_t now = 0;

double sc_time_stamp() { return now; }

// Puts what the testbench wrote, and wakes what waits for a change.
static void settle() {
    VerilatedVpi::doInertialPuts();
    while (VerilatedVpi::callValueCbs()) {
    }
}

int main(int argc, char** argv) {
    Verilated::commandArgs(argc, argv);
    Verilated::fatalOnVpiError(false);  // cocotb asks for objects that need not exist
    Vtop top{""};
    top.CLOCK = 1;
    vlog_startup_routines_bootstrap();
    Verilated::addExitCb([](void*) { VerilatedVpi::callCbs(cbEndOfSimulation); }, nullptr);
    VerilatedVpi::callCbs(cbStartOfSimulation);
    while (!Verilated::gotFinish()) {
        do {
            do {
                VerilatedVpi::clearEvalNeeded();
                top.eval();
                settle();
            } while (VerilatedVpi::evalNeeded());
            VerilatedVpi::callCbs(cbReadWriteSynch);
            settle();
        } while (VerilatedVpi::evalNeeded());
        VerilatedVpi::callCbs(cbReadOnlySynch);

        now += half_cycle;
        VerilatedVpi::callCbs(cbNextSimTime);
        VerilatedVpi::callTimedCbs();
        // What waits for the edge still reads what was there before it.
        top.CLOCK ^= 1;
        settle();
    }
    top.final();
    VerilatedVpi::callCbs(cbEndOfSimulation);
    return Verilated::threadContextp()->errorCount() > 0;
}
