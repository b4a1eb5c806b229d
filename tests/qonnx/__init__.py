"""Networks in QONNX: random ones, and what a file computes in exact numbers, without the reader."""
