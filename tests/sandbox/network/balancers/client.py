"""A test client: requests a URL on persistent connections until it is stopped; reports how often it failed."""

import http.client
import json
import sys
import threading
import time
from urllib.parse import urlsplit

host, seconds = urlsplit(sys.argv[1]).netloc, float(sys.argv[2])
end = time.monotonic() + seconds
answered: list[int] = []
failed: list[str] = []


def ask() -> None:
    """Ask again and again."""
    connection = http.client.HTTPConnection(host, timeout=10)
    while time.monotonic() < end:
        try:
            connection.request("GET", "/")
            reply = connection.getresponse()
            reply.read()
        except (OSError, http.client.HTTPException) as error:
            failed.append(repr(error))
            connection.close()
            continue
        answered.append(reply.status)
        time.sleep(0.01)


threads = [threading.Thread(target=ask) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
sys.stdout.write(json.dumps({"answered": len(answered), "bad": [c for c in answered if c != 200], "failed": failed}))
