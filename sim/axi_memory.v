// An external memory behind the read channels of AXI4, for simulation.
// It shares nothing with the design: it takes up to QUEUE bursts, answers each after a random latency, pauses
// at random, checks what AXI4 demands of a master, and can be told to fail. Its content is read from
// memory.hex, which may place several images with "@address" lines (addresses count beats).
module axi_memory #(
    parameter DATA_WIDTH = 128,
    parameter DEPTH = 4096,
    parameter QUEUE = 3
) (
    input wire aclk,
    input wire aresetn,
    input wire [31:0] araddr,
    input wire [7:0] arlen,
    input wire [2:0] arsize,
    input wire [1:0] arburst,
    input wire arvalid,
    output wire arready,
    output reg [DATA_WIDTH-1:0] rdata,
    output reg [1:0] rresp,
    output reg rlast,
    output reg rvalid,
    input wire rready,
    input wire [7:0] stall,        // of 256 cycles, so many in which a channel pauses
    input wire [3:0] fault,        // what goes wrong at beat fault_beat, or in its burst
    input wire [31:0] fault_beat
);
    // At the beat: a flipped bit, an error response, no answer at all, rlast inverted though all beats come, the beat
    // twice, and the end of the burst. In its burst: no rlast, not accepted, and an error on the last beat.
    localparam FLIPPED_BIT = 1, SLAVE_ERROR = 2, DEAD = 3, EARLY_LAST = 4, NO_LAST = 5, NO_ARREADY = 6,
        ERROR_ON_LAST = 7, DECERR = 8, DOUBLED_BEAT = 9, SHORT_BURST = 10, EXOKAY = 11;
    localparam SLVERR_RESPONSE = 2, DECERR_RESPONSE = 3, EXOKAY_RESPONSE = 1;
    localparam BYTES = DATA_WIDTH / 8, SIZE = $clog2(BYTES), BURST = 16;

    reg [DATA_WIDTH-1:0] words [0:DEPTH-1];
    initial $readmemh("memory.hex", words);

    reg [31:0] queue_beat [0:QUEUE-1];
    reg [7:0] queue_left [0:QUEUE-1];
    reg [31:0] queue_due [0:QUEUE-1];
    integer first, count;
    reg [31:0] now;
    reg dead, doubled, accepts;

    reg was_waiting;
    reg [31:0] waiting_address;
    integer last;
    wire pausing = ($urandom & 255) < {24'b0, stall};
    wire [31:0] beat = queue_beat[first];
    wire hit = beat == fault_beat;
    wire in_burst = beat / BURST == fault_beat / BURST;
    wire final_beat = queue_left[first] == 0;
    wire repeats = fault == DOUBLED_BEAT && hit && !doubled;
    wire ends = (final_beat && !repeats) || (fault == SHORT_BURST && hit);
    assign arready = accepts && !(fault == NO_ARREADY && araddr / BYTES / BURST == fault_beat / BURST);

    always @(posedge aclk) begin
        now <= now + 1;
        if (!aresetn) begin
            accepts <= 0;
            rvalid <= 0;
            first <= 0;
            count <= 0;
            now <= 0;
            dead <= 0;
            doubled <= 0;
            was_waiting <= 0;
        end else begin
            // What a master must keep to (ARM IHI 0022, A3.2 to A3.4).
            if (arvalid) begin
                if (arburst != 1) $fatal(1, "arburst must be INCR, not %d", arburst);
                if (arsize != SIZE) $fatal(1, "arsize must be %d, not %d", SIZE, arsize);
                if ((araddr & (BYTES - 1)) != 0) $fatal(1, "araddr %h must be aligned", araddr);
                if ((araddr >> 12) != ((araddr + (arlen + 1) * BYTES - 1) >> 12))
                    $fatal(1, "a burst must not cross 4 KiB: araddr %h", araddr);
                if (araddr / BYTES + arlen >= DEPTH) $fatal(1, "araddr %h is beyond the memory", araddr);
            end
            if (was_waiting && (!arvalid || araddr != waiting_address))
                $fatal(1, "arvalid and araddr must stay until the transfer");
            was_waiting <= arvalid && !arready;
            waiting_address <= araddr;

            last = count;
            if (arvalid && arready) begin
                queue_beat[(first + count) % QUEUE] <= araddr / BYTES;
                queue_left[(first + count) % QUEUE] <= arlen;
                queue_due[(first + count) % QUEUE] <= now + 6 + ($urandom & 63);
                last = last + 1;
            end
            if (rvalid && rready) rvalid <= 0;
            if ((!rvalid || rready) && count != 0 && now >= queue_due[first] && !pausing) begin
                if (fault == DEAD && (dead || hit)) dead <= 1;
                else begin
                    dead <= 0;
                    rvalid <= 1;
                    rdata <= words[beat] ^ (fault == FLIPPED_BIT && hit ? 1 << 5 : 0);
                    rresp <= fault == SLAVE_ERROR && hit ? SLVERR_RESPONSE
                        : fault == ERROR_ON_LAST && in_burst && final_beat ? SLVERR_RESPONSE
                        : fault == DECERR && hit ? DECERR_RESPONSE
                        : fault == EXOKAY && hit ? EXOKAY_RESPONSE : 0;
                    rlast <= (ends ^ (fault == EARLY_LAST && hit)) && !(fault == NO_LAST && in_burst);
                    doubled <= repeats;
                    if (!repeats) begin
                        queue_beat[first] <= beat + 1;
                        queue_left[first] <= queue_left[first] - 1;
                    end
                    if (ends) begin
                        first <= (first + 1) % QUEUE;
                        last = last - 1;
                    end
                end
            end
            count <= last;
            accepts <= last < QUEUE - 1 && ($urandom & 255) >= {24'b0, stall};
        end
    end
endmodule
