"""Simulation of the hardware: drivers, benches and the runner that builds and starts them."""
