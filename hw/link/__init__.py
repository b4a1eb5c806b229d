"""The serial link in front of a core: bytes, frames, requests and replies."""
