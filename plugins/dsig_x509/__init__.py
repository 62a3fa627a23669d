"""What certificates say, read by pyca/cryptography: for crypto backends that bring their own mathematics.

No plugin, a library beside them, open to the backends of others too: `read` and `facts` make of DER what
`CryptoBackend.certificate` has to give.
"""

from __future__ import annotations

from dsig_x509.certificates import CACHED, STANDARD, Certificate, Key, facts, read
from dsig_x509.der import require_pair, without_pad

__all__ = ["CACHED", "STANDARD", "Certificate", "Key", "facts", "read", "require_pair", "without_pad"]
