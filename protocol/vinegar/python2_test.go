package vinegar_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// TestPython2Names sends names as Python 2 does, as byte strings: RPyC 3 there cannot make a class of a text.
func TestPython2Names(t *testing.T) {
	e := vinegar.NewClass("shop.StockError", vinegar.Exception).New("none left")
	b, err := vinegar.AppendPayload(nil, e, &vinegar.DumpOptions{Python2: true, Version: "3.4.4"})
	require.NoError(t, err)
	v, err := brine.Unmarshal(b)
	require.NoError(t, err)
	payload := v.(brine.Tuple)
	require.Equal(t, brine.Tuple{[]byte("shop"), []byte("StockError")}, payload[0])
	require.Equal(t, brine.Tuple{brine.Tuple{[]byte("_remote_version"), "3.4.4"}}, payload[2])
}
