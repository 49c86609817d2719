#!/usr/bin/env python3
"""Adds up what a test run said: `go test -json` on stdin, pytest's JUnit files, single checks.

    report.py go FILE < go-test.json    shows packages and failures, adds the counts to FILE; exit status 1 if a test
    failed report.py junit FILE DIRECTORY      adds the counts of every *.xml in DIRECTORY report.py total FILE
    prints "gorpyc: N passed, N failed, N skipped"; exit status 1 on failures or no test at all

FILE has one line per addition: passed failed skipped what.
"""
import glob
import json
import os
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
    sys.exit({"go": go, "junit": junit, "total": total}[sys.argv[1]](*sys.argv[2:]))
