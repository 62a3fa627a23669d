"""Signed files, a PKI, a TSA and a token as fixtures: dsig_signed_file, dsig_pki, dsig_tsa, dsig_token, …"""

pytest_plugins = ["dsig.testing.fixtures"]
