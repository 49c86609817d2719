package vinegar

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

// ownTexts raises exceptions whose classes print them in a way of their own, and writes of each the payload that RPyC
// sends and what CPython's str() says.
const ownTexts = `
import json, subprocess, sys, types
from rpyc.core import brine, vinegar

class Coded(Exception):
    def __init__(self, code):
        self.code = code
    def __str__(self):
        return "code %d" % self.code

class Silent(ValueError):
    def __str__(self):
        return ""

class Lines(KeyError):
    def __str__(self):
        return "first\n  second: x\n\nlast"

class Outer:
    class Inner(Exception):
        def __str__(self):
            return "inner"

def coded(): raise Coded(7)
def no_args():
    e = Coded(8)
    e.args = ()
    raise e
def silent(): raise Silent("not shown")
def lines(): raise Lines("k")
def inner(): raise Outer.Inner()
def process(): subprocess.run([sys.executable, "-c", "raise SystemExit(3)"], check=True)
def expired(): raise subprocess.TimeoutExpired("cmd", 5)
def unicode(): b"\xff".decode()
def plain(): raise ValueError("plain: text")
def empty(): raise ValueError()
def embedding(): raise RuntimeError("worker:\nTraceback (most recent call last):\n  File \"x\"\nRuntimeError: inner\n")
def noted():
    e = ValueError("v")
    e.add_note("a note")
    raise e
def key(): {}["k"]
def missing(): open("/nonexistent/file")
def syntax(): compile("a b", "f", "exec")
def caused():
    try: coded()
    except Coded as e: raise Coded(9) from e
def during():
    try: raise Coded(1)
    except Coded: raise KeyError("k")
def forwarded():
    try: coded()
    except Coded: payload = vinegar.dump(*sys.exc_info(), include_local_traceback=True, include_local_version=True)
    raise vinegar.load(brine.load(brine.dump(payload)), True, False, False)
for f in (coded, no_args, silent, lines, inner, process, expired, unicode, plain, empty, embedding, noted, key, missing,
          syntax, caused, during, forwarded):
    try:
        f()
    except AttributeError:
        pass  # add_note is younger
    except Exception as e:
        text = str(e) if f is not forwarded else "code 7"
        text = text if f is not syntax else e.msg # the line of a traceback has no more
        print(json.dumps({"Name": f.__name__, "Text": text, "Payload": brine.dump(
            vinegar.dump(*sys.exc_info(), include_local_traceback=True, include_local_version=True)).hex()}))
`

// TestOwnTexts reads exceptions of CPython's, which must say what they say there.
func TestOwnTexts(t *testing.T) {
	out := runPython(t, pythonWithRPyC(t), nil, "-c", ownTexts)
	type row struct{ Name, Text, Payload string }
	rows := decodeRows[row](t, bytes.NewReader(out))
	require.Greater(t, len(rows), 15)
	for _, r := range rows {
		b, err := hex.DecodeString(r.Payload)
		require.NoError(t, err)
		c := brine.NewCursor(b)
		e, err := DecodePayload(&c)
		require.NoError(t, err)
		require.Equal(t, r.Text, e.Message(), r.Name)
	}
}
