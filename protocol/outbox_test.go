package protocol

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/wire"
)

// valve is a stream whose peer does not read while it is shut: writes block, or take nothing.
type valve struct {
	mu     sync.Mutex
	change sync.Cond
	shut   bool
	closed bool
	writes []string
}

func newValve() *valve {
	v := &valve{}
	v.change.L = &v.mu
	return v
}

func (v *valve) set(shut, closed bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.shut, v.closed = shut, closed
	v.change.Broadcast()
}

func (v *valve) Close() error { v.set(false, true); return nil }

func (v *valve) Read([]byte) (int, error) { return 0, errors.New("nobody reads in these tests") }

func (v *valve) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for v.shut {
		v.change.Wait()
	}
	return v.take(p)
}

func (v *valve) TryWrite(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.shut {
		return 0, nil
	}
	return v.take(p)
}

func (v *valve) take(p []byte) (int, error) {
	if v.closed {
		return 0, errors.New("closed")
	}
	v.writes = append(v.writes, string(p))
	return len(p), nil
}

func (v *valve) got() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]string{}, v.writes...)
}

// testOutbox runs f with an outbox over a valve, in a bubble in which time stands still while anything runs.
func testOutbox(t *testing.T, limits Limits, f func(t *testing.T, o *outbox, v *valve)) {
	synctest.Test(t, func(t *testing.T) {
		v := newValve()
		c := newConn(context.Background(), v, nil, &Config{Dialect: wire.FamilyD, Limits: limits})
		f(t, &c.out, v)
		c.abort(ErrClosed)
		synctest.Wait()
	})
}

// TestSendModes sends two frames in each mode, to a peer that reads and to one that begins to read later.
func TestSendModes(t *testing.T) {
	for _, c := range []struct {
		name    string
		mode    sendMode
		ends    bool     // the context can end
		first   []string // what has been written when both sends have returned, to a peer that reads
		waits   bool     // the second send does not return before the peer reads
		settled []string // what has been written in the end
	}{
		{"now", sendNow, false, []string{"one", "two"}, true, []string{"one", "two"}},
		{"now, with a context that can end", sendNow, true, []string{"one", "two"}, false, []string{"one", "two"}},
		{"gather", sendGather, false, []string{"one", "two"}, true, []string{"one", "two"}},
		{"held", sendHeld, false, []string{}, false, []string{"onetwo"}},
		{"try", sendTry, false, []string{"one", "two"}, false, []string{"one", "two"}},
		{"soon", sendSoon, false, nil, false, []string{"onetwo"}},
		{"later", sendLater, false, nil, false, []string{"onetwo"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			send := func(o *outbox, frames ...string) error {
				ctx := context.Background()
				if c.ends {
					var cancel context.CancelFunc
					ctx, cancel = context.WithCancel(ctx)
					defer cancel()
				}
				for _, f := range frames {
					if _, err := o.send(ctx, []byte(f), c.mode); err != nil {
						return err
					}
				}
				return nil
			}
			testOutbox(t, Limits{}, func(t *testing.T, o *outbox, v *valve) {
				require.NoError(t, send(o, "one", "two"))
				if c.first != nil {
					require.Equal(t, c.first, v.got())
				}
				o.settle()
				require.Equal(t, strings.Join(c.settled, ""), strings.Join(v.got(), ""))
				if c.mode == sendHeld {
					require.Equal(t, c.settled, v.got())
				}
			})
			testOutbox(t, Limits{}, func(t *testing.T, o *outbox, v *valve) {
				v.set(true, false)
				sent := make(chan error, 1)
				go func() { sent <- send(o, "one") }()
				synctest.Wait()
				require.Equal(t, c.waits, len(sent) == 0, "the sender waits for the peer")
				require.NoError(t, send(o, "two"), "what comes while somebody writes is left to him")
				require.Empty(t, v.got())
				v.set(false, false)
				require.NoError(t, <-sent)
				o.settle()
				require.Equal(t, "onetwo", strings.Join(v.got(), ""))
			})
			testOutbox(t, Limits{}, func(t *testing.T, o *outbox, _ *valve) {
				o.close()
				require.ErrorIs(t, send(o, "one"), errStreamClosed)
			})
		})
	}
}

// TestHeldFrames goes out with the next frame, when flushed, or by itself after a while.
func TestHeldFrames(t *testing.T) {
	hold := func(t *testing.T, o *outbox) {
		copied, err := o.send(context.Background(), []byte("held "), sendHeld)
		require.True(t, copied)
		require.NoError(t, err)
	}
	testOutbox(t, Limits{}, func(t *testing.T, o *outbox, v *valve) {
		hold(t, o)
		hold(t, o)
		require.Empty(t, v.got())
		o.flush()
		require.Equal(t, []string{"held held "}, v.got())
		hold(t, o)
		_, err := o.send(context.Background(), []byte("next"), sendNow)
		require.NoError(t, err)
		require.Equal(t, []string{"held held ", "held next"}, v.got())
		hold(t, o)
		o.settle() // for the timer
		require.Equal(t, []string{"held held ", "held next", "held "}, v.got())
	})
}

// TestGatheringGoesOnWhileFramesCome has a goroutine send one frame each time that the first sender lets it run. The
// scheduler may let the first one go on out of turn, but rarely does.
func TestGatheringGoesOnWhileFramesCome(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	together := 0
	for range 40 {
		testOutbox(t, Limits{}, func(t *testing.T, o *outbox, v *valve) {
			sent := make(chan error)
			send := func(f string) error {
				_, err := o.send(context.Background(), []byte(f), sendGather)
				return err
			}
			go func() {
				err := send("two")
				runtime.Gosched()
				sent <- errors.Join(err, send("three"))
			}()
			require.NoError(t, send("one"))
			require.NoError(t, <-sent)
			o.settle()
			require.Equal(t, "onetwothree", strings.Join(v.got(), ""))
			if len(v.got()) == 1 {
				together++
			}
		})
	}
	require.Greater(t, together, 20)
}

// TestFullOutbox has a peer that does not read: senders wait until their context ends, and those that cannot wait end
// the connection.
func TestFullOutbox(t *testing.T) {
	testOutbox(t, Limits{Unread: 100}, func(t *testing.T, o *outbox, v *valve) {
		v.set(true, false)
		ctx, cancel := context.WithCancel(context.Background())
		_, err := o.send(ctx, make([]byte, highWater+1), sendNow)
		require.NoError(t, err, "the rest is left to a goroutine")
		synctest.Wait()
		_, err = o.send(ctx, make([]byte, highWater+1), sendNow)
		require.NoError(t, err, "it was queued while somebody writes")
		sent := make(chan error, 1)
		go func() {
			_, err := o.send(ctx, []byte("x"), sendNow)
			sent <- err
		}()
		synctest.Wait()
		require.Empty(t, sent)
		require.True(t, o.waitsForPeer())
		cancel()
		require.Equal(t, errNotSent, <-sent)

		for _, n := range []int{100, 1} {
			_, err = o.send(context.Background(), make([]byte, n), sendLater)
			require.NoError(t, err)
		}
		require.NoError(t, o.c.Err(), "100 bytes may wait")
		_, err = o.send(context.Background(), []byte("x"), sendLater)
		require.NoError(t, err)
		var limit *LimitError
		require.ErrorAs(t, o.c.Err(), &limit)
		require.Equal(t, LimitError{What: "bytes of answers the peer does not read", Got: 101, Limit: 100}, *limit)
	})
}
