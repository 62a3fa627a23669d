"""Follow the walk-throughs of the documentation literally, and put what their commands print today beneath them.

`make pages`; a test does the same and compares. The pages of `PAGES` are followed one after the other, in one shell and
one directory, which in the beginning holds `ct.dcm` and `softhsm`. In a page

    <!-- file: NAME -->  before a block: the block is the content of this file,
    <!-- run -->         before a block: its lines that begin with `$ ` are run (`> ` continues one), and the others are
                         what they print. Where a command does not end with 0, `[exit status N]` follows.

`https://tsa.example/` is answered by a time stamp authority on this machine, whose root is `tsa-ca.pem`.
Needs softhsm2, opensc and openssl.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from support import tsa  # noqa: E402, found only now

PAGES = ("quick-start", "hsm", "tutorials/modality", "tutorials/radiologist", "tutorials/archive", "faq", "signatures")
BLOCK = re.compile(r"(?P<head><!-- (?:run|file: (?P<name>\S+)) -->\n```\w+\n)(?P<body>.*?)(?P<tail>```)", re.DOTALL)
COMMAND = re.compile(r"^\$ (.*\n(?:> .*\n)*)", re.MULTILINE)
MARK = "=== the command before ended with"
TSA = "https://tsa.example/"


def texts() -> dict[str, str]:
    """The pages as they are, by name."""
    return {name: (ROOT / "docs" / f"{name}.md").read_text() for name in PAGES}


def commands(body: str) -> list[str]:
    """The commands of a block, of one line or more."""
    return [found.rstrip("\n").replace("\n> ", "\n") for found in COMMAND.findall(body)]


def script(pages: Mapping[str, str]) -> Iterator[str]:
    """All blocks as one shell script."""
    for page in pages.values():
        for block in BLOCK.finditer(page):
            if block["name"]:
                yield f"cat > {block['name']} <<'END OF FILE'\n{block['body']}END OF FILE\n"
            else:
                for command in commands(block["body"]):
                    yield f"{command}\nprintf '%s %s\\n' '{MARK}' $?\n"


def answers(pages: Mapping[str, str]) -> list[tuple[str, int]]:
    """What each command printed, and how it ended."""
    with tempfile.TemporaryDirectory() as name:
        directory, authority = Path(name).resolve() / "work", tsa.Authority(Path(name) / "tsa", "TSA")
        authority.certificate("tsa")
        directory.mkdir()
        shutil.copy(ROOT / "tests" / "corpus" / "base" / "ct.dcm", directory)
        shutil.copy(authority.root, directory / "tsa-ca.pem")
        (directory / "softhsm").symlink_to(ROOT / "softhsm")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SOFTHSM2_", "DSIG_"))}
        kept |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": name, "TZ": "UTC"}
        kept |= {"XDG_CONFIG_HOME": name, "LC_ALL": "C.UTF-8", "COLUMNS": "100"}
        with tsa.serving(authority) as server:
            done = subprocess.run(
                ["bash", "-c", "".join(script(pages)).replace(TSA, server.url)],
                cwd=directory,
                env=kept,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            said = done.stdout.replace(server.url, TSA).replace(f"{directory}/", "").replace(f"{directory}", ".")
    parts = re.split(rf"{MARK} (\d+)\n", said)
    return [(text, int(status)) for text, status in zip(parts[0::2], parts[1::2], strict=False)]


def updated(pages: Mapping[str, str]) -> dict[str, str]:
    """The pages with all blocks run anew."""
    given = iter(answers(pages))

    def run(block: re.Match[str]) -> str:
        if block["name"]:
            return block[0]
        body = ""
        for command in COMMAND.finditer(block["body"]):
            said, status = next(given)
            said += "" if not said or said.endswith("\n") else "\n"
            body += command[0] + said + (f"[exit status {status}]\n" if status else "")
        return block["head"] + body + block["tail"]

    return {name: BLOCK.sub(run, page) for name, page in pages.items()}


if __name__ == "__main__":
    for name, page in updated(texts()).items():
        (ROOT / "docs" / f"{name}.md").write_text(page)
