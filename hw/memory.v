// Memories of the accelerator. Every read is registered once inside (block RAM).
// With ADDEND_ECP5 defined, memories without an image are laid out as hw/blocks.py says: a first bank of BANK words, cut
// into blocks of SLICE bits, and one with the remaining words, of REST_SLICE bits. They store and read the same.
// Nothing uses a word that is read in the cycle that writes it: "no_rw_check" tells so to Yosys, which
// would else add logic around block RAM to define what such a read returns.
// With ADDEND_CAPTURE defined (simulation), each write of a memory that has a NAME is logged to
// NAME.log as "tag address data", in hexadecimal.

// Two readers share one copy; writes go through the port of reader a, which does not read then.
module addend_shared_memory #(
    parameter WIDTH = 8,
    parameter DEPTH = 16,
    parameter ADDRESS_WIDTH = 4,
    parameter BANK = 0,
    parameter SLICE = 1,
    parameter REST_SLICE = 1,
    parameter INIT_FILE = ""
) (
    input wire clk,
    input wire write,
    input wire [WIDTH-1:0] data,
    input wire a_read,
    input wire [ADDRESS_WIDTH-1:0] a_address,
    output wire [WIDTH-1:0] a_data,
    input wire b_read,
    input wire [ADDRESS_WIDTH-1:0] b_address,
    output wire [WIDTH-1:0] b_data
);
`ifdef ADDEND_ECP5
    localparam BANKED = INIT_FILE == "" && BANK != 0;
`else
    localparam BANKED = 0;
`endif
    generate
        if (BANKED) begin : banks
            localparam FIRST = DEPTH < BANK ? DEPTH : BANK, REST = DEPTH - FIRST;
            wire [WIDTH-1:0] a_first, b_first;
            wire a_high = REST != 0 && (a_address >= FIRST), b_high = REST != 0 && (b_address >= FIRST);
            addend_shared_bank #(.WIDTH(WIDTH), .DEPTH(FIRST), .SLICE(SLICE), .ADDRESS_WIDTH(ADDRESS_WIDTH)) first (
                .clk(clk), .write(write & ~a_high), .data(data), .a_read(a_read & ~write), .a_address(a_address),
                .a_data(a_first), .b_read(b_read), .b_address(b_address), .b_data(b_first));
            if (REST != 0) begin : two
                wire [WIDTH-1:0] a_rest, b_rest;
                reg a_chosen, b_chosen;
                wire [ADDRESS_WIDTH-1:0] a_low = a_address & (BANK - 1), b_low = b_address & (BANK - 1);
                always @(posedge clk) if (a_read & ~write) a_chosen <= a_high;
                always @(posedge clk) if (b_read) b_chosen <= b_high;
                addend_shared_bank #(.WIDTH(WIDTH), .DEPTH(REST), .SLICE(REST_SLICE), .ADDRESS_WIDTH(ADDRESS_WIDTH)) rest (
                    .clk(clk), .write(write & a_high), .data(data), .a_read(a_read & ~write), .a_address(a_low),
                    .a_data(a_rest), .b_read(b_read), .b_address(b_low), .b_data(b_rest));
                assign a_data = a_chosen ? a_rest : a_first;
                assign b_data = b_chosen ? b_rest : b_first;
            end else begin : one
                assign a_data = a_first;
                assign b_data = b_first;
            end
        end else begin : whole
            (* ram_style = "block", no_rw_check *) reg [WIDTH-1:0] words [0:DEPTH-1];
            reg [WIDTH-1:0] a_word, b_word;
            if (INIT_FILE != "") begin : image
                initial $readmemh(INIT_FILE, words);
            end
            always @(posedge clk) begin
                if (write) words[a_address] <= data;
                else if (a_read) a_word <= words[a_address];
            end
            always @(posedge clk) if (b_read) b_word <= words[b_address];
            assign a_data = a_word;
            assign b_data = b_word;
        end
    endgenerate
endmodule

// One writer, one reader with an enable.
module addend_memory #(
    parameter WIDTH = 8,
    parameter DEPTH = 16,
    parameter ADDRESS_WIDTH = 4,
    parameter TAG_WIDTH = 1,
    parameter BANK = 0,
    parameter SLICE = 1,
    parameter REST_SLICE = 1,
    parameter INIT_FILE = "",
    parameter NAME = ""
) (
    input wire clk,
    input wire write,
    input wire [ADDRESS_WIDTH-1:0] write_address,
    input wire [WIDTH-1:0] write_data,
    input wire read,
    input wire [ADDRESS_WIDTH-1:0] read_address,
    output wire [WIDTH-1:0] read_data,
    input wire [TAG_WIDTH-1:0] tag
);
`ifdef ADDEND_ECP5
    localparam BANKED = INIT_FILE == "" && BANK != 0;
`else
    localparam BANKED = 0;
`endif
    generate
        if (BANKED) begin : banks
            localparam FIRST = DEPTH < BANK ? DEPTH : BANK, REST = DEPTH - FIRST;
            wire [WIDTH-1:0] read_first;
            wire write_high = REST != 0 && (write_address >= FIRST), read_high = REST != 0 && (read_address >= FIRST);
            addend_bank #(.WIDTH(WIDTH), .DEPTH(FIRST), .SLICE(SLICE), .ADDRESS_WIDTH(ADDRESS_WIDTH)) first (
                .clk(clk), .write(write & ~write_high), .write_address(write_address), .write_data(write_data),
                .read(read), .read_address(read_address), .read_data(read_first));
            if (REST != 0) begin : two
                wire [WIDTH-1:0] read_rest;
                reg chosen;
                wire [ADDRESS_WIDTH-1:0] write_low = write_address & (BANK - 1), read_low = read_address & (BANK - 1);
                always @(posedge clk) if (read) chosen <= read_high;
                addend_bank #(.WIDTH(WIDTH), .DEPTH(REST), .SLICE(REST_SLICE), .ADDRESS_WIDTH(ADDRESS_WIDTH)) rest (
                    .clk(clk), .write(write & write_high), .write_address(write_low), .write_data(write_data),
                    .read(read), .read_address(read_low), .read_data(read_rest));
                assign read_data = chosen ? read_rest : read_first;
            end else begin : one
                assign read_data = read_first;
            end
        end else begin : whole
            (* ram_style = "block", no_rw_check *) reg [WIDTH-1:0] words [0:DEPTH-1];
            reg [WIDTH-1:0] word;
            if (INIT_FILE != "") begin : image
                initial $readmemh(INIT_FILE, words);
            end
            always @(posedge clk) begin
                if (write) words[write_address] <= write_data;
                if (read) word <= words[read_address];
            end
            assign read_data = word;
        end
    endgenerate

`ifdef ADDEND_CAPTURE
    generate
        if (NAME != "") begin : capture
            integer log;
            initial log = $fopen({NAME, ".log"}, "w");
            always @(posedge clk) if (write) $fwrite(log, "%h %h %h\n", tag, write_address, write_data);
        end
    endgenerate
`endif
endmodule

`ifdef ADDEND_ECP5
// Blocks side by side, SLICE bits of a word in each.
module addend_shared_bank #(
    parameter WIDTH = 8,
    parameter DEPTH = 16,
    parameter SLICE = 1,
    parameter ADDRESS_WIDTH = 4
) (
    input wire clk,
    input wire write,
    input wire [WIDTH-1:0] data,
    input wire a_read,
    input wire [ADDRESS_WIDTH-1:0] a_address,
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
            always @(posedge clk) begin
                if (write) words[a_address] <= data[low+:BITS];
                else if (a_read) a_word <= words[a_address];
            end
            always @(posedge clk) if (b_read) b_word <= words[b_address];
            assign a_data[low+:BITS] = a_word;
            assign b_data[low+:BITS] = b_word;
        end
    endgenerate
endmodule

module addend_bank #(
    parameter WIDTH = 8,
    parameter DEPTH = 16,
    parameter SLICE = 1,
    parameter ADDRESS_WIDTH = 4
) (
    input wire clk,
    input wire write,
    input wire [ADDRESS_WIDTH-1:0] write_address,
    input wire [WIDTH-1:0] write_data,
    input wire read,
    input wire [ADDRESS_WIDTH-1:0] read_address,
    output wire [WIDTH-1:0] read_data
);
    genvar low;
    generate
        for (low = 0; low < WIDTH; low = low + SLICE) begin : slice
            localparam BITS = WIDTH - low < SLICE ? WIDTH - low : SLICE;
            (* ram_style = "block", no_rw_check *) reg [BITS-1:0] words [0:DEPTH-1];
            reg [BITS-1:0] word;
            always @(posedge clk) begin
                if (write) words[write_address] <= write_data[low+:BITS];
                if (read) word <= words[read_address];
            end
            assign read_data[low+:BITS] = word;
        end
    endgenerate
endmodule
`endif
