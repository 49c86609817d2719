package classic_test

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic"
)

// hung is a machine that says something and then neither goes on nor ends a session that is closed.
type hung struct {
	system, answer string
	takes          bool // what is written to it
	released       chan struct{}
}

type hungSession struct {
	*hung
	io.Reader
}

func (h *hung) Exec(command string, _ io.Writer) (io.ReadWriteCloser, error) {
	text := h.answer
	if strings.Contains(command, "uname") {
		text = h.system
	}
	return hungSession{h, strings.NewReader(text)}, nil
}

func (h *hung) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, net.ErrClosed
}

func (s hungSession) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if n == 0 {
		<-s.released
	}
	return n, err
}

func (s hungSession) Write(p []byte) (int, error) {
	if !s.takes {
		<-s.released
	}
	return len(p), nil
}

func (hungSession) Close() error { return nil }

// TestDeployOnAMachineThatHangs: Deploy waits until its context ends and Close for half a minute, whatever the machine
// does, and an endless line does not fill the memory.
func TestDeployOnAMachineThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		released := make(chan struct{})
		defer close(released)
		deploy := func(h hung) (*classic.Deployment, error) {
			h.released = released
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			return classic.Deploy(ctx, &h, &classic.DeployConfig{
				Program: func(context.Context, string, string) (io.ReadCloser, error) {
					return io.NopCloser(strings.NewReader("#!program")), nil
				}})
		}
		const linux, ready = "Linux x86_64\n", "READY /socket\n"
		for _, h := range []hung{{}, {system: linux}, {system: linux, takes: true}, {system: linux, answer: ready}} {
			began := time.Now()
			_, err := deploy(h)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, time.Minute, time.Since(began))
		}
		_, err := deploy(hung{system: linux, answer: strings.Repeat("x", 1<<20)})
		require.ErrorContains(t, err, "xxx")
		require.Less(t, len(err.Error()), 10_000)

		d, err := deploy(hung{system: linux, answer: ready, takes: true})
		require.NoError(t, err)
		began := time.Now()
		require.ErrorIs(t, d.Close(), context.DeadlineExceeded)
		require.Equal(t, 30*time.Second, time.Since(began))
	})
}
