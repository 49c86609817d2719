package main

import (
	"context"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

func TestFromAnnotation(t *testing.T) {
	for _, row := range [][3]string{ // annotation, as a result, as a parameter
		{"int", "int", "int"},
		{"<class 'int'>", "int", "int"},
		{"<class 'shop.Item'>", "*netref.Object", "any"},
		{"'Item'", "any", "any"},
		{"bytes", "[]byte", "[]byte"},
		{"typing.List[float]", "[]float64", "[]float64"},
		{"list[list[str]]", "[][]string", "[][]string"},
		{"list", "[]any", "[]any"},
		{"typing.Optional[int]", "*int", "*int"},
		{"int | None", "*int", "*int"},
		{"None | list[int]", "[]int", "[]int"},
		{"typing.Union[int, str]", "any", "any"},
		{"int | str | None", "any", "any"},
		{"typing.Dict[str, typing.List[int]]", "map[string][]int", "map[string][]int"},
		{"dict[tuple, int]", "any", "any"},
		{"set[int]", "map[int]struct{}", "map[int]struct{}"},
		{"set[bytes]", "[][]byte", "[][]byte"},
		{"tuple[int, ...]", "[]int", "any"},
		{"tuple[int, str]", "brine.Tuple", "any"},
		{"typing.Iterator[int]", "iter.Seq2[int, error]", "[]int"},
		{"collections.abc.Iterable[str]", "iter.Seq2[string, error]", "[]string"},
		{"typing.Callable[[int, str], bool]", "*netref.Object", "func(context.Context, int, string) (bool, error)"},
		{"typing.Callable[[], None]", "*netref.Object", "func(context.Context) error"},
		{"typing.Callable[..., int]", "*netref.Object", "any"},
		{"typing.Any", "any", "any"},
		{"numbers.Number", "any", "any"},
		{"~T", "any", "any"},
		{"", "any", "any"},
		{"int; import os", "any", "any"},
		{"list[int]; x]", "[]any", "[]any"},
		{strings.Repeat("list[", 50) + "int" + strings.Repeat("]", 50), strings.Repeat("[]", 11) + "any",
			strings.Repeat("[]", 11) + "any"},
	} {
		require.Equal(t, row[1], (&classes{}).fromAnnotation(row[0], false).name, row[0])
		require.Equal(t, row[2], (&classes{}).fromAnnotation(row[0], true).name, row[0])
	}
}

// The file has the ways in which Python writes a class; the rows are what CPython's inspect shows of it, in Go types.
func TestSource(t *testing.T) {
	code, out := stubs(t, "client", "--source", "testdata/service.py", "--type", "T", "--package", "p")
	require.Equal(t, 0, code, out)
	var got []string
	for line := range strings.SplitSeq(out, "\n") {
		if rest, ok := strings.CutPrefix(line, "func (s *T) "); ok {
			got = append(got, strings.TrimSuffix(rest, " {"))
		}
	}
	require.Equal(t, []string{
		"Object() *netref.Object { return s.object }",
		"Inner(ctx context.Context) (any, error)",
		"Again(ctx context.Context, second string) error",
		"Class(ctx context.Context, x int) (int, error)",
		"Decorated(ctx context.Context, a any) (any, error)",
		"Folded(ctx context.Context, first int, options ...netref.Keyword) (string, error)",
		"Limit(ctx context.Context) (int, error)",
		"One(ctx context.Context) (int, error)",
		"Other(ctx context.Context) (*Helper, error)",
		"Others(ctx context.Context, args ...any) ([]*Helper, error)",
		"Ratio(ctx context.Context) (float64, error)",
		"Static(ctx context.Context, a int) (any, error)",
	}, got)
	for _, want := range []string{
		"// T calls the methods of a Python object of the class MainService. It is safe for concurrent use.\n//\n// A " +
			"service: with \"quotes\".\n",
		"// Two lines,\n//\n// indented.\n",
		"// One calls one() -> int.\n//\n// One line.\n",
	} {
		require.Contains(t, out, want)
	}
	for _, row := range [][]string{
		{"a string is not closed", "x = 'a\n"},
		{"has no class with exposed methods", "x = 1\n"},
		{"has several classes", "class A:\n def exposed_a(self): pass\nclass B:\n def exposed_a(self): pass\n"},
		{"has no class with exposed methods", "class A(rpyc.Service):\n  def exposed_\nclass"},
	} {
		file := filepath.Join(t.TempDir(), "x.py")
		require.NoError(t, os.WriteFile(file, []byte(row[1]), 0o600))
		code, out := stubs(t, "client", "--source", file)
		require.Equal(t, 1, code, out)
		require.Contains(t, out, row[0])
	}
}

// A file that is no Python, or was cut anywhere, is no reason to panic.
func TestSourceCut(t *testing.T) {
	text, err := os.ReadFile("testdata/service.py")
	require.NoError(t, err)
	for n := 0; n <= len(text); n += 5 {
		if lines, err := pyLines(string(text[:n])); err == nil {
			for _, c := range pyClasses(lines) {
				e := &explorer{prefix: "exposed_", public: true}
				_, err := writeClient(e.fromClass(c), "p", "T")
				require.NoError(t, err, "%d", n)
			}
		}
	}
}

// hostile has everything in it that a peer could send to get something into the program.
func hostile(name, text string) *remote {
	sig := &inspect.Signature{Result: text, Params: []inspect.Parameter{
		{Name: "a", Kind: inspect.Normal, Type: text, Default: ""},
		{Name: "ctx", Kind: inspect.Normal, Type: text, Default: text},
		{Name: "rest", Kind: inspect.VarPositional, Type: text},
		{Name: "netref", Kind: inspect.KeywordOnly, Type: text},
		{Name: "string", Kind: inspect.KeywordOnly},
		{Name: "_", Kind: inspect.KeywordOnly},
		{Name: "kw", Kind: inspect.VarKeyword, Type: text},
	}}
	r := &remote{class: text, doc: text}
	for _, n := range []string{name, "add", "Add", "__add", "add_", "object", "Object", "new", "type", "func", "日本", "x_日",
		"_", "__"} {
		if inspect.IsName(n) {
			r.members = append(r.members, member{name: n, doc: text}, member{name: n, doc: text, sig: sig},
				member{name: n, data: true},
				member{name: n, class: true, sig: &inspect.Signature{}})
		}
	}
	return r
}

var exportsOnce = sync.OnceValues(func() (map[string]string, error) {
	packages, err := goList("github.com/gorpyc/gorpyc/netref")
	exports := map[string]string{}
	for _, p := range packages {
		exports[p.ImportPath] = p.Export
	}
	return exports, err
})

// checkClient type-checks a generated client and makes sure that it declares methods of the type and nothing else.
func checkClient(t *testing.T, text []byte, members int) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "client.go", text, parser.ParseComments)
	require.NoError(t, err)
	funcs := 0
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			funcs++
			if d.Recv == nil {
				require.Equal(t, "NewShop", d.Name.Name)
			}
		case *ast.GenDecl:
			require.Contains(t, []token.Token{token.IMPORT, token.TYPE}, d.Tok)
			require.False(t, d.Tok == token.TYPE && len(d.Specs) != 1)
		}
	}
	require.Equal(t, members+2, funcs) // the constructor and Object
	for _, spec := range f.Imports {
		require.Contains(t, []string{`"context"`, `"iter"`, `"github.com/gorpyc/gorpyc/netref"`,
			`"github.com/gorpyc/gorpyc/brine"`}, spec.Path.Value)
	}
	for _, g := range f.Comments {
		for _, c := range g.List {
			require.Regexp(t, `^//( |\t|$)`, c.Text, "no directive")
		}
	}
	exports, err := exportsOnce()
	require.NoError(t, err)
	cfg := types.Config{Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})}
	_, err = cfg.Check("shop", fset, []*ast.File{f}, nil)
	require.NoError(t, err, "%s", text)
}

var nasty = []string{
	"", "plain", "two\nlines", "\n\n//go:generate rm -rf /\n", "*/ func init() { panic(1) }", "`\"\\",
	"\r//go:build ignore\r\n//line x.go:1",
	"\u2028func init(){}\u2029", "\u202ereversed", "\x00\x07", "\xff\xfe", "int]; func(", "list[int",
	"Callable[[int], Callable[[str], None]]",
	"Optional[Dict[str, Iterator[int]]]", "map[string]struct{}", "<class 'a.B\n'>", "tuple[int, str] | None",
	"+build ignore\n\nCode generated by x DO NOT EDIT.",
}

// Nothing that a peer says becomes code.
func TestHostilePeer(t *testing.T) {
	for _, text := range nasty {
		r := hostile("price_of", text)
		out, err := writeClient(r, "shop", "Shop")
		require.NoError(t, err, "%q", text)
		checkClient(t, out, len(r.members))
	}
}

func FuzzWriteClient(f *testing.F) {
	for _, text := range nasty {
		f.Add("name", text)
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		r := hostile(name, text)
		out, err := writeClient(r, "shop", "Shop")
		require.NoError(t, err)
		checkClient(t, out, len(r.members))
		if sig, err := inspect.ParseSignature(text); err == nil {
			_, err := inspect.ParseSignature(sig.String())
			require.NoError(t, err, "%q", sig.String())
		}
	})
}

func TestNamesOfMethods(t *testing.T) {
	w := &clientWriter{methods: map[string]bool{"Object": true}}
	var members []member
	for _, n := range []string{"Add", "add", "add_", "get_url", "object", "x2", "日本", "userID"} {
		members = append(members, member{name: n})
	}
	require.Equal(t, []string{"Add2", "Add", "Add3", "GetURL", "Object2", "X2", "X日本", "UserID"}, w.names(members))
	taken := map[string]bool{"ctx": true}
	var got []string
	for _, n := range []string{"user_id", "URL", "type", "ctx", "ctx", "string", "_private", "__", "camelCase", "É"} {
		got = append(got, goParam(n, taken))
	}
	require.Equal(t, []string{"userID", "url", "type_", "ctx_", "ctx__", "string_", "private", "x", "camelCase", "é"}, got)
	for class, want := range map[string]string{
		"__main__.CalculatorService": "Calculator", "shop.Service": "Service", "my_service": "MyService", "": "Client",
		"a.b-c": "Client",
	} {
		require.Equal(t, want, typeName(class), class)
	}
}

// crowd has more attributes than a client is written for, and names that are none.
type crowd struct{ exposed.Attrs }

func TestLimitsOfExplore(t *testing.T) {
	ctx := context.Background()
	c := &crowd{}
	c.Set("exposed_a b", 1)
	c.Set("exposed_x\nfunc", 1)
	c.Set("exposed_fine", 1)
	theirs, ours, err := protocol.Pair(ctx, c, nil, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, theirs.CloseNow()); require.NoError(t, ours.CloseNow()) }()
	e := &explorer{prefix: "exposed_"}
	r, err := e.explore(ctx, ours.Root())
	require.NoError(t, err)
	require.Equal(t, []string{`"a b"`, `"x\nfunc"`}, r.skipped)
	require.Len(t, r.members, 1)
	require.True(t, r.members[0].data)
	for i := range maxMembers {
		c.Set(fmt.Sprintf("exposed_a%d", i), 1)
	}
	_, err = e.explore(ctx, ours.Root())
	require.ErrorContains(t, err, "more than 2000 members")
}

// A Go service whose attributes may all be read tells its signatures as well.
func TestExploreGo(t *testing.T) {
	ctx := context.Background()
	theirs, ours, err := protocol.Pair(ctx, goService{}, nil, &protocol.Config{Access: *all})
	require.NoError(t, err)
	defer func() { require.NoError(t, theirs.CloseNow()); require.NoError(t, ours.CloseNow()) }()
	r, err := (&explorer{prefix: "exposed_"}).explore(ctx, ours.Root())
	require.NoError(t, err)
	require.Len(t, r.members, 1)
	require.Equal(t, "(name, greeting='Hello', *, punct='!')", r.members[0].sig.String())
	require.Equal(t, "Greet somebody.", r.members[0].doc)
}

type goService struct{}

func (goService) Greet(name, greeting, punct string) string { return greeting + ", " + name + punct }

var _ = exposed.Register[goService](exposed.ClassOptions{
	Params: map[string][]string{"Greet": {"name", "greeting='Hello'", "*", "punct='!'"}},
	Docs:   map[string]string{"Greet": "Greet somebody."},
})
