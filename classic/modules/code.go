//go:build unix

package modules

import (
	"context"
	"fmt"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// newCode makes the module code, which rpyc.utils.classic.interact needs.
func newCode(in *Interpreter) *Module {
	m := New("code", "Utilities needed to emulate Python's interactive interpreter.")
	if in.opts.Evaluator != nil {
		m.Def("interact", in.interact, "banner=None", "readfunc=None", "local=None", "exitmsg=None")
	}
	return m
}

const consoleName = "InteractiveConsole"

// interact is code.interact: prompts by input or readfunc, results to sys.stdout, everything else to sys.stderr.
func (in *Interpreter) interact(ctx context.Context, banner, readfunc any, local *exposed.Dict, exitmsg any) error {
	sys := in.must("sys")
	tell := func(text any) error {
		stderr, _ := sys.Get("stderr")
		return in.print(ctx, []any{text}, nil, "", stderr, true)
	}
	if local == nil {
		local = exposed.NewDict()
	}
	for name, v := range map[string]any{"__name__": "__console__", "__doc__": nil} {
		if _, ok, _ := local.Get(ctx, name); !ok {
			_ = local.Set(ctx, name, v) // a str is hashable
		}
	}
	if banner == nil {
		version, _ := sys.Get("version")
		platform, _ := sys.Get("platform")
		banner = fmt.Sprintf("Python %v on %v\n(%s)", version, platform, consoleName)
	}
	if banner != "" {
		if err := tell(fmt.Sprintf("%v\n", banner)); err != nil {
			return err
		}
	}
	var typed []string
	for {
		prompt := ">>> "
		if len(typed) > 0 {
			prompt = "... "
		}
		line, err := in.readLine(ctx, readfunc, prompt)
		switch {
		case isA(err, vinegar.EOFError):
			if err = tell("\n"); err == nil && exitmsg == nil {
				err = tell("now exiting " + consoleName + "...\n")
			} else if err == nil && exitmsg != "" {
				err = tell(fmt.Sprintf("%v\n", exitmsg))
			}
			return err
		case isA(err, vinegar.KeyboardInterrupt):
			typed = nil
			if err = tell("\nKeyboardInterrupt\n"); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		typed = append(typed, line)
		more, err := in.opts.Evaluator.Interactive(ctx, strings.Join(typed, "\n"), local,
			func(ctx context.Context, v any) error {
				text, err := exposed.Repr(ctx, v)
				if err != nil {
					return err
				}
				_ = local.Set(ctx, "_", v)
				return in.print(ctx, []any{text}, nil, nil, nil, false)
			})
		if more {
			continue
		}
		typed = nil
		switch {
		case isA(err, vinegar.SystemExit) || ctx.Err() != nil:
			return err
		case err != nil:
			if err = tell(complaint(err)); err != nil {
				return err
			}
		}
	}
}

func (in *Interpreter) readLine(ctx context.Context, readfunc any, prompt string) (string, error) {
	if readfunc == nil {
		return in.input(ctx, prompt)
	}
	v, err := exposed.Call(ctx, readfunc, exposed.NewArgs([]any{prompt}, nil))
	if err != nil {
		return "", err
	}
	line, ok := v.(string)
	if !ok {
		return "", vinegar.TypeError.Errorf("readfunc returned %s, not str", exposed.TypeName(v))
	}
	return line, nil
}

// complaint is what the prompt says of an exception: Python's words, with the one frame there is.
func complaint(err error) string {
	e := vinegar.FromError(err)
	if e.Is(vinegar.SyntaxError) && len(e.Args) == 2 {
		if at, ok := e.Args[1].(brine.Tuple); ok && len(at) >= 4 {
			text := fmt.Sprintf("  File \"<console>\", line %v\n", at[1])
			if shown, ok := at[3].(string); ok {
				text += "    " + strings.TrimLeft(shown, " \t") + "\n"
			}
			return text + fmt.Sprintf("%s: %v\n", e.Class.Name(), e.Args[0])
		}
	}
	return "Traceback (most recent call last):\n  File \"<console>\", line 1, in <module>\n" + e.Error() + "\n"
}
