package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"slices"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/registry"
)

// Exit codes: part of what the program promises, see its help.
const (
	exitException   = 1
	exitUsage       = 2
	exitConnection  = 3
	exitTimeout     = 4
	exitFailed      = 5
	exitInterrupted = 130
)

// report says what went wrong and returns the exit code.
func report(ctx context.Context, w io.Writer, args []string, err error) int {
	if err == nil {
		return 0
	}
	code := exitCode(ctx, err)
	if code == exitInterrupted {
		err = errInterrupted
	}
	var remote *vinegar.Error
	isRemote := code == exitException && errors.As(err, &remote)
	switch {
	case switched(args, "--json"):
		e := jsonError{Kind: kinds[code], Message: err.Error()}
		if isRemote {
			e.Message = remote.Message()
			e.Class = className(remote)
			for _, a := range remote.Args {
				e.Args = append(e.Args, vinegar.Repr(a))
			}
			if switched(args, "--traceback") {
				e.Traceback = remote.Traceback
			}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"error": e})
	case isRemote:
		if switched(args, "--traceback") && remote.Traceback != "" {
			fmt.Fprintln(w, paintOf(w).traceback(remote.Traceback))
		}
		text := remoteText(remote)
		if h := (hinted{}); errors.As(err, &h) {
			text += " (" + h.hint + ")"
		}
		fmt.Fprintln(w, "gorpyc:", paintOf(w).in(red, text))
	default:
		fmt.Fprintln(w, "gorpyc:", err)
	}
	return code
}

// hinted is an exception of the other end with what probably has led to it.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

type jsonError struct {
	Kind      string   `json:"kind"`
	Class     string   `json:"class,omitempty"`
	Message   string   `json:"message"`
	Args      []string `json:"args,omitempty"`
	Traceback string   `json:"traceback,omitempty"`
}

var kinds = map[int]string{
	exitException: "exception", exitUsage: "usage", exitConnection: "connection", exitTimeout: "timeout",
	exitFailed:      "failure",
	exitInterrupted: "interrupted",
}

func className(e *vinegar.Error) string {
	if e.Class == nil {
		return "Exception"
	}
	return e.Class.String()
}

// remoteText is the last line of the traceback that Python would show.
func remoteText(e *vinegar.Error) string {
	name := className(e)
	if m := e.Message(); m != "" {
		return name + ": " + m
	}
	return name
}

// switched reports whether a switch is on. The command line may be wrong, so that nobody else has read it.
func switched(args []string, name string) bool {
	end := slices.Index(args, "--")
	if end < 0 {
		end = len(args)
	}
	return slices.Contains(args[:end], name)
}

func exitCode(ctx context.Context, err error) int {
	var c coded
	var remote *vinegar.Error
	var timeout interface{ Timeout() bool }
	var network net.Error
	var path *fs.PathError
	var stranger *protocol.NotRPyCError
	var unknown *protocol.DiscoveryError
	switch {
	case errors.As(err, &c):
		return c.code
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &remote) && remote.Remote():
		return exitException
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout(),
		errors.Is(err, registry.ErrNoAnswer):
		return exitTimeout
	case errors.As(err, &path): // whose errno counts as an error of the network, too
		return exitFailed
	case errors.Is(err, protocol.ErrClosed), errors.As(err, &network), errors.As(err, &stranger), errors.As(err, &unknown):
		return exitConnection
	}
	return exitFailed
}
