"""From a build directory to a netlist of standard cells: area, timing, power and checks."""
