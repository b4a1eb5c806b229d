"""What comes from outside: pictures, arrays, descriptions, opened and read within limits."""
