package protocol_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// TestDialStrangers dials ports where something else answers, and some where nothing does.
func TestDialStrangers(t *testing.T) {
	says := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			_, _ = c.Write([]byte(text))
			_, _ = io.Copy(io.Discard, c)
		}
	}
	for _, c := range []struct {
		name  string
		serve func(net.Conn)
		want  string
	}{
		{"http", says("HTTP/1.1 400 Bad Request\r\n\r\n"), "an HTTP server"},
		{"ssh", says("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), "an SSH server"},
		{"smtp", says("220 mail.example.org ESMTP\r\n"), `"220 ma"`},
		{"tls", says("\x15\x03\x01\x00\x02\x02\x46"), "the other end expects TLS"},
		{"mysql", says("J\x00\x00\x00\n8.0.33\x00"), `"J\x00\x00\x00\n8"`},
		{"noise", says("\x91\x03\x00\xff\x00\x01\x02"), `"\x91\x03\x00\xff\x00\x01"`},
		{"hangs up", func(net.Conn) {}, "hung up without an answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer l.Close()
			go func() {
				for {
					s, err := l.Accept()
					if err != nil {
						return
					}
					go func() {
						defer s.Close()
						_, _ = io.ReadFull(s, make([]byte, 14)) // the question for the root
						c.serve(s)
					}()
				}
			}()
			_, err = protocol.Dial(t.Context(), "tcp", l.Addr().String(), nil)
			require.ErrorContains(t, err, c.want)
			if c.name == "hangs up" {
				return
			}
			var stranger *protocol.NotRPyCError
			require.ErrorAs(t, err, &stranger)
			// A client that stays connected does not wait for such a server either.
			client, err := protocol.NewClient(protocol.ClientConfig{Addrs: []string{l.Addr().String()}})
			require.NoError(t, err)
			defer client.Close()
			err = client.Do(t.Context(), func(context.Context, *protocol.Conn) error { return nil })
			require.ErrorAs(t, err, &stranger)
			require.ErrorContains(t, err, c.want)
			require.NotErrorIs(t, err, context.DeadlineExceeded)
		})
	}
}

// TestDialForks dials peers whose answer is a frame but no message of RPyC: that is said, and not tried again.
func TestDialForks(t *testing.T) {
	for name, answer := range map[string]string{"kind": "\x09\x11\x50\x11", "message": "\x13\x52\x50\x11\x50"} {
		t.Run(name, func(t *testing.T) {
			opened := 0
			_, err := protocol.Negotiate(t.Context(), func(context.Context) (io.ReadWriteCloser, error) {
				near, far := transport.Pipe()
				opened++
				go func() {
					_, _ = readPayload(far)
					_, _ = far.Write(frameOf([]byte(answer)))
				}()
				return near, nil
			}, nil, nil)
			var unknown *wire.UnknownDialectError
			require.ErrorAs(t, err, &unknown)
			require.ErrorContains(t, err, "may be a fork")
			require.NotContains(t, err.Error(), "hung up")
			require.Equal(t, 1, opened)
		})
	}
}

// TestDialSilence meets a peer that does not answer: the context, or else the default timeout, ends the waiting.
func TestDialSilence(t *testing.T) {
	open := func(context.Context) (io.ReadWriteCloser, error) {
		near, far := transport.Pipe()
		go func() { _, _ = io.Copy(io.Discard, far) }()
		return near, nil
	}
	_, err := protocol.Negotiate(t.Context(), open, nil, &protocol.Config{Timeout: 20 * time.Millisecond})
	var timeout *protocol.TimeoutError
	require.ErrorAs(t, err, &timeout)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = protocol.Negotiate(ctx, open, nil, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// welcomer counts its connections.
type welcomer struct{ on, off atomic.Int32 }

func (w *welcomer) OnConnect(*protocol.Conn) error { w.on.Add(1); return nil }
func (w *welcomer) OnDisconnect(*protocol.Conn)    { w.off.Add(1) }

// TestOnConnectOnce dials a peer of the older family: the first attempt, which fails, is nobody's business.
func TestOnConnectOnce(t *testing.T) {
	w := &welcomer{}
	opened := 0
	c, err := protocol.Negotiate(t.Context(), func(context.Context) (io.ReadWriteCloser, error) {
		near, far := transport.Pipe()
		opened++
		first := opened == 1
		go func() {
			p := newPeer(t, far, wire.FamilyC)
			if first {
				_, _ = readPayload(far)
				_ = far.Close()
				return
			}
			p.reply(p.next().seq, mine(id("m.Service", 1, 2)))
		}()
		return near, nil
	}, w, nil)
	require.NoError(t, err)
	require.Equal(t, 2, opened)
	require.Equal(t, int32(1), w.on.Load())
	require.NoError(t, c.CloseNow())
	<-c.Done()
	require.Equal(t, int32(1), w.off.Load())
}

// TestStrangersAtTheDoor connects to a service in ways that are not RPyC's.
func TestStrangersAtTheDoor(t *testing.T) {
	for text, want := range map[string]string{
		"GET / HTTP/1.1\r\n\r\n":       `"GET / "`,
		"\x16\x03\x01\x02\x00\x01\x00": "TLS",
	} {
		near, far := transport.Pipe()
		c, err := protocol.NewConn(t.Context(), near, nil, nil)
		require.NoError(t, err)
		_, err = far.Write([]byte(text))
		require.NoError(t, err)
		<-c.Done() // although the peer waits for more
		require.ErrorContains(t, c.Err(), want)
	}
}

// TestTimeoutsOfSilentPeers has peers that say nothing, or stop in the midst of a message, or trickle, or do not read.
func TestTimeoutsOfSilentPeers(t *testing.T) {
	const limit = 60 * time.Millisecond
	var idle *protocol.IdleError
	var stall *protocol.StallError
	t.Run("idle", func(t *testing.T) {
		near, far := transport.Pipe()
		c, err := protocol.NewConn(t.Context(), near, nil, &protocol.Config{IdleTimeout: limit})
		require.NoError(t, err)
		p := newPeer(t, far, wire.FamilyD)
		p.request(int64(0), wire.HandlePing, val("x"))
		_ = p.next()
		start := time.Now()
		<-c.Done()
		require.ErrorAs(t, c.Err(), &idle)
		require.GreaterOrEqual(t, time.Since(start), limit/2)
	})
	for name, write := range map[string]func(w io.Writer){
		"mid-frame": func(w io.Writer) { _, _ = w.Write([]byte{0, 0, 1, 0, 0, 1}) },
		"slowloris": func(w io.Writer) {
			for {
				if _, err := w.Write([]byte{0}); err != nil {
					return
				}
				time.Sleep(time.Millisecond)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			near, far := transport.Pipe()
			c, err := protocol.NewConn(t.Context(), near, nil, &protocol.Config{StallTimeout: limit})
			require.NoError(t, err)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				if name == "slowloris" {
					_, _ = far.Write([]byte{0, 0, 255, 255, 0})
				}
				write(far)
			}()
			<-c.Done()
			<-ended
			require.ErrorAs(t, c.Err(), &stall)
			require.False(t, stall.Writing)
		})
	}
	t.Run("not reading", func(t *testing.T) {
		near, far := tcp(t)
		defer far.Close()
		c, err := protocol.NewConn(t.Context(), near, nil, &protocol.Config{StallTimeout: 3 * time.Second,
			Dialect: wire.FamilyD})
		require.NoError(t, err)
		p := newPeer(t, far, wire.FamilyD)
		p.request(int64(0), wire.HandleGetRoot)
		_ = p.next()
		p.request(int64(1), wire.HandlePing, val(string(make([]byte, 64<<20))))
		<-c.Done()
		require.ErrorAs(t, c.Err(), &stall)
		require.True(t, stall.Writing)
	})
	t.Run("busy is not idle", func(t *testing.T) {
		svc := &patient{came: make(chan struct{}), leave: make(chan struct{})}
		a, b, err := protocol.Pair(t.Context(), nil, svc, &protocol.Config{IdleTimeout: limit})
		require.NoError(t, err)
		r, err := a.Root().CallMethodAsync(t.Context(), "stay")
		require.NoError(t, err)
		<-svc.came
		idleOne, other, err := protocol.Pair(t.Context(), nil, nil, &protocol.Config{IdleTimeout: 3 * limit})
		require.NoError(t, err)
		<-idleOne.Done() // three times as long as the busy one may be idle
		<-other.Done()
		close(svc.leave)
		_, err = r.Wait(t.Context())
		require.NoError(t, err)
		<-a.Done()
		<-b.Done()
		// the other sees it gone
		require.True(t, errors.As(a.Err(), &idle) || errors.As(b.Err(), &idle), "%v, %v", a.Err(), b.Err())
	})
}

type patient struct{ came, leave chan struct{} }

// Stay returns when it is let go.
func (p *patient) Stay() {
	close(p.came)
	<-p.leave
}
