package inspect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The rows are what Python's inspect and help() write.
func TestParseSignature(t *testing.T) {
	for text, want := range map[string]string{
		"()":                                     "()",
		"(a, b=1)":                               "(a, b=1)",
		"($self, key, default=None, /)":          "(key, default=None, /)",
		"(self, a)":                              "(a)",
		"(a: int, b: str = 'x, y') -> list[int]": "(a: int, b: str = 'x, y') -> list[int]",
		"(*args, **kwargs)":                      "(*args, **kwargs)",
		"(a, /, b, *, c, d=(1, 2))":              "(a, /, b, *, c, d=(1, 2))",
		"(*values: float, sep=', ') -> 'Point':": "(*values: float, sep=', ') -> 'Point'",
		"(f: Callable[[int, str], bool] = None) -> Dict[str, Tuple[int, ...]]": "(f: Callable[[int, str], bool] = None) -> " +
			"Dict[str, Tuple[int, ...]]",
		"(m: dict = {'a': [1]}, s=lambda x=1: x)": "(m: dict = {'a': [1]}, s=lambda x=1: x)",
	} {
		s, err := ParseSignature(text)
		require.NoError(t, err, text)
		require.Equal(t, want, s.String())
	}
	for _, text := range []string{"", "a", "(", "(a", "(a, a)", "(1)", "(a b)", "(a; b)", "(**k, a)", "(a\nb)",
		"(" + strings.Repeat("a,", 5) + ")"} {
		_, err := ParseSignature(text)
		require.Error(t, err, text)
	}
	var many []string
	for i := range MaxParams + 1 {
		many = append(many, fmt.Sprintf("a%d", i))
	}
	_, err := ParseSignature("(" + strings.Join(many, ", ") + ")")
	require.Error(t, err)
}
