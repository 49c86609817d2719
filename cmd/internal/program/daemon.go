package program

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"
)

// UsageError is a mistake in the command line, or in a file that it names. It ends a daemon with status 2.
type UsageError struct{ Err error }

// Error implements error.
func (e UsageError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e UsageError) Unwrap() error { return e.Err }

// NewDaemon makes a program without commands that serves until a signal ends it: with the switches that it has and
// those of every daemon (--completions, --man, --version, --help), which are answered by what describe says.
func NewDaemon(name string, describe func(*cli.App) Program, serve cli.ActionFunc, flags ...cli.Flag) *cli.App {
	cli.HelpFlag = nil // with one the library answers --help itself, whatever HideHelp says
	return &cli.App{
		Name:           name,
		Version:        Version(),
		HideHelp:       true,
		HideVersion:    true,
		Writer:         os.Stdout,
		ErrWriter:      os.Stderr,
		ExitErrHandler: func(*cli.Context, error) {}, // RunDaemon says what went wrong
		OnUsageError:   func(_ *cli.Context, err error, _ bool) error { return UsageError{err} },
		Flags: append(flags,
			&cli.BoolFlag{Name: "ready", Usage: "print 'READY host port' for each socket on stdout when serving"},
			&cli.StringFlag{Name: "completions", Usage: "print the completion script for `SHELL` (bash, zsh, fish) and quit"},
			&cli.BoolFlag{Name: "man", Usage: "print the manual page and quit"},
			&cli.BoolFlag{Name: "version", Aliases: []string{"v"}, Usage: "print the version and quit"},
			&cli.BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "print this help and quit"}),
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return UsageError{fmt.Errorf("no arguments are expected, got %q", c.Args().Slice())}
			}
			out := c.App.Writer
			switch shell := c.String("completions"); {
			case c.Bool("help"):
				return describe(c.App).WriteHelp(out)
			case c.Bool("version"):
				_, err := fmt.Fprintln(out, c.App.Name, c.App.Version)
				return err
			case c.Bool("man"):
				return describe(c.App).WriteMan(out)
			case shell != "":
				if err := describe(c.App).WriteCompletion(out, shell); err != nil {
					return UsageError{err}
				}
				return nil
			}
			return serve(c)
		},
	}
}

// RunDaemon runs a daemon until ctx, SIGTERM or SIGINT ends it and returns its exit status. With err, which reading the
// command line has ended with, it only says that.
func RunDaemon(ctx context.Context, app *cli.App, args []string, err error) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err == nil {
		err = app.RunContext(ctx, WithSeconds(app, args))
	}
	switch usage := (UsageError{}); {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintf(app.ErrWriter, "%s: %v\nTry '%s --help'.\n", app.Name, err, app.Name)
		return 2
	default:
		fmt.Fprintf(app.ErrWriter, "%s: %v\n", app.Name, err)
		return 1
	}
}

// Wait tells systemd that the daemon serves, opens the log file anew at each hangup, and returns when ctx ends, or with
// what has ended.
func Wait(ctx context.Context, log *slog.Logger, file *LogFile, hangup <-chan os.Signal, ended <-chan error) error {
	Notify("READY=1")
	defer Notify("STOPPING=1")
	for {
		select {
		case <-hangup:
			if err := file.Reopen(); err != nil {
				log.Error("log file not opened anew", "error", err)
			}
		case err := <-ended:
			log.Error("serving has ended", "error", err)
			return err
		case <-ctx.Done():
			log.Info("server closed", "cause", context.Cause(ctx).Error())
			return nil
		}
	}
}

// LogForm is how a log is written: what --log-format and --log-level say.
type LogForm struct {
	JSON  bool
	Level slog.Level
}

// ReadLogForm reads the two switches.
func ReadLogForm(c *cli.Context) (f LogForm, err error) {
	switch format := c.String("log-format"); format {
	case "text", "json":
		f.JSON = format == "json"
	default:
		return f, fmt.Errorf("log format %q is neither text nor json", format)
	}
	if f.Level.UnmarshalText([]byte(c.String("log-level"))) != nil {
		return f, fmt.Errorf("log level %q is none of debug, info, warn, error", c.String("log-level"))
	}
	return f, nil
}

// Logger makes a logger of the form.
func (f LogForm) Logger(out *LogFile) *slog.Logger {
	opts := &slog.HandlerOptions{Level: f.Level}
	if f.JSON {
		return slog.New(slog.NewJSONHandler(out, opts))
	}
	return slog.New(slog.NewTextHandler(out, opts))
}
