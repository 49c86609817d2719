"""gorpyc shadow between CPython and Go, in either place, under the client programs."""
import json
import os
import signal
import subprocess
import sys

import pytest

from harness import HERE
from conftest import selected

pytestmark = [pytest.mark.core, pytest.mark.once]

SCENARIOS = ["callbacks", "containers", "operators"]


@pytest.fixture(scope="module")
def both(request, peers):
    if "go" not in selected(request.config):
        pytest.skip("only Go is tested here")
    found = [peers.start(kind) for kind in ("cpython", "go")]
    yield ["%s:%d" % (server.host, server.port) for server in found]
    for server in found:
        server.stop()


@pytest.mark.parametrize("way", ["Go asked", "CPython asked"])
def test_no_false_differences(peers, both, way):
    old, new = both if way == "Go asked" else reversed(both)
    # Ports, and an event log that is polled, differ between any two servers.
    command = [peers.binaries.path("gorpyc"), "shadow", old, "--new", new, "--all", "--json", "--ignore", "endpoint",
               "--ignore", "events"]
    shadow = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    word, address = shadow.stderr.readline().decode().split()
    assert word == "READY"
    try:
        for scenario in SCENARIOS:
            client = os.path.join(HERE, "reference", "ref_client.py")
            subprocess.run([sys.executable, client] + address.rsplit(":", 1) + [scenario, "shadow-" + scenario + way],
                           stdout=subprocess.DEVNULL, timeout=120, check=True)
        shadow.send_signal(signal.SIGINT)
        out, _ = shadow.communicate(timeout=120)
    finally:
        shadow.kill()
    report = json.loads(out)
    assert report["differences"] == []
    assert report["counts"]["answers equal"] == report["counts"]["answers compared"] > 100
    assert shadow.returncode == 0
