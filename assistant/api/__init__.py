"""The REST API: a router a noun, errors as RFC 9457 problem details."""
