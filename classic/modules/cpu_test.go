//go:build linux

package modules_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/gorpyc/gorpyc/classic/modules"
)

// os.cpu_count counts the processors that there are, and not those that this process may use, as _SC_NPROCESSORS_ONLN
// does.
func TestCPUCountIgnoresAffinity(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	out, err := exec.Command("getconf", "_NPROCESSORS_ONLN").Output()
	if err != nil {
		t.Skip("no getconf")
	}
	if os.Getenv("GORPYC_ONE_CPU") == "" {
		var all, one unix.CPUSet
		require.NoError(t, unix.SchedGetaffinity(0, &all))
		for i := range 1024 {
			if all.IsSet(i) {
				one.Set(i)
				break
			}
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestCPUCountIgnoresAffinity$", "-test.v")
		cmd.Env = append(os.Environ(), "GORPYC_ONE_CPU=1")
		require.NoError(t, unix.SchedSetaffinity(0, &one)) // of this thread, which starts the child
		text, err := cmd.CombinedOutput()
		require.NoError(t, unix.SchedSetaffinity(0, &all))
		require.NoError(t, err, "%s", text)
		require.Contains(t, string(text), "--- PASS: TestCPUCountIgnoresAffinity")
		return
	}
	in := modules.NewInterpreter(nil)
	n, err := call(in, "os", "cpu_count")
	require.NoError(t, err)
	require.EqualValues(t, strings.TrimSpace(string(out)), fmt.Sprint(n))
}
