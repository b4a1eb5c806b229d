"""Limits of what is read from outside, which hold before memory is asked for (docs/format.md)."""

__all__ = [
    "MAX_ARRAY",
    "MAX_DIRECTORY",
    "MAX_ENCODED",
    "MAX_JSON",
    "MAX_JSON_DEPTH",
    "MAX_LAYERS",
    "MAX_MAP",
    "MAX_MEMBERS",
    "MAX_NETLIST",
    "MAX_PIXELS",
    "MAX_PROGRESSIVE_PIXELS",
    "MAX_SCANS",
    "MAX_SIDE",
    "MAX_TILE_PIXELS",
    "MAX_TOML",
    "MAX_TOML_DOTS",
    "MAX_WEBP_PIXELS",
]


#: Largest height or width of a picture, and its most pixels.
MAX_SIDE = 2**16
MAX_PIXELS = 2**26

#: The same where the decoder holds the picture several times over: in WebP and progressive JPEG.
MAX_WEBP_PIXELS = 2**24
MAX_PROGRESSIVE_PIXELS = 2**25

#: Most pixels of a tile of a TIFF, which may be larger than the picture.
MAX_TILE_PIXELS = 2**24

#: Most scans of a JPEG, each of which goes over the whole picture.
MAX_SCANS = 200

#: Most bytes of a picture's file, and of an array's values.
MAX_ENCODED = 2**28
MAX_ARRAY = 2**32

#: Most members of an archive, and files of a folder; bytes of an archive's directory.
MAX_MEMBERS = 2**21
MAX_DIRECTORY = 2**29

#: Most bytes of a JSON text, and its deepest nesting.
MAX_JSON = 2**23
MAX_JSON_DEPTH = 32

#: Most bytes of JSON that synthesis and routing write, such as netlists.
MAX_NETLIST = 2**32

#: Most layers of a model, and values of one map: 4 GiB where they are int64.
MAX_LAYERS = 4096
MAX_MAP = MAX_ARRAY // 8

#: Most bytes of a TOML configuration, and dots in one of its lines.
MAX_TOML = 2**16
MAX_TOML_DOTS = 256
