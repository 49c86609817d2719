package classic

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// endLine is what the script waits for, besides the end of its input.
const endLine = "end\n"

// shellCommand has a POSIX shell run a script, whatever the user's own shell is.
func shellCommand(script string) string { return "exec /bin/sh -c " + quoted(script) }

// quoted is a text as a word for any shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// installScript receives a payload into a new directory, checks it, runs the command, and removes everything at the end
// of its input: that is the end of the session, for whatever reason.
func installScript(payload []byte, command string) string {
	sha, posix := sums(payload)
	return fmt.Sprintf(`umask 077
pid= d=
clean() {
	trap "" HUP INT TERM PIPE
	[ -z "$pid" ] || { kill "$pid"; sleep 0.1 || sleep 1; kill -9 "$pid"; wait "$pid"; } 2>/dev/null
	[ -z "$d" ] || rm -rf "$d"
}
trap clean EXIT
trap "exit 1" HUP INT TERM PIPE
for t in "$TMPDIR" /tmp /var/tmp "$HOME" /dev/shm; do
	[ -n "$t" ] && d=$(mktemp -d "$t/gorpyc.XXXXXXXX" 2>/dev/null) || continue
	{ echo "#!/bin/sh" >"$d/try" && chmod 700 "$d/try" && "$d/try" && : >"$d/payload" &&
		{ [ %[1]d = 0 ] || head -c %[1]d /dev/zero >"$d/payload"; }; } 2>/dev/null && break
	rm -rf "$d"
	d=
done
[ -n "$d" ] || { echo "no directory there can hold a program of %[1]d bytes"; exit 1; }
[ %[1]d = 0 ] || head -c %[1]d >"$d/payload" || { echo "what was sent cannot be stored"; exit 1; }
sum=$( (sha256sum || shasum -a 256 || openssl dgst -sha256 -r) <"$d/payload" 2>/dev/null | cut -c1-64)
want=%[2]s
[ -n "$sum" ] || { sum=$(cksum <"$d/payload" | cut -d" " -f1); want=%[3]s; }
[ "$sum" = "$want" ] || { echo "what has arrived is not what was sent"; exit 1; }
s=$d/socket
%[4]s
[ -n "$pid" ] || exit 1
n=0
while ! [ -S "$s" ]; do
	n=$((n + 1))
	[ $n -lt 600 ] || { echo "the server has not begun to serve"; exit 1; }
	kill -0 "$pid" 2>/dev/null || { wait "$pid"; echo "the server has ended with status $?"; pid=; exit 1; }
	sleep 0.05 2>/dev/null || sleep 1
done
echo "READY $s"
read -r line
clean
pid= d=
[ "$line" != end ] || echo GONE
`, len(payload), sha, posix, command)
}

// programCommand serves by the program that was sent.
func programCommand(args []string) string {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = " " + quoted(a)
	}
	return `chmod 700 "$d/payload"
"$d/payload" --socket "$s" --quiet` + strings.Join(words, "") + ` </dev/null >/dev/null &
pid=$!`
}

// pythonServer serves at a socket by RPyC itself. RPyC binds a socket and listens some time later: the socket gets its
// name when one can connect to it.
const pythonServer = `import logging, os, sys
sys.path[:0] = sys.argv[2:]
sys.dont_write_bytecode = True
logging.disable(logging.CRITICAL)
from rpyc.core import SlaveService
from rpyc.utils.server import ThreadedServer
server = ThreadedServer(SlaveService, socket_path=sys.argv[1] + ".bound")
server.listener.listen(server.backlog)
os.rename(sys.argv[1] + ".bound", sys.argv[1])
server.start()
`

// pythonCommand serves by an interpreter that is there.
func pythonCommand(python string, sent bool) string {
	unpack, path := "", ""
	if sent {
		unpack = `mkdir "$d/lib" && tar -xf "$d/payload" -C "$d/lib" || { echo "what was sent cannot be unpacked"; exit 1; }
`
		path = ` "$d/lib"`
	}
	unpack += "command -v " + quoted(python) + " >/dev/null || { echo " + quoted("there is no "+python) + "; exit 1; }\n"
	return unpack + quoted(python) + " -c " + quoted(pythonServer) + ` "$s"` + path + ` </dev/null >/dev/null &
pid=$!`
}

// archive packs a Python package, without what is compiled.
func archive(dir string) ([]byte, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".py") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(filepath.Dir(dir), path)
		if err != nil {
			return err
		}
		header := &tar.Header{Name: filepath.ToSlash(name), Mode: 0o600, Size: int64(len(text)), Format: tar.FormatUSTAR}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	})
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
