package protocol

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/wire"
)

func TestMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m memory
		require.Nil(t, m.last("a"))
		m.met("a", wire.FamilyC)
		require.Same(t, wire.FamilyC, m.last("a"))
		require.True(t, m.only("a", wire.FamilyC))
		require.False(t, m.only("a", wire.FamilyD))
		time.Sleep(memoryTime - 1)
		m.met("a", wire.FamilyC)
		time.Sleep(memoryTime - 1)
		require.True(t, m.only("a", wire.FamilyC), "meeting it again counts")
		m.met("a", wire.FamilyA)
		m.met("a", wire.FamilyC)
		require.False(t, m.only("a", wire.FamilyC), "it has others")
		time.Sleep(memoryTime)
		require.Nil(t, m.last("a"))
		m.met("a", wire.FamilyC)
		require.True(t, m.only("a", wire.FamilyC), "what was before is forgotten")

		for i := range 3 * memorySize {
			m.met(strconv.Itoa(i), wire.FamilyC)
			require.LessOrEqual(t, len(m.entries), memorySize)
		}
		require.NotNil(t, m.last(strconv.Itoa(3*memorySize-1)))
		time.Sleep(memoryTime)
		for i := range memorySize {
			m.met(strconv.Itoa(-i), wire.FamilyC)
		}
		m.met("", wire.FamilyC)
		require.Nil(t, m.last(""))
	})
}
