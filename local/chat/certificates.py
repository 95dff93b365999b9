"""TLS for this machine alone: an authority that lives as long as the chat, and what is needed to trust it."""

import ssl
from pathlib import Path

import certifi
import trustme


def make(directory: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context for 127.0.0.1 and localhost, and the file of authorities that a client needs to believe it.

    The file holds the public authorities besides ours, so that it can stand in SSL_CERT_FILE of a whole process.
    """
    authority = trustme.CA(organization_name="ECR Warden's local chat")
    bundle = directory / "authorities.pem"
    bundle.write_bytes(Path(certifi.where()).read_bytes())
    authority.cert_pem.write_to_path(str(bundle), append=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context, bundle
