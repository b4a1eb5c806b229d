// A simulated board: the top module of a board behind a pseudo-terminal, in place of a serial port.
//
// Arguments: bits of the input of the button while it is up (0 or 1), and "parent" where the board ends with the process
// that started it. The first line of the output is the path of the terminal. Time passes while something happens; a board
// on which nothing can happen any more waits for the next byte.

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <termios.h>
#include <unistd.h>

#include "Vtop.h"
#include "verilated.h"

static const int bit_cycles = BIT_CYCLES;
// Cycles without a byte after which nothing is left of a frame, and some more.
static const long idle_cycles = GAP_CYCLES + 4096;
// Cycles between two looks at an idle terminal.
static const int look_cycles = 64;
// Cycles of the reset at the start, and some more.
static const int start_cycles = 256;

static void fail(const char* what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

// Opens a terminal that passes bytes on as they are; returns its master.
static int open_terminal() {
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) || unlockpt(master)) fail("pseudo-terminal");
    const char* path = ptsname(master);
    // Stays open, so that the terminal outlives who uses it.
    int slave = open(path, O_RDWR | O_NOCTTY);
    termios settings;
    if (slave < 0 || tcgetattr(slave, &settings)) fail(path);
    cfmakeraw(&settings);
    if (tcsetattr(slave, TCSANOW, &settings)) fail(path);
    fcntl(master, F_SETFL, O_NONBLOCK);
    printf("%s\n", path);
    fflush(stdout);
    return master;
}

// Makes a level on a line of each byte that the terminal has.
class Sender {
  public:
    explicit Sender(int terminal) : terminal(terminal) {}

    bool idle() const { return bits == 0 && next == held; }

    // Whether a byte has begun in this cycle.
    int level() {
        if (bits == 0) {
            if (next == held && ++waited >= look_cycles) {
                waited = 0;
                ssize_t number = read(terminal, bytes, sizeof bytes);
                next = 0;
                held = number > 0 ? number : 0;
            }
            if (next == held) return 1;
            shift = 1 << 9 | bytes[next++] << 1;
            bits = 10;
            timer = bit_cycles;
        }
        int now = shift & 1;
        if (--timer == 0) {
            shift >>= 1;
            --bits;
            timer = bit_cycles;
        }
        return now;
    }

  private:
    int terminal, bits = 0, timer = 0, waited = look_cycles;
    unsigned shift = 0;
    unsigned char bytes[4096];
    ssize_t next = 0, held = 0;
};

// Makes bytes of the levels of a line. A terminal that is full, since nobody reads, loses them.
class Receiver {
  public:
    explicit Receiver(int terminal) : terminal(terminal) {}

    bool idle() const { return place < 0; }

    void level(int now) {
        if (place < 0) {
            if (now) return;
            place = 0;
            timer = bit_cycles / 2;
        }
        if (--timer != 0) return;
        timer = bit_cycles;
        if (place >= 1 && place <= 8) byte = byte >> 1 | now << 7;
        if (place == 9) {
            if (now && write(terminal, &byte, 1) < 0 && errno != EAGAIN) fail("terminal");
            place = -1;
            return;
        }
        ++place;
    }

  private:
    int terminal, place = -1, timer = 0;
    unsigned char byte = 0;
};

static void step(Vtop& top) {
    top.clk = 0;
    top.eval();
    top.clk = 1;
    top.eval();
}

int main(int argc, char** argv) {
    signal(SIGINT, SIG_DFL);
    if (argc > 2 && !strcmp(argv[2], "parent")) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() == 1) return 0;
    }
    Vtop top{""};
    top.button = argc > 1 && argv[1][0] == '1';
    top.rx = 1;
    // Nobody may send before the reset at the start is over.
    for (int cycle = 0; cycle < start_cycles; ++cycle) step(top);
    int terminal = open_terminal();
    Sender sender(terminal);
    Receiver receiver(terminal);
    long quiet = 0;
    while (!Verilated::gotFinish()) {
        step(top);
        receiver.level(top.tx);
        top.rx = sender.level();
        bool idle = sender.idle() && receiver.idle() && top.busy == BUSY_IDLE;
        quiet = idle ? quiet + 1 : 0;
        if (quiet > idle_cycles) {
            pollfd look{terminal, POLLIN, 0};
            if (poll(&look, 1, -1) < 0 && errno != EINTR) fail("terminal");
            quiet = 0;
        }
    }
    return 0;
}
