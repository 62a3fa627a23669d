"""The story of the demo, told with the commands a user would type: each one shown is the one that runs."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import click

from dsig.errors import DsigError, OutputError, Where

__all__ = ["command"]


@click.command("demo")
@click.option(
    "--directory",
    type=click.Path(path_type=Path),
    default=Path("dsig-demo"),
    show_default=True,
    help="Where to put the files.",
)
@click.pass_context
def command(ctx: click.Context, directory: Path) -> int:
    """Sign a real CT slice with a throw-away key, verify it, tamper with it, and verify again.

    Exit status 0 means that every verdict was the right one.
    """
    root = ctx.find_root().command

    def run(arguments: list[str]) -> int:
        with root.make_context("dsig", list(arguments)) as context:
            status = root.invoke(context)
        return status if isinstance(status, int) else 0

    _Story(directory, run).tell()
    return 0


class _Story:
    """One run of the demo."""

    def __init__(self, directory: Path, run: Callable[[list[str]], int]) -> None:
        self._directory = directory
        self._run = run
        self._steps = 0

    def tell(self) -> None:
        """Everything, top to bottom. Raises `DsigError` if a verdict is not the right one, `OutputError`."""
        from dsig_demo.keys import write_keys
        from dsig_demo.slice import original, with_other_patient, with_other_pixel

        place = self._directory
        data = original()
        try:
            place.mkdir(exist_ok=True)
            self._write("ct.dcm", data)
            write_keys(place)
        except OSError as error:
            raise OutputError(
                f"cannot write: {error.strerror}",
                where=Where(str(place)),
                hint="choose another place with --directory",
            ) from None
        self.step(f"A CT slice, as pydicom ships it: {place / 'ct.dcm'}, {len(data):,} bytes.")
        self.step("A throw-away key (key.pem), its certificate (signer.pem) and the CA that issued it (ca.pem).")

        self.step("Sign everything in it.")
        self.run(0, "sign", "ct.dcm", "-o", "signed.dcm", "--key", "key.pem", "--cert", "signer.pem")
        self.step("Verify: the data are what was signed, and the signer is one we trust.")
        self.run(0, "verify", "signed.dcm", "--trust-root", "ca.pem")

        signed = (place / "signed.dcm").read_bytes()
        self.step("One bit of one pixel flipped (pixel.dcm): refused.")
        self._write("pixel.dcm", with_other_pixel(signed))
        self.run(1, "verify", "pixel.dcm", "--trust-root", "ca.pem")
        self.step("Another patient's name (name.dcm): refused.")
        self._write("name.dcm", with_other_patient(signed))
        self.run(1, "verify", "name.dcm", "--trust-root", "ca.pem")

        self.step("Without its signature a file is not trusted, it is unsigned.")
        self.run(0, "remove", "signed.dcm", "--all", "-o", "stripped.dcm")
        self.run(4, "verify", "stripped.dcm", "--trust-root", "ca.pem")
        self.insist((place / "stripped.dcm").read_bytes() == data, "signing changed more than the signature")
        self.step("And it is byte for byte the file we began with: signing changed nothing else.")
        click.echo(f"\nAll as it should be. The files are in {place}; try the commands on your own.")

    def step(self, text: str) -> None:
        """Say what comes next."""
        self._steps += 1
        click.echo(f"\n{click.style(f'{self._steps}. {text}', bold=True)}")

    def run(self, expected: int, *arguments: str) -> None:
        """Show a command, run it, show its exit status."""
        placed = [str(self._directory / a) if a.endswith((".dcm", ".pem")) else a for a in arguments]
        shown = shlex.join(["dsig", *placed])
        click.echo(f"\n$ {shown}")
        status = self._run(placed)
        click.echo(f"[exit status {status}]")
        self.insist(status == expected, f"exit status {status} instead of {expected}: {shown}")

    def insist(self, as_expected: bool, otherwise: str) -> None:
        """End the story here if it does not go as it must. Raises `DsigError`."""
        if not as_expected:
            raise DsigError(f"the demo failed: {otherwise}", code="demo", hint="please report this")

    def _write(self, name: str, data: bytes) -> None:
        (self._directory / name).write_bytes(data)
