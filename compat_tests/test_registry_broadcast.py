"""Registries found by broadcasts, in a network namespace: see broadcast.py for the tests."""
import os
import subprocess
import sys

import pytest

import netns
from harness import HERE


@pytest.mark.seconds(180)
def test_broadcasts(request, peers):
    if "go" not in request.config.getoption("--peers").split(","):
        pytest.skip("this is about Go")
    reason = netns.unavailable()
    if reason:
        pytest.skip(reason)
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1",
                       GORPYC_REGISTRY=peers.binaries.path("rpyc_registry"),
                       GORPYC_REGISTRAR=peers.binaries.path("goregistrar"),
                       GORPYC_CALCULATOR=peers.binaries.path("calculator"))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", HERE, "--noconftest", "-q",
               os.path.join(HERE, "broadcast.py")]
    done = subprocess.run(netns.command(command), cwd=HERE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=170)
    text = done.stdout.decode("utf-8", "replace")
    print(text)
    assert done.returncode == 0, text
