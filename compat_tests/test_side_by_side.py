"""Every probe program, step by step: Go must do what CPython does.

Where only CPython was asked for, it is compared with itself, which shows that the programs are repeatable.
"""
import pytest

import expected
from conftest import Connector, selected, watched
from describe import VERSION_WARNING
from probes import PROBES, run


def pytest_generate_tests(metafunc):
    metafunc.parametrize("name", [pytest.param(name, marks=getattr(pytest.mark, level)) for name,
                                  (level, _) in PROBES.items()])


def outcomes(name, server):
    connector = Connector(server)
    try:
        return run(name, connector, server)
    finally:
        connector.close()


def test_probe(name, peers, request):
    kinds = selected(request.config)
    reference = outcomes(name, watched(request, peers.shared("cpython")))
    found = outcomes(name, watched(request, peers.shared("go" if "go" in kinds else "cpython")))
    assert list(found) == list(reference)
    excused = {step.split(".", 1)[1]: reason for step, reason in expected.DIFFERENCES.items()
               if step.split(".", 1)[0] == name}
    wrong, needless = [], []
    for step, outcome in reference.items():
        same = found[step] == outcome
        if step in excused:
            if same and "go" in kinds:
                needless.append(step)
        elif not same:
            wrong.append("%s\n    CPython %r\n    Go      %r" % (step, outcome, found[step]))
    unknown = [step for step in excused if step not in reference]
    if wrong:
        pytest.fail("%d of %d steps differ:\n%s" % (len(wrong), len(reference), "\n".join(wrong)), pytrace=False)
    if needless or unknown:
        pytest.fail("expected.DIFFERENCES: equal now %s, no such step %s" % (needless, unknown), pytrace=False)
