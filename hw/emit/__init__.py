"""From a plan to a build directory: Verilog, memory images and their description."""
