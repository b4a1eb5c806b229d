// Arithmetic that a device has better cells for than synthesis finds. Every module is written twice: for any
// target, and, with ADDEND_ECP5 defined, of the cells of a Lattice ECP5. tests/test_primitives.py proves them equal.

// total = (choose ? other : base) + addend, and wraps.
module addend_choose_add #(
    parameter WIDTH = 16
) (
    input wire choose,
    input wire [WIDTH-1:0] base,
    input wire [WIDTH-1:0] other,
    input wire [WIDTH-1:0] addend,
    output wire [WIDTH-1:0] total
);
`ifdef ADDEND_ECP5
    // The table in front of the carry chain chooses between base and other, and adds the addend's bit. Where no
    // carry is passed on, both operands are equal, so that the addend's bit alone is the carry that is generated.
    // The first table of the chain is 0: nothing is carried in, whatever the pin holds.
    localparam BITS = ((WIDTH + 2) >> 1) << 1;
    localparam [15:0] NOTHING = 16'h0000, ADD = 16'h569a;
    wire [BITS-1:0] a = addend << 1, c = base << 1, d = other << 1, s;
    wire [BITS:0] carry;
    genvar i;
    generate
        for (i = 0; i < BITS; i = i + 2) begin : pair
            CCU2C #(
                .INIT0(i == 0 ? NOTHING : ADD), .INIT1(ADD), .INJECT1_0("NO"), .INJECT1_1("NO")
            ) carry_cell (
                .CIN(carry[i]), .COUT(carry[i+2]), .S0(s[i]), .S1(s[i+1]),
                .A0(a[i]), .B0(choose), .C0(c[i]), .D0(d[i]),
                .A1(a[i+1]), .B1(choose), .C1(c[i+1]), .D1(d[i+1]));
        end
    endgenerate
    assign total = s[WIDTH:1];
`else
    assign total = (choose ? other : base) + addend;
`endif
endmodule
