"""Every reader that the fuzz tests try; a new one is added here."""

from tests.fuzz import arrays, kept, models, pictures, planted, texts


__all__ = ["READERS", "find"]


READERS = (*pictures.READERS, *arrays.READERS, *models.READERS, *texts.READERS, *kept.READERS)


def find(name):
    """Reader of a name, a planted one included."""
    return next(reader for reader in (*READERS, *planted.READERS) if reader.name == name)
