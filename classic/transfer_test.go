package classic_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// tree is a directory of files, links and things that are no files.
func tree(t *testing.T) string {
	dir := t.TempDir()
	for name, data := range map[string]string{"a.txt": "alpha", "empty": "",
		"sub/b.bin": strings.Repeat("\x00\xff", 100_000), "sub/deep/c.txt": "gamma", "skip.tmp": "no"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644))
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "none"), 0o755))
	require.NoError(t, os.Symlink("a.txt", filepath.Join(dir, "link")))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "dangling")))
	require.NoError(t, os.Symlink("..", filepath.Join(dir, "sub", "up")))
	return dir
}

// contents reads all files below a directory.
func contents(t *testing.T, dir string) map[string]string {
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if d.IsDir() {
			files[name+"/"] = ""
			return nil
		}
		data, err := os.ReadFile(path)
		files[name] = string(data)
		return err
	}))
	return files
}

func withoutTemporary(name string) bool { return !strings.HasSuffix(name, ".tmp") }

func TestUploadDownloadTree(t *testing.T) {
	ctx := t.Context()
	c := connect(t, nil)
	local, there, back := tree(t), filepath.Join(t.TempDir(), "x", "there"), filepath.Join(t.TempDir(), "back")
	o := &classic.TransferOptions{Filter: withoutTemporary, ChunkSize: 5000}
	require.NoError(t, c.Upload(ctx, local, there, o))
	want := map[string]string{"./": "", "a.txt": "alpha", "empty": "", "link": "alpha", "none/": "", "sub/": "",
		"sub/b.bin": strings.Repeat("\x00\xff", 100_000),
		"sub/deep/": "", "sub/deep/c.txt": "gamma"}
	require.Equal(t, want, contents(t, there))
	require.NoError(t, c.Download(ctx, there, back, nil))
	require.Equal(t, want, contents(t, back))

	embedded := fstest.MapFS{"p/__init__.py": {Data: []byte("x = 1\n")}, "p/q/r.py": {Data: []byte("y = 2\n")}}
	there = filepath.Join(t.TempDir(), "fs")
	require.NoError(t, c.UploadFS(ctx, embedded, "p", there, nil))
	require.Equal(t, map[string]string{"./": "", "__init__.py": "x = 1\n", "q/": "", "q/r.py": "y = 2\n"},
		contents(t, there))
	one := filepath.Join(t.TempDir(), "one.py")
	require.NoError(t, c.UploadFS(ctx, embedded, "p/q/r.py", one, nil))
	data, err := os.ReadFile(one)
	require.NoError(t, err)
	require.Equal(t, "y = 2\n", string(data))
}

func TestUploadPackage(t *testing.T) {
	ctx := t.Context()
	c := connect(t, nil)
	local := filepath.Join(t.TempDir(), "gorpyc_sample")
	require.NoError(t, os.Mkdir(local, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(local, "__init__.py"), []byte("ANSWER = 42\n"), 0o644))
	site := t.TempDir()
	require.NoError(t, c.UploadPackage(ctx, local, filepath.Join(site, "gorpyc_sample"), nil))
	require.NoError(t, c.Execute(ctx, fmt.Sprintf("import sys\nsys.path.insert(0, %q)", site)))
	answer, err := classic.Eval[int](ctx, c, "__import__('gorpyc_sample').ANSWER")
	require.NoError(t, err)
	require.Equal(t, 42, answer)
	require.Error(t, c.UploadPackage(ctx, filepath.Join(local, "__init__.py"), site, nil))
}

func TestTransferErrors(t *testing.T) {
	ctx := t.Context()
	c := connect(t, nil)
	dir := t.TempDir()
	require.ErrorIs(t, c.Upload(ctx, filepath.Join(dir, "none"), filepath.Join(dir, "x"), nil), fs.ErrNotExist)
	require.ErrorContains(t, c.Upload(ctx, "/dev/null", filepath.Join(dir, "x"), nil), "cannot upload")
	require.ErrorContains(t, c.Download(ctx, filepath.Join(dir, "none"), filepath.Join(dir, "x"), nil), "cannot download")
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, []byte("kept"), 0o644))
	require.ErrorIs(t, c.Upload(ctx, file, filepath.Join(dir, "no", "such", "dir"), nil), fs.ErrNotExist)
	require.ErrorIs(t, c.Download(ctx, file, filepath.Join(dir, "no", "such"), nil), fs.ErrNotExist)
	require.ErrorIs(t, c.DownloadTo(ctx, filepath.Join(dir, "none"), io.Discard, nil), fs.ErrNotExist)
	require.Error(t, c.Upload(ctx, dir, file, nil), "a file is in the way of the directory")

	broken := errors.New("broken")
	require.ErrorIs(t, c.UploadFrom(ctx, io.MultiReader(strings.NewReader("begun"), failing{broken}),
		filepath.Join(dir, "half"), nil), broken)
	require.ErrorIs(t, c.DownloadTo(ctx, file, failing{broken}, nil), broken)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, c.Upload(ended, file, filepath.Join(dir, "y"), nil), context.Canceled)

	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "kept", string(data))
	n, err := classic.Eval[int](ctx, c, "1")
	require.NoError(t, err, "the connection stands")
	require.Equal(t, 1, n)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestProgress(t *testing.T) {
	ctx := t.Context()
	c := connect(t, nil)
	dir := t.TempDir()
	local, there := filepath.Join(dir, "local"), filepath.Join(dir, "there")
	require.NoError(t, os.WriteFile(local, make([]byte, 25_000), 0o644))
	var seen []classic.Progress
	o := &classic.TransferOptions{ChunkSize: 10_000, Progress: func(p classic.Progress) { seen = append(seen, p) }}
	require.NoError(t, c.Upload(ctx, local, there, o))
	require.Equal(t, []classic.Progress{{local, 0, 25_000}, {local, 10_000, 25_000}, {local, 20_000, 25_000},
		{local, 25_000, 25_000}}, seen)
	seen = nil
	require.NoError(t, c.Download(ctx, there, local, o))
	require.Equal(t, []classic.Progress{{there, 0, 25_000}, {there, 10_000, 25_000}, {there, 20_000, 25_000},
		{there, 25_000, 25_000}}, seen)
	seen = nil
	require.NoError(t, c.UploadFrom(ctx, strings.NewReader("abc"), there, o))
	require.Equal(t, []classic.Progress{{there, 0, -1}, {there, 3, -1}}, seen)
}

// random is so many bytes that no two pieces are alike.
func random(n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{1}), n)
}

// TestBigFile moves a file there and back and compares hashes: 16 MiB, or as many MiB as GORPYC_TEST_BIG says.
func TestBigFile(t *testing.T) {
	size := int64(16)
	if s := os.Getenv("GORPYC_TEST_BIG"); s != "" {
		_, err := fmt.Sscan(s, &size)
		require.NoError(t, err)
	}
	size <<= 20
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	c := connect(t, nil)
	there := filepath.Join(t.TempDir(), "there")
	sent := sha256.New()
	start := time.Now()
	require.NoError(t, c.UploadFrom(ctx, io.TeeReader(random(size), sent), there, nil))
	up := time.Since(start)
	require.NoError(t, c.Execute(ctx,
		"import hashlib\ndef digest(name):\n    h = hashlib.sha256()\n    with open(name, 'rb') as f:\n"+
			"        for b in iter(lambda: f.read(1 << 20), b''):\n            h.update(b)\n    return h.hexdigest()\n"))
	digest, err := classic.Eval[string](ctx, c, fmt.Sprintf("digest(%q)", there))
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("%x", sent.Sum(nil)), digest)
	received := sha256.New()
	start = time.Now()
	require.NoError(t, c.DownloadTo(ctx, there, received, nil))
	down := time.Since(start)
	require.Equal(t, sent.Sum(nil), received.Sum(nil))
	require.NoError(t, c.SetCompression(ctx, false))
	received.Reset()
	start = time.Now()
	require.NoError(t, c.DownloadTo(ctx, there, received, nil))
	plain := time.Since(start)
	require.Equal(t, sent.Sum(nil), received.Sum(nil))
	rate := func(d time.Duration) float64 { return float64(size>>20) / d.Seconds() }
	t.Logf("%d MiB: up %.0f MiB/s, down %.0f MiB/s, without compression %.0f MiB/s", size>>20, rate(up), rate(down),
		rate(plain))
}

// evil is a server whose directory holds what leads elsewhere.
type evil struct{ names []string }

func (e *evil) Getmodule(name string) any { return e }
func (e *evil) Isdir(p string) bool       { return !strings.Contains(p, "passwd") }
func (e *evil) Isfile(string) bool        { return true }
func (e *evil) Listdir(string) []string   { return e.names }
func (e *evil) Join(a, b string) string   { return a + "/" + b }
func (e *evil) Open(string, string) any   { return nil }

// TestDownloadStaysInside is about servers that name files so that they would be written elsewhere, or directories
// without end.
func TestDownloadStaysInside(t *testing.T) {
	ctx := t.Context()
	for _, name := range []string{"../passwd", "/tmp/passwd", "a/../../passwd", "..", ".", "", "sub/passwd"} {
		a, b, err := protocol.Pair(ctx, &evil{[]string{name}}, nil,
			&protocol.Config{Access: exposed.Policy{AllowPublic: true}})
		require.NoError(t, err)
		dir := t.TempDir()
		local := filepath.Join(dir, "in")
		err = classic.New(b).Download(ctx, "remote", local, nil)
		require.ErrorContains(t, err, "lead elsewhere", name)
		require.Equal(t, map[string]string{"./": "", "in/": ""}, contents(t, dir))
		b.Close()
		a.Close()
	}
	a, b, err := protocol.Pair(ctx, &evil{[]string{"d"}}, nil, nil)
	require.NoError(t, err)
	defer a.Close()
	defer b.Close()
	require.ErrorContains(t, classic.New(b).Download(ctx, "remote", t.TempDir(), nil), "nested deeper")
}

// full is a server with one file, and a directory that has it, too.
type full struct{}

func (*full) Getmodule(string) any    { return &full{} }
func (*full) Isdir(p string) bool     { return !strings.HasSuffix(p, "file") }
func (*full) Isfile(p string) bool    { return strings.HasSuffix(p, "file") }
func (*full) Join(a, b string) string { return a + "/" + b }
func (*full) Open(string, string) any { return io.NopCloser(strings.NewReader("theirs")) }
func (*full) Listdir(p string) (names []string) {
	if !strings.HasSuffix(p, "dir") {
		names = append(names, "dir")
	}
	return append(names, "file")
}

// TestDownloadFollowsNoLinkOutside: a directory that is written to holds links that lead out of it.
func TestDownloadFollowsNoLinkOutside(t *testing.T) {
	ctx := t.Context()
	for _, link := range []string{"file", "dir", "dir/file"} {
		a, b, err := protocol.Pair(ctx, &full{}, nil, &protocol.Config{Access: exposed.Policy{AllowPublic: true}})
		require.NoError(t, err)
		dir := t.TempDir()
		local, outside := filepath.Join(dir, "in"), filepath.Join(dir, "outside")
		require.NoError(t, os.MkdirAll(filepath.Join(local, filepath.Dir(link)), 0o777))
		require.NoError(t, os.Mkdir(outside, 0o777))
		ours := filepath.Join(outside, "file")
		require.NoError(t, os.WriteFile(ours, []byte("ours"), 0o666))
		target := outside
		if filepath.Base(link) == "file" {
			target = ours
		}
		require.NoError(t, os.Symlink(target, filepath.Join(local, link)))
		require.ErrorContains(t, classic.New(b).Download(ctx, "remote", local, nil), "escapes", link)
		data, err := os.ReadFile(ours)
		require.NoError(t, err)
		require.Equal(t, "ours", string(data), link)
		require.NoError(t, a.Close())
		require.NoError(t, b.Close())
	}
}
