"""What a core takes before it is built: cycles, LUTs and block RAMs."""
