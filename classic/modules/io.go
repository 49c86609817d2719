//go:build unix

package modules

import (
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// newIO makes the module io.
func newIO(in *Interpreter) *Module {
	m := New("io", "The io module provides the Python interfaces to stream handling.")
	m.Const("StringIO", stringIOClass, "BytesIO", bytesIOClass, "DEFAULT_BUFFER_SIZE", bufferSize, "SEEK_SET", 0,
		"SEEK_CUR", 1, "SEEK_END", 2,
		"UnsupportedOperation", vinegar.UnsupportedOperation, "BlockingIOError", vinegar.BlockingIOError)
	if in.allowed("io") {
		m.Set("open", exposed.Func(in.openFile, openParams...).Named("open"))
	}
	return m
}
