//go:build unix

package sources_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/registry/sources"
)

// TestFileIsPipe names a pipe that nobody writes to.
func TestFileIsPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	err := (&sources.File{Path: path}).Watch(t.Context(), func([]protocol.Address) { t.Error("there are addresses") })
	require.ErrorContains(t, err, "not a regular file")
}
