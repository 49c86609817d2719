package classic

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
)

// Machine is another machine that commands can be run on: a tunnel of package protocol/transport/ssh is one.
type Machine interface {
	// Exec runs a command by the shell there. The stream is its standard input and output; what it writes to its
	// standard error goes to stderr, or nowhere if that is nil. Closing the stream ends its input.
	Exec(command string, stderr io.Writer) (io.ReadWriteCloser, error)
	// DialContext connects from there: "unix" with the path of a socket.
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
}

// DeployConfig says how Deploy starts a server. The zero value, like nil, sends a program that is built here.
type DeployConfig struct {
	// Program gives the program rpyc_classic for a system and an architecture, by Go's names for them. It must be
	// static; one for another architecture is refused. The default is BuildProgram.
	Program func(ctx context.Context, goos, goarch string) (io.ReadCloser, error)
	// Args are further switches of the program's.
	Args []string
	// Python is an interpreter there, such as "python3", that is to serve in the place of the program, as RPyC's own
	// rpyc.utils.zerodeploy has it.
	Python string
	// Package is the directory here of the Python package rpyc, which is sent with Python; "" uses the one that is
	// installed there.
	Package string
	// Stderr is told what the server writes to its standard error; nil for nobody.
	Stderr io.Writer
}

// BuildProgram builds rpyc_classic with the go command, in the module of the current directory, which must be or need
// this one. It is static.
func BuildProgram(ctx context.Context, goos, goarch string) (io.ReadCloser, error) {
	dir, err := os.MkdirTemp("", "gorpyc-deploy-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "rpyc_classic")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", path,
		"github.com/gorpyc/gorpyc/cmd/rpyc_classic")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch, "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building rpyc_classic for %s/%s: %w: %s", goos, goarch, err, bytes.TrimSpace(out))
	}
	program, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(program)), nil
}

// Deployment is a classic server that runs on another machine until Close. It is safe for concurrent use.
type Deployment struct {
	machine Machine
	socket  string
	session io.ReadWriteCloser
	out     *bufio.Reader

	mu    sync.Mutex
	conns []*protocol.Conn
	close sync.Once
	err   error // of Close
}

// Deploy starts a classic server on a machine on which nothing of RPyC's need be (rpyc.utils.zerodeploy). It sends a
// program into a new directory there that nobody else can read, checks what has arrived, and has it serve at a socket
// in that directory. A shell there removes everything when Close is called, and likewise when this process or the
// connection to the machine ends, however that happens. Nothing there needs to be installed, or to be done by root: a
// POSIX shell with head and mktemp is enough, and one of sha256sum, shasum, openssl and cksum.
func Deploy(ctx context.Context, m Machine, cfg *DeployConfig) (*Deployment, error) {
	if cfg == nil {
		cfg = &DeployConfig{}
	}
	d, err := deploy(ctx, m, cfg)
	if err != nil {
		return nil, fmt.Errorf("deploy: %w", err)
	}
	return d, nil
}

func deploy(ctx context.Context, m Machine, cfg *DeployConfig) (*Deployment, error) {
	payload, command, err := cfg.payload(ctx, m)
	if err != nil {
		return nil, err
	}
	session, err := m.Exec(shellCommand(installScript(payload, command)), cfg.Stderr)
	if err != nil {
		return nil, err
	}
	d := &Deployment{machine: m, session: session, out: bufio.NewReader(session)}
	sent := make(chan error, 1)
	go func() {
		_, err := session.Write(payload)
		sent <- err
	}()
	d.socket, err = within(ctx, session, func() (string, error) { return expectLine(d.out, "READY ") })
	if err == nil {
		_, err = within(ctx, session, func() (string, error) { return "", <-sent })
	}
	if err != nil {
		_ = session.Close()
		return nil, err
	}
	return d, nil
}

// within waits for what a machine does, or until ctx ends, and then closes the session. It does not wait for the end of
// that, which is the machine's, too.
func within(ctx context.Context, session io.Closer, f func() (string, error)) (string, error) {
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := f()
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		if ctx.Err() == nil {
			return r.text, r.err
		}
	case <-ctx.Done():
	}
	_ = session.Close()
	return "", context.Cause(ctx)
}

// payload is what is sent, and the command that serves, in which $d is the directory.
func (cfg *DeployConfig) payload(ctx context.Context, m Machine) (payload []byte, command string, err error) {
	if cfg.Python != "" {
		if cfg.Package != "" {
			if payload, err = archive(cfg.Package); err != nil {
				return nil, "", err
			}
		}
		return payload, pythonCommand(cfg.Python, cfg.Package != ""), nil
	}
	goos, goarch, err := platform(ctx, m)
	if err != nil {
		return nil, "", err
	}
	open := cfg.Program
	if open == nil {
		open = BuildProgram
	}
	r, err := open(ctx, goos, goarch)
	if err != nil {
		return nil, "", err
	}
	defer r.Close()
	if payload, err = io.ReadAll(r); err != nil {
		return nil, "", err
	}
	return payload, programCommand(cfg.Args), checkProgram(payload, goos, goarch)
}

// machines are the names that ELF files have for architectures.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "arm": elf.EM_ARM,
	"386": elf.EM_386, "riscv64": elf.EM_RISCV, "ppc64le": elf.EM_PPC64, "s390x": elf.EM_S390, "loong64": elf.EM_LOONGARCH}

// checkProgram refuses a program for another machine, and what is none: a shell there would take it for a script.
func checkProgram(payload []byte, goos, goarch string) error {
	if goos == "darwin" || bytes.HasPrefix(payload, []byte("#!")) {
		return nil
	}
	f, err := elf.NewFile(bytes.NewReader(payload))
	if err != nil {
		return fmt.Errorf("what is to be sent to a machine of the kind %s/%s is no program: %w", goos, goarch, err)
	}
	if f.Machine != machines[goarch] {
		return fmt.Errorf("the program is for %v, and the machine of the kind %s/%s", f.Machine, goos, goarch)
	}
	return nil
}

// platform asks for the machine's system and architecture.
func platform(ctx context.Context, m Machine) (goos, goarch string, err error) {
	session, err := m.Exec(shellCommand(`echo "$(uname -s) $(uname -m)"`), nil)
	if err != nil {
		return "", "", err
	}
	defer session.Close()
	line, err := within(ctx, session, func() (string, error) {
		return bufio.NewReader(io.LimitReader(session, 1000)).ReadString('\n')
	})
	if err != nil {
		return "", "", fmt.Errorf("the machine does not say what it is: %w", err)
	}
	words := strings.Fields(line)
	if len(words) == 2 {
		goos, goarch = strings.ToLower(words[0]), architectures[words[1]]
	}
	if goarch == "" {
		return "", "", fmt.Errorf("the machine is of a kind that is not known: %q", strings.TrimSpace(line))
	}
	return goos, goarch, nil
}

// architectures are Go's names by those of uname -m.
var architectures = map[string]string{
	"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64", "armv6l": "arm", "armv7l": "arm",
	"armv8l": "arm", "i386": "386", "i486": "386", "i586": "386", "i686": "386", "riscv64": "riscv64",
	"ppc64le": "ppc64le", "s390x": "s390x", "loongarch64": "loong64",
}

// expectLine reads a line that begins so, and returns the rest of it. Another line, as far as the reader's buffer holds
// it, is what has gone wrong.
func expectLine(r *bufio.Reader, begin string) (string, error) {
	text, err := r.ReadSlice('\n')
	line := strings.TrimSuffix(string(text), "\n")
	rest, ok := strings.CutPrefix(line, begin)
	switch {
	case ok && err == nil:
		return rest, nil
	case line != "":
		return "", errors.New(line)
	}
	return "", fmt.Errorf("the machine has ended the session: %w", err)
}

// Socket is the path of the Unix socket there at which the server can be reached.
func (d *Deployment) Socket() string { return d.socket }

// Connect connects to the server. The connection ends with the deployment.
func (d *Deployment) Connect(ctx context.Context, cfg *protocol.Config) (*Conn, error) {
	dialer := &protocol.Dialer{Config: cfg, Options: transport.Options{Dialer: d.machine.DialContext}}
	c, err := DialWith(ctx, dialer, "unix", d.socket)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conns = append(slices.DeleteFunc(d.conns, ended), c.Conn)
	return c, nil
}

func ended(c *protocol.Conn) bool { return c.Err() != nil }

// closeTimeout is how long Close waits for the machine.
const closeTimeout = 30 * time.Second

// Close closes the connections, ends the server and removes what was sent. It returns an error if the machine does not
// say within half a minute that all is gone.
func (d *Deployment) Close() error {
	d.close.Do(func() {
		d.mu.Lock()
		conns := d.conns
		d.mu.Unlock()
		for _, c := range conns {
			_ = c.Close()
		}
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		_, err := within(ctx, d.session, func() (string, error) {
			if _, err := io.WriteString(d.session, endLine); err != nil {
				return "", err
			}
			return expectLine(d.out, "GONE")
		})
		if err != nil {
			d.err = fmt.Errorf("deploy: %w", err)
		}
		_ = d.session.Close()
	})
	return d.err
}

// sums are the payload's checksums: sha256, and that of POSIX's cksum for machines that have no other.
func sums(payload []byte) (sha, posix string) {
	h := sha256.Sum256(payload)
	return hex.EncodeToString(h[:]), fmt.Sprint(cksum(payload))
}

// cksum is POSIX's: a CRC over the bytes and their number.
func cksum(payload []byte) uint32 {
	table := cksumTable()
	crc := uint32(0)
	for _, b := range payload {
		crc = crc<<8 ^ table[byte(crc>>24)^b]
	}
	for n := len(payload); n > 0; n >>= 8 {
		crc = crc<<8 ^ table[byte(crc>>24)^byte(n)]
	}
	return ^crc
}

// cksumTable has the CRC of each byte.
var cksumTable = sync.OnceValue(func() *[256]uint32 {
	var table [256]uint32
	for i := range table {
		crc := uint32(i) << 24
		for range 8 {
			if crc&(1<<31) != 0 {
				crc = crc<<1 ^ 0x04c11db7
			} else {
				crc <<= 1
			}
		}
		table[i] = crc
	}
	return &table
})
