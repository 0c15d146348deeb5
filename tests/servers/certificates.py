"""Certificates of an authority of one's own, made with openssl, for servers on 127.0.0.1 and for their clients."""

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.servers.required import Missing

NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes".split()
VALID_DAYS = "2"


class KeyPair(NamedTuple):
    """Two PEM files."""

    certificate: Path
    key: Path


class Certificates(NamedTuple):
    """An authority, and what it has signed."""

    authority: Path
    server: KeyPair
    client: KeyPair


def make_certificates(folder: Path) -> Certificates:
    """Make them in a folder. Raises Missing where there is no openssl."""
    if shutil.which("openssl") is None:
        raise Missing("openssl is not on PATH")
    folder.mkdir(parents=True, exist_ok=True)
    authority = _make(folder, "authority", ())
    signed = ("-CA", str(authority.certificate), "-CAkey", str(authority.key), "-addext", "basicConstraints=CA:FALSE")
    server = _make(folder, "server", (*signed, "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"))
    return Certificates(authority.certificate, server, _make(folder, "client", signed))


def _make(folder: Path, name: str, options: tuple[str, ...]) -> KeyPair:
    pair = KeyPair(folder / f"{name}.pem", folder / f"{name}.key")
    fixed = ("-x509", "-days", VALID_DAYS, "-subj", f"/CN={name}", "-out", str(pair.certificate))
    command = ("openssl", "req", *NEW_KEY, *fixed, "-keyout", str(pair.key), *options)
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    return pair
