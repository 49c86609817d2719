//go:build unix

package worker

import (
	"os/exec"
	"syscall"
)

// isolate gives the process a group of its own, so that a signal to the server's terminal does not reach it, and what
// it has started can be ended with it.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { kill(cmd); return nil }
}

func kill(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
