package exposed_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// The expected values are those of rpyc.restricted under the default configuration.
func TestRestricted(t *testing.T) {
	p := &Point{1, 2}
	v := exposed.Restricted(p, []string{"norm1", "exposed_x", "__add__"}, []string{"exposed_x"})
	for _, policy := range []*exposed.Policy{nil, allowAll, {DenyGet: true}} {
		require.Equal(t, int64(3), must(t)(exposed.CallAttr(ctx, policy, v, "norm1", &exposed.Args{})))
		require.Equal(t, int64(1), must(t)(exposed.GetAttr(ctx, policy, v, "exposed_x")))
		for _, name := range []string{"y", "exposed_y", "x", "__class__", "nope"} {
			_, err := exposed.GetAttr(ctx, policy, v, name)
			require.EqualError(t, err, "AttributeError: "+name)
		}
		require.EqualError(t, exposed.SetAttr(ctx, policy, v, "norm1", int64(1)), "AttributeError: norm1")
	}
	require.NoError(t, exposed.SetAttr(ctx, nil, v, "exposed_x", int64(5)))
	require.Equal(t, 5, p.X)
	require.EqualError(t, exposed.DelAttr(ctx, nil, v, "exposed_x"), "AttributeError: cannot access 'exposed_x'")
	require.Equal(t, "rpyc.utils.helpers.Restricted", exposed.ClassOf(v).Name())
}

func TestProbedProperty(t *testing.T) {
	p := &probed{}
	require.Equal(t, int64(2), must(t)(exposed.GetAttr(ctx, nil, p, "counter")))
	require.Equal(t, int64(3), must(t)(exposed.GetAttr(ctx, nil, p, "exposed_counter")))
	require.Equal(t, int64(5), must(t)(exposed.GetAttr(ctx, allowAll, p, "counter")))
	require.Equal(t, int64(6), must(t)(exposed.GetAttr(ctx, &exposed.Policy{AllowAll: true, DenyExposed: true},
		p, "counter")))
	require.Equal(t, int64(7), must(t)(exposed.GetAttr(ctx, nil, p, "once")))
}

type probed struct{ n int }

var _ = exposed.Register[probed](exposed.ClassOptions{Properties: map[string]exposed.Property{
	"counter": {Get: func(p *probed) int { p.n++; return p.n }, Probed: true},
	"once":    {Get: func(p *probed) int { p.n++; return p.n }},
}})
