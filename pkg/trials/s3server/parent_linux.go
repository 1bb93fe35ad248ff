package s3server

import (
	"os/exec"
	"syscall"
)

// endWithParent makes the server end when the tests do, however they end.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
