package protocol_test

import (
	"strings"
	"testing"

	"github.com/gorpyc/gorpyc/protocol/wire"
)

// noExactFrames says why a recording has, in one role, no frame that can be compared byte for byte.
var noExactFrames = map[string]string{}

// mismatches are recordings of peers of different families; see TestReplayMismatch.
const mismatches = "cross-"

func family(rpyc string) *wire.Dialect {
	if strings.HasPrefix(rpyc, "rpyc 6.") {
		return wire.FamilyD
	}
	return wire.FamilyC
}

func TestReplay(t *testing.T) {
	total := tally{skip: map[string]int{}}
	for _, rec := range loadRecordings(t) {
		if strings.HasPrefix(rec.name, mismatches) && family(rec.meta.Server) != family(rec.meta.Client) {
			continue
		}
		for role, us := range map[string]string{"client": "c2s", "server": "s2c"} {
			name := rec.name + "/" + role
			t.Run(name, func(t *testing.T) {
				r := newReplay(t, rec, us, family(rec.meta.Server))
				r.run()
				c := r.count
				t.Logf("%d exactly, %d loosely, not compared: %v", c.exact, c.loose, c.skip)
				if c.exact == 0 && noExactFrames[name] == "" {
					t.Error("no frame was compared exactly")
				}
				total.exact += c.exact
				total.loose += c.loose
				for why, n := range c.skip {
					total.skip[why] += n
				}
			})
		}
	}
	t.Logf("total: %d frames compared exactly, %d loosely, not compared: %v", total.exact, total.loose, total.skip)
}
