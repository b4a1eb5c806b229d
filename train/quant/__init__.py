"""From floats to integers: grids, quantisation-aware training, folding."""
