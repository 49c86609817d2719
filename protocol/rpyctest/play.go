package rpyctest

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/gorpyc/gorpyc/protocol/talk"
)

// Recorded is a server that says what a real one has said when gorpyc tap wrote its file: `gorpyc tap ADDRESS
// --listen … --write FILE`.
type Recorded struct {
	t        testing.TB
	listener net.Listener
	playing  sync.WaitGroup
	cancel   context.CancelFunc
}

// playPatience is how long a client may take for what comes next.
const playPatience = 30 * time.Second

// Play starts a server on the loopback interface that plays the recorded connections of a file, one for each client
// that connects, in their order. A client that says something else than was recorded fails the test, and so does one
// that says less. What a client chooses anew, such as ids, is translated. It ends with the test.
func Play(t testing.TB, path string) *Recorded {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatalf("rpyctest: %v", err)
	}
	records, err := talk.ReadRecords(f)
	_ = f.Close()
	if err != nil {
		t.Fatalf("rpyctest: %s: %v", path, err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("rpyctest: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &Recorded{t: t, listener: l, cancel: cancel}
	r.playing.Go(func() { r.serve(ctx, talk.ByConnection(records)) })
	t.Cleanup(r.finish)
	return r
}

// Addr is where the server listens, HOST:PORT.
func (r *Recorded) Addr() string { return r.listener.Addr().String() }

func (r *Recorded) serve(ctx context.Context, conns [][]talk.Record) {
	for n, records := range conns {
		stream, err := r.listener.Accept()
		if err != nil {
			r.t.Errorf("rpyctest: of %d recorded connections, %d were made", len(conns), n)
			return
		}
		r.playing.Go(func() {
			defer stream.Close()
			p := &talk.Player{Stream: stream, Own: talk.FromServer, Timeout: playPatience, Strict: true}
			if err := p.Play(ctx, records); err != nil {
				r.t.Error(fmt.Errorf("rpyctest: connection %d: %w", n+1, err))
			}
		})
	}
}

// finish waits for the clients, which have to hang up: they do when their connections are closed.
func (r *Recorded) finish() {
	_ = r.listener.Close()
	played := make(chan struct{})
	go func() {
		r.playing.Wait()
		close(played)
	}()
	select {
	case <-played:
	case <-time.After(2 * playPatience):
		r.cancel()
		<-played
	}
	r.cancel()
}
