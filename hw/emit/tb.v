// SPDX-License-Identifier: Apache-2.0
// Sends the pictures of vectors/ to the core and compares its logits. The last line that it prints is
// "PASS 4 pictures, 40 logits" or begins with FAIL. Plain Verilog-2005; tb.vh has the core's sizes.
// ADDEND_ROM_DIR, a text that ends in a slash, is the folder rom/, seen from where the simulator runs.
`timescale 1ns/1ns
`include "tb.vh"
`ifndef ADDEND_ROM_DIR
`define ADDEND_ROM_DIR "rom/"
`endif

module tb;
    localparam PICTURES = `TB_PICTURES, PIXELS = `TB_PIXELS, PIXEL_WIDTH = `TB_PIXEL_WIDTH, CLASSES = `TB_CLASSES;

    reg [PIXEL_WIDTH-1:0] beats [0:PICTURES*PIXELS-1];
    reg [31:0] logits [0:PICTURES*CLASSES-1];
    reg aclk, aresetn, sends, receives, failed, same;
    integer sent, pixel, received, index, opened;
    reg [63:0] cycles;
    wire pixels_ready, logit_valid, logit_last, error;
    wire [31:0] logit;
    wire [3:0] status;

    // The files of rom/ and vectors/, and what is connected to the other ports of the core.
    wire loaded;
    `TB_IMAGES
    `TB_SOURCE

    // What every core has; what only some have is in the macros of tb.vh.
    accelerator core (
        .aclk(aclk), .aresetn(aresetn), `TB_PORTS
        .s_axis_pixels_tdata(beats[sent]), .s_axis_pixels_tlast(pixel == PIXELS - 1),
        .s_axis_pixels_tvalid(sends), .s_axis_pixels_tready(pixels_ready),
        .m_axis_logits_tdata(logit), .m_axis_logits_tlast(logit_last),
        .m_axis_logits_tvalid(logit_valid), .m_axis_logits_tready(receives),
        .error(error), .status(status));

    initial begin
        {sent, pixel, received, index} = 0;
        cycles = 0;
        {aclk, aresetn, sends, receives, failed} = 0;
        // After what simulators say about files that their $readmemh does not find.
        #1 `TB_OPEN
        if (!failed) begin
            `TB_CHECK
            source.read;
            $readmemh({`ADDEND_ROM_DIR, "../vectors/beats.hex"}, beats);
            $readmemh({`ADDEND_ROM_DIR, "../vectors/logits.hex"}, logits);
        end
        if (!failed) begin
            repeat (8) #5 aclk = ~aclk;
            aresetn = 1;
            receives = 1;
        end
        while (!failed) #5 aclk = ~aclk;
    end

    always @(posedge aclk) if (aresetn && !failed) begin
        cycles <= cycles + 1;
        if (!sends) sends <= loaded && sent == 0;
        else if (pixels_ready) begin
            sent <= sent + 1;
            pixel <= pixel == PIXELS - 1 ? 0 : pixel + 1;
            sends <= sent != PICTURES * PIXELS - 1;
        end
        if (logit_valid) begin
            received <= received + 1;
            index <= index == CLASSES - 1 ? 0 : index + 1;
            if (logit !== logits[received]) begin
                $display("FAIL picture %0d, class %0d: the logit must be %0d, not %0d", received / CLASSES,
                    index, $signed(logits[received]), $signed(logit));
                stop;
            end else if (logit_last !== (index == CLASSES - 1)) begin
                $display("FAIL picture %0d, class %0d: tlast must be %0d", received / CLASSES, index,
                    index == CLASSES - 1);
                stop;
            end else if (received == PICTURES * CLASSES - 1) begin
                $display("PASS %0d pictures, %0d logits", PICTURES, PICTURES * CLASSES);
                stop;
            end
        end else if (loaded && error) begin
            $display("FAIL the core's status is %0d", status);
            stop;
        end else if (cycles == `TB_LIMIT) begin
            $display("FAIL %0d logits must come within %0d cycles, and %0d came", PICTURES * CLASSES, `TB_LIMIT,
                received);
            stop;
        end
    end

    // Ends the simulation; nothing is printed any more.
    task stop;
        begin
            failed = 1;
            $finish(0);
        end
    endtask

    task open(input [8*4096-1:0] name);
        if (!failed) begin
            opened = $fopen(name, "r");
            if (opened == 0) begin
                $display("FAIL %0s must exist", name);
                stop;
            end else $fclose(opened);
        end
    endtask

    task compare(input [8*4096-1:0] name);
        if (!failed && same !== 1) begin
            $display("FAIL %0s holds other words than it was built with", name);
            stop;
        end
    endtask
endmodule

// A file of words, whose sum tells whether one was changed, and whose number whether one was appended.
module tb_image;
    parameter FILE = "", WIDTH = 1, DEPTH = 1, SUM_WIDTH = 32, SUM = 0;
    reg [WIDTH-1:0] words [0:DEPTH-1];
    reg [SUM_WIDTH-1:0] sum;
    reg in_word, in_comment;
    integer address, file, number, char;

    // Each word is added to the sum, which was turned by one bit before.
    task read(output same);
        begin
            count;
            same = number == DEPTH;
            if (same) begin
                $readmemh(FILE, words);
                sum = 0;
                for (address = 0; address < DEPTH; address = address + 1)
                    sum = {sum[SUM_WIDTH-2:0], sum[SUM_WIDTH-1]} + words[address];
                same = sum === SUM;
            end
        end
    endtask

    // Simulators leave out words behind the last, or give up. Comments go to the end of their line;
    // one that has an end could hide words, and counts as some.
    task count;
        begin
            {in_word, in_comment, number} = 0;
            file = $fopen(FILE, "r");
            char = $fgetc(file);
            while (char >= 0) begin
                if (char == "\n") in_comment = 0;
                else if (char == "/") in_comment = 1;
                if (char == "*" || char > " " && !in_word && !in_comment) number = number + 1;
                in_word = char > " " && !in_comment;
                char = $fgetc(file);
            end
            $fclose(file);
        end
    endtask
endmodule

// Fills the memories of a core that does not start from its memory images; BEATS is 0 for one that does.
module tb_load (
    input wire clk, input wire go,
    output wire [31:0] data, output wire last, output wire valid, input wire ready, output wire loaded
);
    parameter BEATS = 0;
    reg [32:0] beats [0:BEATS];
    integer sent;
    assign {last, data} = beats[sent];
    assign valid = go && sent != BEATS;
    assign loaded = go && sent == BEATS;

    initial begin
        sent = 0;
        beats[BEATS] = 0;
    end
    task read;
        if (BEATS != 0) $readmemh({`ADDEND_ROM_DIR, "../vectors/load.hex"}, beats, 0, BEATS - 1);
    endtask
    always @(posedge clk) if (valid && ready) sent <= sent + 1;
endmodule

// An external memory: answers bursts of 16 beats in order, each after LATENCY cycles.
module tb_memory (
    input wire clk, input wire go,
    input wire [31:0] araddr, input wire arvalid, output wire arready,
    output wire [WIDTH-1:0] rdata, output wire rlast, output wire rvalid, input wire rready
);
    parameter FILE = "", WIDTH = 64, DEPTH = 16, LATENCY = 8;
    localparam BYTES = WIDTH / 8;
    reg [WIDTH-1:0] words [0:DEPTH-1];
    // Addresses that wait, the oldest in the lowest bits.
    reg [127:0] waiting;
    integer count, place, delay;
    wire [31:0] beat = waiting[31:0] / BYTES + place;

    assign arready = go && count < 4;
    assign rvalid = count != 0 && delay == 0;
    assign rdata = words[beat % DEPTH];
    assign rlast = place == 15;

    initial begin
        {waiting, count, place} = 0;
        delay = LATENCY;
    end
    task read;
        $readmemh(FILE, words);
    endtask
    always @(posedge clk) begin
        if (rvalid && rready && rlast) begin
            if (arvalid && arready) waiting <= waiting >> 32 | {96'b0, araddr} << 32 * (count - 1);
            else waiting <= waiting >> 32;
        end else if (arvalid && arready) waiting <= waiting | {96'b0, araddr} << 32 * count;
        count <= count + (arvalid && arready) - (rvalid && rready && rlast);
        if (rvalid && rready) place <= rlast ? 0 : place + 1;
        if (count == 0 || rvalid && rready && rlast) delay <= LATENCY;
        else if (delay != 0) delay <= delay - 1;
    end
endmodule
