"""What has to change in a file when a signature is added, as splices."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from dsig.dicom.dataset import DataSet
from dsig.dicom.file import DicomFile
from dsig.dicom.splice import Change, LengthField, enclosing_lengths, lengthened
from dsig.limits import Limits
from dsig.signature.build import NewSignature, Place, place_for
from dsig.signature.items import DIGITAL_SIGNATURES, MAC_PARAMETERS
from dsig.signature.padding import Repad

__all__ = ["signature_changes"]


def signature_changes(
    file: DicomFile,
    main: DataSet,
    level: DataSet,
    new: NewSignature,
    repads: Collection[Repad],
    signature: Callable[[], bytes],
    limits: Limits,
    *,
    token: Callable[[], bytes] = bytes,
    undefined: bool = False,
) -> list[Change]:
    """The two new items at their places, values with new padding, and every length around them.

    `signature` gives the signature value, `token` its time-stamp token or nothing; they are asked for only when the
    copy gets to the first byte that depends on them. `undefined`: what is new has no lengths but delimiters.
    """
    encoding = level.encoding
    mac_place, signature_place = place_for(level, MAC_PARAMETERS), place_for(level, DIGITAL_SIGNATURES)
    mac_data = mac_place.data(new.mac_item(encoding), encoding, undefined=undefined)

    def signature_data() -> bytes:
        item = new.signature_item(encoding, signature(), token(), undefined=undefined)
        return signature_place.data(item, encoding, undefined=undefined)

    def signature_size() -> int:
        return len(signature_data())

    around = enclosing_lengths(
        file.data,
        file.start,
        file.end,
        main.encoding,
        starts=[r.start for r in repads],
        levels=[level.start],
        limits=limits,
    )
    of_level = around.of_levels[level.start]
    growths: list[tuple[LengthField, int | Callable[[], int]]] = []
    growths += [(field, len(mac_data)) for field in (*of_level, *_own(mac_place))]
    growths += [(field, signature_size) for field in (*of_level, *_own(signature_place))]
    growths += [(field, r.growth) for r in repads for field in around.of_starts[r.start]]
    return [
        *(change for r in repads for change in r.changes()),
        *lengthened(growths),
        Change(mac_place.offset, 0, mac_data),
        Change(signature_place.offset, 0, signature_data),
    ]


def _own(place: Place) -> Sequence[LengthField]:
    return () if place.existing is None else (place.existing,)
