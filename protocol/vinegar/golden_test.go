package vinegar

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

// A recorded exception; testdata/README.md describes the fields.
type goldenRow struct {
	ID, Python, Hex string
	Line            []string
	Args            string
	Attrs           [][2]string
	Load            struct {
		Class [2]string
		MRO   []string
		Args  string
		Str   *string
		Error string
		Text  *string
	}
}

func (row goldenRow) payload(t testing.TB) []byte {
	b, err := hex.DecodeString(row.Hex)
	require.NoError(t, err)
	return b
}

func goldenRows(t testing.TB) []goldenRow {
	rows := readRows[goldenRow](t, "testdata/exceptions.jsonl")
	require.Greater(t, len(rows), 500)
	return rows
}

func decode(t testing.TB, payload []byte) *Error {
	c := brine.NewCursor(payload)
	e, err := DecodePayload(&c)
	require.NoError(t, err)
	require.Zero(t, c.Len())
	require.True(t, e.Remote())
	return e
}

// Payloads that RPyC refuses to load for reasons that are none here.
var lenient = map[string]string{
	"group":               "CPython cannot make a group without its members",
	"base_group":          "CPython cannot make a group without its members",
	"made_group":          "CPython cannot make a group without its members",
	"made_version_number": "the version is not looked at",
	"made_cause":          "attributes are not set on a Python object",
	"made_attrs_bytes":    "Python 2 sends such names",
}

// Classes that are better known here than to RPyC.
var renamed = map[string]string{
	"made_python2":         "KeyError",
	"made_bytes_names":     "ValueError",
	"made_forwarded":       "main.GoError",
	"made_forwarded_twice": "main.GoError",
}

func TestGoldenDecode(t *testing.T) {
	for _, row := range goldenRows(t) {
		t.Run(row.ID+"/"+row.Python, func(t *testing.T) {
			c := brine.NewCursor(row.payload(t))
			e, err := DecodePayload(&c)
			require.Zero(t, c.Len())
			if _, ok := lenient[row.ID]; row.Load.Error != "" && !ok {
				var bad *PayloadError
				require.ErrorAs(t, err, &bad)
				require.NoError(t, bad.Err)
				require.Contains(t, err.Error(), bad.Reason)
				return
			}
			require.NoError(t, err)
			if row.Load.Text != nil {
				require.ErrorIs(t, e, GenericException)
				require.Equal(t, []any{*row.Load.Text}, e.Args)
				return
			}
			if row.Load.Error == "" {
				row.checkClass(t, e.Class)
				require.Equal(t, row.Load.Args, Repr(brine.Tuple(e.Args)))
			}
			if row.Args != "" {
				require.Equal(t, row.Args, Repr(brine.Tuple(e.Args)))
				attrs := make([][2]string, len(e.Attrs))
				for i, a := range e.Attrs {
					attrs[i] = [2]string{a.Name, Repr(a.Value)}
				}
				require.Equal(t, row.Attrs, attrs)
			}
		})
	}
}

func (row goldenRow) checkClass(t *testing.T, c *Class) {
	want := row.Load.Class[0] + "." + row.Load.Class[1]
	if module, ok := strings.CutPrefix(row.Load.Class[0], genericPrefix); ok {
		want = row.Load.Class[1]
		require.True(t, strings.HasPrefix(want, module+"."))
	}
	want = strings.TrimPrefix(want, "builtins.")
	if name, ok := renamed[row.ID]; ok {
		want = name
	}
	require.Equal(t, want, c.String())
	if c.same(asyncioCancelled) {
		return // no Exception in Python, although RPyC's stand-in for it is one
	}
	for _, name := range row.Load.MRO {
		base, ok := Lookup("builtins", name)
		require.True(t, ok, name)
		require.True(t, c.IsSubclass(base), name)
	}
	if row.Load.Class[0] != "builtins" {
		return // registered classes are known better
	}
	for key, other := range registry.classes {
		if key.module == "builtins" && key.name == other.name {
			expected := slices.Contains(row.Load.MRO, key.name) || c.same(other)
			require.Equal(t, expected, c.IsSubclass(other), key.name)
		}
	}
}

// Where the message cannot be what the raising Python printed.
var otherMessage = map[string]string{
	"called":           "CalledProcessError has a __str__ of its own",
	"custom_key":       "the base class is not known here",
	"custom_os":        "the base class is not known here",
	"group":            "the members are known as text only",
	"base_group":       "the members are known as text only",
	"key_object":       "the argument arrived as text",
	"value_unbrinable": "the arguments arrived as text",
	"args_replaced":    "the argument arrived as text",
}

func TestGoldenMessage(t *testing.T) {
	for _, row := range goldenRows(t) {
		if len(row.Line) == 0 || row.Hex == "51" {
			continue
		}
		if _, ok := otherMessage[row.ID]; ok {
			continue
		}
		t.Run(row.ID+"/"+row.Python, func(t *testing.T) {
			lines := row.Line
			if row.ID == "notes" && len(lines) > 1 {
				lines = lines[:1]
			}
			for len(lines) > 1 && strings.HasPrefix(lines[0], "  ") { // the place of a SyntaxError
				lines = lines[1:]
			}
			e := decode(t, row.payload(t))
			require.Equal(t, strings.Join(lines, "\n"), e.Error())
			want := e.Class.String()
			if m := e.Message(); m != "" {
				want += ": " + m
			}
			require.Equal(t, want, e.Error())
		})
	}
}

// What was decoded from RPyC is encoded to the same bytes.
func TestGoldenEncode(t *testing.T) {
	checked := 0
	for _, row := range goldenRows(t) {
		if row.Line == nil || strings.HasSuffix(row.ID, "group") {
			continue // made up; or sent under another name on purpose
		}
		want := row.payload(t)
		e := decode(t, want)
		if e.Class.IsSubclass(OSError) {
			want = withoutNone(t, want)
		}
		version, _ := e.Attr("_remote_version")
		o := &DumpOptions{HideTraceback: true}
		o.Version, _ = version.(string)
		got, err := AppendPayload([]byte("before"), e, o)
		require.NoError(t, err)
		require.Equal(t, hex.EncodeToString(want), hex.EncodeToString(got[len("before"):]), row.ID)
		checked++
	}
	require.Greater(t, checked, 300)
}

// withoutNone takes the attributes that are None out of the payload of an OSError:
// they spoil the message in CPython and are not sent from here.
func withoutNone(t *testing.T, payload []byte) []byte {
	v, err := brine.Unmarshal(payload)
	require.NoError(t, err)
	fields := v.(brine.Tuple)
	fields[2] = brine.Tuple(slices.DeleteFunc(fields[2].(brine.Tuple), func(a any) bool {
		return a.(brine.Tuple)[1] == nil
	}))
	b, err := brine.Marshal(fields)
	require.NoError(t, err)
	return b
}

// A second set of recorded payloads, which carry traceback texts, is read from a
// file of another form if GORPYC_GOLDEN_EXCEPTIONS names it.
func TestForeignGolden(t *testing.T) {
	file := os.Getenv("GORPYC_GOLDEN_EXCEPTIONS")
	if file == "" {
		t.Skip("GORPYC_GOLDEN_EXCEPTIONS is not set")
	}
	type foreignRow struct {
		ID, Python, Hex string
		Payload         json.RawMessage // an object, or the number 1
		Load            struct {
			Class string
			Bases []string
			Args  []json.RawMessage
			Error string `json:"load_error"`
			Value string
			Str   string `json:"str_head"`
		} `json:"load_default"`
		Denied string `json:"denied_variant_hex"`
	}
	type foreignPayload struct {
		Module, Name, Traceback string
		Args                    []json.RawMessage
		Attrs                   [][2]json.RawMessage
	}
	lenient := []string{"ExceptionGroup", "BaseExceptionGroup", "syn_exception_group", "syn_bad_version_type",
		"syn_set_cause_str", "syn_set_class", "syn_attr_bytes_name"}
	decoded, encoded := 0, 0
	for _, row := range readRows[foreignRow](t, file) {
		if row.Hex == "" {
			continue // RPyC could not dump it
		}
		payload, err := hex.DecodeString(row.Hex)
		require.NoError(t, err)
		c := brine.NewCursor(payload)
		e, err := DecodePayload(&c)
		decoded++
		if row.Load.Error != "" && !slices.Contains(lenient, row.ID) {
			var bad *PayloadError
			require.ErrorAs(t, err, &bad, row.ID)
			continue
		}
		require.NoError(t, err, row.ID)
		if n := len(row.Load.Args); row.Load.Class != "" && row.Load.Class != "str" && row.Load.Error == "" {
			require.Len(t, e.Args, n, row.ID)
			for _, base := range row.Load.Bases {
				if name, ok := strings.CutPrefix(base, "builtins."); ok && name != "object" {
					b, ok := Lookup("builtins", name)
					require.True(t, ok, name)
					require.True(t, e.Class.IsSubclass(b), "%s: %s", row.ID, base)
				}
			}
		}
		var fields foreignPayload
		if json.Unmarshal(row.Payload, &fields) != nil || fields.Name == "" {
			continue
		}
		require.Equal(t, strings.TrimPrefix(fields.Module+"."+fields.Name, "builtins."), e.Class.String())
		require.Len(t, e.Args, len(fields.Args), row.ID)
		require.Len(t, e.Attrs, len(fields.Attrs), row.ID)
		if fields.Traceback != "" && !e.Class.IsSubclass(BaseExceptionGroup) { // cut in two ways there
			require.Equal(t, fields.Traceback, e.Traceback, row.ID)
		}
		if e.Class.IsSubclass(BaseExceptionGroup) {
			continue
		}
		e.remote = false // so that the text is sent as it stands
		if e.Class.IsSubclass(OSError) {
			payload = withoutNone(t, payload)
		}
		version, _ := e.Attr("_remote_version")
		o := &DumpOptions{}
		o.Version, _ = version.(string)
		got, err := AppendPayload(nil, e, o)
		require.NoError(t, err)
		require.Equal(t, hex.EncodeToString(payload), hex.EncodeToString(got), row.ID)
		if row.Denied != "" {
			got, err := AppendPayload(nil, e, &DumpOptions{HideTraceback: true, HideVersion: true})
			require.NoError(t, err)
			denied, err := hex.DecodeString(row.Denied)
			require.NoError(t, err)
			if e.Class.IsSubclass(OSError) {
				denied = withoutNone(t, denied)
			}
			require.Equal(t, hex.EncodeToString(denied), hex.EncodeToString(got), row.ID)
		}
		encoded++
	}
	t.Logf("%d payloads decoded, %d of them encoded again", decoded, encoded)
}

// An exception on its way through several connections is sent on as CPython sends
// it on, except that CPython names the class by an internal helper.
func TestForwardedAsCPythonDoes(t *testing.T) {
	type forwardedRow struct {
		ID     string
		Hops   []string
		Client string `json:"client_str"`
	}
	rows := readRows[forwardedRow](t, "testdata/forwarded.jsonl")
	require.Len(t, rows, 6)
	const helper = "_get_exception_class.<locals>.Derived"
	for _, row := range rows {
		t.Run(row.ID, func(t *testing.T) {
			var hops []*Error
			for _, h := range row.Hops {
				b, err := hex.DecodeString(h)
				require.NoError(t, err)
				hops = append(hops, decode(t, b))
			}
			for i, e := range hops[:len(hops)-1] {
				next := hops[i+1]
				want := strings.Replace(next.Traceback, "rpyc.core.vinegar/main."+helper, "main.Custom", 1)
				want = strings.Replace(want, helper, e.Class.String(), 1)
				if row.ID == "wrap" {
					e = RuntimeError.New("outer").From(e)
				}
				require.Equal(t, want, e.FormatTraceback())
				require.True(t, next.Class.same(e.Class))

				payload, err := AppendPayload(nil, e, nil)
				require.NoError(t, err)
				again := decode(t, payload)
				require.Equal(t, want, again.Traceback)
				require.True(t, again.Class.same(e.Class))
			}
			last := hops[len(hops)-1]
			_, numbered, ok := strings.Cut(row.Client, remoteStart)
			require.True(t, ok)
			_, ours, ok := strings.Cut(last.FormatTraceback(), remoteStart)
			require.True(t, ok)
			require.Equal(t, numbered+"\n", ours)
		})
	}
}
