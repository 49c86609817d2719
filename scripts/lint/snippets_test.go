package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSnippetsCompile type-checks the Go blocks of all documents. A block that begins with a package clause is a
// program and has to compile as it stands. Others are parts of one: the packages they use are imported for them, and
// they may use the names of scene.
func TestSnippetsCompile(t *testing.T) {
	const root = "../.."
	exports := exportData(t, root)
	names, err := markdownFiles(root)
	require.NoError(t, err)
	checked := 0
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		for _, s := range goBlocks(string(text)) {
			checked++
			t.Run(fmt.Sprintf("%s:%d", name, s.line), func(t *testing.T) {
				for _, problem := range s.check(name, exports) {
					t.Error(problem)
				}
			})
		}
	}
	require.NotZero(t, checked)
}

// TestSnippetsAreJudged has the checker find what is wrong with blocks that do not compile.
func TestSnippetsAreJudged(t *testing.T) {
	exports := exportData(t, "../..")
	for _, c := range []struct{ text, want string }{
		{"package main\n\nimport \"os\"\n\nfunc main() {}\n", "imported and not used"},
		{"package main\n\nfunc main() { protocol.Dial() }\n", "undefined: protocol"},
		{"conn, err := protocol.Dial(ctx, \"tcp\")\n", "not enough arguments"},
		{"type T struct{}\n\nfunc (T) M() int { return \"\" }\n", "cannot use"},
		{"x := netref.Nothing\n", "undefined: netref.Nothing"},
		{"if {\n", "missing condition"},
	} {
		problems := snippet{text: c.text, line: 1}.check("a.md", exports)
		require.Contains(t, strings.Join(problems, "\n"), c.want, c.text)
	}
	require.Empty(t, snippet{text: "v, err := netref.Call[int](ctx, root, \"add\")\n", line: 1}.check("a.md", exports))
}

// scene is what a block that is no program may use without declaring it.
const scene = "ctx context.Context, conn *protocol.Conn, root *netref.Object, w io.Writer, err error"

// sceneTypes are further declarations, left out where a block has its own.
var sceneTypes = map[string]string{
	"Calculator": "type Calculator struct{}",
	"Order":      "type Order struct { ID int; Price float64 }",
	"Session":    "type Session struct{}",
}

// snippet is a Go block of a document; line is that of its first line.
type snippet struct {
	text string
	line int
}

func goBlocks(text string) (found []snippet) {
	var block []string
	inside, other := false, false
	for i, line := range strings.Split(text, "\n") {
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && inside:
			found = append(found, snippet{strings.Join(block, "\n") + "\n", i - len(block) + 1})
			inside = false
		case fence && other:
			other = false
		case fence:
			inside = strings.TrimSpace(line) == "```go"
			other, block = !inside, nil
		case inside:
			block = append(block, line)
		}
	}
	return found
}

// check returns what the compiler says of a block.
func (s snippet) check(name string, exports map[string]string) (problems []string) {
	fset := token.NewFileSet()
	here := fmt.Sprintf("//line %s:%d\n", name, s.line)
	program := strings.HasPrefix(s.text, "package ")
	sources := []string{here + s.text}
	if !program {
		before := "package p\n" + s.imports(exports)
		sources = []string{
			before + here + s.text,
			before + "func _(" + scene + ") error {\n{\n" + here + s.text + "\n}\nreturn nil\n}\n",
		}
	}
	var file *ast.File
	var err error
	for _, source := range sources {
		if file, err = parser.ParseFile(fset, "snippet.go", source, parser.SkipObjectResolution); err == nil {
			break
		}
	}
	if err != nil {
		return []string{err.Error()}
	}
	lookup := func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("no package %s in this module or what it needs", path)
		}
		return os.Open(exports[path])
	}
	cfg := types.Config{
		Importer: importer.ForCompiler(fset, "gc", lookup),
		Error: func(err error) {
			var e types.Error
			if errors.As(err, &e) && e.Soft && !program {
				return // not used: the rest of the program would
			}
			problems = append(problems, err.Error())
		},
	}
	_, _ = cfg.Check("p", fset, []*ast.File{file}, nil)
	return problems
}

var (
	qualified = regexp.MustCompile(`\b([a-z][a-z0-9]*)\.[A-Z]`)
	declared  = regexp.MustCompile(`(?m)^type (\w+)`)
)

// imports imports what a part of a program uses, by the last element of the package's path, and adds the scene's types.
// Of several packages with one name this module's is meant, and of the standard library's the one with the shorter
// path.
func (s snippet) imports(exports map[string]string) string {
	paths := map[string]string{}
	for path := range exports {
		name := path[strings.LastIndexByte(path, '/')+1:]
		ours := strings.HasPrefix(path, "github.com/gorpyc/")
		if strings.Contains(path, "internal") || strings.Contains(path, "vendor/") || strings.Contains(path, ".") && !ours {
			continue
		}
		if old := paths[name]; old == "" || ours || !strings.Contains(old, ".") && len(path) < len(old) {
			paths[name] = path
		}
	}
	names := []string{"context", "protocol", "netref", "io"} // of the scene
	for _, m := range qualified.FindAllStringSubmatch(s.text, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range slices.Compact(names) {
		if paths[name] != "" {
			fmt.Fprintf(&b, "import %q\n", paths[name])
		}
	}
	own := declared.FindAllStringSubmatch(s.text, -1)
	for name, decl := range sceneTypes {
		if !slices.ContainsFunc(own, func(m []string) bool { return m[1] == name }) {
			b.WriteString(decl + "\n")
		}
	}
	return b.String()
}

// exportData are the files with the compiler's export data, by import path, of this module's packages and all they
// need.
func exportData(t *testing.T, root string) map[string]string {
	format := `{{if ne .Name "main"}}{{.ImportPath}}{{"\t"}}{{.Export}}{{end}}`
	cmd := exec.Command("go", "list", "-export", "-deps", "-f", format, "./...", "testing")
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	exports := map[string]string{}
	for line := range strings.SplitSeq(strings.TrimSpace(string(out)), "\n") {
		path, file, _ := strings.Cut(line, "\t")
		exports[path] = file
	}
	return exports
}
