"""Simulation of the hardware: drivers, testbenches and the runner that builds and starts them."""
