"""One target under Atheris: `python fuzz/harness.py TARGET [libFuzzer options and directories]`."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["dsig", "dsig_cryptography", "dsig_timestamp"]):
    import dsig.dicom.reencode
    import dsig.judgement.integrity
    import dsig.verbs.inspect
    import dsig.verbs.remove
    import dsig.verbs.sign
    import dsig.verbs.verify  # noqa: F401
    import targets


def main() -> None:
    name = sys.argv.pop(1)
    targets.slowdown = 5.0
    target = targets.TARGETS[name]
    targets.remember(targets.seeds())
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
