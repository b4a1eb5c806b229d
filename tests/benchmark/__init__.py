"""Benchmarks of the hardware: what is simulated, routed and compared, and the area model's fit."""
