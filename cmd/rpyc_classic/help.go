//go:build unix

package main

import "github.com/gorpyc/gorpyc/cmd/internal/program"

// describe is what the help, the manual page and the completion scripts say.
func describe() program.Program {
	p := program.Program{
		Name:    "rpyc_classic",
		Summary: "a server of RPyC's classic mode",
		About: []string{
			"It takes the place of the Python program of this name: the same switches, defaults and messages.",
			"A client gets the machine: files, processes, whatever the user who runs this may do. By default only this host " +
				"can connect. Let " +
				"others do so over TLS with certificates of theirs (--ssl-keyfile, --ssl-certfile, --ssl-cafile), or through ssh.",
			"It serves on the socket that systemd passes, if it does; --host, --port and --ipv6 do not count then.",
			"SIGTERM and SIGINT end it: requests that run may finish within 10 s, a second signal ends it at once. SIGHUP " +
				"opens the log " +
				"file anew. The exit status is 0 after a signal, 1 if it could not serve, 2 for a mistake in the command line.",
		},
	}
	for _, group := range []string{groupMain, groupSocket, groupLog, groupSSL, groupReg, groupEngine, groupMeta} {
		for _, s := range table {
			if s.group == group {
				p.Options = append(p.Options, s.option())
			}
		}
	}
	return p
}

func (s aSwitch) option() program.Option {
	o := program.Option{Names: []string{"--" + s.long}, Help: s.help, Group: s.group, Words: s.words,
		File: s.kind == file || s.file}
	if s.short != "" {
		o.Names = []string{"-" + s.short, "--" + s.long}
	}
	if s.kind != flag {
		o.Value = "VALUE:" + s.values()
	}
	if s.fallback != "" {
		o.Help += "; the default is " + s.fallback
	}
	if s.requires != "" {
		o.Help += "; requires --" + s.requires
	}
	return o
}
