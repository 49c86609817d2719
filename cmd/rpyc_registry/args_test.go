package main

import (
	"bytes"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/cmd/internal/program"
	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/registry"
)

// What the Python program makes of these was found by running it; compat_tests/test_registry_program.py compares the
// two.
func TestNormalise(t *testing.T) {
	for line, want := range map[string]string{
		"":                     "",
		"-m TCP -p 18812":      "--mode=TCP --port=18812",
		"-mtcp -p18812":        "--mode=tcp --port=18812",
		"--mode=TCP":           "--mode=TCP",
		"--mode TCP --ipv6":    "--mode=TCP --ipv6",
		"-6q1":                 "--ipv6 --quiet",
		"-6q":                  "--ipv6 --quiet",
		"-q":                   "--quiet",
		"-q -6":                "--quiet --ipv6",
		"-q6":                  "--quiet --ipv6",
		"-q yes -6":            "--quiet --ipv6",
		"--quiet=1":            "--quiet",
		"--quiet=":             "",
		"-l True":              "--listing=True",
		"--file x --logfile y": "--logfile=x --logfile=y",
		"-f -x":                "--logfile=-x",
		"-t 5 -h":              "--timeout=5 --help",
		"--help-all":           "--help",
	} {
		got, err := normalise(append([]string{"x"}, strings.Fields(line)...))
		require.NoError(t, err, line)
		require.Equal(t, want, strings.Join(got[1:], " "), line)
	}
	_, err := normalise([]string{"x", "--nope"})
	require.EqualError(t, err, "unknown switch --nope")
	for _, line := range []string{"extra", "-p", "--port", "-l", "--ipv6=1", "-x", "-", "-p 1 extra", "-6x", "--"} {
		_, err := normalise(append([]string{"x"}, strings.Fields(line)...))
		require.ErrorAs(t, err, new(program.UsageError), line)
	}
}

// parse runs the parser on a command line and returns the settings.
func parse(t *testing.T, line ...string) (*settings, error) {
	t.Helper()
	args, err := normalise(append([]string{"rpyc_registry"}, line...))
	if err != nil {
		return nil, err
	}
	var s *settings
	app := newApp()
	var out bytes.Buffer
	app.Writer, app.ErrWriter = &out, &out
	app.Action = func(c *cli.Context) (err error) {
		s, err = parseSettings(c)
		return err
	}
	err = app.Run(args)
	return s, err
}

func TestSettings(t *testing.T) {
	s, err := parse(t)
	require.NoError(t, err)
	require.Equal(t, []string{"udp4"}, s.networks)
	require.Equal(t, "0.0.0.0", s.host)
	require.Equal(t, 18811, s.port)
	require.Equal(t, 240.0, s.server.Timeout.Seconds())
	require.False(t, s.server.AllowListing)
	require.Equal(t, slog.LevelInfo, s.log.Level)

	s, err = parse(t, "-m", "tcp", "-6", "-p", "0", "-t", "5", "-l", "True", "-q", "-f", "log", "--log-format", "json",
		"--state-file", "state", "--http", "8080", "--ping", "--max-rate", "7")
	require.NoError(t, err)
	require.Equal(t, []string{"tcp"}, s.networks)
	require.Equal(t, "::", s.host)
	require.Zero(t, s.port)
	require.Equal(t, 5.0, s.server.Timeout.Seconds())
	require.True(t, s.server.AllowListing)
	require.Equal(t, slog.LevelError, s.log.Level)
	require.Equal(t, "log", s.logFile)
	require.True(t, s.log.JSON)
	require.Equal(t, "state", s.server.StateFile)
	require.Equal(t, "127.0.0.1:8080", s.http)
	require.Equal(t, 7, s.server.Limits.Rate)

	s, err = parse(t, "--mode=Both", "--host=::1", "--http=0.0.0.0:1", "--log-level=debug", "-l", "False",
		"--advertise=192.0.2.7", "--advertise=172.17.0.9/16=host.example", "--advertise=10.0.0.1=192.0.2.8")
	require.NoError(t, err)
	require.Equal(t, []string{"udp", "tcp"}, s.networks)
	require.Equal(t, "0.0.0.0:1", s.http)
	require.False(t, s.server.AllowListing)
	require.Equal(t, slog.LevelDebug, s.log.Level)
	require.Equal(t, []registry.Advertise{
		{To: "192.0.2.7"},
		{From: netip.MustParsePrefix("172.17.0.0/16"), To: "host.example"},
		{From: netip.MustParsePrefix("10.0.0.1/32"), To: "192.0.2.8"},
	}, s.server.Advertise)

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "secret"), []byte("s3cret\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "empty"), []byte("\n"), 0o600))
	s, err = parse(t, "--secret-file="+filepath.Join(dir, "secret"))
	require.NoError(t, err)
	require.Equal(t, "s3cret", string(s.server.Secret))

	for _, line := range []string{
		"--secret-file=" + filepath.Join(dir, "empty"), "--secret-file=" + filepath.Join(dir, "none"),
		"--mode=SCTP", "--port=65536", "--port=-1", "--port=x", "--timeout=0", "--timeout=1.5", "--listing=perhaps",
		"--advertise=",
		"--advertise=x=y", "--advertise=10.0.0.0/8=", "--http=x", "--http=1:2:3", "--http=70000", "--log-format=xml",
		"--log-level=loud", "--nope=1",
	} {
		_, err := parse(t, line)
		require.Error(t, err, line)
	}
}

// TestHelp: every switch is in the help, in the manual page and in the completions.
func TestHelp(t *testing.T) {
	app := newApp()
	var help, man, bash bytes.Buffer
	require.NoError(t, describe(app).WriteHelp(&help))
	require.NoError(t, describe(app).WriteMan(&man))
	require.NoError(t, describe(app).WriteCompletion(&bash, "bash"))
	for _, name := range []string{
		"--mode", "-m", "--port", "-p", "--file", "-f", "--logfile", "--quiet", "-q", "--timeout", "-t", "--listing", "-l",
		"--ipv6", "-6", "--state-file", "--secret-file", "--version",
	} {
		require.Contains(t, help.String(), name)
		require.Contains(t, man.String(), strings.ReplaceAll(name, "-", `\-`))
		require.Contains(t, bash.String(), name)
	}
	require.NotContains(t, help.String(), "`")
	require.Equal(t, 2, run(t.Context(), []string{"rpyc_registry", "--completions", "csh"}))
}
