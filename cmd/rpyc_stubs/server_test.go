package main

import (
	"bufio"
	"bytes"
	"context"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// programs are the skeletons that are programs, and whether their tests are run.
var programs = map[string]bool{"edges": true, "metrics": true, "files": false}

// skeletons writes the skeletons of all services in testdata into a module, a package for each, and returns its
// directory.
func skeletons(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	repository, err := filepath.Abs("../..")
	require.NoError(t, err)
	mod, err := os.ReadFile(filepath.Join(repository, "go.mod"))
	require.NoError(t, err)
	sum, err := os.ReadFile(filepath.Join(repository, "go.sum"))
	require.NoError(t, err)
	text := regexp.MustCompile(`(?m)^module .*`).ReplaceAllString(string(mod), "module example.org/skeletons") +
		"\nrequire github.com/gorpyc/gorpyc v0.1.0\n\nreplace github.com/gorpyc/gorpyc => " + repository + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o600))
	for _, source := range pythonServices(t) {
		pkg := stem(source) // one program has them all, which links faster
		if _, program := programs[pkg]; program {
			pkg = "main"
		}
		code, out := stubs(t, "server", source, "-o", filepath.Join(dir, stem(source)), "--package", pkg)
		require.Equal(t, 0, code, out)
		files, err := filepath.Glob(filepath.Join(dir, stem(source), "*.go"))
		require.NoError(t, err)
		require.Len(t, files, 4)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			formatted, err := format.Source(text)
			require.NoError(t, err)
			require.Equal(t, string(formatted), string(text), "%s is not as gofmt has it", file)
		}
	}
	return dir
}

func stem(path string) string { return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)) }

func pythonServices(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/server/*.py")
	require.NoError(t, err)
	var all []string
	for _, file := range files {
		if !strings.HasSuffix(file, "_client.py") {
			all = append(all, file)
		}
	}
	require.GreaterOrEqual(t, len(all), 11)
	return all
}

// Every skeleton compiles and can be loaded, and go vet has no complaint. Those whose bodies have been written answer
// the unmodified client of the Python service as that does. The tests that are written with two others pass, which
// start the Python service and compare all that needs no body.
func TestSkeletons(t *testing.T) {
	python := os.Getenv("GORPYC_TEST_PYTHON")
	dir := skeletons(t)
	command(t, dir, "go", "vet", "-mod=mod", "./...")
	filled, err := filepath.Glob("testdata/server/*.bodies")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(filled), 5)
	for _, bodies := range filled {
		fillIn(t, filepath.Join(dir, stem(bodies), "service.go"), bodies)
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "serve"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "serve", "main.go"), []byte(serveAll), 0o600))
	built := t.TempDir() + string(filepath.Separator)
	serve := built + "serve"
	command(t, dir, "go", "build", "-mod=mod", "-o", built, "./serve", "./files")
	forking := serveProgram(t, []string{built + "files", "-addr", "localhost:0"})
	for range 2 {
		conn, err := protocol.Dial(t.Context(), "tcp", "localhost:"+forking, nil)
		require.NoError(t, err)
		_, err = conn.Root().CallMethod(t.Context(), "remove", "x")
		require.ErrorIs(t, err, vinegar.NotImplementedError)
		require.NoError(t, conn.Close())
	}
	if python == "" {
		t.Skip("GORPYC_TEST_PYTHON is not set: no Python to compare with")
	}
	t.Setenv("PYTHON", python)
	for name, tested := range programs {
		if !tested {
			continue
		}
		out := string(command(t, dir, "go", "test", "-mod=mod", "-v", "./"+name))
		require.Contains(t, out, "to be written in Go; Python answers")
		require.NotContains(t, out, "does not start")
	}
	for _, bodies := range filled {
		name := stem(bodies)
		t.Run(name, func(t *testing.T) {
			client, err := filepath.Abs("testdata/server/" + name + "_client.py")
			require.NoError(t, err)
			source, err := filepath.Abs("testdata/server/" + name + ".py")
			require.NoError(t, err)
			answers := map[string]string{}
			for kind, args := range map[string][]string{
				"Go":     {serve, name},
				"Python": {python, "-c", anyPort, source},
			} {
				answers[kind] = string(command(t, dir, python, client, serveProgram(t, args)))
			}
			require.Greater(t, strings.Count(answers["Python"], "\n"), 10)
			require.Equal(t, answers["Python"], answers["Go"])
		})
	}
}

// serveAll serves a service on any port until its input ends.
const serveAll = `package main

import (
	"context"
	"io"
	"log"
	"net"
	"os"

	"github.com/gorpyc/gorpyc/servers"

	"example.org/skeletons/agenda"
	"example.org/skeletons/chat"
	"example.org/skeletons/door"
	"example.org/skeletons/inventory"
	"example.org/skeletons/jobs"
	"example.org/skeletons/kv"
	_ "example.org/skeletons/legacy"
	_ "example.org/skeletons/matrix"
	_ "example.org/skeletons/shop"
)

func main() {
	srv, err := map[string]func() (*servers.Server, error){
		"agenda": agenda.NewAgendaServer, "chat": chat.NewChatServer, "door": door.NewDoorServer,
		"inventory": inventory.NewInventoryServer, "jobs": jobs.NewJobServer, "kv": kv.NewKVServer,
	}[os.Args[1]]()
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on %s", l.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	log.Fatal(srv.Serve(context.Background(), l))
}
`

// anyPort runs a Python service as the program it is, but for its address.
const anyPort = `
import os, runpy, sys, threading
import rpyc.utils.server as servers
init, start = servers.Server.__init__, servers.Server.start
def on_any_port(self, service, *args, **kwargs):
    kwargs.pop("socket_path", None)
    init(self, service, *args, **dict(kwargs, hostname="localhost", port=0, auto_register=False))
def say_where(self):
    self.listener.listen()
    print("listening on localhost:%d" % self.port, file=sys.stderr, flush=True)
    start(self)
servers.Server.__init__, servers.Server.start = on_any_port, say_where
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
runpy.run_path(sys.argv[1], run_name="__main__")
`

// serveProgram runs a server until the test ends, and returns its port.
func serveProgram(t *testing.T, args []string) (port string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	input, err := cmd.StdinPipe()
	require.NoError(t, err)
	errs, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = input.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var seen bytes.Buffer
	lines := bufio.NewScanner(io.TeeReader(errs, &seen))
	for lines.Scan() {
		if at := strings.Index(lines.Text(), "listening on "); at >= 0 {
			port = lines.Text()[strings.LastIndexByte(lines.Text(), ':')+1:]
			go func() { _, _ = io.Copy(io.Discard, errs) }()
			return port
		}
	}
	require.Fail(t, "the server does not start", "%s: %s", args, seen.String())
	return ""
}

func command(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	require.NoError(t, err, "%s %s: %s", name, args, errs.String())
	return out
}

// fillIn writes the bodies of a skeleton, which a file has as a user would write them.
func fillIn(t *testing.T, service, bodies string) {
	t.Helper()
	source, err := os.ReadFile(service)
	require.NoError(t, err)
	text, err := os.ReadFile(bodies)
	require.NoError(t, err)
	head, rest, _ := strings.Cut(string(text), "\n-- ")
	for section := range strings.SplitSeq(rest, "\n-- ") {
		name, body, _ := strings.Cut(section, "\n")
		if name == "+" {
			source = append(append(source, '\n'), body...)
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), "service.go", source, parser.SkipObjectResolution)
		require.NoError(t, err)
		found := false
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && goNameOf(f) == name {
				found = true
				source = bytes.Join([][]byte{source[:f.Body.Lbrace], []byte(body), source[f.Body.Rbrace-1:]}, []byte("\n"))
			}
		}
		require.True(t, found, "%s is not in the skeleton of %s", name, bodies)
	}
	imports := ""
	for path := range strings.FieldsSeq(strings.TrimPrefix(head, "import ")) {
		if !bytes.Contains(source, []byte("\n\t"+strconv.Quote(path)+"\n")) {
			imports += "\t" + strconv.Quote(path) + "\n"
		}
	}
	source = bytes.Replace(source, []byte("import (\n"), []byte("import (\n"+imports), 1)
	require.NoError(t, os.WriteFile(service, source, 0o600))
}

// goNameOf is how a func is called: "Type.Method" for a method.
func goNameOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	return f.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name + "." + f.Name.Name
}

// What is wrong with a source is said with its line, and nothing is written.
func TestServerErrors(t *testing.T) {
	for _, row := range [][2]string{
		{"x = 'a\n", ":1: a string is not closed"},
		{"x = 1\ny = (2,\n", ":2: a bracket is not closed"},
		{"x = 1)\n", `:1: ")" closes nothing`},
		{"class A:\nx = 1\n", ":2: an indented block is missing after line 1"},
		{"class A\n    pass\n", ":1: a colon is missing"},
		{"x = 1\n    y = 2\n", ":2: unexpected indent"},
		{"if x:\n        y = 2\n    z = 1\n", ":3: the indentation is that of no outer block"},
		{"class A(:\n    pass\n", ":1: a bracket is not closed"},
		{"class 1A:\n    pass\n", ":1: not a class: class 1A"},
		{"def 1f(): pass\n", ":1: not a definition"},
		{"class A:\n    def exposed_a(self): pass\n", "has no service"},
		{"", "has no service"},
		{"from rpyc.utils.server import ThreadedServer\nfrom shop import Shop\nThreadedServer(Shop, port=1).start()\n",
			"it serves shop.Shop, whose file is to be read"},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "x.py")
		require.NoError(t, os.WriteFile(file, []byte(row[0]), 0o600))
		code, out := stubs(t, "server", file, "-o", filepath.Join(dir, "x"))
		require.Equal(t, 1, code, "%q: %s", row[0], out)
		require.Contains(t, out, row[1], "%q", row[0])
		require.NoDirExists(t, filepath.Join(dir, "x"))
	}
	for _, args := range [][]string{{}, {"a.py", "b.py"}, {"a.py", "--package", "1"}, {"a.py", "--module", "a-b"},
		{"a.py", "--unix", "x"}} {
		code, out := stubs(t, append([]string{"server"}, args...)...)
		require.Equal(t, exitUsage, code, out)
	}
}

// A skeleton that somebody works on is not overwritten. The options say where it goes and what it is called.
func TestServerOutput(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kv")
	code, out := stubs(t, "server", "--package", "store", "--module", "acme.kv", "-o", dir, "testdata/server/kv.py")
	require.Equal(t, 0, code, out)
	require.Contains(t, out, "is in no Go module")
	service := filepath.Join(dir, "service.go")
	text, err := os.ReadFile(service)
	require.NoError(t, err)
	require.Contains(t, string(text), "package store\n")
	require.Contains(t, string(text), `vinegar.NewClass("acme.kv.Conflict", vinegar.Exception)`)
	require.NoError(t, os.WriteFile(service, []byte("mine"), 0o600))
	require.NoError(t, os.Remove(filepath.Join(dir, "main.go")))
	code, out = stubs(t, "server", "testdata/server/kv.py", "-o", dir)
	require.Equal(t, 1, code)
	require.Contains(t, out, "service.go exists: nothing is written")
	require.NoFileExists(t, filepath.Join(dir, "main.go"))
	code, out = stubs(t, "server", "testdata/server/kv.py", "-o", dir, "--force")
	require.Equal(t, 0, code, out)
	require.FileExists(t, filepath.Join(dir, "main.go"))
}

// What cannot be translated is told on stderr and at the top of the file, with its line.
func TestServerNotes(t *testing.T) {
	dir := t.TempDir()
	code, out := stubs(t, "server", "testdata/server/edges.py", "-o", dir)
	require.Equal(t, 0, code, out)
	text, err := os.ReadFile(filepath.Join(dir, "service.go"))
	require.NoError(t, err)
	head, _, _ := strings.Cut(string(text), "\npackage ")
	source, err := os.ReadFile("testdata/server/edges.py")
	require.NoError(t, err)
	lines := strings.Split(string(source), "\n")
	for note, where := range map[string]string{ // what is said, and a text of the line that it is said of
		"exposed_wait is async":                            "async def exposed_wait",
		"not translated: Service.__getattr__":              "def __getattr__",
		"the default missing = object(): it is None here":  "def exposed_get(self, key, default",
		"Service.undecorated is not exposed":               "@r.exposed",
		"not translated: Service.exposed_computed = max(3": "exposed_computed",
		"List derives from list":                           "class List(list)",
		"not translated: big = 2 ** 70":                    "big = 2",
		"Late is defined in make_late":                     "class Late(r.Service)",
		"the authenticator check: the server does not sta": "Server(Service, port=port",
	} {
		line := 0
		for i, l := range lines {
			if strings.Contains(l, where) {
				line = i + 1
			}
		}
		want := "line " + strconv.Itoa(line) + ": " + note
		require.Contains(t, out, want)
		require.Contains(t, head, "//   - "+want)
	}
	require.NotContains(t, head, "+build")
}

// A source that was cut anywhere is refused or translated, and is no reason to panic.
func TestServerCut(t *testing.T) {
	for _, name := range []string{"edges", "shop", "metrics"} {
		text, err := os.ReadFile("testdata/server/" + name + ".py")
		require.NoError(t, err)
		file := filepath.Join(t.TempDir(), "cut.py")
		for n := 0; n <= len(text); n += 97 {
			require.NoError(t, os.WriteFile(file, text[:n], 0o600))
			m, err := readModule(file, "")
			if err != nil {
				continue
			}
			if _, err := writeSkeleton(m, "p", "cut.py"); err != nil {
				require.NotContains(t, err.Error(), "a fault of rpyc_stubs", "%s, %d bytes", name, n)
			}
		}
	}
}

// A running service tells names, and types if it opens them.
func TestServerOfLiveService(t *testing.T) {
	python := os.Getenv("GORPYC_TEST_PYTHON")
	if python == "" {
		t.Skip("GORPYC_TEST_PYTHON is not set")
	}
	source, err := filepath.Abs("testdata/server/inventory.py")
	require.NoError(t, err)
	port := serveProgram(t, []string{python, "-c", anyPort, source})
	dir := t.TempDir()
	code, out := stubs(t, "server", "localhost:"+port, "-o", dir)
	require.Equal(t, 0, code, out)
	require.Contains(t, out, "InventoryService.take: the service does not tell its parameters")
	text, err := os.ReadFile(filepath.Join(dir, "service.go"))
	require.NoError(t, err)
	require.Contains(t, string(text), "\nfunc (s *InventoryService) Take(ctx context.Context, args []any, kwargs "+
		"...netref.Keyword) (any, error) {\n")
	text, err = os.ReadFile(filepath.Join(dir, "python.go"))
	require.NoError(t, err)
	require.Contains(t, string(text), `Name:    "__main__.InventoryService"`)
}

// A callback of the test that is written returns what the annotation says, since Go takes nothing else.
func TestSampleOfCallbacks(t *testing.T) {
	for typ, want := range map[string]string{
		"func(context.Context, string, int) (bool, error)":     "func(...any) any { return true }",
		"[]func(context.Context, int) (map[string]any, error)": "[]any{func(...any) any { return map[string]any{\"a\": 1} }}",
		"func(context.Context, string) error":                  "echo",
		"func(context.Context) (*Item, error)":                 "echo",
	} {
		require.Equal(t, want, sampleOf(typ), typ)
	}
}
