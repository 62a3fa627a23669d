"""Which elements of a level a new signature covers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from dsig.dicom.dataset import ORIGINAL_ATTRIBUTES, DataSet, Element, signable_tag
from dsig.dicom.location import Path, format_path, format_tag
from dsig.errors import UsageError, Where

if TYPE_CHECKING:
    from dsig.dicom.dictionaries import PrivateTag

__all__ = ["refuse_unsignable_place", "select"]


def select(level: DataSet, tags: Collection[int | PrivateTag] | None, required: Iterable[int]) -> list[Element]:
    """Everything signable, or `tags` and those of `required` that are there.

    Raises `UsageError` for a tag that was asked for and is absent or cannot be signed, and for a required one that is
    there and cannot be signed.
    """
    wanted = {tag for tag in required if tag in level.by_tag}
    if tags is None:
        chosen = [e for e in level.elements if e.signable]
    else:
        numbers = {tag if isinstance(tag, int) else _placed(level, tag) for tag in tags}
        chosen = [_element(level, tag, "was asked for") for tag in sorted(numbers)]
    missing = sorted(wanted - {e.tag for e in chosen})
    return chosen + [_element(level, tag, "is required by the profile") for tag in missing]


def refuse_unsignable_place(path: Path, file: str) -> None:
    """Raise `UsageError` for an item whose signature would never count, or would break one that is there."""
    for tag, _index in path:
        if tag == ORIGINAL_ATTRIBUTES or not signable_tag(tag):
            raise UsageError(
                f"items below {format_tag(tag)} cannot be signed",
                code="bad-location",
                where=Where(file, format_path(path)),
                hint="sign the data set, or an item of an ordinary sequence",
            )


def _placed(level: DataSet, tag: PrivateTag) -> int:
    """The tag a private element has in this data set: its creator's block says (PS3.5 7.8.1)."""
    first = tag.group << 16
    for block in range(0x10, 0x100):
        if first | block in level.by_tag and level.text(first | block) == tag.creator:
            return first | block << 8 | tag.element
    raise UsageError(
        f"{tag} was asked for, but the data set has no private creator {tag.creator!r} in group {tag.group:04X}",
        code="tag-absent",
        where=Where(level.source.name, format_path(level.path) or None),
    )


def _element(level: DataSet, tag: int, why: str) -> Element:
    element = level.by_tag.get(tag)
    where = Where(level.source.name, format_path(level.path, tag))
    if element is None:
        from dsig.dicom.dictionary import keyword_of

        name = f"{format_tag(tag)} {keyword_of(tag)}".rstrip()
        raise UsageError(
            f"{name} {why} but is not in the data set", code="tag-absent", where=where, hint="check it, or leave it out"
        )
    if element.signable:
        return element
    reason = "holds elements of unknown VR" if element.tainted else "has an unknown VR"
    hint = "PS3.3 C.12.1.1.3.1.1 lists what a signature cannot cover"
    if not signable_tag(tag):
        reason = "is of a kind that signatures leave out"
    elif level.encoding.explicit:
        hint = "--convert-un or convert_un=True writes VRs that dictionaries know into the file"
    raise UsageError(
        f"{format_tag(tag)} {why} but cannot be signed: it {reason}",
        code="tag-unsignable",
        where=where,
        hint=hint,
    )
