"""What the memories of a built core hold, as a simulator of its ports needs it."""

import contextlib
import hashlib
from pathlib import Path

from golden.data.limits import MAX_ARRAY
from golden.data.reading import InputError, open_regular, read_regular
from hw.emit.build_directory import DESCRIPTION, MEMORIES, VERILOG, is_asic
from hw.emit.load_packets import packets_of
from hw.emit.memory_images import read_hex
from hw.isa.core_config import CoreConfig
from hw.isa.weight_image import image_bytes


__all__ = ["Contents"]


class Contents:
    """Memory images of a build directory, and what its files were when it was opened.

    Parameters
    ----------
    folder : Path
        Build directory of ``hw.build``.
    description : dict
        From ``hw.emit.build_directory.read_description``.

    Attributes
    ----------
    loads : list of int
        Beats for the load port; none where memories begin with their images, or lie outside.
    memory : bytes
        Of the external memory, if there is one.
    word_bytes : int
        Bytes of one of its beats.

    Raises
    ------
    InputError
        If a memory image was changed since it was built.
    """

    def __init__(self, folder, description):
        self._folder = Path(folder)
        self._images, self._memories = description["images"], description["memories"]
        sources = (VERILOG, MEMORIES) if is_asic(self._folder) else (VERILOG,)
        self._digests = {
            name: self._digest(name) for name in (DESCRIPTION, *sources, *self._images)
        }
        config = CoreConfig.from_dict(description["config"])
        self.loads, self.memory = [], b""
        self.word_bytes = config.bus_width // 8
        if config.external:
            self.memory = image_bytes(self._words("external"), config.bus_width)
        elif not description["readmemh"]:
            words = {name: self._words(name) for name in config.memories}
            self.loads = [beat for packet in packets_of(words, config) for beat in packet]

    def require_unchanged(self):
        """Raise InputError if a file is another one by now."""
        for name, digest in self._digests.items():
            found = None
            with contextlib.suppress(OSError):
                found = self._digest(name)
            if found != digest:
                raise InputError(
                    f"{self._folder / name} must be what it was when the core was opened, but was "
                    "changed or removed; open the core again"
                )

    def _digest(self, name):
        with open_regular(self._folder / name) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _words(self, name):
        """Words of a memory, whose slices are in one file each, lowest bits first."""
        paths = self._memories[name]["images"]
        width = self._images[paths[0]]["width"]
        slices = [
            read_hex(
                read_regular(self._folder / path, MAX_ARRAY).decode("ascii", "replace"),
                width,
                name=self._folder / path,
            )
            for path in paths
        ]
        return [
            sum(part << width * index for index, part in enumerate(parts))
            for parts in zip(*slices, strict=True)
        ]
