"""HTTP to servers of this machine. They speak no TLS, and httpx reading its authorities takes longer than a request."""

import ssl
from functools import partial

import httpx

_TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

Client = partial(httpx.Client, verify=_TRUSTS_NOBODY)
request = partial(httpx.request, verify=_TRUSTS_NOBODY)
get = partial(httpx.get, verify=_TRUSTS_NOBODY)
post = partial(httpx.post, verify=_TRUSTS_NOBODY)
put = partial(httpx.put, verify=_TRUSTS_NOBODY)
