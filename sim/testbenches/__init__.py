"""Testbenches for cocotb, one per component, and what they share."""
