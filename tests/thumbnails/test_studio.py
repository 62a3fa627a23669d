"""Drawing elsewhere: whatever a decoder does, the answer is a picture or a reason, and the next file is drawn again."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from dsig.errors import PluginError
from dsig.hookspecs import ThumbnailerSpec
from dsig.model import FileReport, FileVerdict, PluginUse
from dsig.providers import Provider
from dsig.thumbnails import studio as module
from dsig.thumbnails.png import png
from dsig.thumbnails.studio import Studio

PLUGIN = '''
import os, sys, time
from dsig.hookspecs import Picture

class Faulty:
    """Does what the file says."""
    def draw(self, file, edge):
        say = file.read().decode()
        print("noise" * 10_000)
        sys.stderr.write("noise" * 10_000)
        scope = dict(globals(), file=file)
        exec("def act():\\n    " + say, scope)
        return scope["act"]()

class Dies:
    def __init__(self):
        os._exit(3)
'''


@pytest.fixture(autouse=True)
def importable(tmp_path, monkeypatch):
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "faulty_thumbnailer.py").write_text(PLUGIN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modules"))


def provider(factory: str = "faulty_thumbnailer:Faulty", requires: str = "") -> Provider[ThumbnailerSpec]:
    spec = ThumbnailerSpec(name="faulty", summary="", factory=factory, requires=requires)
    return Provider(spec, PluginUse("faulty", "somebody", "1"))


def version(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


def file(tmp_path: Path, text: str, name: str = "x.dcm") -> tuple[str, tuple[int, int, int]]:
    path = tmp_path / name
    path.write_text(text)
    return str(path), version(path)


DRAW = r"return Picture(2, 1, b'\x00\xff', 3, 5)"
DRAWN = png(2, 1, b"\x00\xff")


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        ("raise ValueError('nothing to see')", "nothing to see"),
        ("raise RuntimeError('secret')", "it cannot be drawn: RuntimeError"),
        ("sys.exit(0)", "it cannot be drawn: SystemExit"),
        ("os.abort()", "drawing it ended the program that draws"),
        ("os._exit(0)", "drawing it ended the program that draws"),
        ("while True: pass", "drawing it took too long"),
        ("time.sleep(1000)", "drawing it took too long"),
        ("bytearray(4 << 30)", "drawing it takes too much memory"),
        ("return None", "it cannot be drawn: AttributeError"),
        ("return Picture(2, 2, b'abc')", "what came back is no picture"),
        ("return Picture(200, 1, bytes(200))", "what came back is no picture"),
        ("return Picture(0, 0, b'')", "what came back is no picture"),
        ("return Picture(1, 1, b'a', 9, 5)", "what came back is no picture"),
        ("return Picture(1, 1, bytes(1 << 20))", "drawing it ended the program that draws"),
        ("os.write(os.open(file.name + '2', os.O_CREAT | os.O_WRONLY), b'x')", "it cannot be drawn: OSError"),
        ("os.kill(os.getppid(), 9)", "the program that draws has ended or is stuck"),
    ],
)
def test_faults_are_reasons_and_end_with_the_file(tmp_path, does, reason):
    with Studio(provider(), seconds=2 if "too long" in reason else 60) as studio:
        bad = studio.thumbnail(*file(tmp_path, does))
        assert (bad.png, bad.reason) == (b"", reason)
        again = (studio.thumbnail(*file(tmp_path, DRAW)) for _ in range(100))
        good = next(made for made in again if made.reason != "drawing it took too long")  # two seconds are not much
        assert (good.png, good.width, good.height, good.frame, good.frames, good.reason) == (DRAWN, 2, 1, 3, 5, "")


def test_only_what_was_verified_is_drawn(tmp_path):
    path, before = file(tmp_path, DRAW)
    os.utime(path, ns=(0, 0))
    with Studio(provider()) as studio:
        assert studio.thumbnail(path, before).reason == "the file is not the one that was verified any more"
        assert studio.thumbnail(path, version(Path(path))).png == DRAWN
        changing = file(tmp_path, f"os.utime(file.name, ns=(1, 1)); {DRAW}", "changing.dcm")
        assert studio.thumbnail(*changing).reason == "the file changed while it was drawn"
        Path(path).unlink()
        assert studio.thumbnail(path, before).reason == "it cannot be drawn: FileNotFoundError"


@pytest.mark.parametrize(
    ("factory", "said", "hint"),
    [
        ("faulty_thumbnailer:Dies", "ends or gets stuck while it is imported", "ask the authors of somebody"),
        ("no_such_module:X", "ModuleNotFoundError: No module named 'no_such_module'", "install it with: pip install x"),
    ],
)
def test_a_thumbnailer_that_does_not_load_is_known_before_the_work(factory, said, hint):
    with pytest.raises(PluginError, match=said) as raised:
        Studio(provider(factory, "pip install x" if "no_such" in factory else ""))
    assert (raised.value.code, raised.value.hint) == ("plugin-unavailable", hint)


def test_of_too_many_files_the_gravest_are_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    verdicts = [FileVerdict.PASSED, FileVerdict.UNSIGNED, FileVerdict.FAILED, FileVerdict.ERROR, FileVerdict.PASSED]
    files = tuple(FileReport(f"{n}", verdict) for n, verdict in enumerate(verdicts))
    good = file(tmp_path, DRAW)
    with Studio(provider()) as studio:
        made = studio.pictured(files, [good, good, good, good, good])
    assert [bool(f.thumbnail.png) for f in made] == [False, True, True, False, False]
    assert [f.verdict for f in made] == verdicts
    assert made[0].thumbnail.reason == "a report shows 2 at most"
    assert made[3].thumbnail.reason == "what cannot be judged is not drawn"


def test_time_for_all_pictures_is_limited(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=iter(range(0, 10**9, 500)).__next__))
    with Studio.__new__(Studio) as studio:
        studio._process = None
        (made,) = studio.pictured((FileReport("a", FileVerdict.PASSED),), [("a", (0, 0, 0))])
    assert made.thumbnail.reason == "drawing the others took 120 seconds"
