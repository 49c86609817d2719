"""Registries found by broadcasts, in a network namespace: see broadcast.py for the tests."""
import pytest

import netns


@pytest.mark.seconds(180)
def test_broadcasts(request, peers):
    if "go" not in request.config.getoption("--peers").split(","):
        pytest.skip("this is about Go")
    reason = netns.unavailable()
    if reason:
        pytest.skip(reason)
    netns.run_tests("broadcast.py", GORPYC_REGISTRY=peers.binaries.path("rpyc_registry"),
                    GORPYC_REGISTRAR=peers.binaries.path("goregistrar"),
                    GORPYC_CALCULATOR=peers.binaries.path("calculator"))
