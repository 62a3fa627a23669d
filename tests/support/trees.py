"""Random data sets, and what they are as bytes, as tokens and as a MAC stream, all three written by hand."""

from __future__ import annotations

from hypothesis import strategies as st

from dsig.dicom.encoding import Encoding
from dsig.dicom.walk import ELEMENT, ITEM, ITEM_END, ITEM_TAG, SEQUENCE, SEQUENCE_END, Token
from support import encode as e
from support.encode import element, implicit, implicit_sequence, item, sequence

Node = tuple[int, object]
"""Tag and value bytes, or tag and (undefined length, items), each item (undefined length, nodes)."""
Tree = list[Node]

PLAIN = {
    0x00080005: "CS", 0x00081161: "UL", 0x00100010: "PN", 0x00280009: "AT", 0x00280010: "US", 0x00420011: "OB",
    0x00720067: "OF", 0x00720074: "FD", 0x0040A160: "UT", 0x7FE00010: "OW",
}  # fmt: skip
"""Elements that can be signed, with the VR of the dictionary."""
UNSIGNABLE = {0x00060010: "UN", 0x00400000: "UL", 0xFFFCFFFC: "OB"}
"""Elements that cannot: a low group, a group length, trailing padding."""
UNKNOWN = 0x00411001
"""A private element without creator: UN in any encoding."""
SEQUENCES = (0x00081140, 0x00400275, 0x0040A730)
MACHINERY = (0x4FFE0001, 0xFFFAFFFA)
"""Sequences that are never part of a MAC."""
VRS = PLAIN | UNSIGNABLE | {UNKNOWN: "UN"}
UNITS = {"AT": 2, "US": 2, "OW": 2, "UL": 4, "OF": 4, "FD": 8}


def data_sets(
    children: st.SearchStrategy[Tree], tags: tuple[int, ...], nested: tuple[int, ...]
) -> st.SearchStrategy[Tree]:
    """Data sets with ascending tags whose sequences hold `children`."""
    items = st.lists(st.tuples(st.booleans(), children), max_size=3)
    plain = st.dictionaries(st.sampled_from(tags), st.binary(max_size=9), max_size=4)
    sequences = st.dictionaries(st.sampled_from(nested), st.tuples(st.booleans(), items), max_size=2)
    return st.builds(lambda a, b: sorted([*a.items(), *b.items()]), plain, sequences)


def trees(*, unsignable: bool = False) -> st.SearchStrategy[Tree]:
    """Any data set; `unsignable` mixes in what a MAC leaves out."""
    tags = tuple(VRS) if unsignable else tuple(PLAIN)
    nested = SEQUENCES + MACHINERY if unsignable else SEQUENCES
    return st.recursive(
        data_sets(st.just([]), tags, nested), lambda inner: data_sets(inner, tags, nested), max_leaves=6
    )


def swapped(value: bytes, unit: int) -> bytes:
    """Whole units in the other byte order, the bytes left over as they are."""
    whole = len(value) - len(value) % unit
    return e.swapped(value[:whole], unit) + value[whole:]


def encoded(tree: Tree, encoding: Encoding, pos: int = 0) -> tuple[bytes, list[Token]]:
    """A data set as bytes, and the tokens it stands for when it begins at `pos`."""
    order: e.Order = ">" if encoding.big else "<"
    data, tokens = b"", []
    for number, value in tree:
        at = pos + len(data)
        if isinstance(value, bytes):
            vr = VRS[number]
            if encoding.explicit:
                stored = swapped(value, UNITS.get(vr, 1)) if encoding.big else value
                whole = element(number, vr, stored, order=order)
            else:
                whole = implicit(number, value)
            tokens.append((ELEMENT, number, vr, at, at + len(whole) - len(value), at + len(whole)))
            data += whole
            continue
        undefined, items = value  # type: ignore[misc]
        head = 12 if encoding.explicit else 8
        content, inner = b"", []
        for open_end, children in items:
            start = at + head + len(content)
            body, inside = encoded(children, encoding, start + 8)
            end = start + 8 + len(body)
            inner.append((ITEM, ITEM_TAG, "", start, start + 8, -1 if open_end else end))
            inner += inside
            inner.append((ITEM_END, ITEM_TAG, "", end, *([end + 8] * 2 if open_end else [end] * 2)))
            content += item(body, undefined=open_end, order=order)
        end = at + head + len(content)
        tokens.append((SEQUENCE, number, "SQ", at, at + head, -1 if undefined else end))
        tokens += inner
        tokens.append((SEQUENCE_END, number, "SQ", end, *([end + 8] * 2 if undefined else [end] * 2)))
        if encoding.explicit:
            data += sequence(number, content, undefined=undefined, order=order)
        else:
            data += implicit_sequence(number, content, undefined=undefined)
    return data, tokens


def tainted(tree: Tree) -> bool:
    """Whether there is an element of VR UN anywhere, also inside what is left out itself."""
    return any(
        VRS[number] == "UN" if isinstance(value, bytes) else any(tainted(children) for _, children in value[1])  # type: ignore[index]
        for number, value in tree
    )


def whole_units(tree: Tree) -> bool:
    """Whether every value is a multiple of what its VR is swapped in."""
    return all(
        len(value) % UNITS.get(VRS[number], 1) == 0
        if isinstance(value, bytes)
        else all(whole_units(children) for _, children in value[1])  # type: ignore[index]
        for number, value in tree
    )


def signable(node: Node) -> bool:
    """Whether an element of a data set can be signed (reference section 1.4)."""
    number, value = node
    if number in UNSIGNABLE or number in MACHINERY:
        return False
    if isinstance(value, bytes):
        return VRS[number] != "UN"
    return not any(tainted(children) for _, children in value[1])  # type: ignore[index]


def mac(tree: Tree) -> bytes:
    """The MAC stream of all that can be signed in a data set (reference sections 1.1 to 1.4), values as stored."""
    out = b""
    for number, value in tree:
        if not signable((number, value)):
            continue
        if isinstance(value, bytes):
            out += element(number, VRS[number], value)
            continue
        out += e.tag(number) + b"SQ\0\0"
        out += b"".join(e.tag(e.ITEM) + mac(children) for _, children in value[1])  # type: ignore[index]
        out += e.tag(e.SEQUENCE_END)
    return out
