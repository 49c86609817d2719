package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorpyc/gorpyc/protocol/transport/pause"
	"github.com/stretchr/testify/require"
)

// scripted is a registrar whose registrations fail as the script says, and that notes when it was asked.
type scripted struct {
	Registrar
	script []error
	start  time.Time

	mu  sync.Mutex
	log []string
}

func (s *scripted) note(what string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = len(s.log)
	s.log = append(s.log, what+" "+time.Since(s.start).String())
	return n
}

func (s *scripted) Register(_ context.Context, names []string, ep Endpoint) error {
	if n := s.note("register " + strings.Join(names, ",") + " " + ep.String()); n < len(s.script) {
		return s.script[n]
	}
	return nil
}

func (s *scripted) Unregister(_ context.Context, ep Endpoint) error {
	s.note("unregister " + ep.String())
	return nil
}

// TestAnnounce: each second while it fails, each minute while it works, and a farewell.
func TestAnnounce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &scripted{script: []error{ErrNoAnswer, errors.New("no route"), nil, nil, ErrNoAnswer}, start: time.Now()}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			Announce(ctx, r, []string{"A", "B"}, Endpoint{Host: "h", Port: 1}, nil)
		}()
		time.Sleep(130 * time.Second)
		cancel()
		<-done
		require.Equal(t, []string{
			"register A,B h:1 0s", "register A,B h:1 1s", "register A,B h:1 2s", "register A,B h:1 1m2s",
			"register A,B h:1 2m2s",
			"register A,B h:1 2m3s", "unregister h:1 2m10s",
		}, r.log)
	})
}

// answering is a registrar that knows its answers.
type answering struct {
	Registrar
	eps   []Endpoint
	names []string
	err   error
	wait  time.Duration
}

func (a answering) Discover(ctx context.Context, _ string) ([]Endpoint, error) {
	_ = pause.For(ctx, a.wait)
	return a.eps, a.err
}

func (a answering) List(context.Context, string) ([]string, error) { return a.names, a.err }

func (a answering) Register(context.Context, []string, Endpoint) error { return a.err }

func (a answering) Unregister(context.Context, Endpoint) error { return a.err }

func TestMulti(t *testing.T) {
	ctx := t.Context()
	ep := Endpoint{Host: "h", Port: 1}
	silent := answering{err: ErrNoAnswer}
	slow := answering{eps: []Endpoint{{Host: "slow"}}, wait: time.Hour}
	knows := answering{eps: []Endpoint{ep}, names: []string{"A", "B"}}
	eps, err := Multi{silent, answering{}, slow, knows}.Discover(ctx, "a")
	require.NoError(t, err)
	require.Equal(t, []Endpoint{ep}, eps)
	eps, err = Multi{silent, answering{}}.Discover(ctx, "a")
	require.NoError(t, err)
	require.Empty(t, eps)
	_, err = Multi{silent, silent}.Discover(ctx, "a")
	require.ErrorIs(t, err, ErrNoAnswer)
	names, err := Multi{silent, knows, answering{names: []string{"B", "C"}}}.List(ctx, "")
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"A", "B", "C"}, names)
	_, err = Multi{answering{err: ErrListingDisabled}}.List(ctx, "")
	require.ErrorIs(t, err, ErrListingDisabled)
	require.NoError(t, Multi{silent, knows}.Register(ctx, nil, ep))
	require.ErrorIs(t, Multi{silent}.Register(ctx, nil, ep), ErrNoAnswer)
	require.NoError(t, Multi{silent, knows}.Unregister(ctx, ep))
	require.ErrorIs(t, Multi{}.Register(ctx, nil, ep), ErrNoAnswer)
	_, err = Multi{}.Discover(ctx, "a")
	require.ErrorIs(t, err, ErrNoAnswer)
}

// TestLostDatagram: the first request gets lost, the second is answered.
func TestLostDatagram(t *testing.T) {
	fake, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer fake.Close()
	go func() {
		buf := make([]byte, MaxDatagram)
		_, _, _ = fake.ReadFromUDPAddrPort(buf)
		if _, from, err := fake.ReadFromUDPAddrPort(buf); err == nil {
			_, _ = fake.WriteToUDPAddrPort(textForm.append(nil, "OK"), from)
		}
	}()
	c := &UDPClient{Addr: fake.LocalAddr().String(), Timeout: time.Second}
	require.NoError(t, c.Register(t.Context(), []string{"a"}, Endpoint{Port: 1}))
}

// TestRegisterIgnoresOthers: an OK from another port than the registry's is nobody's.
func TestRegisterIgnoresOthers(t *testing.T) {
	fake, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer fake.Close()
	other, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer other.Close()
	go func() {
		buf := make([]byte, MaxDatagram)
		for {
			_, from, err := fake.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			_, _ = other.WriteToUDPAddrPort(textForm.append(nil, "OK"), from)
		}
	}()
	c := &UDPClient{Addr: fake.LocalAddr().String(), Timeout: 50 * time.Millisecond}
	require.ErrorIs(t, c.Register(t.Context(), []string{"a"}, Endpoint{Port: 1}), ErrNoAnswer)
}

// TestRegistrarErrors: mistakes and dead ends are errors, soon.
func TestRegistrarErrors(t *testing.T) {
	ctx := t.Context()
	dead, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, dead.Close())
	var log bytes.Buffer
	c := &TCPClient{Addr: dead.Addr().String(), Logger: slog.New(slog.NewTextHandler(&log, nil))}
	require.Error(t, c.Register(ctx, []string{"a"}, Endpoint{Port: 1}))
	require.Contains(t, log.String(), "could not connect to registry")
	_, err = c.Discover(ctx, "a")
	require.NotErrorIs(t, err, ErrNoAnswer)
	require.Error(t, err)

	for _, addr := range []string{"no.such.host.invalid", "127.0.0.1:nonsense", "127.0.0.1:99999", "[::1"} {
		_, err := (&UDPClient{Addr: addr, Timeout: time.Second}).Discover(ctx, "a")
		require.Error(t, err, addr)
		_, err = (&TCPClient{Addr: addr, Timeout: time.Second}).Discover(ctx, "a")
		require.Error(t, err, addr)
	}
	_, err = (&UDPClient{Addr: "127.0.0.1", Interface: "no-such-interface"}).Discover(ctx, "a")
	require.ErrorContains(t, err, "no such network interface")

	// A listener that says nothing, and one that hangs up.
	mute, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer mute.Close()
	c = &TCPClient{Addr: mute.Addr().String(), Timeout: 50 * time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(&log, nil))}
	require.ErrorIs(t, c.Register(ctx, []string{"a"}, Endpoint{Port: 1}), ErrNoAnswer)
	require.Contains(t, log.String(), "registry did not acknowledge")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 2 { // the one above waits in the backlog
			if conn, err := mute.Accept(); err == nil {
				_, _ = conn.Write([]byte{0xff})
				_ = conn.Close()
			}
		}
	}()
	c.Timeout = 5 * time.Second
	require.ErrorIs(t, c.Register(ctx, []string{"a"}, Endpoint{Port: 1}), ErrNoAnswer)
	require.Contains(t, log.String(), "received corrupted data from registry")
	<-done

	gone, cancel := context.WithCancel(ctx)
	cancel()
	_, err = (&UDPClient{Addr: "127.0.0.1:9"}).Discover(gone, "a")
	require.ErrorIs(t, err, context.Canceled)
}

func TestWithPort(t *testing.T) {
	for addr, want := range map[string]string{
		"": "255.255.255.255:18811", "h": "h:18811", "h:1": "h:1", "::1": "[::1]:18811", "[::1]": "[::1]:18811",
		"[::1]:1": "[::1]:1", "10.0.0.1": "10.0.0.1:18811",
	} {
		require.Equal(t, want, withPort(addr, "255.255.255.255"))
	}
}

// TestUpper compares with Python's str.upper, for every character that Python knows.
func TestUpper(t *testing.T) {
	require.Equal(t, "STRASSE", Upper("Straße"))
	require.Equal(t, "ABC", Upper("aBc"))
	python := os.Getenv("GORPYC_TEST_PYTHON")
	if python == "" {
		t.Skip("no Python to compare with: GORPYC_TEST_PYTHON is not set")
	}
	out, err := exec.Command(python, "-c", `
import json, unicodedata
chars = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cs", "Cn")]
known = [c for c in chars if c.upper() != c]
print(json.dumps([[c, c.upper()] for c in known]))`).Output()
	require.NoError(t, err)
	var pairs [][2]string
	require.NoError(t, json.Unmarshal(out, &pairs))
	require.Greater(t, len(pairs), 1000)
	for _, p := range pairs {
		require.Equal(t, p[1], Upper(p[0]), "%U", []rune(p[0]))
	}
}
