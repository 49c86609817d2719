package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/cmd/internal/program"
	"github.com/gorpyc/gorpyc/cmd/rpyc_stubs/testdata/kinds"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

func mustModel(t *testing.T, pattern string) *model {
	t.Helper()
	s, err := load(pattern)
	require.NoError(t, err)
	m, err := newModel(s)
	require.NoError(t, err)
	return m
}

var all = &exposed.Policy{AllowAll: true}

func signatureOf(t *testing.T, v any, name string) string {
	t.Helper()
	f, err := exposed.GetAttr(context.Background(), all, v, name)
	require.NoError(t, err, name)
	s, err := exposed.GetAttr(context.Background(), all, f, "__text_signature__")
	require.NoError(t, err, name)
	return s.(string)
}

// The generated file of the test package is part of this program: what it registers is what Python gets to see.
func TestRegistered(t *testing.T) {
	k := &kinds.Kinds{}
	for name, want := range map[string]string{
		"scalars":  "(a, b, c, d, e, f, g, h, i)",
		"funcs":    "(f, g, h)",
		"search":   "(query, *, limit=10, order_by, deep=...)",
		"set":      "(arg1, /)",
		"keywords": "(class_, user_id, self_, **lambda_)",
		"trailing": "(xs, kw)",
		"declared": "(a, /, b='x, y', *rest, c, d=(1, 2), **kw)",
		"directed": "(a, /, b=-1.5, *, c=None, d)",
		"import":   "(from_)",
		"twice":    "(n)",
	} {
		require.Equal(t, want, signatureOf(t, k, name), name)
	}
	require.Equal(t, "A service.\n\nIt has a \\ and \"\"\"quotes\"\"\".", exposed.ClassOf(k).Doc())
	require.Equal(t, "other.Couple", exposed.ClassOf(&kinds.Pair{}).Name())
	pair, err := exposed.CallAttr(context.Background(), nil, k, "Pair", exposed.NewArgs([]any{1, 2}, nil))
	require.NoError(t, err)
	require.Equal(t, &kinds.Pair{Left: 1, Right: 2}, pair)
	doubled, err := exposed.CallAttr(context.Background(), nil, k, "twice", exposed.NewArgs([]any{4}, nil))
	require.NoError(t, err)
	require.EqualValues(t, 8, doubled)
}

// What the model says Python sees is what package exposed lets it see.
func TestNamesAgree(t *testing.T) {
	m := mustModel(t, "./testdata/kinds")
	for name, v := range map[string]any{"Kinds": &kinds.Kinds{}, "Pair": &kinds.Pair{}, "Options": &kinds.Options{}} {
		var got []string
		for _, c := range m.classes {
			if c.obj.Name() == name {
				for n := range c.memberNames() {
					if !strings.HasPrefix(n, "__") {
						got = append(got, n)
					}
				}
			}
		}
		var want []string
		names, err := exposed.Dir(t.Context(), nil, v)
		require.NoError(t, err)
		for _, n := range names {
			bare, ok := strings.CutPrefix(n, exposed.DefaultPrefix)
			if ok && !ofService[bare] {
				want = append(want, bare)
			}
		}
		require.ElementsMatch(t, want, got, name)
	}
}

func TestGeneratedIsDeterministic(t *testing.T) {
	first, err := mustModel(t, "./testdata/kinds").writeGo()
	require.NoError(t, err)
	stub, err := mustModel(t, "./testdata/kinds").writePyi()
	require.NoError(t, err)
	for range 3 {
		m := mustModel(t, "./testdata/kinds")
		again, err := m.writeGo()
		require.NoError(t, err)
		require.Equal(t, string(first), string(again))
		again, err = m.writePyi()
		require.NoError(t, err)
		require.Equal(t, string(stub), string(again))
	}
	onDisk, err := os.ReadFile("testdata/kinds/rpyc_stubs.go")
	require.NoError(t, err)
	require.Equal(t, string(onDisk), string(first), "run: rpyc_stubs go ./cmd/rpyc_stubs/testdata/kinds")
}

// Every wrong directive is reported at its line, and nothing else.
func TestWrongDirectives(t *testing.T) {
	s, err := load("./testdata/wrong")
	require.NoError(t, err)
	_, err = newModel(s)
	require.Error(t, err)
	lines := map[string][]string{}
	for _, line := range strings.Split(err.Error(), "\n") {
		m := regexp.MustCompile(`^testdata/wrong/wrong\.go:(\d+):\d+: (.*)$`).FindStringSubmatch(line)
		require.NotNil(t, m, line)
		lines[m[1]] = append(lines[m[1]], m[2])
	}
	text, err := os.ReadFile("testdata/wrong/wrong.go")
	require.NoError(t, err)
	lineOf := func(part string) string {
		n := 1 + strings.Count(string(text)[:strings.Index(string(text), part)], "\n")
		return strconv.Itoa(n)
	}
	for part, want := range map[string]string{
		"//rpyc:servcie":             "no directive is called rpyc:servcie",
		"//rpyc:default a=1\ntype T": "rpyc:default does not belong to a type",
		"//rpyc:default a='x'":       "rpyc:default: 'x' cannot be the default of a, which is a int",
		"//rpyc:default nope=1":      `rpyc:default: M has no parameter "nope"`,
		"//rpyc:default b=[]": "rpyc:default: [] is no Python literal that can be a default: None, True, " +
			"False, a number, a str, bytes or a tuple",
		"//rpyc:default b\n":                `rpyc:default: want name=literal, not "b"`,
		"//rpyc:default b='x\n":             "rpyc:default: b='x is not closed",
		"//rpyc:kwonly\n":                   "rpyc:kwonly: want names of parameters",
		"//rpyc:posonly nope":               `rpyc:posonly: M has no such parameter "nope"`,
		"Order(":                            "Order: b has no default and follows a, which has",
		"Middle(":                           "Middle: b comes after a parameter that has to follow it",
		"//rpyc:params a\n":                 "rpyc:params: 1 Go parameters are not named",
		"//rpyc:params a, b, c":             "rpyc:params: no Go parameter is left for c",
		"//rpyc:params a, *b":               "rpyc:params: *b needs a slice",
		"//rpyc:params a, b='x'":            "rpyc:params: 'x' cannot be the default of b, which is a int",
		"//rpyc:default a=1\nfunc (T) Both": "rpyc:default beside rpyc:params, which says all",
		"//rpyc:params a, lambda":           `rpyc:params: "lambda" cannot name a parameter`,
		"//rpyc:class\n": "rpyc:class: there is no func NewNoConstructor " +
			"to construct a NoConstructor with",
		"//rpyc:class NewOther":  "rpyc:class: NewOther does not return a Other",
		"//rpyc:expose Nothing":  "rpyc:expose: the package has no type or func Nothing",
		"//rpyc:name not-a-name": `rpyc:name: want a class name, not "not-a-name"`,
		"//rpyc:name not a name": `rpyc:name: "not a name" cannot name the method`,
		"//rpyc:name setFree\n":  "rpyc:name belongs to a type or a method",
		"//rpyc:service now":     "rpyc:service: takes nothing; rpyc:name and rpyc:alias give names",
		"//rpyc:service\n": "rpyc:service: a Number travels by value or as an exception and cannot be " +
			"described",
	} {
		n := lineOf(part)
		require.Equal(t, []string{want}, lines[n], "%s at line %s", part, n)
		delete(lines, n)
	}
	require.Empty(t, lines)
}

// stubs runs the program and returns its exit code and what it said.
func stubs(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = w, w
	done := make(chan string)
	go func() {
		var b strings.Builder
		buf := make([]byte, 4096)
		for {
			n, err := r.Read(buf)
			b.Write(buf[:n])
			if err != nil {
				done <- b.String()
				return
			}
		}
	}()
	code = run(context.Background(), append([]string{"rpyc_stubs"}, args...))
	os.Stdout, os.Stderr = stdout, stderr
	require.NoError(t, w.Close())
	return code, <-done
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	fresh := filepath.Join(dir, "fresh.go")
	mine := filepath.Join(dir, "mine.go")
	require.NoError(t, os.WriteFile(mine, []byte("package mine\n"), 0o600))
	for _, row := range []struct {
		code int
		says string
		args []string
	}{
		{2, "a command is missing", nil},
		{2, `no command is called "gp"`, []string{"gp"}},
		{2, "flag provided but not defined: -nope", []string{"go", "--nope"}},
		{2, "options come before the package: --check", []string{"go", "./testdata/kinds", "--check"}},
		{2, "want one package", []string{"pyi", ".", "./testdata/kinds"}},
		{2, "--check needs a file", []string{"go", "--check", "-o", "-", "./testdata/kinds"}},
		{2, "--check needs a file", []string{"client", "--check"}},
		{2, "--check needs a file", []string{"go", "--check", "-o", os.DevNull, "./testdata/kinds"}},
		{2, `--package: "a-b" is no Go identifier`, []string{"client", "--package", "a-b"}},
		{2, "--port: 70000 is no port", []string{"client", "--port", "70000"}},
		{2, "--registry needs --service", []string{"client", "--registry", "127.0.0.1"}},
		{2, "--class needs --source", []string{"client", "--class", "C"}},
		{2, "--unix: nothing is connected to", []string{"client", "--source", "x.py", "--unix", "s"}},
		{1, "x.py: no such file", []string{"client", "--source", filepath.Join(dir, "x.py")}},
		{2, "what is \"x\"?", []string{"client", "x"}},
		{0, "//rpyc:default by=1", []string{"go", "--help"}},
		{0, "if TYPE_CHECKING:", []string{"pyi", "--help"}},
		{0, "allow_all_attrs", []string{"client", "--help"}},
		{0, "3 stale", []string{"--help"}},
		{0, "", []string{"go", "--check", "./testdata/kinds"}},
		{0, "", []string{"go", "--check", "../../examples/shop"}}, // what go generate writes
		{0, "", []string{"pyi", "--check", "../../examples/shop"}},
		{1, "wrong.go:4:1: no directive is called rpyc:servcie", []string{"go", "./testdata/wrong"}},
		{1, "no/such/place", []string{"go", "./no/such/place"}},
		{1, "matches several packages", []string{"go", "../../examples/..."}},
		{3, "there is no such file", []string{"go", "--check", "-o", fresh, "./testdata/kinds"}},
		{0, "", []string{"go", "-o", fresh, "./testdata/kinds"}},
		{0, "", []string{"go", "--check", "-o", fresh, "./testdata/kinds"}},
		{3, `line 3 is "package kinds" and should be "package main"`,
			[]string{"go", "--check", "-o", fresh, "../../examples/shop"}},
		{1, "was not written by rpyc_stubs", []string{"go", "-o", mine, "./testdata/kinds"}},
		{1, "no such file or directory", []string{"go", "-o", filepath.Join(dir, "no", "dir.go"), "./testdata/kinds"}},
		{1, "connect", []string{"client", "--unix", filepath.Join(dir, "no.sock"), "--timeout", "5s"}},
	} {
		code, out := stubs(t, row.args...)
		require.Equal(t, row.code, code, "%v: %s", row.args, out)
		require.Contains(t, out, row.says, "%v", row.args)
	}
	for _, c := range newApp().Commands {
		_, help := stubs(t, c.Name, "--help")
		require.Contains(t, help, "\nOptions:\n")
		for _, o := range program.Options(c.Flags, nil) {
			require.Contains(t, help, "  "+strings.Join(o.Names, ", "))
		}
	}
	text, err := os.ReadFile(mine)
	require.NoError(t, err)
	require.Equal(t, "package mine\n", string(text))
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	require.NoError(t, err)
	require.Empty(t, left, "temporary files")
}

// Source that does not compile is reported as the compiler does.
func TestBrokenSource(t *testing.T) {
	dir := filepath.Join("testdata", "broken")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	file := filepath.Join(dir, "broken.go")
	require.NoError(t, os.WriteFile(file, []byte("package broken\n\nfunc F() int { return nope }\n"), 0o600))
	code, out := stubs(t, "go", "./"+dir)
	require.Equal(t, 1, code)
	require.Contains(t, out, "testdata/broken/broken.go:3:23: undefined: nope")
	require.NoError(t, os.WriteFile(file, []byte("package broken\n\nfunc F( {\n"), 0o600))
	code, out = stubs(t, "go", "./"+dir)
	require.Equal(t, 1, code)
	require.Contains(t, out, "broken.go:3:")

	// A stale generated file does not stand in the way of a new one.
	require.NoError(t, os.WriteFile(file, []byte("package broken\n\n// F is a func.\nfunc F(a int) int { return a }\n"),
		0o600))
	stale := filepath.Join(dir, "rpyc_stubs.go")
	require.NoError(t, os.WriteFile(stale, []byte(generatedBy+"; DO NOT EDIT.\n\npackage broken\n\nvar _ = gone\n"),
		0o600))
	code, out = stubs(t, "go", "./"+dir)
	require.Equal(t, 0, code, out)
	text, err := os.ReadFile(stale)
	require.NoError(t, err)
	require.Contains(t, string(text), `exposed.DescribeFunc(exposed.Func(F, "a").Doc("A func."))`)
}

// A stub knows what the package's own calls of Register say.
func TestStubOfRegistered(t *testing.T) {
	text, err := mustModel(t, "./testdata/registered").writePyi()
	require.NoError(t, err)
	_, classes, _ := strings.Cut(string(text), "import ParamSpec\n\n")
	classes, _, _ = strings.Cut(classes, "\n# What rpyc.async_ makes")
	require.Equal(t, `class Point:
    """A point."""
    def __init__(self, x: int, y: int = 0) -> None: ...
    @property
    def left(self) -> int:
        """The x."""
    @staticmethod
    def origin() -> Point:
        """The point (0, 0)."""
    def norm1(self) -> int:
        """A length."""
    def scaled(self, by: float) -> Point: ...

class Point3(Point):
    """Has a colour."""
    def __init__(self, x: int, y: int, colour: str = 'red') -> None: ...
    colour: str

class ShapeService(Protocol):
    """Makes shapes."""
    @property
    def size(self) -> int: ...
    @property
    def answer(self) -> int: ...
    @property
    def Point(self) -> type[_Point]: ...
    @property
    def Point3(self) -> type[_Point3]: ...
    @staticmethod
    def double(n: int) -> int:
        """Doubles."""
    def greet(self, name: str, greeting: str = 'Hello', *, punct: str = '!') -> str:
        """Greet somebody."""
    def shape(self, *args: Any, **kwargs: Any) -> None:
        """Takes anything."""

def double(n: int) -> int:
    """Doubles."""

# Inside of classes that have a member of the same name:
_Point = Point
_Point3 = Point3
`, classes)
}

func TestStubOfForeignTypes(t *testing.T) {
	text, err := mustModel(t, "./testdata/kinds").writePyi()
	require.NoError(t, err)
	require.Contains(t, string(text), "import builtins\nimport datetime\n")
	require.Contains(t, string(text), "def stream(self, r: BinaryIO, err: BaseException) -> ")
	require.Contains(t, string(text), "def when(self, t: datetime.datetime) -> datetime.datetime: ...")
	require.Contains(t, string(text), "    def stock(self) -> dict[str, list[Couple]]:\n        \"\"\"Returns what")
	require.Contains(t, string(text), "    def locked(self, n: builtins.int, /) -> list[builtins.int] | None:\n        \"\"\"A lock.")
	require.Contains(t, string(text), "    def tree(self) -> _node:")
	require.Contains(t, string(text), "class _node(Protocol):\n")
	require.NotRegexp(t, `\bnode\b`, string(text))
	require.NotContains(t, string(text), "MakePair")
	require.Contains(t, string(text), `
class TornError(Broken, OSError):
    """Says that a kind is torn."""

class Broken(LookupError):
    """Raised for what is broken."""

class Plain(Exception): ...
`)
}
