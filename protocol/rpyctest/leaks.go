package rpyctest

import (
	"runtime"
	"testing"
	"time"

	"github.com/gorpyc/gorpyc/protocol"
)

// patience is how long references may take to be given back: the peer's collector decides, and our own.
const patience = 10 * time.Second

// NoLeaks fails the test unless, within ten seconds, the connections hold no more references than they do when it is
// called, once what it returns is called: objects of theirs that the peer holds, and objects of the peer's. Root
// objects count once they have been used, so one that the test uses has to be used before.
//
//	defer rpyctest.NoLeaks(t, conn)()
func NoLeaks(t testing.TB, conns ...*protocol.Conn) func() {
	t.Helper()
	type held struct{ exported, imported int }
	before := make([]held, len(conns))
	for i, c := range conns {
		before[i] = held{c.Exported(), c.Imported()}
	}
	return func() {
		t.Helper()
		deadline := time.Now().Add(patience)
		for i, c := range conns {
			for {
				exported, imported := c.Exported(), c.Imported()
				if exported <= before[i].exported && imported <= before[i].imported {
					break
				}
				select {
				case <-c.Done(): // nothing is held any longer
				case <-time.After(10 * time.Millisecond):
					runtime.GC()
					if time.Now().Before(deadline) {
						continue
					}
					t.Errorf("rpyctest: %s holds %d objects of its peer's, %d before; its peer holds %d of its, %d before",
						c.Name(), imported, before[i].imported, exported, before[i].exported)
				}
				break
			}
		}
	}
}
