package sources_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/registry"
	"github.com/gorpyc/gorpyc/registry/sources"
	"github.com/gorpyc/gorpyc/servers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// watching is a source that is being watched.
type watching struct {
	t       *testing.T
	updates chan []protocol.Address
	ended   chan error
	stop    context.CancelFunc
}

func watch(t *testing.T, s protocol.Source) *watching {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watching{t, make(chan []protocol.Address), make(chan error, 1), cancel}
	go func() {
		w.ended <- s.Watch(ctx, func(addrs []protocol.Address) {
			select {
			case w.updates <- append([]protocol.Address{}, addrs...):
			case <-ctx.Done():
			}
		})
	}()
	return w
}

// is waits for an update, which has to be this one.
func (w *watching) is(want ...protocol.Address) {
	w.t.Helper()
	select {
	case got := <-w.updates:
		require.ElementsMatch(w.t, want, got)
	case err := <-w.ended:
		w.t.Fatal("ended:", err)
	}
}

// fails waits for the end of watching.
func (w *watching) fails() error {
	w.t.Helper()
	select {
	case got := <-w.updates:
		w.t.Fatal("an update in place of an error:", got)
	case err := <-w.ended:
		require.Error(w.t, err)
		return err
	}
	return nil
}

// end ends watching in order.
func (w *watching) end() {
	w.stop()
	require.ErrorIs(w.t, <-w.ended, context.Canceled)
}

// TestFile follows a file that is replaced, written over, broken and removed.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "servers")
	write := func(text string) {
		require.NoError(t, os.WriteFile(path+".new", []byte(text), 0o600))
		require.NoError(t, os.Rename(path+".new", path))
	}
	source := &sources.File{Path: path, Every: time.Millisecond}
	require.ErrorIs(t, watch(t, source).fails(), os.ErrNotExist)
	write("")
	w := watch(t, source)
	w.is()
	write("# servers\n10.0.0.1:18861\n\n\t[2001:db8::1]:1  weight=3 zone=eu-1 # the new one\n" +
		"/run/calc.sock priority=-1 name=calc.example.org\r\n")
	w.is(protocol.Address{Addr: "10.0.0.1:18861"},
		protocol.Address{Addr: "[2001:db8::1]:1", Weight: 3, Zone: "eu-1"},
		protocol.Address{Network: "unix", Addr: "/run/calc.sock", Priority: -1, ServerName: "calc.example.org"})
	write("10.0.0.2:18861\n")
	w.is(protocol.Address{Addr: "10.0.0.2:18861"})
	write("10.0.0.2:18861 # the same\n") // no update
	inPlace, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = inPlace.Write([]byte("10.0.0.3"))
	require.NoError(t, err)
	require.NoError(t, inPlace.Close())
	w.is(protocol.Address{Addr: "10.0.0.3:18861"})
	w.end()
	for text, want := range map[string]string{
		"10.0.0.1":                             ":1: address 10.0.0.1: missing port",
		"h:1\nh:2 weight":                      `:2: "weight" has no value`,
		"h:1 weight=heavy":                     "invalid syntax",
		"h:1 wight=2":                          "none of weight",
		"#" + strings.Repeat(" ", 1<<20) + "#": "longer than 1048576 bytes",
	} {
		write(text)
		require.ErrorContains(t, watch(t, source).fails(), want)
	}
	write("h:1 # " + strings.Repeat("-", 1<<20-10))
	w = watch(t, source)
	w.is(protocol.Address{Addr: "h:1"})
	require.NoError(t, os.Remove(path))
	require.ErrorIs(t, w.fails(), os.ErrNotExist)
}

// TestRegistry follows a registry whose services come and go, and a client that uses what it finds.
func TestRegistry(t *testing.T) {
	reg := &registry.Server{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- reg.ServeTCP(context.Background(), l) }()
	registrar := &registry.TCPClient{Addr: l.Addr().String()}
	source := &sources.Registry{Registrar: registrar, Name: "calc", Every: time.Millisecond}
	w := watch(t, source)
	w.is()
	require.NoError(t, registrar.Register(t.Context(), []string{"CALC"}, registry.Endpoint{Port: 1}))
	w.is(protocol.Address{Network: "tcp", Addr: "127.0.0.1:1"})
	require.NoError(t, registrar.Register(t.Context(), []string{"CALC"}, registry.Endpoint{Path: "/run/calc"}))
	w.is(protocol.Address{Network: "tcp", Addr: "127.0.0.1:1"},
		protocol.Address{Network: "unix", Addr: "/run/calc"})
	require.NoError(t, registrar.Unregister(t.Context(), registry.Endpoint{Port: 1}))
	w.is(protocol.Address{Network: "unix", Addr: "/run/calc"})
	require.NoError(t, registrar.Unregister(t.Context(), registry.Endpoint{Path: "/run/calc"}))
	w.is()
	w.end()

	srv := &servers.Server{Service: calc{}, Aliases: []string{"CALC"}, Registrar: registrar}
	sl, err := transport.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(context.Background(), sl) }()
	client, err := protocol.NewClient(protocol.ClientConfig{Source: source, MinBackoff: time.Millisecond})
	require.NoError(t, err)
	sum, err := protocol.Idempotent(t.Context(), client, func(ctx context.Context, c *protocol.Conn) (int, error) {
		return netref.Call[int](ctx, c.Root(), "add", 2, 3)
	})
	require.NoError(t, err)
	require.Equal(t, 5, sum)
	require.NoError(t, srv.Shutdown(t.Context()))
	require.ErrorIs(t, <-served, servers.ErrServerClosed)
	require.Eventually(t, func() bool { return len(client.Servers()) == 0 }, time.Minute, time.Millisecond,
		"it has unregistered")
	require.NoError(t, client.Close())

	require.NoError(t, reg.Close())
	<-done
	require.Error(t, watch(t, source).fails())
	silent := failing{registry.ErrNoAnswer}
	require.ErrorIs(t, watch(t, &sources.Registry{Registrar: silent, Name: "x"}).fails(), registry.ErrNoAnswer)
	require.ErrorContains(t, watch(t, &sources.Registry{Registrar: silent}).fails(), "needs a Name")
	w = watch(t, &sources.Registry{Registrar: elsewhere{}, Name: "x"})
	w.is(protocol.Address{Network: "tcp", Addr: "[2001:db8::1]:18861"})
	w.end()
}

// TestRegistryDetails has servers tell more of themselves, by way of a registry of Go's and of RPyC's own, and asks as
// RPyC's clients do, who see nothing of it.
func TestRegistryDetails(t *testing.T) {
	for _, tc := range []struct {
		name  string
		begin func(t *testing.T) (addr string)
	}{{"go", goRegistry}, {"rpyc", rpycRegistry}} {
		t.Run(tc.name, func(t *testing.T) {
			plain := &registry.UDPClient{Addr: tc.begin(t)}
			heavy := &registry.Details{Registrar: plain, Weight: 3, Zone: "eu-1"}
			backup := &registry.Details{Registrar: plain, Priority: 1, ServerName: "calc.example.org", Zone: "two words"}
			names := []string{"calc", "adder"}
			require.NoError(t, heavy.Register(t.Context(), names, registry.Endpoint{Port: 1}))
			require.NoError(t, backup.Register(t.Context(), names, registry.Endpoint{Path: "/run/calc"}))
			require.NoError(t, plain.Register(t.Context(), names, registry.Endpoint{Port: 3}))
			require.NoError(t, plain.Register(t.Context(), []string{"CALC" + registry.DetailsSuffix},
				registry.Endpoint{Path: "3 weight=heavy"}))
			found, err := plain.Discover(t.Context(), "calc")
			require.NoError(t, err)
			require.Equal(t, []registry.Endpoint{{Host: "127.0.0.1", Port: 1}, {Host: "127.0.0.1", Path: "/run/calc"},
				{Host: "127.0.0.1", Port: 3}}, found)
			w := watch(t, &sources.Registry{Registrar: plain, Name: "Adder", Details: true, Every: time.Millisecond})
			w.is(protocol.Address{Network: "tcp", Addr: "127.0.0.1:1", Weight: 3, Zone: "eu-1"},
				protocol.Address{Network: "unix", Addr: "/run/calc", Priority: 1, ServerName: "calc.example.org"},
				protocol.Address{Network: "tcp", Addr: "127.0.0.1:3"})
			heavy.Weight = 5
			require.NoError(t, heavy.Register(t.Context(), names, registry.Endpoint{Port: 1}))
			w.is(protocol.Address{Network: "tcp", Addr: "127.0.0.1:1", Weight: 5, Zone: "eu-1"},
				protocol.Address{Network: "unix", Addr: "/run/calc", Priority: 1, ServerName: "calc.example.org"},
				protocol.Address{Network: "tcp", Addr: "127.0.0.1:3"})
			require.NoError(t, plain.Unregister(t.Context(), registry.Endpoint{Port: 3}))
			require.NoError(t, backup.Unregister(t.Context(), registry.Endpoint{Path: "/run/calc"}))
			require.Eventually(t, func() bool { // nothing says when UNREGISTER has arrived
				details, err := plain.Discover(t.Context(), "adder"+registry.DetailsSuffix)
				require.NoError(t, err)
				return len(details) == 2 // both of the first, the older of which expires
			}, time.Minute, time.Millisecond)
			w.stop()
			for {
				select {
				case <-w.updates:
					continue
				case err := <-w.ended:
					require.ErrorIs(t, err, context.Canceled)
				}
				break
			}
		})
	}
}

func goRegistry(t *testing.T) string {
	reg := &registry.Server{}
	c, err := registry.ListenUDP(t.Context(), "udp4", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- reg.ServeUDP(context.Background(), c) }()
	t.Cleanup(func() {
		require.NoError(t, reg.Close())
		<-done
	})
	return c.LocalAddr().String()
}

func rpycRegistry(t *testing.T) string {
	python := os.Getenv("GORPYC_TEST_PYTHON")
	if python == "" {
		t.Skip("GORPYC_TEST_PYTHON names no Python with RPyC")
	}
	cmd := exec.Command(python, "-c", `
from rpyc.utils.registry import UDPRegistryServer
s = UDPRegistryServer(host="127.0.0.1", port=0)
print("127.0.0.1:%d" % s.sock.getsockname()[1], flush=True)
s.start()
`)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	addr, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(addr)
}

type calc struct{}

func (calc) Add(a, b int) int { return a + b }

// failing is a registrar that fails.
type failing struct{ err error }

func (f failing) Discover(context.Context, string) ([]registry.Endpoint, error) { return nil, f.err }
func (f failing) List(context.Context, string) ([]string, error)                { return nil, f.err }
func (f failing) Register(context.Context, []string, registry.Endpoint) error   { return f.err }
func (f failing) Unregister(context.Context, registry.Endpoint) error           { return f.err }

// elsewhere finds servers on another host.
type elsewhere struct{ failing }

func (elsewhere) Discover(context.Context, string) ([]registry.Endpoint, error) {
	return []registry.Endpoint{{Host: "2001:db8::1", Path: "/run/x"}, {Host: "2001:db8::1", Port: 18861}}, nil
}

// TestDNS follows names whose records change.
func TestDNS(t *testing.T) {
	s := newNameServer(t)
	s.set("calc.test. A", record{0, []byte{10, 0, 0, 1}}, record{0, []byte{10, 0, 0, 2}})
	s.set("calc.test. AAAA", record{0, net.ParseIP("2001:db8::1")})
	source := &sources.DNS{Host: "calc.test.:18861", Server: s.addr, MinTTL: time.Millisecond}
	w := watch(t, source)
	at := func(addr string) protocol.Address { return protocol.Address{Addr: addr, ServerName: "calc.test"} }
	w.is(at("10.0.0.1:18861"), at("10.0.0.2:18861"), at("[2001:db8::1]:18861"))
	s.set("calc.test. A", record{0, []byte{10, 0, 0, 3}})
	w.is(at("10.0.0.3:18861"), at("[2001:db8::1]:18861"))
	var many []record
	var all []protocol.Address
	for i := range 100 { // more than a datagram takes
		many = append(many, record{0, []byte{10, 0, 1, byte(i)}})
		all = append(all, at(net.JoinHostPort(net.IP(many[i].data).String(), "18861")))
	}
	s.set("calc.test. AAAA")
	s.set("calc.test. A", many...)
	for got := []protocol.Address(nil); len(got) != len(all); { // records change one after the other
		got = <-w.updates
		if len(got) == len(all) {
			require.ElementsMatch(t, all, got)
		}
	}
	w.end()

	s.set("old.test. A", record{3600, []byte{10, 0, 0, 1}})
	old := watch(t, &sources.DNS{Host: "old.test.:1", Family: "ip4", Server: s.addr})
	old.is(protocol.Address{Addr: "10.0.0.1:1", ServerName: "old.test"})
	s.set("_rpyc._tcp.test. SRV", srv(0, 1, 3, 18861, "a.test."), record{3600, srv(0, 2, 0, 18862, "b.test.").data})
	w = watch(t, &sources.DNS{SRV: "_rpyc._tcp.test.", Server: s.addr, MinTTL: time.Millisecond})
	w.is(protocol.Address{Addr: "a.test:18861", Priority: 1, Weight: 3, ServerName: "a.test"},
		protocol.Address{Addr: "b.test:18862", Priority: 2, ServerName: "b.test"})
	before := s.asked("_rpyc._tcp.test. SRV")
	require.Eventually(t, func() bool { return s.asked("_rpyc._tcp.test. SRV") > before+10 }, time.Minute,
		time.Millisecond, "the least TTL counts")
	require.Equal(t, 1, s.asked("old.test. A"), "its answer is good for an hour")
	old.end()
	s.fail("_rpyc._tcp.test. SRV", 2)
	err := w.fails()
	require.ErrorContains(t, err, "server misbehaving", "the addresses stay what they were")
	require.ErrorContains(t, err, s.addr)
	s.fail("_rpyc._tcp.test. SRV", 3)
	w = watch(t, &sources.DNS{SRV: "_rpyc._tcp.test.", Server: s.addr})
	w.is()
	var missing *net.DNSError
	require.True(t, errors.As(w.fails(), &missing) && missing.IsNotFound)
	require.Error(t, watch(t, &sources.DNS{}).fails())
	require.Error(t, watch(t, &sources.DNS{Host: "no-port"}).fails())
}
