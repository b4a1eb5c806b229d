"""Readers of vendors' memory images, written from the documentation of these formats alone.

They take whatever the documents allow, and not just what this project writes.

* COE: AMD, Vivado Design Suite User Guide: Designing with IP, UG896, "COE File Syntax".
* MIF: Intel, Quartus Prime Help, "Memory Initialization File (.mif) Definition".
* MI: Gowin, BSRAM and SSRAM User Guide, UG285: files of the kinds Bin, Hex and AddrHex.
"""

import re


__all__ = ["READERS", "read_coe", "read_mi", "read_mif"]


MIF_RADIXES = {"BIN": 2, "OCT": 8, "DEC": 10, "UNS": 10, "HEX": 16}


def read_coe(text):
    """Words of a coefficient file, and None: it does not say how wide they are.

    Keywords are not case-sensitive, a value ends at a semicolon, and what follows that on its line
    is a comment. The vector comes last.
    """
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(";")]
    fields = {
        keyword.lower(): value
        for keyword, value in re.findall(r"(\w+)\s*=([^;]*);.*", "\n".join(lines))
    }
    assert list(fields) == ["memory_initialization_radix", "memory_initialization_vector"]
    radix = int(fields["memory_initialization_radix"])
    assert radix in {2, 10, 16}
    values = re.split(r"[\s,]+", fields["memory_initialization_vector"].strip())
    return [int(value, radix) for value in values], None


def read_mif(text):
    """Words of a memory initialization file, and their width.

    Comments stand between percent signs or behind two dashes. A row begins at an address, or fills
    a range ``[first..last]`` with its values over and over.
    """
    text = re.sub(r"--[^\n]*", "", re.sub(r"%[^%]*%", "", text))
    head, content = re.fullmatch(
        r"(.*)\bCONTENT\s+BEGIN\b(.*)\bEND\s*;\s*", text, re.DOTALL
    ).groups()
    fields = {name: value.strip() for name, value in re.findall(r"(\w+)\s*=([^;]*);", head)}
    assert set(fields) == {"WIDTH", "DEPTH", "ADDRESS_RADIX", "DATA_RADIX"}
    address_radix = MIF_RADIXES[fields["ADDRESS_RADIX"]]
    words = [None] * int(fields["DEPTH"])
    for row in filter(None, map(str.strip, content.split(";"))):
        place, values = row.split(":")
        values = [int(value, MIF_RADIXES[fields["DATA_RADIX"]]) for value in values.split()]
        ends = [int(end, address_radix) for end in place.strip(" \t\n[]").split("..")]
        last = ends[-1] if len(ends) == 2 else ends[0] + len(values) - 1
        for offset in range(last - ends[0] + 1):
            words[ends[0] + offset] = values[offset % len(values)]
    return words, int(fields["WIDTH"])


def read_mi(text):
    """Words of a Gowin memory initialization file, and their width.

    Three lines of header, then a word per line from address 0, or ``address:word`` in hexadecimal
    digits; what has no line is 0.
    """
    lines = text.split()
    kind, depth, width = (
        re.fullmatch(f"#{name}=(\\w+)", line).group(1)
        for name, line in zip(("File_format", "Address_depth", "Data_width"), lines, strict=False)
    )
    words = [0] * int(depth)
    for number, line in enumerate(lines[3:]):
        address, _, word = line.rpartition(":")
        assert bool(address) == (kind == "AddrHex")
        words[int(address, 16) if address else number] = int(
            word, {"Bin": 2, "Hex": 16, "AddrHex": 16}[kind]
        )
    return words, int(width)


READERS = {"coe": read_coe, "mif": read_mif, "mi": read_mi}
