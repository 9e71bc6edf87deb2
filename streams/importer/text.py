"""Which encoding a text file is in."""

import codecs
from pathlib import Path

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CHUNK_BYTES = 1_048_576


def encoding_of(path: Path) -> str:
    """Return the encoding: by byte order mark, else UTF-8 if all of the file is, else Windows-1252 or Latin-1.

    Windows-1252 is what spreadsheets on Windows write; it differs from Latin-1 in quotes, dashes and the euro sign.
    Latin-1 takes any byte, so the last answer always reads.
    """
    with path.open("rb") as file:
        head = file.read(4)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    return next((name for name in ("utf-8", "cp1252") if _decodes(path, name)), "latin-1")


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
