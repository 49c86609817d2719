package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

const groupObjects = "Services"

func callCommand() *cli.Command {
	return &cli.Command{
		Name: "call", Category: groupObjects,
		Usage:     "call a method and print what it returns",
		ArgsUsage: "[ADDRESS] NAME [ARGUMENT…]",
		Description: `   gorpyc call localhost:18861 add 2 3
   gorpyc call localhost:18861 greet Ann --kw punct='!' --json
   gorpyc call --service calculator add 2 -3
   gorpyc call --classic host os.listdir /tmp
   gorpyc call localhost:18861 names --items`,
		Flags: callingFlags(outputFlags(classicFlag(), itemsFlag(),
			&cli.StringSliceFlag{Name: "kw", Aliases: []string{"k"},
				Usage: "keyword argument `NAME=VALUE`; may be repeated"})...),
		Action: func(c *cli.Context) error {
			return connected(c, 1, -1, "a method's name", func(ctx context.Context, s *session, args []string) error {
				values, err := parseArgs(args[1:], c.StringSlice("kw"))
				if err != nil {
					return err
				}
				v, err := s.call(ctx, args[0], values)
				if err != nil {
					return err
				}
				return s.out.value(ctx, v)
			})
		},
	}
}

func getCommand() *cli.Command {
	return &cli.Command{
		Name: "get", Category: groupObjects,
		Usage:     "read an attribute",
		ArgsUsage: "[ADDRESS] NAME",
		Flags:     callingFlags(outputFlags(classicFlag(), itemsFlag())...),
		Action: func(c *cli.Context) error {
			return connected(c, 1, 1, "one attribute's name", func(ctx context.Context, s *session, args []string) error {
				v, err := s.resolve(ctx, args[0])
				if err != nil {
					return err
				}
				return s.out.value(ctx, v)
			})
		},
	}
}

func setCommand() *cli.Command {
	return &cli.Command{
		Name: "set", Category: groupObjects,
		Usage:     "write an attribute",
		ArgsUsage: "[ADDRESS] NAME VALUE",
		Description: "Peers have to allow it (allow_setattr), and do not by default. The attributes of a service itself " +
			"are never written to.",
		Flags: callingFlags(outputFlags(classicFlag())...),
		Action: func(c *cli.Context) error {
			return connected(c, 2, 2, "an attribute's name and a value",
				func(ctx context.Context, s *session, args []string) error {
					v, err := parseArg(args[1])
					if err != nil {
						return err
					}
					o, name, err := s.owner(ctx, args[0])
					if err != nil {
						return err
					}
					return o.Set(ctx, name, v)
				})
		},
	}
}

// resolve gives what a path of attributes leads to.
func (s *session) resolve(ctx context.Context, path string) (any, error) {
	o, name, err := s.owner(ctx, path)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return o, nil
	}
	return o.Get(ctx, name)
}

func (s *session) call(ctx context.Context, path string, args []any) (any, error) {
	o, name, err := s.owner(ctx, path)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return o.Call(ctx, args...)
	}
	return o.CallMethod(ctx, name, args...)
}

// owner gives the object before the last name of a path, and that name; no name if the path leads to a module, or is
// empty.
func (s *session) owner(ctx context.Context, path string) (*netref.Object, string, error) {
	o := s.Root()
	var names []string
	if path != "" {
		names = strings.Split(path, ".")
	}
	if slices.Contains(names, "") {
		return nil, "", usage("%q is no name", path)
	}
	if s.classic != nil {
		var err error
		if o, names, err = s.module(ctx, names); err != nil {
			return nil, "", err
		}
	}
	if len(names) == 0 {
		return o, "", nil
	}
	last := len(names) - 1
	for _, name := range names[:last] {
		v, err := o.Get(ctx, name)
		if err != nil {
			return nil, "", err
		}
		next, ok := v.(*netref.Object)
		if !ok {
			return nil, "", usage("%s: %s is a value, which has no attributes here", path, name)
		}
		o = next
	}
	return o, names[last], nil
}

// module finds the module that a path begins with, the longest there is; a path without one is of the builtins.
func (s *session) module(ctx context.Context, names []string) (*netref.Object, []string, error) {
	for n := len(names); n > 0; n-- {
		ok, err := s.classic.HasModule(ctx, strings.Join(names[:n], "."))
		if n == len(names) && n > 1 && err != nil {
			continue // what is before the last name may be no package
		}
		if err != nil && n == 1 {
			return nil, nil, err
		}
		if ok {
			m, err := s.classic.Module(ctx, strings.Join(names[:n], "."))
			return m, names[n:], err
		}
	}
	m, err := s.classic.Builtins(ctx)
	if err == nil && len(names) > 1 {
		// then it was meant to be a module
		if _, missing := m.Get(ctx, names[0]); errors.Is(missing, vinegar.AttributeError) {
			_, err = s.classic.Module(ctx, names[0])
		}
	}
	return m, names, err
}

func (s *session) object(ctx context.Context, path string) (*netref.Object, error) {
	v, err := s.resolve(ctx, path)
	if err != nil {
		return nil, err
	}
	o, ok := v.(*netref.Object)
	if !ok {
		return nil, usage("%s is a value, and has no attributes here", path)
	}
	return o, nil
}
