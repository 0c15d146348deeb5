"""How Redis lets us in: a login, and the certificates of both sides."""

import ssl
from typing import Any

import msgspec


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """A login, where the URL has none, and PEM files for TLS; what is empty is not used.

    `tls_ca_file` holds authorities that are trusted besides the system's; `tls_cert_file` the certificate that is shown
    to the server, and its key where that is not in `tls_key_file`.
    """

    username: str = ""
    password: str = ""
    tls_ca_file: str = ""
    tls_cert_file: str = ""
    tls_key_file: str = ""

    def __repr__(self) -> str:
        """Show nothing: this may end up in a log."""
        return "Access(...)"


def login_options(access: Access) -> dict[str, str]:
    """Give a login as redis-py takes it; one in the URL is stronger."""
    login = {"username": access.username, "password": access.password}
    return {name: text for name, text in login.items() if text}


def tls_options(access: Access) -> dict[str, Any]:
    """Give certificates as redis-py takes them. Raises ValueError if a file cannot be used."""
    _try_files(access)
    return {
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": True,
        "ssl_min_version": ssl.TLSVersion.TLSv1_2,
        "ssl_ca_certs": access.tls_ca_file or None,
        "ssl_certfile": access.tls_cert_file or None,
        "ssl_keyfile": access.tls_key_file or None,
    }


def _try_files(access: Access) -> None:
    """Read the files now: redis-py does so when it connects, where a wrong name looks like a server that is away."""
    context = ssl.create_default_context()
    try:
        if access.tls_ca_file:
            context.load_verify_locations(access.tls_ca_file)
        if access.tls_cert_file:
            context.load_cert_chain(access.tls_cert_file, access.tls_key_file or None)
    except OSError as error:
        files = ", ".join(filter(None, (access.tls_ca_file, access.tls_cert_file, access.tls_key_file)))
        raise ValueError(f"files for TLS cannot be used ({error.strerror or type(error).__name__}): {files}") from error
