package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
)

// writeTest writes a test that makes the same calls to the Python service and to the Go one.
func (w *skeleton) writeTest(served []*pyType) error {
	if w.m.tree == nil {
		w.printf("%s", liveTestHead)
	} else {
		w.printf("%s", pythonTestHead)
	}
	w.printf("%s", testHelpers)
	for i, t := range served {
		start := w.started(t)
		if start == nil && t.local {
			continue // nobody knows how the class is made
		}
		if start == nil {
			start = &pyStart{options: map[string]string{}}
		}
		expression := t.name
		if start.made != "" {
			expression = start.made
		} else if start.shared {
			expression += "(" + strings.Join(start.args, ", ") + ")"
		} else if len(start.args) > 0 {
			expression = "rpyc.utils.helpers.classpartial(" + t.name + ", " + strings.Join(start.args, ", ") + ")"
		}
		options := start.options["protocol_config"]
		if inspect.IsName(options) {
			options = w.m.assigned(options)
		}
		if options == "" {
			options = "{}"
		}
		root := w.roots[i]
		w.printf("// %sCalls are made to both, one after the other. Add those that clients make.\n", unexported(root))
		w.printf("var %sCalls = []call{\n", unexported(root))
		for _, line := range w.calls(t) {
			w.printf("\t%s\n", line)
		}
		w.printf("}\n\n")
		if w.m.tree == nil {
			w.printf("func Test%s(t *testing.T) {\n\tcompare(t, nil, new%sRoot(), %sConfig(), %sCalls)\n}\n\n", root,
				root, unexported(root),
				unexported(root))
			continue
		}
		w.printf("func Test%s(t *testing.T) {\n\tpython := startPython(t, %q, %q)\n"+
			"\tcompare(t, python, new%sRoot(), %sConfig(), %sCalls)\n}\n\n",
			root, expression, options, root, unexported(root), unexported(root))
	}
	text := strings.ReplaceAll(w.file.String(), "SOURCE", quote(filepath.ToSlash(w.original)))
	w.file.Reset()
	w.file.WriteString(text)
	return nil
}

// calls are rows for the table of a service.
func (w *skeleton) calls(t *pyType) []string {
	var rows []string
	var skipped []string
	seen := map[string]bool{}
	for _, of := range slices.Concat([]*pyType{t}, t.ancestors()) {
		c := w.classes[of]
		if c == nil {
			continue
		}
		for _, a := range slices.Concat(of.fields, of.attrs) {
			if !a.exposed || seen[a.bare] {
				continue
			}
			seen[a.bare] = true
			_, known := w.value(of, a, a.goType)
			if slices.Contains(of.fields, a) && a.param == "" && (a.value == "" || !known) {
				skipped = append(skipped, fmt.Sprintf("// {name: %q, get: true}: once it is set", a.bare))
			} else {
				rows = append(rows, fmt.Sprintf("{name: %q, get: true},", a.bare))
			}
		}
		for _, f := range of.funcs {
			s := c.shapes[f]
			if s == nil || !f.exposed || seen[f.bare] || f.kind > getter {
				continue
			}
			seen[f.bare] = true
			if f.kind == getter {
				rows = append(rows, fmt.Sprintf("{name: %q, get: true},", f.bare))
				continue
			}
			row, ok := w.sample(s)
			if !ok {
				skipped = append(skipped, fmt.Sprintf("// {name: %q, args: []any{…}}: %s", f.bare, commentText(f.title())))
				continue
			}
			rows = append(rows, fmt.Sprintf("{name: %q, args: []any{%s}},", f.bare, strings.Join(row, ", ")))
			if len(row) > 0 {
				rows = append(rows, fmt.Sprintf("{name: %q}, // a TypeError", f.bare))
			}
		}
	}
	return append(rows, skipped...)
}

// sample are arguments for the parameters that have to be given.
func (w *skeleton) sample(s *shape) (values []string, ok bool) {
	for _, a := range s.args {
		if a.param == nil || a.param.Default != "" || strings.HasPrefix(a.decl, "*") {
			continue
		}
		value := sampleOf(a.typ)
		if value == "" {
			return nil, false
		}
		if a.param.Kind == inspect.KeywordOnly {
			value = fmt.Sprintf("netref.Kw(%q, %s)", a.param.Name, value)
		}
		values = append(values, value)
	}
	return values, true
}

// sampleOf is an argument for a parameter of a type; empty if there is none.
func sampleOf(typ string) string {
	switch typ {
	case "int", "any", "int64":
		return "1"
	case "float64":
		return "1.5"
	case "string":
		return `"a"`
	case "bool":
		return "true"
	case "[]byte":
		return `[]byte("a")`
	case "complex128":
		return "1i"
	case "brine.Tuple":
		return "brine.Tuple{1, 2}"
	}
	switch {
	case strings.HasPrefix(typ, "[]"), strings.HasPrefix(typ, "iter.Seq2["):
		item := sampleOf(strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(typ, "[]"), "iter.Seq2["), ", error]"))
		if item != "" {
			return "[]any{" + item + "}"
		}
	case strings.HasPrefix(typ, "map["):
		key, elem, _ := strings.Cut(typ[len("map["):], "]")
		k, v := sampleOf(key), sampleOf(elem)
		if elem == "struct{}" {
			return typ + "{" + k + ": {}}"
		}
		if k != "" && v != "" && key != "any" {
			return "map[" + key + "]any{" + k + ": " + v + "}"
		}
	case strings.HasPrefix(typ, "func("):
		_, result, _ := strings.Cut(typ, ") (")
		if v := sampleOf(strings.TrimSuffix(result, ", error)")); v != "" {
			return "func(...any) any { return " + v + " }"
		}
		return "echo"
	case typ == "*netref.Object":
		return "echo"
	}
	return ""
}

const liveTestHead = `// start is where the Python service is not known: the answers of the Go service are shown by go test -v.
`

const pythonTestHead = `// original is the Python service.
const original = SOURCE

// script serves a service of a module until its input ends.
const script = ` + "`" + `
import importlib.util, os, sys, threading
import rpyc
import rpyc.utils.helpers
from rpyc.utils.server import Server, ThreadedServer

init, start = Server.__init__, Server.start
Server.__init__ = lambda *args, **kwargs: None  # the module must not serve by itself
Server.start = lambda *args: None
path, service, config = sys.argv[1:]
sys.path.insert(0, os.path.dirname(path))
spec = importlib.util.spec_from_file_location("original_service", path)
module = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = module
spec.loader.exec_module(module)
Server.__init__, Server.start = init, start
names = dict(vars(module), rpyc=rpyc)
server = ThreadedServer(eval(service, names), hostname="127.0.0.1", port=0, protocol_config=eval(config, names))
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
print("PORT", server.port, flush=True)
server.start()
` + "`" + `

// startPython runs the Python service and connects to it. $PYTHON is the interpreter, python3 without it.
func startPython(t *testing.T, service, config string) *netref.Object {
	t.Helper()
	python := os.Getenv("PYTHON")
	if python == "" {
		python = "python3"
	}
	source, err := filepath.Abs(original)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(source); err != nil {
		t.Skipf("the Python service is not there: %v", err)
	}
	var complaints strings.Builder
	cmd := exec.Command(python, "-c", script, source, service, config)
	cmd.Stderr = &complaints
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skipf("no Python: %v", err)
	}
	t.Cleanup(func() {
		_ = input.Close()
		_ = cmd.Wait()
	})
	tooLong := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer tooLong.Stop()
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		text, ok := strings.CutPrefix(lines.Text(), "PORT ")
		if !ok {
			continue // the service prints
		}
		port, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		conn, err := protocol.Dial(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(port), nil)
		for err != nil && ctx.Err() == nil { // it has bound the port and may not listen yet
			time.Sleep(10 * time.Millisecond)
			conn, err = protocol.Dial(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(port), nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn.Root()
	}
	_ = cmd.Wait()
	t.Skipf("the Python service does not start: %s", lastLine(complaints.String()))
	return nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

`

const testHelpers = `// call is something that a client does.
type call struct {
	name string
	args []any // netref.Kw for those by keyword
	get  bool  // reads an attribute
}

func (c call) do(ctx context.Context, root *netref.Object) string {
	var v any
	var err error
	if c.get {
		v, err = root.Get(ctx, c.name)
	} else {
		v, err = root.CallMethod(ctx, c.name, c.args...)
	}
	return describe(ctx, v, err)
}

// echo is a callback: it returns its first argument.
func echo(args ...any) any {
	if len(args) == 0 {
		return nil
	}
	return args[0]
}

var address = regexp.MustCompile("<([\\w<>]+\\.)*(\\w+)( object)? at 0x[0-9a-fA-F]+>")

// called is how releases of Python name a function in messages.
var called = regexp.MustCompile("\\b([\\w<>]+\\.)*(exposed_)?(\\w+\\(\\))")

// describe says what a client sees of a result, but for addresses and names of modules.
func describe(ctx context.Context, v any, err error) string {
	if err != nil {
		e := vinegar.FromError(err)
		return e.Class.Name() + called.ReplaceAllString(vinegar.Repr(brine.Tuple(e.Args)), "$3")
	}
	switch v := v.(type) {
	case brine.Tuple:
		var items []string
		for _, item := range v {
			items = append(items, describe(ctx, item, nil))
		}
		return "(" + strings.Join(items, ", ") + ")"
	case *netref.Object:
		name := v.ClassName()[strings.LastIndexByte(v.ClassName(), '.')+1:]
		if strings.HasSuffix(name, "iterator") || name == "generator" {
			text := "iterator of"
			n := 0
			for item, err := range v.Iter(ctx) {
				if text += " " + describe(ctx, item, err); err != nil || n == 100 {
					break
				}
				n++
			}
			return text
		}
		text, err := v.Repr(ctx)
		if err != nil {
			return describe(ctx, nil, err)
		}
		return address.ReplaceAllString(text, "<$2>")
	}
	text, err := exposed.Repr(ctx, v)
	if err != nil {
		return describe(ctx, nil, err)
	}
	return exposed.TypeName(v) + " " + text
}

// unwritten is the exception of what is still to be written.
const unwritten = "NotImplementedError"

// compare makes the calls to both services. What is still to be written in Go is skipped.
func compare(t *testing.T, python *netref.Object, service any, config *protocol.Config, calls []call) {
	ctx := context.Background()
	a, b, err := protocol.Pair(ctx, service, nil, config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = a.Close(), b.Close() }()
	for _, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			got := c.do(ctx, b.Root())
			if python == nil {
				t.Log(got)
				return
			}
			want := c.do(ctx, python)
			if got != want && strings.Contains(got, unwritten) {
				t.Skipf("to be written in Go; Python answers %s", want)
			}
			if got != want {
				t.Errorf("Go answers %s, Python %s", got, want)
			}
		})
	}
}

`
