"""IFCB bins: three files of one name with settings, triggers and raw pixels, loose or in a zip archive.

Layouts after joefutrelle/pyifcb and real bins of software versions 1.0 to 2.0.5. A ROI's number is its line in the
``.adc``; lines without a picture are triggers and keep their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

from seston.errors import InputError
from seston.instruments.ifcb_adc import LARGEST_ADC
from seston.instruments.ifcb_archive import is_set_aside, read_archive
from seston.instruments.ifcb_bin import BinParts, read_bin
from seston.instruments.ifcb_header import LARGEST_HEADER
from seston.instruments.ifcb_labels import LARGEST_LABELS, has_label_columns
from seston.instruments.ifcb_names import BinFile, bin_file
from seston.instruments.ifcb_pictures import RoiFile
from seston.instruments.matlab_file import LARGEST_MATLAB_FILE
from seston.instruments.source import Listing, Reader, Record, Source
from seston.instruments.zip_members import zip_members
from seston.particle import Note, Skipped

__all__ = ["READER"]

_NAME = "ifcb"
_ENDINGS = frozenset({".adc", ".hdr", ".roi", ".csv", ".zip", ".mat", ".h5"})
_LARGEST = {"adc": LARGEST_ADC, "hdr": LARGEST_HEADER, "labels": LARGEST_LABELS, "manual": LARGEST_MATLAB_FILE}
_END_OF_ARCHIVE = 1 << 16
_LOOKED_AT = 2000
"""Members of an archive among which an ``.adc`` must be for the archive to be claimed."""


def _claim(listing: Listing) -> list[Source]:
    bins: dict[tuple[Path, str], list[Path]] = {}
    products: dict[str, list[Path]] = {}
    sources = []
    for path in listing.files:
        if path.suffix.lower() not in _ENDINGS:
            continue
        found = bin_file(path.name)
        if found is not None and found.is_raw:
            bins.setdefault((path.parent, found.bin.text), []).append(path)
        elif found is not None and _is_product(found, listing.head(path)):
            products.setdefault(found.bin.text, []).append(path)
        elif path.suffix.lower() == ".zip" and _holds_bins(path, listing):
            reason = "an archive with IFCB bins: .adc, .hdr and .roi of one name"
            sources.append(Source(_NAME, path, (path,), reason, _aside(path, listing)))
    for (_, name), raw in bins.items():
        kinds = ", ".join(path.suffix.lower() for path in raw)
        files = (*raw, *products.pop(name, []))
        sources.append(Source(_NAME, raw[0], files, f"an IFCB bin: {kinds}", _aside(raw[0], listing)))
    for name, files_of_bin in products.items():
        reason = f"products of the IFCB bin {name}, which is not here"
        sources.append(Source(_NAME, files_of_bin[0], tuple(files_of_bin), reason))
    return sources


def _read(source: Source) -> Iterator[Record]:
    files = [(path, found) for path in source.files if (found := bin_file(path.name)) is not None]
    if "aside" in source.details:
        text = f"left out: bins in a folder {source.details['aside']!r} are not to be used; name the folder to read it"
        yield Note(str(source.path), text)
    elif any(found.is_raw for _, found in files):
        yield from _read_files(source.path, files)
    elif files and all(found.kind != "zip" for _, found in files):
        for path, found in files:
            reason = f"a product ({found.kind}) of the IFCB bin {found.bin.text}, whose .adc and .roi are not here"
            yield Skipped(str(path), path.name, f"{reason}: nothing to read")
    else:
        yield from read_archive(source.path)


def _read_files(path: Path, files: list[tuple[Path, BinFile]]) -> Iterator[Record]:
    parts = BinParts(next(found.bin for _, found in files if found.is_raw), str(path))
    with ExitStack() as stack:
        for file, found in files:
            try:
                if found.kind == "roi":
                    parts.roi = RoiFile(stack.enter_context(file.open("rb")), file.stat().st_size)
                elif found.kind in _LARGEST and found.kind not in parts.data:
                    parts.data[found.kind] = _content(file, _LARGEST[found.kind])
                else:
                    yield Note(
                        str(file), f"a product ({found.kind}) of the bin: left, as only labels are taken from those"
                    )
            except OSError as error:
                yield Skipped(str(file), file.name, f"cannot be read ({error.strerror or error})")
            except InputError as error:
                yield Skipped(str(file), file.name, str(error))
        yield from read_bin(parts)


def _content(path: Path, largest: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(largest + 1)
    if len(data) > largest:
        raise InputError(f"is larger than {largest >> 20} MB, and so no file of a bin; left out")
    return data


def _is_product(found: BinFile, head: bytes) -> bool:
    if found.kind == "labels":
        return has_label_columns(head)
    return found.kind != "zip"


def _aside(path: Path, listing: Listing) -> dict[str, str]:
    """Tell whether a bin lies in a folder, below the one that the user named, of bins that are not to be used."""
    below = path.relative_to(listing.root).parts[:-1] if path.is_relative_to(listing.root) else ()
    folder = next((part for part in below if is_set_aside(part)), None)
    return {} if folder is None else {"aside": folder}


def _holds_bins(path: Path, listing: Listing) -> bool:
    """Look for a bin among the names in an archive, if its first or last bytes hold such a name at all."""
    try:
        with path.open("rb") as file:
            file.seek(-min(_END_OF_ARCHIVE, path.stat().st_size), 2)
            names = (listing.head(path) + file.read()).lower()
        if b".adc" not in names:
            return False
        members = islice(zip_members(path, lambda name: False), _LOOKED_AT)
        return any(
            found.kind == "adc" for member in members if (found := bin_file(member.name.rpartition("/")[2])) is not None
        )
    except (OSError, InputError):
        return False


READER = Reader(
    name=_NAME,
    description="IFCB bins: .adc, .hdr and .roi, loose or in a .zip, old and new style; labels in <bin>.csv or .mat",
    claim=_claim,
    read=_read,
)
