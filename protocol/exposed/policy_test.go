package exposed

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The table of rpyc.core.protocol.Connection._check_attr: what is asked for, what the object has, what comes out.
func TestPolicyNames(t *testing.T) {
	const denied = ""
	def, all, public := &Policy{}, &Policy{AllowAll: true}, &Policy{AllowPublic: true}
	classic := &Policy{AllowAll: true, DenyExposed: true}
	for _, row := range []struct {
		name   string
		policy *Policy
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
		{"exposed denied", &Policy{DenyExposed: true}, "exposed_add", []string{"exposed_add"}, denied},
		{"safe stays open without exposed", &Policy{DenyExposed: true}, "__len__", []string{"__len__"}, "__len__"},
		{"safe denied", &Policy{DenySafe: true}, "__len__", []string{"__len__"}, denied},
		{"extra safe", &Policy{ExtraSafe: []string{"append"}}, "append", []string{"append"}, "append"},
		{"safe", &Policy{Safe: []string{"append"}}, "append", []string{"append"}, "append"},
		{"safe in place of RPyC's", &Policy{Safe: []string{"append"}}, "__len__", []string{"__len__"}, denied},
		{"extra safe is safe", &Policy{ExtraSafe: []string{"append"}, DenySafe: true}, "append", []string{"append"}, denied},
		{"other prefix", &Policy{Prefix: "pub_"}, "add", []string{"pub_add"}, "pub_add"},
		{"other prefix, full name", &Policy{Prefix: "pub_"}, "pub_add", []string{"pub_add"}, "pub_add"},
		{"old prefix", &Policy{Prefix: "pub_"}, "exposed_add", []string{"exposed_add"}, denied},
		{"reading denied", &Policy{DenyGet: true, AllowAll: true}, "add", []string{"add"}, denied},
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
			check(row.policy.nameFor(UseGet, row.ask, has))
			if row.policy == nil || row.policy.DenyGet {
				return
			}
			// Setting and deleting follow the same rules once they are allowed at all.
			p := *row.policy
			for _, use := range []Use{UseSet, UseDelete} {
				_, err := p.nameFor(use, row.ask, has)
				require.Error(t, err)
			}
			p.AllowSet, p.AllowDel = true, true
			check(p.nameFor(UseSet, row.ask, has))
			check(p.nameFor(UseDelete, row.ask, has))
		})
	}
}
