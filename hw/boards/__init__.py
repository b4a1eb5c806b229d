"""Boards that carry an FPGA: their pins and clocks, and what runs a core on them."""
