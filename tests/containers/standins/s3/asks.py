"""Ends with an error unless the server beside it answers."""

import urllib.request

urllib.request.urlopen("http://127.0.0.1:8333/", timeout=3)
