// Memories of the accelerator. Every read is registered once inside (block RAM).
// Nothing uses a word that is read in the cycle that writes it: "no_rw_check" tells so to Yosys, which
// would else add logic around block RAM to define what such a read returns.
// With ADDEND_CAPTURE defined (simulation), each write of a memory that has a NAME is logged to
// NAME.log as "tag address data", in hexadecimal.

// Two readers share one copy; writes go through the port of reader a, which does not read then.
module addend_shared_memory #(
    parameter WIDTH = 8,
    parameter DEPTH = 16,
    parameter ADDRESS_WIDTH = 4,
    parameter INIT_FILE = ""
) (
    input wire clk,
    input wire write,
    input wire [WIDTH-1:0] data,
    input wire a_read,
    input wire [ADDRESS_WIDTH-1:0] a_address,
    output reg [WIDTH-1:0] a_data,
    input wire b_read,
    input wire [ADDRESS_WIDTH-1:0] b_address,
    output reg [WIDTH-1:0] b_data
);
    (* ram_style = "block", no_rw_check *) reg [WIDTH-1:0] words [0:DEPTH-1];

    generate
        if (INIT_FILE != "") begin : image
            initial $readmemh(INIT_FILE, words);
        end
    endgenerate

    always @(posedge clk) begin
        if (write) words[a_address] <= data;
        else if (a_read) a_data <= words[a_address];
    end

    always @(posedge clk) if (b_read) b_data <= words[b_address];
endmodule

// One writer, one reader with an enable.
module addend_memory #(
    parameter WIDTH = 8,
    parameter DEPTH = 16,
    parameter ADDRESS_WIDTH = 4,
    parameter TAG_WIDTH = 1,
    parameter INIT_FILE = "",
    parameter NAME = ""
) (
    input wire clk,
    input wire write,
    input wire [ADDRESS_WIDTH-1:0] write_address,
    input wire [WIDTH-1:0] write_data,
    input wire read,
    input wire [ADDRESS_WIDTH-1:0] read_address,
    output reg [WIDTH-1:0] read_data,
    input wire [TAG_WIDTH-1:0] tag
);
    (* no_rw_check *) reg [WIDTH-1:0] words [0:DEPTH-1];

    generate
        if (INIT_FILE != "") begin : image
            initial $readmemh(INIT_FILE, words);
        end
    endgenerate

    always @(posedge clk) begin
        if (write) words[write_address] <= write_data;
        if (read) read_data <= words[read_address];
    end

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
