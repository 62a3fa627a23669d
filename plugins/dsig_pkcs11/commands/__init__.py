"""The command `dsig keys`."""

from __future__ import annotations

import click

from dsig_pkcs11.commands.certify import csr, install_cert
from dsig_pkcs11.commands.doctor import doctor
from dsig_pkcs11.commands.listing import list_
from dsig_pkcs11.commands.make import generate, import_

__all__ = ["command"]


@click.group("keys")
def command() -> None:
    """List, make, import, certify and examine keys on PKCS#11 tokens.

    A URI (RFC 7512) names token and key, as in pkcs11:token=dsig-dev;object=rsa2048. The module comes from module-path=
    or module-name= in it, from pkcs11.toml, or from the environment variable DSIG_PKCS11_MODULE.
    """


for one in (list_, generate, import_, csr, install_cert, doctor):
    command.add_command(one)
