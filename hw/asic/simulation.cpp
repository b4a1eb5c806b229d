// Runs a netlist: loads a model through the load port, then sends pictures, one behind the other.
// Arguments: load.hex pictures.hex PIXELS PICTURES LIMIT, and what Verilator takes.
// Prints "logit VALUE" for each logit and "picture CYCLES ADDITIONS" behind those of each picture, and, where the netlist
// has probes, writes activity.N: the clock cycles from the first pixel to the last logit, then for each probed net how
// often it changed and in how many of these cycles it was high.
#include <cstdint>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "Vaccelerator.h"
#include "probes.h"
#include "verilated.h"

// Clock cycles behind the last logit after which the counters hold what is of its picture.
constexpr std::size_t SETTLE = 8;

// A number of any width from a text of hexadecimal digits.
template <typename Port>
void put(Port& port, const std::string& digits) {
    port = static_cast<Port>(std::stoull(digits, nullptr, 16));
}
template <std::size_t Words>
void put(VlWide<Words>& port, const std::string& digits) {
    for (std::size_t word = 0; word < Words; ++word) {
        const std::size_t skipped = 8 * word;
        if (digits.size() <= skipped) {
            port[word] = 0;
            continue;
        }
        const std::size_t end = digits.size() - skipped, begin = end > 8 ? end - 8 : 0;
        port[word] = static_cast<EData>(std::stoul(digits.substr(begin, end - begin), nullptr, 16));
    }
}

std::vector<std::string> lines(const char* path) {
    std::ifstream file(path);
    std::vector<std::string> found;
    for (std::string line; std::getline(file, line);) found.push_back(line);
    return found;
}

// What probed nets did since it was begun. It looks at a net when that changes.
class Activity {
public:
    explicit Activity(std::vector<const std::uint64_t*> probes)
        : m_probes(std::move(probes)), m_last(m_probes.size()), m_changes(64 * m_probes.size()),
          m_high(m_changes.size()), m_since(m_changes.size()) {}

    void begin() {
        m_cycles = 0;
        m_changes.assign(m_changes.size(), 0);
        m_high.assign(m_high.size(), 0);
        m_since.assign(m_since.size(), 0);
        for (std::size_t probe = 0; probe < m_probes.size(); ++probe) m_last[probe] = *m_probes[probe];
        m_open = true;
    }

    // A cycle passed, behind which the nets are what they are now.
    void step() {
        if (!m_open) return;
        ++m_cycles;
        for (std::size_t probe = 0; probe < m_probes.size(); ++probe) {
            const std::uint64_t now = *m_probes[probe];
            for (std::uint64_t left = now ^ m_last[probe]; left; left &= left - 1) {
                const std::size_t bit = __builtin_ctzll(left), net = 64 * probe + bit;
                ++m_changes[net];
                if (m_last[probe] >> bit & 1) m_high[net] += m_cycles - m_since[net];
                m_since[net] = m_cycles;
            }
            m_last[probe] = now;
        }
    }

    void end(const std::string& path) {
        m_open = false;
        if (m_probes.empty()) return;
        std::ofstream file(path);
        file << m_cycles << " " << m_cycles << "\n";
        for (std::size_t net = 0; net < m_changes.size(); ++net) {
            const bool high = m_last[net / 64] >> net % 64 & 1;
            file << m_changes[net] << " " << m_high[net] + (high ? m_cycles - m_since[net] : 0) << "\n";
        }
    }

private:
    std::vector<const std::uint64_t*> m_probes;
    std::vector<std::uint64_t> m_last, m_changes, m_high, m_since;
    std::uint64_t m_cycles = 0;
    bool m_open = false;
};

int main(int argc, char** argv) {
    if (argc < 6) return 2;
    const auto beats = lines(argv[1]), pixels = lines(argv[2]);
    const std::size_t per_picture = std::stoul(argv[3]), pictures = std::stoul(argv[4]);
    const std::uint64_t limit = std::stoull(argv[5]);

    auto context = std::make_unique<VerilatedContext>();
    context->commandArgs(argc, argv);
    auto core = std::make_unique<Vaccelerator>(context.get());
#define LISTED(probe) reinterpret_cast<const std::uint64_t*>(&core->probe),
    Activity activity({PROBES(LISTED)});

    std::size_t loaded = 0, sent = 0, seen = 0, settles = 0;
    core->aclk = 0;
    core->m_axis_logits_tready = 1;
    for (std::uint64_t cycle = 0; seen < pictures; ++cycle) {
        if (cycle == limit) {
            std::cout << "error: it came to no end within " << limit << " cycles\n";
            return 1;
        }
        core->aresetn = cycle >= 4;
        const bool loads = loaded < beats.size() && cycle >= 4;
        core->s_axis_load_tvalid = loads;
        if (loads) {
            const std::uint64_t beat = std::stoull(beats[loaded], nullptr, 16);
            core->s_axis_load_tdata = static_cast<IData>(beat);
            core->s_axis_load_tlast = beat >> 32 & 1;
        }
        // One picture at a time, and none before the model is there.
        const bool sends = loaded == beats.size() && core->status == 0 && sent < per_picture * (seen + 1);
        core->s_axis_pixels_tvalid = sends;
        if (sends) {
            put(core->s_axis_pixels_tdata, pixels[sent]);
            core->s_axis_pixels_tlast = sent % per_picture == per_picture - 1;
        }
        core->aclk = 0;
        core->eval();
        // Nothing changes between this and the edge.
        activity.step();
        const bool takes_beat = loads && core->s_axis_load_tready;
        const bool takes_pixel = sends && core->s_axis_pixels_tready;
        // Before reset, outputs are anything.
        const bool gives = sent > 0 && core->m_axis_logits_tvalid;
        const bool last = gives && core->m_axis_logits_tlast;
        if (gives) std::cout << "logit " << static_cast<std::int32_t>(core->m_axis_logits_tdata) << "\n";
        if (takes_pixel && sent % per_picture == 0) activity.begin();
        core->aclk = 1;
        core->eval();
        loaded += takes_beat;
        sent += takes_pixel;
        if (last) {
            activity.end("activity." + std::to_string(seen));
            settles = SETTLE;
        } else if (settles && --settles == 0) {
            std::cout << "picture " << core->cycles << " " << core->additions << "\n";
            ++seen;
        }
    }
    core->final();
    return 0;
}
