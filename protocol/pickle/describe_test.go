package pickle_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/pickle"
)

type m = map[string]any

// describer says what a value is in the way of testdata/record.py.
type describer struct{ above []any }

func floatHex(f float64) string {
	if math.IsNaN(f) {
		return "nan"
	}
	return fmt.Sprintf("%016x", math.Float64bits(f))
}

func intHex(n *big.Int) string {
	if n.Sign() < 0 {
		return "-0x" + new(big.Int).Neg(n).Text(16)
	}
	return "0x" + n.Text(16)
}

func (d describer) all(items []any) []any {
	out := []any{}
	for _, v := range items {
		out = append(out, d.describe(v))
	}
	return out
}

func (d describer) dict(dict *pickle.Dict) []any {
	out := []any{}
	for k, v := range dict.All() {
		out = append(out, []any{d.describe(k), d.describe(v)})
	}
	return out
}

func (d describer) members(items []any) []any {
	out := d.all(items)
	slices.SortFunc(out, func(a, b any) int {
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		return slices.Compare(x, y)
	})
	return out
}

// enter notes that a container is being described, and says if it is already, how far above.
func (d describer) enter(v any) (describer, int) {
	var id any
	switch x := v.(type) {
	case []any:
		if len(x) == 0 {
			return d, 0
		}
		id = &x[0]
	case brine.Tuple:
		return d.under(len(d.above)), 0
	default:
		id = v
	}
	if i := slices.Index(d.above, id); i >= 0 {
		return d, len(d.above) - i
	}
	return describer{append(slices.Clip(d.above), id)}, 0
}

// under goes below what has no identity.
func (d describer) under(level int) describer {
	return describer{append(slices.Clip(d.above), level)}
}

func offset(t time.Time) any {
	if t.Location() == pickle.Naive {
		return nil
	}
	_, s := t.Zone()
	return s
}

func (d describer) describe(v any) any {
	switch v := v.(type) {
	case nil:
		return m{"is": "None"}
	case brine.EllipsisType:
		return m{"is": "Ellipsis"}
	case brine.NotImplementedType:
		return m{"is": "NotImplemented"}
	case bool:
		return m{"bool": v}
	case int64:
		return m{"int": intHex(big.NewInt(v))}
	case *big.Int:
		return m{"int": intHex(v)}
	case float64:
		return m{"float": floatHex(v)}
	case complex128:
		return m{"complex": []any{floatHex(real(v)), floatHex(imag(v))}}
	case string:
		return m{"text": hex.EncodeToString([]byte(v))}
	case []byte:
		return m{"bytes": hex.EncodeToString(v)}
	case pickle.ByteArray:
		return m{"bytearray": hex.EncodeToString(v)}
	case pickle.Set:
		return m{"set": d.members(v)}
	case brine.FrozenSet:
		return m{"frozenset": d.members(v)}
	case brine.Slice:
		return m{"slice": d.all([]any{v.Start, v.Stop, v.Step})}
	case pickle.Range:
		return m{"range": d.all([]any{v.Start, v.Stop, v.Step})}
	case time.Time:
		return m{"datetime": []any{v.Year(), int(v.Month()), v.Day(), v.Hour(), v.Minute(), v.Second(),
			v.Nanosecond() / 1000, offset(v)}}
	case pickle.Date:
		return m{"date": []any{v.Year, int(v.Month), v.Day}}
	case pickle.Clock:
		var zone any
		if v.Zone != nil {
			zone = offset(time.Date(2000, 1, 1, 0, 0, 0, 0, v.Zone))
		}
		return m{"time": []any{v.Hour, v.Minute, v.Second, v.Microsecond, zone}}
	case time.Duration:
		return m{"timedelta": int64(v / time.Microsecond)}
	case *time.Location:
		return m{"timezone": offset(time.Date(2000, 1, 1, 0, 0, 0, 0, v))}
	case pickle.Decimal:
		return m{"decimal": string(v)}
	case *big.Rat:
		return m{"fraction": []any{intHex(v.Num()), intHex(v.Denom())}}
	case pickle.UUID:
		return m{"uuid": v.String()}
	case pickle.Class:
		return m{"class": v.String()}
	}
	return d.container(v)
}

func (d describer) container(v any) any {
	d, ring := d.enter(v)
	if ring > 0 {
		return m{"ring": ring}
	}
	switch v := v.(type) {
	case brine.Tuple:
		return m{"tuple": d.all(v)}
	case []any:
		return m{"list": d.all(v)}
	case *pickle.Dict:
		out := m{"dict": d.dict(v)}
		if v.Class != (pickle.Class{}) {
			out["class"] = v.Class.String()
		}
		return out
	case *pickle.Object:
		if v.Member != "" { // of an Enum or, in protocols below 4, a class
			return m{"class": v.Class.String() + "." + v.Member}
		}
		out := m{"object": v.Class.String()}
		if len(v.Args) > 0 {
			out["args"] = d.all(v.Args)
		}
		state := []any{}
		for k, x := range v.All() {
			state = append(state, []any{d.describe(k), d.describe(x)})
		}
		if len(state) > 0 {
			out["state"] = state
		}
		if v.Items != nil {
			out["items"] = d.all(v.Items)
		}
		if v.Pairs != nil {
			out["pairs"] = d.dict(v.Pairs)
		}
		return out
	}
	return fmt.Sprintf("%T", v)
}

// described is describe in JSON.
func described(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(describer{}.describe(v))
	require.NoError(t, err)
	return string(b)
}
