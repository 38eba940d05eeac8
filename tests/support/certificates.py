"""TLS on loopback with certificates of an authority that is made on the spot, good ones and bad ones."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")


class Authority:
    """`file` is what a machine has to trust."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.file = folder / "authority.pem"
        self._openssl(
            f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=Authority "
            f"-addext keyUsage=critical,keyCertSign,cRLSign -keyout {folder}/authority.key -out {self.file}"
        )

    def server(self, name: str, *, days: int = 30, self_signed: bool = False) -> ssl.SSLContext:
        """What a server of that name shows. `days`: negative where it is over."""
        key, request, certificate, names = (self._folder / f"server.{end}" for end in ("key", "csr", "pem", "ext"))
        names.write_text(f"subjectAltName=DNS:{name}\n")
        self._openssl(
            f"req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name} -keyout {key} -out {request}"
        )
        signer = (
            f"-signkey {key}" if self_signed else f"-CA {self.file} -CAkey {self._folder}/authority.key -CAcreateserial"
        )
        self._openssl(f"x509 -req -in {request} {signer} -days {days} -extfile {names} -out {certificate}")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        return context

    def _openssl(self, arguments: str) -> None:
        subprocess.run(["openssl", *arguments.split()], check=True, capture_output=True, cwd=self._folder)
