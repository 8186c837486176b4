"""One TLS context for all tests: building it takes longer than most of them."""

import httpx

TLS = httpx.create_ssl_context(trust_env=False)
