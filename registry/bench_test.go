package registry

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The benchmarks here measure a server beside the least that any server could do, in turns, and report the ratio of the
// medians:
//
//	go test -run '^$' -bench Ratio ./registry

const (
	roundTime = 150 * time.Millisecond
	rounds    = 9
	askers    = 4
)

// echoUDP answers every datagram with itself.
func echoUDP(b *testing.B) string {
	c, err := ListenUDP(context.Background(), "udp4", "127.0.0.1:0")
	require.NoError(b, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, MaxDatagram)
		for {
			n, from, err := c.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			_, _ = c.WriteToUDPAddrPort(buf[:n], from)
		}
	})
	b.Cleanup(func() { _ = c.Close(); wg.Wait() })
	return c.LocalAddr().String()
}

// echoTCP reads once, answers the same, and hangs up.
func echoTCP(b *testing.B) string {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(b, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				buf := make([]byte, MaxDatagram)
				if n, err := c.Read(buf); err == nil {
					_, _ = c.Write(buf[:n])
				}
			})
		}
	})
	b.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return l.Addr().String()
}

// rate is the number of exchanges per second that a few clients reach.
func rate(b *testing.B, exchange func() (do func() error, end func())) float64 {
	var wg sync.WaitGroup
	counts := make([]int, askers)
	begin := time.Now()
	for i := range counts {
		do, end := exchange()
		wg.Go(func() {
			defer end()
			for time.Since(begin) < roundTime {
				if err := do(); err != nil {
					b.Error(err)
					return
				}
				counts[i]++
			}
		})
	}
	wg.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / time.Since(begin).Seconds()
}

func udpExchange(b *testing.B, addr string, req []byte) func() (func() error, func()) {
	return func() (func() error, func()) {
		c, err := net.Dial("udp4", addr)
		require.NoError(b, err)
		buf := make([]byte, MaxDatagram)
		return func() error {
			_ = c.SetDeadline(time.Now().Add(5 * time.Second))
			if _, err := c.Write(req); err != nil {
				return err
			}
			_, err := c.Read(buf)
			return err
		}, func() { _ = c.Close() }
	}
}

func tcpExchange(addr string, req []byte) func() (func() error, func()) {
	return func() (func() error, func()) {
		return func() error {
			c, err := net.Dial("tcp4", addr)
			if err != nil {
				return err
			}
			defer c.Close()
			if _, err := c.Write(req); err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, c)
			return err
		}, func() {}
	}
}

// compare measures two things in turns and reports both medians and their ratio.
func compare(b *testing.B, raw, ours func() (func() error, func())) {
	for range b.N {
		var raws, our []float64
		for range rounds {
			raws = append(raws, rate(b, raw))
			our = append(our, rate(b, ours))
		}
		slices.Sort(raws)
		slices.Sort(our)
		b.ReportMetric(raws[rounds/2], "raw/s")
		b.ReportMetric(our[rounds/2], "queries/s")
		b.ReportMetric(our[rounds/2]/raws[rounds/2], "ratio")
		b.ReportMetric(0, "ns/op")
	}
}

func fill(b testing.TB, s *Server, n int) {
	s.start()
	for i := range n {
		require.NoError(b, s.store.Register(context.Background(), []string{"FOO"}, Endpoint{Host: "10.0.0.1", Port: i + 1}))
	}
}

func BenchmarkRatioUDP(b *testing.B) {
	for _, n := range []int{1, 10, 50, 1000} {
		b.Run(fmt.Sprintf("servers=%d", n), func(b *testing.B) {
			s := &Server{}
			addr, _ := serve(b, s)
			fill(b, s, n)
			req := discoverCall("FOO", nil).encode(false)
			compare(b, udpExchange(b, echoUDP(b), req), udpExchange(b, addr, req))
		})
	}
}

func BenchmarkRatioTCP(b *testing.B) {
	s := &Server{}
	_, addr := serve(b, s)
	fill(b, s, 10)
	req := discoverCall("FOO", nil).encode(false)
	compare(b, tcpExchange(echoTCP(b), req), tcpExchange(addr, req))
}

// BenchmarkQuery is a query without a network.
func BenchmarkQuery(b *testing.B) {
	s := &Server{}
	fill(b, s, 50)
	defer s.Close()
	req := discoverCall("FOO", nil).encode(false)
	out := make([]byte, 0, MaxDatagram)
	client := addrOf(&net.TCPAddr{IP: net.IPv4(10, 0, 0, 2)})
	s.limiter.rate = 1e12
	b.ReportAllocs()
	for b.Loop() {
		if s.handle(udp, out[:0], client, client, req) == nil {
			b.Fatal("no answer")
		}
	}
}

// BenchmarkRenew is a renewal of 100 names among 10,000 endpoints that offer them all.
func BenchmarkRenew(b *testing.B) {
	m := NewMemory(0, Limits{PerHost: -1})
	defer m.Close()
	names := make([]string, 100)
	for i := range names {
		names[i] = fmt.Sprintf("NAME%d", i)
	}
	for i := range 10_000 {
		require.NoError(b, m.Register(context.Background(), names,
			Endpoint{Host: fmt.Sprintf("10.0.%d.%d", i>>8, i&255), Port: 1}))
	}
	i := 0
	for b.Loop() {
		i++
		_ = m.Register(context.Background(), names, Endpoint{Host: fmt.Sprintf("10.0.%d.%d", i%10_000>>8, i%10_000&255),
			Port: 1})
	}
}

// BenchmarkRatioUDPPython measures RPyC's own registry in the same way, where GORPYC_TEST_PYTHON names a Python that
// has it.
func BenchmarkRatioUDPPython(b *testing.B) {
	python := os.Getenv("GORPYC_TEST_PYTHON")
	if python == "" {
		b.Skip("GORPYC_TEST_PYTHON is not set")
	}
	for _, n := range []int{1, 50} {
		b.Run(fmt.Sprintf("servers=%d", n), func(b *testing.B) {
			cmd := exec.Command(python, "../compat_tests/reference/ref_registry.py")
			in, err := cmd.StdinPipe()
			require.NoError(b, err)
			out, err := cmd.StdoutPipe()
			require.NoError(b, err)
			require.NoError(b, cmd.Start())
			defer func() {
				_ = in.Close()
				_ = cmd.Wait()
			}()
			var host, port string
			_, err = fmt.Fscanf(out, "READY %s %s\n", &host, &port)
			require.NoError(b, err)
			addr := net.JoinHostPort(host, port)
			for i := range n {
				require.NoError(b, (&UDPClient{Addr: addr}).Register(b.Context(), []string{"FOO"}, Endpoint{Port: i + 1}))
			}
			req := discoverCall("FOO", nil).encode(false)
			compare(b, udpExchange(b, echoUDP(b), req), udpExchange(b, addr, req))
		})
	}
}
