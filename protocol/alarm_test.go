package protocol

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ring is a ringer.
type ring func()

func (f ring) ring() { f() }

// TestAlarm sets alarms of both kinds: they call once, can be set again by the func, and be stopped.
func TestAlarm(t *testing.T) {
	for _, pulsed := range []bool{false, true} {
		begun := time.Now()
		// reading is a time on the clock that the alarms go by. On a busy machine several beats of the pulse come at
		// once.
		reading := func() time.Duration {
			if !pulsed {
				return time.Since(begun)
			}
			thePulse.mu.Lock()
			defer thePulse.mu.Unlock()
			return time.Duration(thePulse.now) * beat
		}
		calls := make(chan time.Duration, 10)
		var a alarm
		again := true
		a.init(pulsed, ring(func() {
			calls <- reading()
			if again {
				again = false
				a.set(2 * beat)
			}
		}))
		start := reading()
		a.set(4 * beat)
		first := <-calls
		require.GreaterOrEqual(t, first-start, 3*beat, "no more than a beat early")
		second := <-calls
		require.GreaterOrEqual(t, second-first, beat)

		var stopped alarm
		stopped.init(pulsed, ring(func() { t.Error("a stopped alarm") }))
		stopped.set(2 * beat)
		a.set(6 * beat) // in place of which it is set anew
		a.set(4 * beat)
		stopped.stop()
		<-calls
		a.stop()
		require.Empty(t, calls)
	}
	require.Eventually(t, func() bool {
		thePulse.mu.Lock()
		defer thePulse.mu.Unlock()
		return !thePulse.beating
	}, 30*time.Second, beat, "nothing is left to beat for")
}

func TestOverDescriptor(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	require.False(t, overDescriptor(a))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	require.True(t, overDescriptor(c))
	require.True(t, overDescriptor(wrapped{c}))
	require.False(t, overDescriptor(wrapped{a}))
}

// wrapped hides all of a connection but NetConn, as a *tls.Conn does.
type wrapped struct{ inner net.Conn }

func (w wrapped) NetConn() net.Conn { return w.inner }
