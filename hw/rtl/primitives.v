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

// fits = value >= (choose ? other : base), of two's complement numbers: the sign of what is chosen - value - 1.
module addend_choose_compare #(
    parameter WIDTH = 16
) (
    input wire choose,
    input wire [WIDTH-1:0] base,
    input wire [WIDTH-1:0] other,
    input wire [WIDTH-1:0] value,
    output wire fits
);
`ifdef ADDEND_ECP5
    // As above, with the addend inverted; one bit more, so that the difference keeps its sign.
    localparam BITS = ((WIDTH + 3) >> 1) << 1;
    localparam [15:0] NOTHING = 16'h0000, SUBTRACT = 16'ha965;
    wire [BITS-1:0] a = {{2{value[WIDTH-1]}}, value} << 1, s;
    wire [BITS-1:0] c = {{2{base[WIDTH-1]}}, base} << 1, d = {{2{other[WIDTH-1]}}, other} << 1;
    wire [BITS:0] carry;
    genvar i;
    generate
        for (i = 0; i < BITS; i = i + 2) begin : pair
            CCU2C #(
                .INIT0(i == 0 ? NOTHING : SUBTRACT), .INIT1(SUBTRACT), .INJECT1_0("NO"), .INJECT1_1("NO")
            ) carry_cell (
                .CIN(carry[i]), .COUT(carry[i+2]), .S0(s[i]), .S1(s[i+1]),
                .A0(a[i]), .B0(choose), .C0(c[i]), .D0(d[i]),
                .A1(a[i+1]), .B1(choose), .C1(c[i+1]), .D1(d[i+1]));
        end
    endgenerate
    assign fits = s[WIDTH+1];
`else
    assign fits = $signed(value) >= $signed(choose ? other : base);
`endif
endmodule

// total = load ? value : base + addend, and wraps: a counter or a pointer that is loaded.
module addend_load_add #(
    parameter WIDTH = 16
) (
    input wire load,
    input wire [WIDTH-1:0] value,
    input wire [WIDTH-1:0] base,
    input wire [WIDTH-1:0] addend,
    output wire [WIDTH-1:0] total
);
`ifdef ADDEND_ECP5
    // As above, but a loaded bit takes the place of the sum's, and generates no carry.
    localparam BITS = ((WIDTH + 2) >> 1) << 1;
    localparam [15:0] NOTHING = 16'h0000, LOAD_ADD = 16'hde12;
    wire [BITS-1:0] a = addend << 1, c = base << 1, d = value << 1, s;
    wire [BITS:0] carry;
    genvar i;
    generate
        for (i = 0; i < BITS; i = i + 2) begin : pair
            CCU2C #(
                .INIT0(i == 0 ? NOTHING : LOAD_ADD), .INIT1(LOAD_ADD), .INJECT1_0("NO"), .INJECT1_1("NO")
            ) carry_cell (
                .CIN(carry[i]), .COUT(carry[i+2]), .S0(s[i]), .S1(s[i+1]),
                .A0(a[i]), .B0(load), .C0(c[i]), .D0(d[i]),
                .A1(a[i+1]), .B1(load), .C1(c[i+1]), .D1(d[i+1]));
        end
    endgenerate
    assign total = s[WIDTH:1];
`else
    assign total = load ? value : base + addend;
`endif
endmodule

// total = (augend | augend_too) + (addend | addend_too), and wraps.
module addend_or_add #(
    parameter WIDTH = 16
) (
    input wire [WIDTH-1:0] augend,
    input wire [WIDTH-1:0] augend_too,
    input wire [WIDTH-1:0] addend,
    input wire [WIDTH-1:0] addend_too,
    output wire [WIDTH-1:0] total
);
`ifdef ADDEND_ECP5
    // As above. Where no carry is passed on, both operands are equal, so that the augend's bit is the carry.
    localparam BITS = ((WIDTH + 2) >> 1) << 1;
    localparam [15:0] NOTHING = 16'h0000, OR_ADD = 16'h111e;
    wire [BITS-1:0] a = augend << 1, b = augend_too << 1, c = addend << 1, d = addend_too << 1, s;
    wire [BITS:0] carry;
    genvar i;
    generate
        for (i = 0; i < BITS; i = i + 2) begin : pair
            CCU2C #(
                .INIT0(i == 0 ? NOTHING : OR_ADD), .INIT1(OR_ADD), .INJECT1_0("NO"), .INJECT1_1("NO")
            ) carry_cell (
                .CIN(carry[i]), .COUT(carry[i+2]), .S0(s[i]), .S1(s[i+1]),
                .A0(a[i]), .B0(b[i]), .C0(c[i]), .D0(d[i]),
                .A1(a[i+1]), .B1(b[i+1]), .C1(c[i+1]), .D1(d[i+1]));
        end
    endgenerate
    assign total = s[WIDTH:1];
`else
    assign total = (augend | augend_too) + (addend | addend_too);
`endif
endmodule

// XOR of all bits, in as many LUTs as they take: the first four bits fill one, every three more another one.
module addend_xor #(
    parameter INPUTS = 16
) (
    input wire [INPUTS-1:0] bits,
    output wire mixed
);
`ifdef ADDEND_ECP5
    // The bits and the LUTs stand in one row, of which each LUT takes the next four and appends its own.
    wire [INPUTS-1:0] luts;
    wire [INPUTS+INPUTS+3:0] row = {4'b0000, luts, bits};
    genvar i;
    generate
        for (i = 0; i + i + i + 1 < INPUTS; i = i + 1) begin : tree
            // The last one has fewer than four left, unless their number fits.
            localparam AT = i << 2;
            LUT4 #(.INIT(16'h6996)) lut (
                .A(row[AT]), .B(row[AT+1]), .C(AT + 2 < INPUTS + i ? row[AT+2] : 1'b0),
                .D(AT + 3 < INPUTS + i ? row[AT+3] : 1'b0), .Z(luts[i]));
            if (i + i + i + 4 >= INPUTS) assign mixed = luts[i];
        end
        if (INPUTS == 1) assign mixed = bits[0];
    endgenerate
`else
    assign mixed = ^bits;
`endif
endmodule
