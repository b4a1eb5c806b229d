// Memories of the accelerator where it becomes an ASIC: the same module as in memory.v, and behind it "addend_sram",
// which is written for each core and has one module per size. Nothing starts with content.
// With ADDEND_CAPTURE defined (simulation), each write of a memory that has a NAME is logged to
// NAME.log as "tag address data", in hexadecimal.

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
    addend_sram #(.SHARED(SHARED), .DEPTH(DEPTH), .WIDTH(WIDTH), .ADDRESS_WIDTH(ADDRESS_WIDTH)) sram (
        .clk(clk), .write(write), .a_address(a_address), .data(data), .other(other), .a_read(a_read), .a_data(a_data),
        .b_read(b_read), .b_address(b_address), .b_data(b_data));

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
