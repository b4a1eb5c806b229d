"""The generator: compiler, engines, core, the flow for FPGAs and the reports."""
