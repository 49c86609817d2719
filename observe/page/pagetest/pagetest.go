// Package pagetest opens pages in a real browser, for tests of them.
package pagetest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Browser is a headless Chromium with a page open. Its output can be read while it runs.
type Browser struct {
	Cmd            *exec.Cmd
	Stdout, Stderr *Output
}

// Output is what a program prints.
type Output struct {
	mu sync.Mutex
	b  strings.Builder
}

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

// String is what was printed so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// Chromium makes a browser that is not started yet. It skips the test where there is none.
func Chromium(ctx context.Context, t testing.TB, url string, args ...string) *Browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if path, err = exec.LookPath("google-chrome"); err != nil {
			t.Skip("no chromium here: the page is not tried in a browser")
		}
	}
	b := &Browser{Stdout: new(Output), Stderr: new(Output)}
	b.Cmd = exec.CommandContext(ctx, path, append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--no-first-run",
		"--enable-logging=stderr", "--hide-scrollbars",
	}, append(args, url)...)...)
	b.Cmd.Stdout, b.Cmd.Stderr = b.Stdout, b.Stderr
	b.Cmd.Cancel = func() error { return b.Cmd.Process.Signal(syscall.SIGTERM) } // it takes its own processes along
	b.Cmd.WaitDelay = 5 * time.Second
	return b
}

// Open runs Chromium on a page and returns its document in the end, and what it had to say.
func Open(t testing.TB, url string, args ...string) (dom, console string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	b := Chromium(ctx, t, url, append(args, "--user-data-dir="+t.TempDir())...)
	if err := b.Cmd.Run(); err != nil {
		t.Fatalf("chromium: %v\n%s", err, b.Stderr)
	}
	return b.Stdout.String(), b.Stderr.String()
}

var complaint = regexp.MustCompile(`(?i)(refused to|violates the following|uncaught|CONSOLE.*error).*`)

// Complaint is what a browser says of a page that breaks its own policy, or whose script fails; "" if it says nothing.
func Complaint(console string) string { return complaint.FindString(console) }

// Screenshots takes pictures for a person to look at, into the directory GORPYC_SCREENSHOTS, without which it skips the
// test: in light, in dark, and at a phone's width.
func Screenshots(t *testing.T, url, name string) {
	dir := os.Getenv("GORPYC_SCREENSHOTS")
	if dir == "" {
		t.Skip("no pictures: GORPYC_SCREENSHOTS is not set")
	}
	for kind, args := range map[string][]string{
		"light":  {"--window-size=1100,900", "--blink-settings=preferredColorScheme=1"},
		"dark":   {"--window-size=1100,900", "--blink-settings=preferredColorScheme=0"},
		"narrow": {"--window-size=500,1400", "--blink-settings=preferredColorScheme=1"},
	} {
		file := filepath.Join(dir, name+"-"+kind+".png")
		Open(t, url, append(args, "--virtual-time-budget=4000", "--screenshot="+file)...)
		if _, err := os.Stat(file); err != nil {
			t.Fatal(err)
		}
	}
}
