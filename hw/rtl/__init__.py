"""The components of a core, in Amaranth, and the Verilog that they instantiate."""
