package registry

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSetReplacesWhatIsKnownOfAnEndpoint(t *testing.T) {
	m := NewMemory(time.Hour, Limits{Names: 1, Registrations: 1})
	defer m.Close()
	var told []Event
	defer m.Watch(func(e Event) { told = append(told, e) })()
	a, b := Endpoint{Host: "10.0.0.1", Port: 1}, Endpoint{Host: "10.0.0.1", Port: 2}
	since, seen := time.Now().Add(-20*time.Minute), time.Now().Add(-10*time.Minute)

	// beyond the limits
	m.Set(a, []Registration{{Name: "ONE", Since: since, Seen: seen}, {Name: "TWO", Since: since, Seen: seen}}, Expired)
	m.Set(b, []Registration{{Name: "ONE", Since: since, Seen: seen}}, Expired)
	require.Equal(t, []Endpoint{a, b}, m.Lookup("ONE").Servers())
	require.Equal(t, []string{"ONE", "TWO"}, m.Names(nil, 10))
	for r := range m.Registrations {
		require.WithinDuration(t, since, r.Since, time.Millisecond)
		require.WithinDuration(t, seen, r.Seen, time.Millisecond)
	}
	require.Len(t, told, 3)

	m.Set(a, []Registration{{Name: "ONE", Since: since, Seen: time.Now()}, {Name: "THREE", Since: since, Seen: seen}},
		Unregistered)
	require.Equal(t, []Endpoint{b, a}, m.Lookup("ONE").Servers(), "a was renewed last")
	require.Equal(t, []string{"ONE", "THREE"}, m.Names(nil, 10))
	require.Equal(t, StoreStats{Services: 2, Endpoints: 2, Registrations: 3, Hosts: 1, Oldest: m.Stats().Oldest},
		m.Stats())

	m.Set(a, nil, Expired)
	m.Set(a, nil, Unregistered) // nothing is left to be told
	require.Equal(t, []Endpoint{b}, m.Lookup("ONE").Servers())
	kinds := map[Reason]int{}
	for _, e := range told {
		kinds[e.Reason]++
	}
	require.Equal(t, map[Reason]int{Registered: 4, Unregistered: 1, Expired: 2}, kinds)

	require.NoError(t, m.Unregister(context.Background(), b))
	require.Zero(t, m.Stats().Registrations)
}
