"""gorpyc conform against this cell's servers and clients."""
import json
import os
import subprocess
import sys

import pytest

from describe import RPYC
from harness import HERE, other_release
from conftest import selected
from test_old_releases import NG

pytestmark = [pytest.mark.core, pytest.mark.once]

CLIENT = """
import sys
sys.path.insert(0, sys.argv[2])
import behaviour_service, rpyc
conn = rpyc.connect("127.0.0.1", int(sys.argv[1]), service=behaviour_service.BehaviourService)
conn.root
conn.close()
"""
OLD = {"lists.format", "objects.format"}  # RPyC 4.1 does not count __format__ as safe


@pytest.fixture
def conform(request, peers):
    if "go" not in selected(request.config):
        pytest.skip("only Go is tested here")
    return [peers.binaries.path("gorpyc"), "conform", "--json", "--patience", "30"]


def failed(text):
    report = json.loads(text)
    assert report["counts"]["passed"] > 400
    return {r["id"]: r["detail"] for r in report["results"] if r["state"] == "failed"}


def test_servers(conform, server):
    done = subprocess.run(conform + ["%s:%d" % (server.host, server.port)], stdout=subprocess.PIPE, timeout=120)
    assert set(failed(done.stdout)) <= (OLD if RPYC < (5, 1) else set()), failed(done.stdout)


@pytest.mark.skipif(not os.environ.get("GORPYC_OLD_RELEASES") or RPYC < (6,), reason="as test_old_releases.py")
@pytest.mark.seconds(180)
def test_rpyc_ng(conform, start):
    """What it does otherwise is known, and older ones are refused."""
    known = os.path.join(HERE, "known", "rpyc-ng-7.0.15.txt")
    service = [os.path.join(HERE, "reference", "ref_server.py")]
    for release in NG:
        python, env = other_release(*release) or pytest.skip("no Python for rpyc-ng is here")
        server = start("rpyc-ng" + release[1], python + service, env=env)
        done = subprocess.run(conform + ["--known", known, "%s:%d" % (server.host, server.port)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        if release[1] in ("7.0.2", "7.0.11"):
            assert done.returncode not in (0, 1) and b"from 7.0.15 on" in done.stderr, done.stderr
        else:
            assert failed(done.stdout) == {} and done.returncode == 0


def test_the_printed_service(conform, start, tmp_path):
    """It needs no other file of ours."""
    program = tmp_path / "service.py"
    program.write_bytes(subprocess.run([conform[0], "conform", "--print-service"], stdout=subprocess.PIPE).stdout)
    server = start("printed", [sys.executable, str(program)])
    done = subprocess.run(conform + ["--only", "calls", "%s:%d" % (server.host, server.port)], stdout=subprocess.PIPE)
    report = json.loads(done.stdout)
    assert done.returncode == 0 and report["counts"]["passed"] > 10, report["counts"]


def test_clients(conform):
    listening = subprocess.Popen(conform + ["--listen", "127.0.0.1:0"], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
    word, address = listening.stderr.readline().decode().split()
    assert word == "READY"
    port = address.rsplit(":", 1)[1]
    client = subprocess.Popen([sys.executable, "-c", CLIENT, port, os.path.join(HERE, "reference")])
    try:
        out, _ = listening.communicate(timeout=120)
    finally:
        listening.kill()
    assert client.wait(30) == 0
    assert set(failed(out)) <= (OLD if RPYC < (5, 1) else set()), failed(out)
