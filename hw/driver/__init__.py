"""The driver of boards: a serial port, and requests over it."""
