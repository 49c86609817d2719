package balance_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/internal/balance"
)

// TestPick has calls chosen for one after the other, each of which remains under way if hold is set, and counts who
// got them.
func TestPick(t *testing.T) {
	type servers = []*balance.Server
	up := func(weight int, zone string) *balance.Server {
		return &balance.Server{Weight: weight, Zone: zone, Ready: true}
	}
	down := func(weight int, zone string) *balance.Server { return &balance.Server{Weight: weight, Zone: zone} }
	loaded := func(load int) *balance.Server { return &balance.Server{Weight: 1, Ready: true, Load: load} }
	ejected := func() *balance.Server {
		s := up(1, "")
		s.Failed(1)
		return s
	}
	trial := func(asked bool) *balance.Server {
		s := ejected()
		s.Readmit(1)
		s.Asked = asked
		return s
	}
	backup := func() *balance.Server { return &balance.Server{Weight: 1, Priority: 1, Ready: true} }
	for _, tc := range []struct {
		name    string
		servers servers
		zone    string
		avoid   int // 1 is the first
		hold    bool
		calls   int
		want    []int
	}{
		{name: "nobody", servers: servers{down(1, "")}, calls: 1, want: []int{0}},
		{name: "in turn", servers: servers{up(1, ""), up(1, ""), up(1, "")}, calls: 300, want: []int{100, 100, 100}},
		{name: "by weight", servers: servers{up(5, ""), up(3, ""), up(2, "")}, calls: 100, want: []int{50, 30, 20}},
		{name: "by weight, busy", servers: servers{up(5, ""), up(3, ""), up(2, "")}, hold: true, calls: 100,
			want: []int{50, 30, 20}},
		{name: "the least loaded", servers: servers{loaded(7), loaded(2), loaded(4)}, hold: true, calls: 8,
			want: []int{0, 5, 3}}, // 7, 7 and 7 in the end
		{name: "not those that are down", servers: servers{up(1, ""), down(9, ""), up(1, "")}, calls: 10,
			want: []int{5, 0, 5}},
		{name: "not those ejected", servers: servers{up(1, ""), ejected()}, calls: 10, want: []int{10, 0}},
		{name: "those ejected if there is nobody else", servers: servers{down(1, ""), ejected()}, calls: 10,
			want: []int{0, 10}},
		{name: "not the one to be avoided", servers: servers{up(1, ""), up(1, ""), up(1, "")}, avoid: 1, calls: 10,
			want: []int{0, 5, 5}},
		{name: "the one to be avoided rather than one ejected", servers: servers{up(1, ""), ejected()}, avoid: 1,
			calls: 10, want: []int{10, 0}},
		{name: "of two ejected not the one to be avoided", servers: servers{ejected(), ejected()}, avoid: 2,
			calls: 10, want: []int{10, 0}},
		{name: "only the one to be avoided", servers: servers{up(1, "")}, avoid: 1, calls: 10, want: []int{10}},
		{name: "on trial", servers: servers{up(1, ""), trial(false)}, calls: 10, want: []int{5, 5}},
		{name: "on trial with a call", servers: servers{up(1, ""), trial(true)}, calls: 10, want: []int{10, 0}},
		{name: "on trial with a call, and nobody else", servers: servers{ejected(), trial(true)}, calls: 10,
			want: []int{0, 10}},
		{name: "first the lowest priority", servers: servers{backup(), up(1, ""), up(1, "")}, calls: 10,
			want: []int{0, 5, 5}},
		{name: "then the next", servers: servers{backup(), down(1, ""), ejected()}, calls: 10, want: []int{10, 0, 0}},
		{name: "the own zone", servers: servers{up(1, "a"), up(1, "a"), up(9, "b")}, zone: "a", calls: 10,
			want: []int{5, 5, 0}},
		{name: "half of the own zone", servers: servers{up(1, "a"), down(1, "a"), up(9, "b")}, zone: "a", calls: 10,
			want: []int{10, 0, 0}},
		{name: "less than half of the own zone", servers: servers{up(1, "a"), down(2, "a"), up(1, "b")}, zone: "a",
			calls: 10, want: []int{5, 0, 5}},
		{name: "nothing in the own zone", servers: servers{up(1, "b"), up(1, "")}, zone: "a", calls: 10,
			want: []int{5, 5}},
		{name: "no zone of one's own", servers: servers{up(1, "b"), up(1, "")}, calls: 10, want: []int{5, 5}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := make([]int, len(tc.servers))
			var avoid *balance.Server
			if tc.avoid > 0 {
				avoid = tc.servers[tc.avoid-1]
			}
			for range tc.calls {
				chosen := balance.Pick(tc.servers, tc.zone, avoid)
				for i, s := range tc.servers {
					if s == chosen {
						got[i]++
					}
				}
				if tc.hold {
					chosen.Load++
				}
			}
			require.Equal(t, tc.want, got)
		})
	}
}

// TestEjection follows a server that fails, is asked, and fails again.
func TestEjection(t *testing.T) {
	const limit = 3
	s := &balance.Server{Weight: 1, Ready: true}
	pause := func() time.Duration { return s.Pause(time.Second, 5*time.Second) }
	require.False(t, s.Failed(limit))
	require.False(t, s.Failed(limit))
	s.Succeeded()
	require.False(t, s.Failed(limit), "not in a row")
	require.False(t, s.Failed(limit))
	require.True(t, s.Failed(limit))
	require.True(t, s.Ejected())
	require.False(t, s.Failed(limit), "calls from before")
	require.Equal(t, time.Second, pause())
	s.StillOut()
	require.Equal(t, 2*time.Second, pause())
	s.Succeeded()
	require.True(t, s.Ejected(), "a call from before does not end it")
	s.Readmit(limit)
	require.False(t, s.Ejected())
	require.True(t, s.Failed(limit), "on trial")
	require.Equal(t, 4*time.Second, pause())
	s.StillOut()
	require.Equal(t, 5*time.Second, pause())
	s.Readmit(limit)
	s.Succeeded()
	for i := range limit {
		require.Equal(t, i == limit-1, s.Failed(limit), fmt.Sprint(i))
	}
	require.Equal(t, time.Second, pause(), "from the beginning")
	s.Reset()
	require.False(t, s.Ejected())
}
