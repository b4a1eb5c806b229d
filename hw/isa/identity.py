"""The identity of a core: by it, a board tells for which build directory it was made."""

import hashlib
import json


__all__ = ["IDENTITY_BYTES", "identity"]


IDENTITY_BYTES = 8


def identity(config):
    """Digest of a core configuration.

    Parameters
    ----------
    config : CoreConfig

    Returns
    -------
    bytes
        The first 8 of the SHA-256 of all fields, as JSON with sorted names.
    """
    text = json.dumps(config.as_dict(), sort_keys=True)
    return hashlib.sha256(text.encode()).digest()[:IDENTITY_BYTES]
