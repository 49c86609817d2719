#!/usr/bin/env python3
"""Adds up what a test run said: `go test -json` on stdin, pytest's JUnit files, single checks.

    report.py go FILE < go-test.json    shows packages and failures, adds the counts to FILE; exit status 1 if a test
                                        failed
    report.py junit FILE DIRECTORY      adds the counts of every *.xml in DIRECTORY
    report.py total FILE                prints "gorpyc: N passed, N failed, N skipped"; exit status 1 on failures or no
                                        test at all
    report.py table DOCUMENT DIRECTORY  writes what every *.xml in DIRECTORY says, by release and role, between
                                        the lines of the document that have "matrix" in a comment

FILE has one line per addition: passed failed skipped what.
"""
import glob
import json
import os
import re
import sys
import xml.etree.ElementTree as ET


def add(path, passed, failed, skipped, what):
    with open(path, "a") as counts:
        counts.write("%d %d %d %s\n" % (passed, failed, skipped, what))


def go(path):
    totals = {"pass": 0, "fail": 0, "skip": 0}
    output, broken = {}, []
    for line in sys.stdin:
        try:
            event = json.loads(line)
        except ValueError:  # build errors of older toolchains come as plain text
            sys.stdout.write(line)
            continue
        action, package, test = event["Action"], event.get("Package", event.get("ImportPath", "")), event.get("Test")
        if action in ("output", "build-output"):
            output.setdefault((package, test), []).append(event["Output"])
        elif action == "build-fail":
            sys.stdout.writelines(output.pop((package, None), []))
        elif action in totals and test:
            totals[action] += 1
            text = output.pop((package, test), [])
            if action == "fail":
                sys.stdout.writelines(text)
        elif action in totals:
            text = output.pop((package, None), [])
            if action == "fail":
                broken.append(package)
                # a crash is reported under the package or under the test that ran
                for key in [key for key in output if key[0] == package]:
                    sys.stdout.writelines(output.pop(key))
                sys.stdout.writelines(text)
            elif action == "pass":
                sys.stdout.writelines(line for line in text if line.startswith(("ok", "coverage")))
        sys.stdout.flush()
    if broken and not totals["fail"]:
        totals["fail"] = len(broken)  # packages that did not build or crashed outside a test
    add(path, totals["pass"], totals["fail"], totals["skip"], "go test")
    return 1 if broken or totals["fail"] else 0


def junit(path, directory):
    for name in sorted(glob.glob(os.path.join(directory, "*.xml"))):
        root = ET.parse(name).getroot()
        for suite in root.iter("testsuite"):
            tests, failures, errors, skipped = (int(suite.get(key, 0))
                                                for key in ("tests", "failures", "errors", "skipped"))
            what = os.path.basename(name)[:-len(".xml")]
            add(path, tests - failures - errors - skipped, failures + errors, skipped, what)
            print("%-16s %4d passed, %d failed, %d skipped in %.0f s"
                  % (what, tests - failures - errors - skipped, failures + errors, skipped,
                     float(suite.get("time", 0))))
    return 0


# The files of compat_tests in which Go is the client, and those in which it is at both ends or in the middle; in the
# others it is the server.
GO_CALLS = ("test_classic_client", "test_gorpyc", "test_gorpyc_terminal", "test_gorpyc_ways", "test_objects",
            "test_completion")
NO_SIDE = ("test_bridge", "test_docs", "test_migrating", "test_registry", "test_registry_broadcast",
           "test_registry_program")


def role_of_go(release, module, test, marks):
    """What Go does in a test, and the release at the other end; the role is None where CPython is alone."""
    if module == "test_old_releases":
        if "old" not in test:
            return None, release
        return "serves" if "clients" in test else "calls", \
            re.sub(r"^py([\d.]+)-rpyc(.*)$", r"\2 on Python \1", marks[0])
    if module in NO_SIDE or "go" not in marks and "cpython" in marks or marks.count("go") == 2:
        return None, release
    calls = module in GO_CALLS or test.startswith("test_go_client") or module == "test_clients" and marks[0] == "go"
    return ("calls" if calls else "serves"), release


def table(path, directory):
    rows = {}
    for name in sorted(glob.glob(os.path.join(directory, "py*.xml"))):
        python, _, release = os.path.basename(name)[:-len(".xml")].partition("-rpyc")
        for case in ET.parse(name).getroot().iter("testcase"):
            module = [part for part in case.get("classname").split(".") if part.startswith("test_")][-1:] or [""]
            test, _, parameters = case.get("name").partition("[")
            marks = [parameters.rstrip("]")] if module[0] == "test_old_releases" else parameters.rstrip("]").split("-")
            role, peer = role_of_go(".".join(release), module[0], test, marks)
            if role is None or not peer or case.find("skipped") is not None:
                continue
            row = rows.setdefault(peer, {"pythons": set(), "serves": [0, 0], "calls": [0, 0]})
            row["pythons"].add((int(python[2]), int(python[3:])))
            row[role][0] += case.find("failure") is None and case.find("error") is None
            row[role][1] += 1
    lines = ["| RPyC | on CPython | Python clients of Go services | Go clients of Python services |", "|---|---|---|---|"]
    for peer, row in sorted(rows.items(), key=lambda item: (not item[0][0].isdigit(), " on " in item[0], item[0])):
        release, _, python = peer.partition(" on Python ")
        pythons = python or ", ".join("%d.%d" % version for version in sorted(row["pythons"]))
        release = re.sub(r"(?<=[a-zA-Z])(?=\d)", " ", release, count=1)  # a fork's name and its version
        lines.append("| %s | %s | %s | %s |" % (release, pythons,
                                                *("%d of %d" % tuple(row[role]) for role in ("serves", "calls"))))
    with open(path) as document:
        text = document.read()
    before, start, rest = text.partition("<!-- matrix -->\n")
    _, end, after = rest.partition("<!-- end of matrix -->\n")
    if not start or not end:
        sys.exit("%s has no place for the table" % path)
    with open(path, "w") as document:
        document.write(before + start + "\n".join(lines) + "\n" + end + after)
    return 0


def total(path):
    with open(path) as counts:
        rows = [line.split(None, 3) for line in counts]
    passed, failed, skipped = (sum(int(row[i]) for row in rows) for i in range(3))
    for row in rows:
        if int(row[1]):
            print("failed: %s" % row[3].strip())
    print("gorpyc: %d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit({"go": go, "junit": junit, "table": table, "total": total}[sys.argv[1]](*sys.argv[2:]))
