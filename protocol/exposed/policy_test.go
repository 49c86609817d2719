package exposed_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// The table of rpyc.core.protocol.Connection._check_attr: what is asked for, what the object has, what comes out.
func TestPolicyGetName(t *testing.T) {
	const denied = ""
	def, all, public := &exposed.Policy{}, &exposed.Policy{AllowAll: true}, &exposed.Policy{AllowPublic: true}
	classic := &exposed.Policy{AllowAll: true, DenyExposed: true}
	for _, row := range []struct {
		name   string
		policy *exposed.Policy
		ask    string
		has    []string
		want   string
	}{
		{"exposed by its bare name", nil, "add", []string{"exposed_add"}, "exposed_add"},
		{"exposed by its full name", def, "exposed_add", []string{"exposed_add"}, "exposed_add"},
		{"missing with prefix is asked for, for its error", def, "exposed_add", nil, "exposed_add"},
		{"not exposed", def, "add", []string{"add"}, denied},
		{"missing", def, "add", nil, denied},
		{"private", def, "_x", []string{"_x"}, denied},
		{"exposed private", def, "_x", []string{"_x", "exposed__x"}, "exposed__x"},
		{"safe", def, "__len__", []string{"__len__"}, "__len__"},
		{"safe and missing", def, "__len__", nil, "__len__"},
		{"safe and missing but exposed", def, "__len__", []string{"exposed___len__"}, "exposed___len__"},
		{"safe and both", def, "__len__", []string{"__len__", "exposed___len__"}, "__len__"},
		{"special but not safe", def, "__call__", []string{"__call__"}, denied},
		{"class", def, "__class__", []string{"__class__"}, denied},
		{"Python 2's next", def, "next", []string{"next"}, "next"},
		{"public", public, "add", []string{"add"}, "add"},
		{"public prefers plain", public, "add", []string{"add", "exposed_add"}, "add"},
		{"public falls back to exposed", public, "add", []string{"exposed_add"}, "exposed_add"},
		{"public missing", public, "add", nil, "add"},
		{"public does not open underscores", public, "_x", []string{"_x"}, denied},
		{"all opens underscores", all, "_x", []string{"_x"}, "_x"},
		{"all prefers plain", all, "add", []string{"add", "exposed_add"}, "add"},
		{"classic has no prefix", classic, "add", []string{"exposed_add"}, "add"},
		{"exposed denied", &exposed.Policy{DenyExposed: true}, "exposed_add", []string{"exposed_add"}, denied},
		{"safe stays open without exposed", &exposed.Policy{DenyExposed: true}, "__len__", []string{"__len__"}, "__len__"},
		{"safe denied", &exposed.Policy{DenySafe: true}, "__len__", []string{"__len__"}, denied},
		{"extra safe", &exposed.Policy{ExtraSafe: []string{"append"}}, "append", []string{"append"}, "append"},
		{"extra safe is safe", &exposed.Policy{ExtraSafe: []string{"append"}, DenySafe: true}, "append", []string{"append"}, denied},
		{"other prefix", &exposed.Policy{Prefix: "pub_"}, "add", []string{"pub_add"}, "pub_add"},
		{"other prefix, full name", &exposed.Policy{Prefix: "pub_"}, "pub_add", []string{"pub_add"}, "pub_add"},
		{"old prefix", &exposed.Policy{Prefix: "pub_"}, "exposed_add", []string{"exposed_add"}, denied},
		{"reading denied", &exposed.Policy{DenyGet: true, AllowAll: true}, "add", []string{"add"}, denied},
	} {
		t.Run(row.name, func(t *testing.T) {
			has := func(n string) bool {
				for _, h := range row.has {
					if h == n {
						return true
					}
				}
				return false
			}
			check := func(got string, err error) {
				t.Helper()
				if row.want == denied {
					require.EqualError(t, err, "AttributeError: cannot access '"+row.ask+"'")
					return
				}
				require.NoError(t, err)
				require.Equal(t, row.want, got)
			}
			check(row.policy.GetName(row.ask, has))
			if row.policy == nil || row.policy.DenyGet {
				return
			}
			// Setting and deleting follow the same rules once they are allowed at all.
			p := *row.policy
			_, err := p.SetName(row.ask, has)
			require.Error(t, err)
			_, err = p.DelName(row.ask, has)
			require.Error(t, err)
			p.AllowSet, p.AllowDel = true, true
			check(p.SetName(row.ask, has))
			check(p.DelName(row.ask, has))
		})
	}
}

// Go methods answer to whatever prefix a connection has, and to their bare names where prefixes are off.
func TestPrefixes(t *testing.T) {
	c := &Calc{}
	for _, row := range []struct {
		p    *exposed.Policy
		name string
	}{
		{&exposed.Policy{Prefix: "pub_"}, "id"},
		{&exposed.Policy{Prefix: "pub_"}, "pub_id"},
		{&exposed.Policy{AllowAll: true, DenyExposed: true}, "id"},
		{&exposed.Policy{AllowPublic: true}, "id"},
		{&exposed.Policy{AllowPublic: true}, "ID"},
	} {
		r, err := exposed.CallAttr(ctx, row.p, c, row.name, &exposed.Args{})
		require.NoError(t, err)
		require.Equal(t, 7, r)
	}
	_, err := exposed.CallAttr(ctx, &exposed.Policy{DenyExposed: true}, c, "id", &exposed.Args{})
	require.EqualError(t, err, "AttributeError: cannot access 'id'")
}
