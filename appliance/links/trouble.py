"""What an error of the network means, in words that an owner can act on. Nothing of a request gets into them."""

import errno
import ssl

import aiohttp

from appliance.wire import Fault, Trouble

_NO_WAY = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})


def trouble_of(error: BaseException) -> Trouble | None:
    """None where the error is none of the network's."""
    found: Trouble | None = None
    match error:  # in this order: the earlier ones are subclasses of the later
        case aiohttp.ClientConnectorDNSError():
            found = Trouble(Fault.NAME, error.host)
        case aiohttp.ClientConnectorCertificateError():
            found = Trouble(Fault.TLS, _certificate(error.certificate_error))
        case aiohttp.ClientSSLError():
            found = Trouble(Fault.TLS, error.host)
        case aiohttp.ConnectionTimeoutError():
            found = Trouble(Fault.TIMEOUT, "connecting")
        case TimeoutError():
            found = Trouble(Fault.TIMEOUT, "waiting for the answer")
        case aiohttp.ClientConnectorError():
            found = Trouble(_of_system(error.os_error), f"{error.host}:{error.port}")
        case aiohttp.ClientConnectionError() | aiohttp.ClientPayloadError() | ConnectionError():
            found = Trouble(Fault.BROKEN, type(error).__name__)
    return found


def _of_system(error: OSError) -> Fault:
    if error.errno == errno.ECONNREFUSED:
        return Fault.REFUSED
    if error.errno == errno.ETIMEDOUT:
        return Fault.TIMEOUT
    return Fault.NO_WAY if error.errno in _NO_WAY else Fault.BROKEN


def _certificate(error: Exception) -> str:
    return error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else type(error).__name__
