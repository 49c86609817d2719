package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

func TestKindOf(t *testing.T) {
	for want, err := range map[string]error{
		"closed":     &protocol.ClosedError{Cause: io.EOF},
		"timeout":    os.ErrDeadlineExceeded,
		"network":    &net.OpError{Op: "dial", Err: errors.New("refused")},
		"ValueError": vinegar.ValueError.New("x"),
		"":           errors.New("what is this?"),
	} {
		require.Equal(t, want, kindOf(err), err)
	}
	require.Equal(t, "timeout", kindOf(context.DeadlineExceeded))
}

// TestFates: a proxy changes no byte of what it lets through, and lets through no more than it was told.
func TestFates(t *testing.T) {
	sent := make([]byte, 20_000)
	for i := range sent {
		sent[i] = byte(i * 7)
	}
	for _, what := range fates {
		t.Run(what, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer l.Close()
			pair := func() (near, far *net.TCPConn) {
				c, err := net.Dial("tcp", l.Addr().String())
				require.NoError(t, err)
				s, err := l.Accept()
				require.NoError(t, err)
				t.Cleanup(func() { _, _ = c.Close(), s.Close() })
				return c.(*net.TCPConn), s.(*net.TCPConn)
			}
			client, from := pair()
			to, server := pair()
			f := fate{what, 5000, rand.New(rand.NewPCG(1, 2))}
			go f.pump(to, from)
			go func() {
				_, _ = client.Write(sent)
				_ = client.CloseWrite()
			}()
			got, _ := io.ReadAll(server)
			switch what {
			case "nothing", "delay", "split":
				require.Equal(t, sent, got)
			case "reset":
				require.LessOrEqual(t, len(got), 5000)
				require.Equal(t, sent[:len(got)], got)
			default:
				require.Equal(t, sent[:5000], got)
			}
		})
	}
}

func TestDraw(t *testing.T) {
	w := &watched{name: "RPyC server"}
	for i := range 10 {
		w.samples = append(w.samples, sample{minutes: float64(i), memory: 20, descriptors: float64(i)})
	}
	d := xml.NewDecoder(bytes.NewReader(draw([]*watched{w, {name: "empty"}}, "a note")))
	elements := 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "polyline" {
			elements++
		}
	}
	require.Equal(t, 2, elements, "what is known is drawn, and nothing else")

	var faults tally
	require.NoError(t, conclude([]*watched{w}, &faults, 1, 1, ""))
	w.samples[8].memory, w.samples[9].memory = 200, 200
	require.ErrorContains(t, conclude([]*watched{w}, &faults, 1, 1, ""), "memory, MiB grew from 20.0 to 200.0")
}

func TestQuantile(t *testing.T) {
	require.Zero(t, quantile(nil, 0.5))
	require.Equal(t, 2.0, quantile([]float64{3, 1, 2}, 0.5))
	require.Equal(t, 3.0, quantile([]float64{3, 1, 2}, 0.99))
	require.Len(t, padding("word", 1000), 1000)
	require.Equal(t, 2*time.Second, secondsOf([]string{"--seconds", "2"}))
}
