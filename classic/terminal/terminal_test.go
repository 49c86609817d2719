package terminal_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/classic/terminal"
)

// TestMain is also the program at the terminal.
func TestMain(m *testing.M) {
	if addr := os.Getenv("GORPYC_TERMINAL_TEST"); addr != "" {
		if err := interact(addr); err != nil {
			fmt.Println("FAILED", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func interact(addr string) error {
	ctx := context.Background()
	c, err := classic.Dial(ctx, addr, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	t := terminal.New()
	defer t.Close()
	if err := c.Interact(ctx, t.Stdio(), map[string]any{"answer": 42}); err != nil {
		return err
	}
	fmt.Println("BACK")
	return nil
}

var started = regexp.MustCompile(`server started on \[127\.0\.0\.1\]:(\d+)`)

// serve starts a classic server on CPython and returns its address.
func serve(t *testing.T) (python, addr string) {
	python = os.Getenv("GORPYC_TEST_PYTHON")
	if python == "" {
		t.Skip("NOT RUN AGAINST CPYTHON: GORPYC_TEST_PYTHON names no Python that has rpyc")
	}
	server := exec.Command(python, "-u", filepath.Join(filepath.Dir(python), "rpyc_classic.py"), "--host",
		"127.0.0.1", "-p", "0")
	logged, err := server.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	for lines := bufio.NewScanner(logged); addr == "" && lines.Scan(); {
		if m := started.FindStringSubmatch(lines.Text()); m != nil {
			addr = "127.0.0.1:" + m[1]
		}
	}
	require.NotEmpty(t, addr)
	return python, addr
}

// TestPipe has each prompt once, as python -i has.
func TestPipe(t *testing.T) {
	_, addr := serve(t)
	self, err := os.Executable()
	require.NoError(t, err)
	for _, term := range []string{"dumb", "xterm"} {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), "GORPYC_TERMINAL_TEST="+addr, "TERM="+term)
		cmd.Stdin = strings.NewReader("x = answer + 1\nx\n")
		out, err := cmd.Output()
		require.NoError(t, err, "%s", out)
		require.Equal(t, ">>> >>> 43\n>>> BACK\n", string(out))
	}
}

// TestPrompt types at a remote prompt in a pseudo-terminal: editing, history, completion, Ctrl-C and Ctrl-D.
func TestPrompt(t *testing.T) {
	python, addr := serve(t)
	var keys strings.Builder
	for _, step := range [][2]string{ // the editor begins with a carriage return
		{"\r>>> ", "x = answ\t + 1\r"}, // completed to answer
		{"\r>>> ", "x\r"},              //
		{"\n43", ""},                   //
		{"\r>>> ", "xprint('a')\r"},    // a mistake …
		{"NameError", ""},              //
		{"\r>>> ", "\x1b[A\x01\x04\r"}, // … mended: up, to the beginning, one character less
		{"\na", ""},                    //
		{"\r>>> ", "if 1:\r"},          //
		{"\r... ", "    'block'\r"},    //
		{"\r... ", "\r"},               //
		{"'block'", ""},                //
		{"\r>>> ", "half\x01"},         // to the beginning: the editor shows that it has the terminal
		{"\x1b[5G", "\x03"},            // Ctrl-C
		{"KeyboardInterrupt", ""},      //
		{"\r>>> ", "answer.__n\t\t"},   // several answers
		{"answer.__neg__", "\x15"},     //
		{"", "'é' * 2\r"},              //
		{"'éé'", ""},                   //
		{"\r>>> ", "\x04"},             // Ctrl-D
	} {
		line, err := json.Marshal(step)
		require.NoError(t, err)
		fmt.Fprintf(&keys, "%s\n", line)
	}
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(python, "testdata/type.py", self)
	cmd.Env = append(os.Environ(), "GORPYC_TERMINAL_TEST="+addr)
	cmd.Stdin = strings.NewReader(keys.String())
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "BACK")
}
