package servers

import (
	"context"
	"errors"
	"net"
	"os/user"
	"strconv"

	"github.com/gorpyc/gorpyc/protocol"
)

// errNoPeer says that a connection does not tell which process is at its other end.
var errNoPeer = errors.New("not a connection of a Unix socket, or a system that does not tell")

// UnixPeer identifies clients at Unix sockets by the user whose process has connected, as the kernel says: nothing is
// asked of the client. The credentials are a *protocol.Identity of kind "unix", whose name is the user's, or the
// number of a user who has none, with "uid", "gid" and "pid" in Attrs. Other connections are refused, and all on
// systems other than Linux.
func UnixPeer() Authenticator {
	return AuthenticatorFunc(func(_ context.Context, conn net.Conn) (net.Conn, any, error) {
		pid, uid, gid, err := unixPeer(conn)
		if err != nil {
			return nil, nil, &AuthenticationError{Reason: "the peer's process", Cause: err}
		}
		number := strconv.FormatUint(uint64(uid), 10)
		id := &protocol.Identity{Name: number, Kind: "unix", Attrs: map[string][]string{
			"uid": {number}, "gid": {strconv.FormatUint(uint64(gid), 10)}, "pid": {strconv.Itoa(int(pid))},
		}}
		if u, err := user.LookupId(number); err == nil {
			id.Name = u.Username
		}
		return conn, id, nil
	})
}
