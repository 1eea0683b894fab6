"""Which API servers kubectl reaches through a proxy: the program and operations judge alike."""

PROXY_CASES = [
    ("https://api.example.com:6443", "", True),
    ("https://127.0.0.1:6443", "", False),
    ("https://127.1.2.3:6443", "", False),
    ("https://[::1]:6443", "", False),
    ("https://localhost:6443", "", False),
    # As in Go: only the name itself is this machine.
    ("https://api.localhost:6443", "", True),
    ("https://192.168.49.2:8443", "192.168.49.0/24,example.org", False),
    ("https://192.168.50.2:8443", "192.168.49.0/24", True),
    ("https://[fd00::2]:6443", "10.0.0.0/8, fd00::/8", False),
    ("https://10.89.0.2:6443", "10.89.0.2", False),
    ("https://10.89.0.2:6443", "2001:db8::/32", True),
    ("https://api.example.com", "example.com", False),
    ("https://api.example.com", ".Example.com", False),
    ("https://api.example.com", "*.example.com", False),
    ("https://example.com", "example.com", False),
    ("https://notexample.com", "example.com", True),
    ("https://api.example.com", "other.com, *", False),
    ("https://api.example.com", "other.com,,", True),
]
"""Address, NO_PROXY, and whether a proxy that the environment names is used."""
