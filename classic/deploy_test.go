//go:build unix

package classic_test

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/classic/slave"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/servers"
)

// deployed is set where this test binary is the program that was sent.
const deployed = "GORPYC_TEST_DEPLOYED"

// serveDeployed is that program: rpyc_classic --socket PATH --quiet.
func serveDeployed(args []string) int {
	l, err := net.Listen("unix", args[1])
	if err != nil {
		return 1
	}
	srv := &servers.Server{NewService: func() any { return slave.NewService(nil) }, Config: slave.Config(nil)}
	if err := srv.Serve(context.Background(), l); err != nil {
		return 1
	}
	return 0
}

// here is this machine, as another one that has few programs.
type here struct {
	t    *testing.T
	path string // its PATH
	tmp  string // its directory for temporary files
	last *exec.Cmd
}

// bare is a machine without Python, and with no more than is promised to be enough.
func bare(t *testing.T, programs ...string) *here {
	h := &here{t: t, path: t.TempDir()}
	var err error
	h.tmp, err = os.MkdirTemp("", "d") // a socket's path has to be short
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(h.tmp) })
	for _, name := range append(strings.Fields("cat chmod cut head mkdir mktemp rm sleep uname"), programs...) {
		full, err := exec.LookPath(name)
		if err != nil {
			t.Skipf("there is no %s here", name)
		}
		require.NoError(t, os.Symlink(full, filepath.Join(h.path, name)))
	}
	return h
}

type pipes struct {
	io.Reader
	io.WriteCloser
}

func (h *here) Exec(command string, stderr io.Writer) (io.ReadWriteCloser, error) {
	cmd := exec.Command("/bin/sh", "-c", command)
	cmd.Env = []string{"PATH=" + h.path, "TMPDIR=" + h.tmp, "HOME=" + h.tmp, deployed + "=yes"}
	cmd.Stderr = stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	h.last = cmd
	h.t.Cleanup(func() { _ = cmd.Wait() })
	return pipes{out, in}, nil
}

func (h *here) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, addr)
}

// empty waits until nothing is left in the machine's directory.
func (h *here) empty() {
	h.t.Helper()
	require.Eventually(h.t, func() bool {
		left, err := os.ReadDir(h.tmp)
		return err == nil && len(left) == 0
	}, 30*time.Second, 10*time.Millisecond, "something was left behind")
}

func itself(context.Context, string, string) (io.ReadCloser, error) { return os.Open(os.Args[0]) }

func TestDeploy(t *testing.T) {
	for _, sum := range []string{"sha256sum", "cksum"} {
		h := bare(t, sum)
		d, err := classic.Deploy(t.Context(), h, &classic.DeployConfig{Program: itself, Stderr: os.Stderr})
		require.NoError(t, err)
		for range 2 {
			c, err := d.Connect(t.Context(), nil)
			require.NoError(t, err)
			n, err := c.Eval(t.Context(), "40 + 2")
			require.NoError(t, err)
			require.EqualValues(t, 42, n)
		}
		require.NoError(t, d.Close())
		require.NoError(t, d.Close())
		left, err := os.ReadDir(h.tmp)
		require.NoError(t, err)
		require.Empty(t, left)
	}
}

// However the session ends, nothing is left behind: the shell's input ends when this process, or the connection, does.
func TestDeployCutOff(t *testing.T) {
	h := bare(t, "cksum")
	d, err := classic.Deploy(t.Context(), h, &classic.DeployConfig{Program: itself})
	require.NoError(t, err)
	c, err := d.Connect(t.Context(), nil)
	require.NoError(t, err)
	left, err := os.ReadDir(h.tmp)
	require.NoError(t, err)
	require.Len(t, left, 1)
	info, err := left[0].Info()
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())

	require.NoError(t, h.last.Process.Signal(syscall.SIGTERM)) // as when the machine goes down
	require.NoError(t, d.CutOff())
	h.empty()
	select {
	case <-c.Done():
	case <-time.After(30 * time.Second):
		t.Fatal("the server goes on")
	}
	require.Error(t, d.Close())
}

func TestDeployFails(t *testing.T) {
	h := bare(t, "cksum")
	refused := errors.New("there is none")
	_, err := classic.Deploy(t.Context(), h, &classic.DeployConfig{
		Program: func(_ context.Context, goos, goarch string) (io.ReadCloser, error) {
			require.NotEmpty(t, goos+goarch)
			return nil, refused
		}})
	require.ErrorIs(t, err, refused)
	notOne := func(context.Context, string, string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("#!/bin/sh\nexit 3\n")), nil
	}
	_, err = classic.Deploy(t.Context(), h, &classic.DeployConfig{Program: notOne})
	require.ErrorContains(t, err, "the server has ended with status 3")
	h.empty()

	truncating := &truncated{here: h}
	_, err = classic.Deploy(t.Context(), truncating, &classic.DeployConfig{Program: itself})
	require.ErrorContains(t, err, "what has arrived is not what was sent")
	h.empty()
	_, err = classic.Deploy(t.Context(), h, &classic.DeployConfig{Python: "no-such-python"})
	require.ErrorContains(t, err, "there is no no-such-python")
	h.empty()

	for want, program := range map[string]string{"is no program": "\x7fELF, but no more",
		"the program is for EM_S390": other(t)} {
		_, err = classic.Deploy(t.Context(), h, &classic.DeployConfig{
			Program: func(context.Context, string, string) (io.ReadCloser, error) {
				return io.NopCloser(strings.NewReader(program)), nil
			}})
		require.ErrorContains(t, err, want)
		h.empty()
	}
	full := bare(t, "cksum")
	require.NoError(t, os.Remove(filepath.Join(full.path, "head")))
	require.NoError(t, os.WriteFile(filepath.Join(full.path, "head"), []byte("#!/bin/sh\nexit 1\n"), 0o700))
	_, err = classic.Deploy(t.Context(), full, &classic.DeployConfig{Program: notOne})
	require.ErrorContains(t, err, "no directory there can hold a program of 17 bytes")
	full.empty()

	ctx, cancel := context.WithCancel(t.Context())
	cancelling := func(ctx context.Context, goos, goarch string) (io.ReadCloser, error) {
		cancel()
		return itself(ctx, goos, goarch)
	}
	_, err = classic.Deploy(ctx, h, &classic.DeployConfig{Program: cancelling})
	require.ErrorIs(t, err, context.Canceled)
	h.empty()
}

// other is the beginning of a program for another architecture, by the ELF specification.
func other(t *testing.T) string {
	head := elf.Header64{Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2MSB), 1},
		Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_S390), Version: 1, Ehsize: 64}
	var b bytes.Buffer
	require.NoError(t, binary.Write(&b, binary.BigEndian, &head))
	return b.String()
}

// truncated is a machine on the way to which a byte changes.
type truncated struct{ *here }

type changing struct{ io.ReadWriteCloser }

func (c changing) Write(p []byte) (int, error) {
	p = bytes.Clone(p)
	p[len(p)/2] ^= 1
	return c.ReadWriteCloser.Write(p)
}

func (m *truncated) Exec(command string, stderr io.Writer) (io.ReadWriteCloser, error) {
	s, err := m.here.Exec(command, stderr)
	if !strings.Contains(command, "head -c") {
		return s, err
	}
	return changing{s}, err
}

// slowToListen makes a server of RPyC's wait between binding a socket and listening.
const slowToListen = `
import time
def slow(self, listen=Server._listen):
    time.sleep(0.5)
    listen(self)
Server._listen = slow
`

// RPyC's own way: its package is sent, and a Python there serves.
func TestDeployPython(t *testing.T) {
	interpreter := python(t)
	out, err := exec.Command(interpreter, "-c", "import os, rpyc; print(os.path.dirname(rpyc.__file__))").Output()
	require.NoError(t, err)
	sent := filepath.Join(t.TempDir(), "rpyc")
	require.NoError(t, os.CopyFS(sent, os.DirFS(strings.TrimSpace(string(out)))))
	server, err := os.OpenFile(filepath.Join(sent, "utils", "server.py"), os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	_, err = server.WriteString(slowToListen)
	require.NoError(t, errors.Join(err, server.Close()))
	h := bare(t, "cksum", "tar")
	real, err := exec.Command(interpreter, "-c", "import sys; print(sys.executable)").Output()
	require.NoError(t, err)
	d, err := classic.Deploy(t.Context(), h, &classic.DeployConfig{Python: strings.TrimSpace(string(real)),
		Package: sent, Stderr: os.Stderr})
	require.NoError(t, err)
	t.Cleanup(func() { _ = d.Close() })
	c, err := d.Connect(t.Context(), &protocol.Config{})
	require.NoError(t, err)
	where, err := c.Eval(t.Context(), "__import__('rpyc').__file__")
	require.NoError(t, err)
	require.Contains(t, where, h.tmp)
	require.NoError(t, d.Close())
	h.empty()
}
