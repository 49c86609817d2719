package exposed

import (
	"errors"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

func isAttributeError(err error) bool { return err != nil && errors.Is(err, vinegar.AttributeError) }

// raised makes a Python exception of an error of package pyvalue.
func raised[T any](v T, err error) (T, error) {
	if e, ok := err.(*pyvalue.Error); ok {
		err = vinegar.FromError(e)
	}
	return v, err
}

// notUTF8 is the exception of bytes.decode for the first byte at fault.
func notUTF8(b []byte) error {
	at := 0
	for at < len(b) {
		r, n := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && n <= 1 {
			break
		}
		at += n
	}
	return vinegar.UnicodeDecodeError.New("utf-8", b, int64(at), int64(at+1), "invalid start byte")
}
