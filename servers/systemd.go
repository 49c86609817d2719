package servers

import (
	"net"
	"os"
	"strconv"
	"time"
)

// What systemd is told, and by which variables it says that it wants to be: sd_notify(3), sd_watchdog_enabled(3).
const (
	notifyReady    = "READY=1"
	notifyStopping = "STOPPING=1"
	notifyAlive    = "WATCHDOG=1"

	notifySocket  = "NOTIFY_SOCKET"
	watchdogEvery = "WATCHDOG_USEC"
	watchdogPID   = "WATCHDOG_PID"
)

// notifyPatience is how long systemd may take to make room for what it is told.
const notifyPatience = 5 * time.Second

// notify tells systemd of a state, if the server is to and systemd has asked for it.
func (s *Server) notify(state string) {
	addr := os.Getenv(notifySocket)
	if !s.Systemd || addr == "" {
		return
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Net: "unixgram", Name: addr}) // "@" is the abstract namespace
	if err == nil {
		_ = c.SetWriteDeadline(time.Now().Add(notifyPatience)) // a systemd that hangs must not hold up the end
		_, err = c.Write([]byte(state))
		_ = c.Close()
	}
	if err != nil {
		s.log().Warn("systemd cannot be notified", "state", state, "error", err)
	}
}

// feedWatchdog tells systemd that the server is alive, twice as often as systemd wants to know it, until the returned
// func is called. A server whose state cannot be looked at does not say so.
func (s *Server) feedWatchdog() (stop func()) {
	every := watchdogInterval()
	if !s.Systemd || every == 0 {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			s.isClosed()
			s.notify(notifyAlive)
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

// watchdogInterval is how often systemd is to be told; 0 is never.
func watchdogInterval() time.Duration {
	if pid := os.Getenv(watchdogPID); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	usec, err := strconv.ParseInt(os.Getenv(watchdogEvery), 10, 64)
	if err != nil || usec <= 1 || usec > int64(time.Hour/time.Microsecond)*24*365 {
		return 0
	}
	return time.Duration(usec) * time.Microsecond / 2
}
