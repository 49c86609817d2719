package registry

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

// seeds are all recorded requests, and some that were not.
func seeds(t testing.TB) [][]byte {
	var all [][]byte
	for _, r := range readRecorded(t) {
		if r.Request != nil {
			data, err := hex.DecodeString(*r.Request)
			require.NoError(t, err)
			all = append(all, data)
		}
	}
	for _, v := range []any{
		brine.Tuple{"RPYC", "QUERY", brine.FrozenSet{"FOO"}},
		brine.Tuple{"RPYC", "REGISTER", brine.Tuple{brine.FrozenSet{"A"}, int64(1)}},
		brine.Tuple{"RPYC", "LIST", brine.Tuple{brine.Tuple{int64(1)}}},
		brine.Tuple{[]byte("RPYC"), []byte("REGISTER"), brine.Tuple{brine.Tuple{[]byte("\xff")}, int64(1)}},
		brine.Tuple{"RPYC", "UNREGISTER", brine.Tuple{brine.Slice{}}},
		brine.Tuple{"RPYC", "REGISTER", brine.Tuple{brine.Tuple{"A"}, int64(-1)}},
		brine.Tuple{"RPYC", "REGISTER", brine.Tuple{brine.Tuple{"A"}, true}},
		brine.Tuple{"RPYC", "REGISTER", brine.Tuple{brine.Tuple{""}, ""}},
	} {
		data, err := brine.Marshal(v)
		require.NoError(t, err)
		all = append(all, data)
	}
	return all
}

// FuzzHandle: whatever comes, there is no panic, and an answer is one that RPyC's clients can read.
func FuzzHandle(f *testing.F) {
	for _, data := range seeds(f) {
		f.Add(data, true)
		f.Add(data, false)
	}
	f.Fuzz(func(t *testing.T, data []byte, local bool) {
		s := &Server{AllowListing: true}
		s.start()
		defer s.Close()
		client := netip.MustParseAddr("10.0.0.1")
		if local {
			client = netip.MustParseAddr("127.0.0.1")
		}
		at := netip.MustParseAddr("10.0.0.2")
		for range 2 {
			out := s.handle(udp, nil, client, at, data)
			if out == nil {
				continue
			}
			require.LessOrEqual(t, len(out), MaxDatagram)
			_, err := brine.Unmarshal(out)
			require.NoError(t, err)
		}
		// The quick way of reading queries is no other than the thorough one.
		if name, form, ok := parseQuery(data); ok {
			r, err := parseRequest(data)
			require.NoError(t, err)
			require.Equal(t, query, r.command)
			require.Equal(t, form, r.form)
			require.Len(t, r.args, 1)
			switch arg := r.args[0].(type) {
			case string:
				require.Equal(t, arg, string(name))
			case []byte:
				require.Equal(t, arg, name)
			default:
				t.Fatalf("%T", arg)
			}
		}
	})
}

// FuzzAnswer: whatever a registry answers, a registrar survives it.
func FuzzAnswer(f *testing.F) {
	for _, data := range seeds(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := brine.Unmarshal(data)
		if err != nil {
			return
		}
		eps, err := parseEndpoints(v)
		for _, ep := range eps {
			require.NoError(t, err)
			require.True(t, ep.Path != "" || ep.Port >= 0 && ep.Port < 65536)
		}
		_, _ = parseNames(v)
		_ = acceptOK(v)
	})
}

// floodSize is how many datagrams TestFlood sends; GORPYC_FLOOD says otherwise.
func floodSize(t *testing.T) int {
	if text := os.Getenv("GORPYC_FLOOD"); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		return n
	}
	return 100_000
}

// TestFlood sends damaged requests by the hundred thousand (GORPYC_FLOOD: as many as you like): the registry lives,
// answers, and holds no more than before.
func TestFlood(t *testing.T) {
	s := &Server{AllowListing: true}
	s.start()
	addr, _ := serve(t, s)
	c, err := net.Dial("udp4", addr)
	require.NoError(t, err)
	defer c.Close()
	go func() { // what is answered is thrown away
		buf := make([]byte, 1<<16)
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
		}
	}()
	all, r := seeds(t), rand.New(rand.NewPCG(1, 2))
	local := netip.MustParseAddr("127.0.0.1")
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	n := floodSize(t)
	var before uint64
	out := make([]byte, 0, MaxDatagram)
	for i := range n {
		if i == n/10 {
			before = heap()
		}
		data := damage(r, all)
		if i%10 == 0 {
			_, _ = c.Write(data) // some by the socket, which is slower
			continue
		}
		s.handle(udp, out[:0], local, local, data)
	}
	after := heap()
	t.Logf("heap %d KiB after a tenth, %d KiB after %d datagrams; %+v", before>>10, after>>10, n, s.Stats())
	require.Less(t, int64(after)-int64(before), int64(4<<20))
	require.Positive(t, s.Stats().Rejects["malformed"])
	u := &UDPClient{Addr: addr}
	require.NoError(t, u.Register(context.Background(), []string{"ALIVE"}, Endpoint{Port: 1}))
}

// damage makes a request that is wrong somewhere, most of the time.
func damage(r *rand.Rand, all [][]byte) []byte {
	data := append([]byte(nil), all[r.IntN(len(all))]...)
	for range 1 + r.IntN(4) {
		if len(data) == 0 {
			return data
		}
		switch i := r.IntN(len(data)); r.IntN(4) {
		case 0:
			data[i] = byte(r.Uint32())
		case 1:
			data = data[:i]
		case 2:
			data = append(data[:i], data[i+1:]...)
		default:
			other := all[r.IntN(len(all))]
			data = append(data[:i:i], other[r.IntN(len(other)+1):]...)
		}
	}
	return data
}

func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{Limits: Limits{Rate: 10}}
		s.start()
		defer s.Close()
		req := discoverCall("a", nil).encode(false)
		ask := func(from string) bool {
			return s.handle(udp, nil, netip.MustParseAddr(from), netip.Addr{}, req) != nil
		}
		answered := func(from string, n int) (count int) {
			for range n {
				if ask(from) {
					count++
				}
			}
			return count
		}
		require.Equal(t, 20, answered("10.0.0.1", 100))
		require.Equal(t, 20, answered("10.0.0.2", 100), "another source has its own")
		require.Equal(t, 100, answered("127.0.0.1", 100), "the own host is not limited")
		require.Equal(t, 20, answered("2001:db8::1", 100))
		require.Zero(t, answered("2001:db8::2", 100), "an IPv6 host has 2^64 addresses")
		require.Equal(t, uint64(80+80+80+100), s.Stats().Rejects["rate"])
		time.Sleep(time.Second)
		require.Equal(t, 10, answered("10.0.0.1", 100))
	})
}

func TestTableLimits(t *testing.T) {
	ctx := context.Background()
	m := NewMemory(0, Limits{Registrations: 10, PerHost: 6, Names: 4, NameLength: 5})
	defer m.Close()
	limit := func(what string, names []string, ep Endpoint) {
		t.Helper()
		var err *LimitError
		require.ErrorAs(t, m.Register(ctx, names, ep), &err)
		require.Equal(t, what, err.What)
	}
	a := Endpoint{Host: "a", Port: 1}
	limit("names of a request", []string{"1", "2", "3", "4", "5"}, a)
	limit("length of a name", []string{"123456"}, a)
	limit("length of a path", []string{"1"}, Endpoint{Host: "a", Path: "/12345"})
	require.Zero(t, m.Stats())
	require.NoError(t, m.Register(ctx, []string{"1", "2", "3", "4"}, a))
	limit("registrations of a host", []string{"1", "2", "3"}, Endpoint{Host: "a", Port: 2})
	require.Equal(t, 4, m.Stats().Registrations, "all or none")
	require.NoError(t, m.Register(ctx, []string{"1", "2"}, Endpoint{Host: "a", Port: 2}))
	require.NoError(t, m.Register(ctx, []string{"1", "2", "3", "4"}, Endpoint{Host: "b", Port: 2}))
	limit("registrations", []string{"1"}, Endpoint{Host: "c", Port: 2})
	require.NoError(t, m.Register(ctx, []string{"1", "2", "3", "4"}, a), "a renewal needs no room")
	require.NoError(t, m.Unregister(ctx, a))
	require.NoError(t, m.Register(ctx, []string{"1"}, Endpoint{Host: "c", Port: 2}))

	// A request beyond a limit is not answered; the own host may register as much as there is room for.
	s := &Server{Limits: Limits{PerHost: 1}}
	s.start()
	defer s.Close()
	other, local := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("127.0.0.1")
	require.NotNil(t, s.handle(udp, nil, other, local, registerCall([]string{"A"}, a).encode(false)))
	require.Nil(t, s.handle(udp, nil, other, local, registerCall([]string{"B"}, a).encode(false)))
	require.NotNil(t, s.handle(udp, nil, local, local, registerCall([]string{"A", "B"}, a).encode(false)))
	require.Equal(t, uint64(1), s.Stats().Rejects["limit"])
}

// TestTenThousandEndpoints: each of 10,000 endpoints offers the same 100 services.
func TestTenThousandEndpoints(t *testing.T) {
	const endpoints = 10_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s := &Server{AllowListing: true}
	s.start()
	defer s.Close()
	names := make([]string, 100)
	for i := range names {
		names[i] = fmt.Sprintf("service%d", i)
	}
	host := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }
	begin := time.Now()
	for i := range endpoints {
		require.NotNil(t, s.handle(udp, nil, host(i), netip.Addr{},
			registerCall(names, Endpoint{Port: 1000 + i%7}).encode(false)))
	}
	took := time.Since(begin)
	st := s.Stats().Store
	require.Equal(t, 100, st.Services)
	require.Equal(t, endpoints, st.Endpoints)
	require.Equal(t, 100*endpoints, st.Registrations)
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("%d registrations in %v, %d MiB", st.Registrations, took, (after.HeapAlloc-before.HeapAlloc)>>20)
	require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(400<<20))
	for _, name := range names {
		v, err := brine.Unmarshal(s.handle(udp, nil, host(1), netip.Addr{}, discoverCall(name, nil).encode(false)))
		require.NoError(t, err)
		require.Greater(t, len(v.(brine.Tuple)), 60)
		require.Equal(t, brine.Tuple{"10.0.0.0", int64(1000)}, v.(brine.Tuple)[0])
	}
	v, err := brine.Unmarshal(s.handle(udp, nil, host(1), netip.Addr{}, listCall("10.0.0.77", nil).encode(false)))
	require.NoError(t, err)
	require.Len(t, v, 100)
	for i := range endpoints {
		require.NotNil(t, s.handle(udp, nil, host(i), netip.Addr{}, unregisterCall(Endpoint{Port: 1000 + i%7}).encode(false)))
	}
	require.Zero(t, s.Stats().Store)
}

// heapInUse is the memory of what is reachable. What earlier tests have left takes more than one collection to go.
func heapInUse() int64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestMemoryOfRegistrations: what Limits.Registrations says of memory.
func TestMemoryOfRegistrations(t *testing.T) {
	const n = 1 << 15
	host := func(i int) string { return fmt.Sprintf("10.0.%d.%d", i>>8, i&255) }
	for name, c := range map[string]struct {
		name  func(i int) string
		ep    func(i int) Endpoint
		asked bool
		most  int64
	}{
		"many names": {
			func(i int) string { return fmt.Sprintf("NAME%05d", i) },
			func(int) Endpoint { return Endpoint{Host: "10.0.0.1", Port: 1} }, false, 350,
		},
		"names and hosts": {
			func(i int) string { return fmt.Sprintf("NAME%05d", i) },
			func(i int) Endpoint { return Endpoint{Host: host(i), Port: 1} }, false, 900,
		},
		"as long as they may be": {
			func(i int) string { return fmt.Sprintf("%0255d", i) },
			func(i int) Endpoint { return Endpoint{Host: host(i), Path: fmt.Sprintf("/%0254d", i)} }, true, 2300,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Server{Limits: Limits{PerHost: -1}}
			s.start()
			defer s.Close()
			before := heapInUse()
			local := netip.MustParseAddr("127.0.0.1")
			for i := range n {
				require.NoError(t, s.store.Register(t.Context(), []string{c.name(i)}, c.ep(i)))
				if c.asked {
					require.NotNil(t, s.handle(udp, nil, local, local, discoverCall(c.name(i), nil).encode(false)))
				}
			}
			require.Less(t, (heapInUse()-before)/n, c.most)
			require.Equal(t, n, s.store.Stats().Registrations)
		})
	}
}

// FuzzState: whatever a state file has in it, it is read as a whole or not at all, within the limits; what is written
// of it is read again as the same.
func FuzzState(f *testing.F) {
	m := NewMemory(time.Hour, Limits{})
	require.NoError(f, m.Register(context.Background(), []string{"A", "É"}, Endpoint{Host: "10.0.0.1", Port: 7}))
	require.NoError(f, m.Register(context.Background(), []string{"A"}, Endpoint{Host: "10.0.0.2", Path: "/run/a"}))
	path := filepath.Join(f.TempDir(), "state")
	require.NoError(f, m.save(path))
	require.NoError(f, m.Close())
	good, err := os.ReadFile(path)
	require.NoError(f, err)
	f.Add(good)
	for _, text := range []string{
		"", "{}", "null", `{"version":1,"registrations":[]}`, `{"version":2,"crc32c":0,"registrations":[]}`,
		`{"version":1,"registrations":[{"name":"A","host":"h","port":1,"seen":"2200-01-01T00:00:00Z"}]}`,
		`{"version":1,"registrations":[{"name":"A","host":"h","port":-1,"seen":"2200-01-01T00:00:00Z"}]}`,
		`{"version":1,"registrations":[{"name":"A","host":"h","path":"/x","since":"9999-12-31T23:59:59Z",` +
			`"seen":"9999-12-31T23:59:59Z"}]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "state")
		require.NoError(t, os.WriteFile(path, data, 0o600))
		limits := Limits{Registrations: 10, PerHost: 5, NameLength: 20}
		first, second := NewMemory(time.Hour, limits), NewMemory(time.Hour, limits)
		defer first.Close()
		defer second.Close()
		n, err := first.load(path)
		got := first.Stats().Registrations
		require.LessOrEqual(t, got, 10)
		if err != nil {
			require.Zero(t, n)
			require.Zero(t, got)
			return
		}
		require.NoError(t, first.save(path))
		m, err := second.load(path)
		require.NoError(t, err)
		require.Equal(t, got, m)
		var ours, again []string
		for r := range first.Registrations {
			ours = append(ours, r.Name+" "+r.Endpoint.String())
		}
		for r := range second.Registrations {
			again = append(again, r.Name+" "+r.Endpoint.String())
		}
		slices.Sort(ours)
		slices.Sort(again)
		require.Equal(t, ours, again)
	})
}

// FuzzSigned: nothing but a request that was signed with the secret changes what is registered.
func FuzzSigned(f *testing.F) {
	secret, at := []byte("s"), netip.MustParseAddr("127.0.0.1")
	signed, _ := registerCall([]string{"A"}, Endpoint{Port: 1}).request(false, secret)
	wrong, _ := registerCall([]string{"A"}, Endpoint{Port: 1}).request(false, []byte("t"))
	f.Add(wrong)
	f.Add(signed[:len(signed)-1])
	for _, data := range seeds(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &Server{Secret: secret, AllowListing: true}
		s.start()
		defer s.Close()
		s.handle(udp, nil, at, at, data)
		require.Zero(t, s.store.Stats().Registrations, "somebody has guessed")
	})
}
