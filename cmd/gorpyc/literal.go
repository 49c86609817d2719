package main

import (
	"strings"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
)

// parseArg reads an argument: a Python literal, or else a str. What begins like a text, bytes or a container has to be
// one.
func parseArg(text string) (any, error) {
	trimmed := strings.TrimSpace(text)
	v, err := pyvalue.ParseLiteral(trimmed)
	if err == nil {
		return v, nil
	}
	for _, start := range []string{"'", `"`, "b'", `b"`, "r'", `r"`, "[", "(", "{"} {
		if strings.HasPrefix(trimmed, start) {
			return nil, usage("%s is no Python literal: %s", text, err)
		}
	}
	return text, nil
}

func parseArgs(texts, keywords []string) ([]any, error) {
	var args []any
	for _, text := range texts {
		v, err := parseArg(text)
		if err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	for _, text := range keywords {
		name, value, found := strings.Cut(text, "=")
		if !found || name == "" {
			return nil, usage("--kw %s: want NAME=VALUE", text)
		}
		v, err := parseArg(value)
		if err != nil {
			return nil, err
		}
		args = append(args, netref.Kw(name, v))
	}
	return args, nil
}
