"""pytest_gorpyc.py, which lies beside package rpyctest, in a run of its own."""
import os
import subprocess
import sys

import pytest

from harness import REPO
from conftest import selected

pytestmark = [pytest.mark.core, pytest.mark.once]

TESTS = """
import sys
import pytest

@pytest.fixture(scope="session")
def service(go_service):
    return go_service(%(behaviour)r, "--no-stdin")

def test_call(service):
    assert service.connect().root.add(2, 3) == 5

def test_two_connections(service):
    assert [service.connect().root.bump() for _ in range(2)] == [1, 1]

def test_no_service(go_service, tmp_path):
    with pytest.raises(RuntimeError, match="is not READY: '' in place of READY HOST PORT"):
        go_service(sys.executable, "-c", "pass")
"""


def test_plugin(request, peers, tmp_path):
    if "go" not in selected(request.config):
        pytest.skip("only Go is tested here")
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["pytest_gorpyc"]\n')
    (tmp_path / "test_it.py").write_text(TESTS % {"behaviour": peers.binaries.path("behaviour")})

    def run():
        path = os.path.join(REPO, "protocol", "rpyctest")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
        env = dict(os.environ, PYTHONPATH=path, PYTEST_ADDOPTS="")
        done = subprocess.run(command, timeout=60, cwd=str(tmp_path), env=env, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        return done.returncode, done.stdout.decode()
    status, text = run()
    assert status == 0 and "3 passed" in text, text

    with open(str(tmp_path / "test_it.py"), "a") as tests:
        tests.write("\ndef test_dies(service):\n    service.process.kill()\n    service.process.wait()\n")
    status, text = run()
    assert status == 1 and "by itself" in text, text
