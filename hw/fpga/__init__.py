"""External tools, and the way from Verilog to a bitstream."""
