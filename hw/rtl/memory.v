// Memories of the accelerator. Every read is registered once inside (block RAM).
// ADDEND_ROM_DIR, a text that ends in a slash, is the folder of the memory images, seen from where a tool runs.
// With ADDEND_ECP5 defined, memories without an image are laid out as hw/blocks.py says: a first bank of BANK words, cut
// into blocks of SLICE bits, and one with the remaining words, of REST_SLICE bits. They store and read the same, which
// tests/test_memory.py proves.
// Nothing uses a word that is read in the cycle that writes it. "no_rw_check" tells so to Yosys, which would else add
// logic around block RAM to define what such a read returns; with ADDEND_COLLIDE defined (simulation), it returns the
// word with all bits flipped.
// With ADDEND_CAPTURE defined (simulation), each write of a memory that has a NAME is logged to
// NAME.log as "tag address data", in hexadecimal.
`ifndef ADDEND_ROM_DIR
`define ADDEND_ROM_DIR "rom/"
`endif

// Port a writes; where SHARED it also reads, in cycles without a write. Port b reads; where SHARED is 2 it writes when
// port a does, to the address that differs in the lowest bit.
module addend_memory #(
    parameter WIDTH = 8,
    parameter DEPTH = 16,
    parameter ADDRESS_WIDTH = 4,
    parameter SHARED = 0,
    parameter TAG_WIDTH = 1,
    parameter BANK = 0,
    parameter SLICE = 1,
    parameter REST_SLICE = 1,
    parameter INIT_FILE = "",
    parameter NAME = ""
) (
    input wire clk,
    input wire write,
    input wire [ADDRESS_WIDTH-1:0] a_address,
    input wire [WIDTH-1:0] data,
    input wire [WIDTH-1:0] other,
    input wire a_read,
    output wire [WIDTH-1:0] a_data,
    input wire b_read,
    input wire [ADDRESS_WIDTH-1:0] b_address,
    output wire [WIDTH-1:0] b_data,
    input wire [TAG_WIDTH-1:0] tag
);
`ifdef ADDEND_ECP5
    localparam BANKED = INIT_FILE == "" && BANK != 0;
`else
    localparam BANKED = 0;
`endif
    // With more words than BANK there is a second bank, which the highest bit of an address selects.
    localparam BANKS = BANKED && DEPTH > BANK ? 2 : 1;
    wire a_rest = BANKS == 2 && a_address[ADDRESS_WIDTH-1], b_rest = BANKS == 2 && b_address[ADDRESS_WIDTH-1];
    wire b_reads = b_read & (SHARED != 2 | ~write);
    reg a_chosen, b_chosen;
    always @(posedge clk) if (a_read & ~write) a_chosen <= a_rest;
    always @(posedge clk) if (b_reads) b_chosen <= b_rest;

    genvar number;
    generate
        for (number = 0; number < BANKS; number = number + 1) begin : bank
            wire [WIDTH-1:0] a_word, b_word;
            addend_bank #(
                .WIDTH(WIDTH), .DEPTH(BANKS == 1 ? DEPTH : number == 0 ? BANK : DEPTH - BANK),
                .ADDRESS_WIDTH(ADDRESS_WIDTH - BANKS + 1), .SHARED(SHARED), .INIT_FILE(INIT_FILE),
                .SLICE(!BANKED ? WIDTH : number == 0 ? SLICE : REST_SLICE)
            ) blocks (
                .clk(clk), .write(write & (number == 0 ? ~a_rest : a_rest)), .data(data), .other(other),
                .a_read(a_read & (BANKS == 1 | ~write)),
                .a_address(a_address[ADDRESS_WIDTH-BANKS:0]), .a_data(a_word),
                .b_read(BANKS == 1 ? b_read : b_reads), .b_address(b_address[ADDRESS_WIDTH-BANKS:0]), .b_data(b_word));
        end
    endgenerate
    assign a_data = a_chosen ? bank[BANKS-1].a_word : bank[0].a_word;
    assign b_data = b_chosen ? bank[BANKS-1].b_word : bank[0].b_word;

    generate
        if (NAME != "") begin : capture
`ifdef ADDEND_CAPTURE
            integer log;
            initial log = $fopen({NAME, ".log"}, "w");
            always @(posedge clk) if (write) $fwrite(log, "%h %h %h\n", tag, a_address, data);
`endif
        end
    endgenerate
endmodule

// Blocks side by side, SLICE bits of a word in each.
module addend_bank #(
    parameter WIDTH = 8,
    parameter DEPTH = 16,
    parameter ADDRESS_WIDTH = 4,
    parameter SHARED = 0,
    parameter SLICE = 8,
    parameter INIT_FILE = ""
) (
    input wire clk,
    input wire write,
    input wire [ADDRESS_WIDTH-1:0] a_address,
    input wire [WIDTH-1:0] data,
    input wire [WIDTH-1:0] other,
    input wire a_read,
    output wire [WIDTH-1:0] a_data,
    input wire b_read,
    input wire [ADDRESS_WIDTH-1:0] b_address,
    output wire [WIDTH-1:0] b_data
);
    genvar low;
    generate
        for (low = 0; low < WIDTH; low = low + SLICE) begin : slice
            localparam BITS = WIDTH - low < SLICE ? WIDTH - low : SLICE;
            (* ram_style = "block", no_rw_check *) reg [BITS-1:0] words [0:DEPTH-1];
            reg [BITS-1:0] a_word, b_word;
            if (INIT_FILE != "") begin : image
                initial $readmemh({`ADDEND_ROM_DIR, INIT_FILE}, words);
            end
            always @(posedge clk) begin
                if (write) words[a_address] <= data[low+:BITS];
                else if (SHARED != 0 && a_read) a_word <= words[a_address];
            end
            always @(posedge clk) begin
                if (SHARED == 2 && write) words[b_address] <= other[low+:BITS];
                else if (b_read) b_word <= words[b_address];
`ifdef ADDEND_COLLIDE
                if (SHARED != 2 && b_read && write && a_address == b_address) b_word <= ~words[b_address];
`endif
            end
            assign a_data[low+:BITS] = a_word;
            assign b_data[low+:BITS] = b_word;
        end
    endgenerate
endmodule
