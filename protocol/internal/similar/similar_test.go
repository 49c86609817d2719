package similar_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/internal/similar"
)

func TestNearest(t *testing.T) {
	names := slices.Values([]string{"add", "sum", "allow_pickle", "allow_getattr", strings.Repeat("x", 41)})
	for asked, want := range map[string]string{
		"ad": "add", "dad": "add", "smu": "sum", "a": "", "add": "", "product": "", "": "",
		"allow_pickel": "allow_pickle", "alow_pickl": "allow_pickle", "alow_pikl": "", "allow_setattr": "allow_getattr",
		strings.Repeat("x", 41): "", strings.Repeat("x", 40): "",
	} {
		require.Equal(t, want, similar.Nearest(asked, names), asked)
	}
}
