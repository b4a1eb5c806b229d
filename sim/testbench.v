// Plain testbench: sends the images of pixels.hex, a pixel a line, and prints each logit. It runs in any simulator.
// Every input changes after time 0: Icarus Verilog leaves "always @*" at x until something that it reads changes.
`timescale 1ns/1ns
module testbench;
    parameter PIXELS = 64, PIXEL_WIDTH = 8, IMAGES = 1, LIMIT = 1000000;

    reg [PIXEL_WIDTH-1:0] pixels [0:IMAGES*PIXELS-1];
    reg aclk, aresetn, sends, receives, nothing;
    integer sent, place, images, cycles;
    wire taken, logit_valid, logit_last;
    wire [31:0] logit;

    accelerator core (
        .aclk(aclk), .aresetn(aresetn),
        .s_axis_load_tdata({32{nothing}}), .s_axis_load_tlast(nothing), .s_axis_load_tvalid(nothing),
        .s_axis_pixels_tdata(pixels[sent]), .s_axis_pixels_tlast(place == PIXELS - 1),
        .s_axis_pixels_tvalid(sends), .s_axis_pixels_tready(taken),
        .m_axis_logits_tdata(logit), .m_axis_logits_tlast(logit_last),
        .m_axis_logits_tvalid(logit_valid), .m_axis_logits_tready(receives));

    initial begin
        $readmemh("pixels.hex", pixels);
        {sent, place, images, cycles} = 0;
        #1 {aclk, aresetn, sends, receives, nothing} = 0;
        repeat (8) #5 aclk = ~aclk;
        {aresetn, sends, receives} = 7;
        forever #5 aclk = ~aclk;
    end

    always @(posedge aclk) if (aresetn) begin
        cycles <= cycles + 1;
        if (sends && taken) begin
            sent <= sent + 1;
            place <= place == PIXELS - 1 ? 0 : place + 1;
            sends <= sent != IMAGES * PIXELS - 1;
        end
        if (receives && logit_valid) begin
            $display("logit %0d", $signed(logit));
            images <= images + logit_last;
        end
        if (images == IMAGES || cycles == LIMIT) $finish;
    end
endmodule
