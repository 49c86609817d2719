"""The Go client of classic servers against this cell's own rpyc_classic: the Go tests of package classic, compiled
once."""
import os
import shutil
import subprocess
import sys
import tempfile

import pytest

from harness import BUILD_SECONDS, REPO, PeerError


def compiled():
    """The test binary: that of GORPYC_BIN_DIR, where it is put if it is not there."""
    given = os.environ.get("GORPYC_BIN_DIR")
    target = os.path.join(os.path.abspath(given) if given else tempfile.mkdtemp(prefix="gorpyc-classic-"),
                          "classic.test")
    if not os.path.exists(target):
        if shutil.which("go") is None:
            raise PeerError("the Go tests of package classic were asked for, but there is no go command on PATH")
        part = "%s.%d" % (target, os.getpid())
        subprocess.run(["go", "test", "-c", "-o", part, "./classic"], cwd=REPO, check=True, timeout=BUILD_SECONDS)
        os.replace(part, target)
    return target


@pytest.mark.seconds(180)
@pytest.mark.skipif(os.name == "nt", reason="the tests start programs as Unix has them")
def test_go_client_of_rpyc_classic(request):
    from conftest import selected
    if "go" not in selected(request.config):
        pytest.skip("only Go is tested here")
    # numpy and pandas are tested once, with the Go tests.
    done = subprocess.run([compiled(), "-test.v", "-test.timeout", "150s"],
                          cwd=os.path.join(REPO, "classic"),
                          env=dict(os.environ, GORPYC_TEST_PYTHON=sys.executable, GORPYC_NO_NUMPY="1"),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=160)
    text = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, text
    assert "--- PASS: TestObtainDeliver" in text, text
