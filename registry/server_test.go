package registry

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gorpyc/gorpyc/brine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs s on a UDP and a TCP socket of the loopback interface until the test ends, and returns their addresses.
func serve(t testing.TB, s *Server) (udpAddr, tcpAddr string) {
	u, err := ListenUDP(context.Background(), "udp4", "127.0.0.1:0")
	require.NoError(t, err)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() { require.ErrorIs(t, s.ServeUDP(context.Background(), u), ErrServerClosed) })
	wg.Go(func() { require.ErrorIs(t, s.ServeTCP(context.Background(), l), ErrServerClosed) })
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		wg.Wait()
	})
	return u.LocalAddr().String(), l.Addr().String()
}

// registrars runs a test over both transports.
func registrars(t *testing.T, s func() *Server, test func(t *testing.T, r Registrar)) {
	t.Run("udp", func(t *testing.T) {
		addr, _ := serve(t, s())
		test(t, &UDPClient{Addr: addr})
	})
	t.Run("tcp", func(t *testing.T) {
		_, addr := serve(t, s())
		test(t, &TCPClient{Addr: addr})
	})
}

// eventually waits for something that another goroutine is about to do.
func eventually(t *testing.T, ok func() bool, what string) {
	t.Helper()
	require.Eventually(t, ok, 30*time.Second, time.Millisecond, what)
}

func TestRegistrar(t *testing.T) {
	ctx := context.Background()
	registrars(t, func() *Server { return &Server{AllowListing: true} }, func(t *testing.T, r Registrar) {
		require.NoError(t, r.Register(ctx, []string{"Foo", "straße"}, Endpoint{Port: 18861}))
		require.NoError(t, r.Register(ctx, []string{"FOO"}, Endpoint{Host: "127.0.0.2", Port: 18861}))
		require.NoError(t, r.Register(ctx, []string{"unix"}, Endpoint{Path: "/run/rpyc"}))
		eps, err := r.Discover(ctx, "foo")
		require.NoError(t, err)
		require.Equal(t, []Endpoint{{Host: "127.0.0.1", Port: 18861}, {Host: "127.0.0.2", Port: 18861}}, eps)
		eps, err = r.Discover(ctx, "UNIX")
		require.NoError(t, err)
		require.Equal(t, []Endpoint{{Host: "127.0.0.1", Path: "/run/rpyc"}}, eps)
		eps, err = r.Discover(ctx, "nobody")
		require.NoError(t, err)
		require.Empty(t, eps)
		names, err := r.List(ctx, "")
		require.NoError(t, err)
		require.Equal(t, []string{"FOO", "STRASSE", "UNIX"}, names)
		names, err = r.List(ctx, "127.0.0.2")
		require.NoError(t, err)
		require.Equal(t, []string{"FOO"}, names)
		require.NoError(t, r.Unregister(ctx, Endpoint{Port: 18861}))
		eventually(t, func() bool {
			eps, err = r.Discover(ctx, "foo")
			return err == nil && len(eps) == 1
		}, "unregistered")
		require.Equal(t, "127.0.0.2", eps[0].Host)
	})
}

// TestLongListing: over UDP clients read 15,000 bytes of a list of names, over TCP 1,500.
func TestLongListing(t *testing.T) {
	ctx := context.Background()
	want := make([]string, 2000)
	for i := range want {
		want[i] = fmt.Sprintf("SERVICE_NUMBER_%05d", i)
	}
	s := &Server{AllowListing: true}
	require.NoError(t, s.Open())
	addr, tcpAddr := serve(t, s)
	for _, name := range want[:400] {
		require.NoError(t, s.store.Register(ctx, []string{name}, Endpoint{Host: "127.0.0.1", Port: 1}))
	}
	names, err := (&UDPClient{Addr: addr}).List(ctx, "")
	require.NoError(t, err)
	require.Equal(t, want[:400], names)
	names, err = (&TCPClient{Addr: tcpAddr}).List(ctx, "")
	require.NoError(t, err)
	require.Equal(t, want[:(1500-5)/23], names) // a header of 5 bytes, texts of 20 bytes with 3 in front
	for _, name := range want[400:] {
		require.NoError(t, s.store.Register(ctx, []string{name}, Endpoint{Host: "127.0.0.1", Port: 1}))
	}
	names, err = (&UDPClient{Addr: addr}).List(ctx, "")
	require.NoError(t, err)
	require.Equal(t, want[:(15000-5)/23], names)
}

func TestListingDisabled(t *testing.T) {
	registrars(t, func() *Server { return &Server{} }, func(t *testing.T, r Registrar) {
		_, err := r.List(context.Background(), "")
		require.ErrorIs(t, err, ErrListingDisabled)
	})
}

func TestIPv6(t *testing.T) {
	ctx := context.Background()
	c, err := ListenUDP(ctx, "udp", "[::]:0")
	if err != nil {
		t.Skip("no IPv6 here: ", err)
	}
	s := &Server{}
	done := make(chan error, 1)
	go func() { done <- s.ServeUDP(ctx, c) }()
	port := c.LocalAddr().(*net.UDPAddr).Port
	six := &UDPClient{Addr: fmt.Sprintf("[::1]:%d", port)}
	if err := six.Register(ctx, []string{"a"}, Endpoint{Host: "0.0.0.0", Port: 1}); err != nil {
		_ = s.Close()
		<-done
		t.Skip("no IPv6 loopback here: ", err)
	}
	// The same socket hears IPv4, and shows it as such.
	four := &UDPClient{Addr: fmt.Sprintf("127.0.0.1:%d", port)}
	require.NoError(t, four.Register(ctx, []string{"a"}, Endpoint{Port: 2}))
	eps, err := six.Discover(ctx, "a")
	require.NoError(t, err)
	require.Equal(t, []Endpoint{{Host: "::1", Port: 1}, {Host: "127.0.0.1", Port: 2}}, eps)
	require.NoError(t, s.Close())
	require.ErrorIs(t, <-done, ErrServerClosed)
}

// TestLongRequest: a registry reads 1500 bytes, and what is longer is cut short.
func TestLongRequest(t *testing.T) {
	s := &Server{}
	addr, _ := serve(t, s)
	names := make([]string, 200)
	for i := range names {
		names[i] = fmt.Sprintf("ALIAS%04d", i)
	}
	req := registerCall(names, Endpoint{Port: 18861}).encode(false)
	for _, r := range readRecorded(t) {
		if r.RequestHead != "" && !strings.HasPrefix(r.Env, "py2") {
			require.Contains(t, fmt.Sprintf("%x", req), r.RequestHead)
		}
	}
	c := &UDPClient{Addr: addr, Timeout: 50 * time.Millisecond}
	require.ErrorIs(t, c.Register(context.Background(), names, Endpoint{Port: 18861}), ErrNoAnswer)
	c.Timeout = time.Minute
	require.NoError(t, c.Register(context.Background(), names[:100], Endpoint{Port: 18861}))
	require.Positive(t, s.Stats().Rejects["malformed"])
}

// TestSlowTCPClients: clients that send nothing, or a byte at a time, hold nobody up.
func TestSlowTCPClients(t *testing.T) {
	s := &Server{Limits: Limits{Conns: 40}}
	_, addr := serve(t, s)
	var idle []net.Conn
	for range 30 {
		c, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		defer c.Close()
		idle = append(idle, c)
	}
	r := &TCPClient{Addr: addr}
	require.NoError(t, r.Register(context.Background(), []string{"A"}, Endpoint{Port: 7}))
	for _, b := range discoverCall("a", new([]Endpoint)).encode(false) {
		_, err := idle[0].Write([]byte{b})
		require.NoError(t, err)
	}
	data, err := io.ReadAll(idle[0])
	require.NoError(t, err)
	v, err := brine.Unmarshal(data)
	require.NoError(t, err)
	require.Equal(t, brine.Tuple{brine.Tuple{"127.0.0.1", int64(7)}}, v)
	// Beyond the limit the one that has been silent for longest makes room, and whoever asks is answered.
	for range 40 {
		c, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		defer c.Close()
		eps, err := r.Discover(context.Background(), "a")
		require.NoError(t, err)
		require.Len(t, eps, 1)
	}
	require.Positive(t, s.Stats().Rejects["connections"])
	require.NoError(t, idle[1].SetReadDeadline(time.Now().Add(5*time.Second)))
	_, err = idle[1].Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

// TestNoAnswerOverTCP: as with upstream, the connection of a client that sends nonsense stays open without data.
func TestNoAnswerOverTCP(t *testing.T) {
	_, addr := serve(t, &Server{})
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer c.Close()
	req := (&call{command: "FLY", args: func(_ form, b []byte) []byte { return b }}).encode(false)
	_, err = c.Write(req)
	require.NoError(t, err)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err = c.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

// TestTCPInOrder: who unregisters and does not wait for an answer, as RPyC's clients do not, is gone for who connects
// next.
func TestTCPInOrder(t *testing.T) {
	_, addr := serve(t, &Server{})
	client := &TCPClient{Addr: addr}
	ctx := context.Background()
	for i := range 300 {
		ep := Endpoint{Host: "127.0.0.1", Port: 1000 + i}
		require.NoError(t, client.Register(ctx, []string{"ORDER"}, ep))
		c, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		_, err = c.Write(unregisterCall(ep).encode(false))
		require.NoError(t, err)
		require.NoError(t, c.Close())
		found, err := client.Discover(ctx, "ORDER")
		require.NoError(t, err)
		require.Empty(t, found, "round %d", i)
	}
}

func TestHooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			mu  sync.Mutex
			got []string
		)
		note := func(sign string) func(string, Endpoint) {
			return func(name string, ep Endpoint) {
				mu.Lock()
				defer mu.Unlock()
				got = append(got, sign+name+" "+ep.String())
				if sign == "-" {
					panic("a bad hook")
				}
			}
		}
		told := func() []string {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return got
		}
		s := &Server{Timeout: time.Minute, OnServiceAdded: note("+"), OnServiceRemoved: note("-")}
		s.start()
		local := netip.MustParseAddr("10.0.0.1")
		do := func(c *call) { require.NotNil(t, s.handle(udp, nil, local, netip.Addr{}, c.encode(false))) }
		do(registerCall([]string{"a", "b"}, Endpoint{Port: 1}))
		do(registerCall([]string{"A", "b"}, Endpoint{Port: 1})) // a renewal
		do(unregisterCall(Endpoint{Port: 1}))
		do(unregisterCall(Endpoint{Port: 1}))
		do(registerCall([]string{"c"}, Endpoint{Path: "/s"}))
		require.Equal(t, []string{"+A 10.0.0.1:1", "+B 10.0.0.1:1", "-B 10.0.0.1:1", "-A 10.0.0.1:1", "+C 10.0.0.1:/s"},
			told())
		// Nobody asks, and it expires all the same, just after its time.
		time.Sleep(time.Minute)
		require.Len(t, told(), 5)
		time.Sleep(time.Second)
		require.Equal(t, "-C 10.0.0.1:/s", told()[5])
		recent := s.Recent()
		require.Len(t, recent, 6)
		require.Equal(t, Expired, recent[5].Reason)
		require.Zero(t, s.Stats().Store)
		require.NoError(t, s.Close())
	})
}

// TestShutdownTellsHooks: what has happened before the end is told before the end.
func TestShutdownTellsHooks(t *testing.T) {
	added := 0
	s := &Server{OnServiceAdded: func(string, Endpoint) { added++ }}
	addr, _ := serve(t, s)
	c := &UDPClient{Addr: addr}
	for i := range 100 {
		require.NoError(t, c.Register(context.Background(), []string{"a"}, Endpoint{Port: i}))
	}
	require.NoError(t, s.Shutdown(context.Background()))
	require.Equal(t, 100, added)
	require.NoError(t, s.Shutdown(context.Background()))
	require.ErrorIs(t, s.ListenAndServe(context.Background(), "udp", "127.0.0.1:0"), ErrServerClosed)
}

func TestServeEndsWithContext(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		ctx, cancel := context.WithCancel(context.Background())
		s := &Server{}
		done := make(chan error)
		go func() { done <- s.ListenAndServe(ctx, network, "127.0.0.1:0") }()
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		require.NoError(t, s.Close())
	}
	require.Error(t, new(Server).ListenAndServe(context.Background(), "udp", "192.0.2.1:1"))
	require.Error(t, new(Server).ListenAndServe(context.Background(), "tcp", "no such address"))
}

func TestStateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	ctx := context.Background()
	first := &Server{StateFile: path}
	addr, _ := serve(t, first)
	c := &UDPClient{Addr: addr}
	require.NoError(t, c.Register(ctx, []string{"a", "b"}, Endpoint{Port: 1}))
	require.NoError(t, c.Register(ctx, []string{"b"}, Endpoint{Path: "/run/b"}))
	require.NoError(t, first.Close())
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	require.NoError(t, err)
	require.Equal(t, []string{path}, left)

	second := &Server{StateFile: path}
	addr, _ = serve(t, second)
	c = &UDPClient{Addr: addr}
	eps, err := c.Discover(ctx, "b")
	require.NoError(t, err)
	require.Equal(t, []Endpoint{{Host: "127.0.0.1", Port: 1}, {Host: "127.0.0.1", Path: "/run/b"}}, eps)
	require.Equal(t, 3, second.Stats().Store.Registrations)
	require.NoError(t, second.Close())
}

// TestStateAges: what was not renewed while the registry was down is as old as the time says.
func TestStateAges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state.json")
		ctx := context.Background()
		a := NewMemory(time.Minute, Limits{})
		require.NoError(t, a.Register(ctx, []string{"OLD"}, Endpoint{Host: "10.0.0.1", Port: 1}))
		time.Sleep(30 * time.Second)
		require.NoError(t, a.Register(ctx, []string{"NEW"}, Endpoint{Host: "10.0.0.1", Port: 1}))
		require.NoError(t, a.save(path))
		require.NoError(t, a.Close())
		time.Sleep(40 * time.Second)
		b := NewMemory(time.Minute, Limits{})
		n, err := b.load(path)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, []string{"NEW"}, b.Names(nil, 10))
		time.Sleep(21 * time.Second)
		synctest.Wait()
		require.Zero(t, b.Stats())
	})
}

func TestCorruptState(t *testing.T) {
	for name, text := range map[string]string{
		"empty":      "",
		"cut":        `{"version": 1, "registrations": [{"name": "A", "ho`,
		"not json":   "\x00\x01",
		"version":    `{"version": 3}`,
		"checksum":   `{"version": 2, "crc32c": 1, "registrations": []}`,
		"more":       `{"version": 1}{"version": 1}`,
		"types":      `{"version": 1, "registrations": [{"name": 5}]}`,
		"no host":    `{"version": 1, "registrations": [{"name": "A", "port": 1, "seen": "2026-01-01T00:00:00Z"}]}`,
		"port":       `{"version": 1, "registrations": [{"name": "A", "host": "h", "port": 70000, "seen": "2026-01-01T00:00:00Z"}]}`,
		"never seen": `{"version": 1, "registrations": [{"name": "A", "host": "h", "port": 1}]}`,
		"an array":   `[]`,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.json")
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			var log strings.Builder
			s := &Server{StateFile: path, Logger: slog.New(slog.NewTextHandler(&log, nil))}
			s.start()
			require.Zero(t, s.Stats().Store)
			local := netip.MustParseAddr("127.0.0.1")
			require.NotNil(t, s.handle(udp, nil, local, local, registerCall([]string{"x"}, Endpoint{Port: 1}).encode(false)))
			require.NoError(t, s.Shutdown(context.Background()))
			require.Contains(t, log.String(), "state file not usable, beginning empty")
			aside, err := os.ReadFile(path + ".corrupt")
			require.NoError(t, err)
			require.Equal(t, text, string(aside))
			again := NewMemory(0, Limits{})
			n, err := again.load(path)
			require.NoError(t, err)
			require.Equal(t, 1, n)
			require.NoError(t, again.Close())
		})
	}
}

// TestStateNotWritable: a registry that could not save its registrations does not serve.
func TestStateNotWritable(t *testing.T) {
	s := &Server{StateFile: filepath.Join(t.TempDir(), "no", "such", "directory")}
	require.ErrorContains(t, s.Open(), "state file")
	require.ErrorIs(t, s.ListenAndServe(context.Background(), "udp", "127.0.0.1:0"), fs.ErrNotExist)
	require.ErrorIs(t, s.ListenAndServe(context.Background(), "tcp", "127.0.0.1:0"), fs.ErrNotExist)
	require.NoError(t, s.Close())
}

// TestStateLost: a registry whose directory goes while it serves goes on, and says so in the end.
func TestStateLost(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	require.NoError(t, os.Mkdir(dir, 0o700))
	s := &Server{StateFile: filepath.Join(dir, "state.json")}
	require.NoError(t, s.Open())
	require.NoError(t, os.Remove(dir))
	local := netip.MustParseAddr("127.0.0.1")
	require.NotNil(t, s.handle(udp, nil, local, local, registerCall([]string{"x"}, Endpoint{Port: 1}).encode(false)))
	require.ErrorContains(t, s.Close(), "state file")
}

// TestDamagedState: no file that differs in one bit from what was saved is taken for something else.
func TestDamagedState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	saved := NewMemory(0, Limits{})
	require.NoError(t, saved.Register(context.Background(), []string{"FOO"}, Endpoint{Host: "10.0.0.1", Port: 18861}))
	require.NoError(t, saved.save(path))
	want := saved.all()
	require.NoError(t, saved.Close())
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	for bit := range 8 * len(good) {
		bad := slices.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		require.NoError(t, os.WriteFile(path, bad, 0o600))
		m := NewMemory(0, Limits{})
		if n, err := m.load(path); err == nil { // such as a blank that has become another
			require.Equal(t, 1, n, "bit %d", bit)
			require.Equal(t, want[0].Endpoint, m.all()[0].Endpoint, "bit %d", bit)
			require.Equal(t, want[0].Name, m.all()[0].Name, "bit %d", bit)
		}
		require.NoError(t, m.Close())
	}
}

// TestFirstStateFormat: files of version 1, which had no checksum, are read.
func TestFirstStateFormat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	text := fmt.Sprintf(`{"version": 1, "registrations": [{"name": "A", "host": "h", "port": 1, "seen": %q}]}`,
		time.Now().UTC().Format(time.RFC3339Nano))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	m := NewMemory(0, Limits{})
	n, err := m.load(path)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.NoError(t, m.Close())
}
