package ssh

import (
	"crypto/ed25519"
	"errors"
	"net"
	"path/filepath"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// known returns what checks the server's key, and which kinds of key to ask the server for: it has several, and shows
// the one that comes first in its own order, which need not be the one that is known.
func (cfg *Config) known(host string) (ssh.HostKeyCallback, []string, error) {
	files := cfg.KnownHosts
	if files == nil {
		files = []string{filepath.Join(home(), ".ssh", "known_hosts")}
	}
	check, err := knownhosts.New(files...)
	if err != nil {
		return nil, nil, err
	}
	// A key that nobody has is refused with those that are known.
	nobody, err := ssh.NewPublicKey(make(ed25519.PublicKey, ed25519.PublicKeySize))
	if err != nil {
		return nil, nil, err
	}
	var algorithms []string
	var known *knownhosts.KeyError
	if errors.As(check(host, &net.TCPAddr{IP: net.IPv4zero}, nobody), &known) {
		for _, k := range known.Want {
			if k.Key.Type() == ssh.KeyAlgoRSA {
				algorithms = append(algorithms, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
			}
			algorithms = append(algorithms, k.Key.Type())
		}
	}
	return check, algorithms, nil
}
