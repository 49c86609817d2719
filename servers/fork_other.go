//go:build !unix

package servers

// forkable tells whether processes can be given sockets here.
const forkable = false

func keepFromChildren(...int) {}
