package main

import (
	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// serviceError is an exception class that no client has.
var serviceError = vinegar.NewClass("behaviour_service.ServiceError", vinegar.Exception)

// Fail raises an exception of the kind asked for.
func (s *Service) Fail(kind any) error {
	switch kind {
	case "zero":
		return vinegar.ZeroDivisionError.New("division by zero")
	case "value":
		return vinegar.ValueError.New("bad value", 7, nil)
	case "key":
		return vinegar.KeyError.New("missing-key")
	case "os":
		return vinegar.FileNotFoundError.New(2, "No such file or directory", "/no/such/file")
	case "unicode":
		return vinegar.UnicodeDecodeError.New("utf-8", []byte("\xff\xfe"), 0, 1, "invalid start byte")
	case "custom":
		return serviceError.New("it broke").With("code", 42).With("detail", exposed.NewList(1, 2))
	case "json":
		return vinegar.JSONDecodeError.New("Expecting value", "{]", 1)
	case "unbrinable":
		return vinegar.ValueError.New(exposed.NewList(1, 2), brine.Tuple{3, 4})
	case "stop":
		return vinegar.StopIteration.New(99)
	case "exit":
		return vinegar.SystemExit.New(3)
	case "kbi":
		return vinegar.KeyboardInterrupt.New()
	case "chain":
		return vinegar.ValueError.New("outer").From(inner())
	}
	return vinegar.NotImplementedError.New(kind)
}

func inner() error { return vinegar.KeyError.New("inner") }
