// Package protocol is the RPyC connection: a conversation between two peers in which either may ask for the other's
// objects at any time (rpyc.core.protocol, rpyc.core.service, rpyc.utils.factory).
//
// [Dial] connects to a peer, [NewConn] makes a connection of any stream, [Pair] makes two that are each other's peers.
// What the peer offers is behind [Conn.Root], a handle of package netref; what we offer is the root object given when
// the connection is made, presented as package exposed describes.
//
// # Handlers
//
// Requests of one peer run one after the other in the order they came, as RPyC serves a connection. A handler that
// calls the peer passes its context on:
//
//	func (s *Service) Apply(ctx context.Context, f func(context.Context, int) (int, error), x int) (int, error) {
//		return f(ctx, x)
//	}
//
// That is how the connection knows that the handler waits, and serves meanwhile what the peer asks in order to answer,
// to any depth. With a context of another origin the handler keeps its turn, and the peer's nested calls wait until it
// returns: if it waits for them, until its timeout. Funcs without a context parameter that were made from Python
// callables count as called by the handler that is running.
//
// The handler's context ends with the connection, not with the handler. A func or object of the peer's that was kept
// can be used later, by another request or in the background; a Python peer carries such a call out only while it
// serves the connection, that is, while it waits for a call of its own or runs a BgServingThread.
//
// # Connecting
//
// RPyC's functions, and what has their place here. What RPyC takes as service= is root here, and config= is cfg.
//
//	RPyC                              here                              proved by, difference
//	connect(host, port)               Dial(ctx, "tcp", addr, cfg)       TestDial
//	connect(service=S)                DialService(…, S{}, cfg)          TestDial
//	connect(ipv6=True)                network "tcp6"; "tcp" takes both  servers.TestListenAddresses
//	connect(keepalive=n)              Dialer.KeepAlive                  transport.TestKeepAlive; on by default
//	                                  Dialer.Timeout, Attempts          transport.TestDialRetries; 3 s and 6, as in RPyC
//	unix_connect(path)                Dial(ctx, "unix", path, cfg)      TestDial
//	ssl_connect(host, port)           DialTLS                           servers.TestTLSToPython; verifies by default
//	ssl_connect(keyfile=…, …)         transport.TLSFiles                servers.TestTLSToPython
//	ssh_connect                       package transport/ssh             ssh.TestTunnel
//	connect_by_service                DialByService                     TestDialByService
//	discover, list_services           Discover, ListServices            see package registry
//	connect_pipes                     DialPipes                         servers.TestDialSubprocess
//	connect_stdpipes                  DialStdio, servers' ServeStdio    servers.TestDialStdio, TestStdioInetd
//	connect_subproc(args)             DialSubprocess                    servers.TestDialSubprocess
//	connect_stream, connect_channel   NewConn, DialStream               servers.TestServeConn
//	connect_thread                    Pair                              in memory
//	connect_multiprocess              DialSubprocess                    shared memory has no counterpart
//	                                  Dialer.Dialer                     servers.TestProxy; a proxy or tunnel you bring
//	                                  Dialer.Handshake                  servers.TestMagicWord; says a password first
//	                                  Client                            TestClient; connects again
//
// NewConn serves the peer and finds its family out by its first message; the Dial functions ask first.
//
// # Names
//
//	RPyC                                   here
//	conn.root                              Conn.Root
//	conn.close()                           Conn.Close
//	conn.closed                            Conn.Done, Conn.Err
//	conn.ping()                            Conn.Ping
//	conn.serve(), BgServingThread          not needed: a connection serves from the moment it is made
//	DEFAULT_CONFIG                         Config
//	Service.on_connect, on_disconnect      Connecter, Disconnecter
//	VoidService                            VoidService
//	_config["credentials"]                 Conn.Credentials, Conn.TLS
//	_config["endpoints"]                   Conn.LocalAddr, Conn.RemoteAddr
//	_config["connid"]                      Conn.Name
//
// # Configuration
//
// The keys of RPyC's configuration, and the fields of [Config] and of its Access, an exposed.Policy. The zero values
// are RPyC's defaults.
//
//	allow_safe_attrs, safe_attrs             Access.DenySafe, Access.ExtraSafe
//	allow_exposed_attrs, exposed_prefix      Access.DenyExposed, Access.Prefix and NoPrefix
//	allow_public_attrs, allow_all_attrs      Access.AllowPublic, Access.AllowAll
//	allow_getattr, _setattr, _delattr        Access.DenyGet, Access.AllowSet, Access.AllowDel
//	allow_pickle                             AllowPickle
//	include_local_traceback, _version        HideTraceback, HideVersion
//	propagate_KeyboardInterrupt_locally      SendKeyboardInterrupt
//	propagate_SystemExit_locally             not there: a peer that raises SystemExit does not end this program
//	instantiate_, import_custom_exceptions   not needed: an exception of any class is a *vinegar.Error with its name and attributes
//	sync_request_timeout                     Timeout, or the deadline of a call's context
//	bind_threads                             BindThreads; servers find out
//	logger, log_exceptions                   Logger, whose level decides
//	connid, credentials                      Name, Credentials
//	before_closed, close_catchall            not needed: what comes before Conn.Close, and its error, are the caller's
package protocol

// Words, for those who read the code of this package. Each is used for one thing.
//
//	peer            the other end of the connection; either end asks and answers
//	message         a request, a reply or an exception, which travels in a frame (package frame)
//	request         what the peer asks of us is an incoming; what we ask of it is a call
//	operation       what a request asks for, by number (wire.Handler: RPyC's HANDLE_CALL and so on)
//	target          the object that an operation is asked of: the first argument of most
//	answer          a reply or an exception; each message that is no request is one
//	dialect         the form that messages and ids have in one family of RPyC releases (package wire)
//	handle          a *netref.Object, which stands for an object of the peer
//	exported        an object of ours that the peer holds, with the number of references given to it (exports.go)
//	imported        an object of the peer's that we hold a handle on, with the number of references we owe (imports.go)
//	boxing          encoding the values of a message, objects as references (box.go); unboxing is the reverse
//	raw             of a value: still in brine's encoding, which has been checked
//	handler         the code that a request runs, often a method of the user's
//	reader          the goroutine that holds the reader role, the right to read messages (role.go)
//	turn            what a request needs to run; normally there is one, so that requests run in order (turns.go)
//	lane            the turns and the queue of one thread of the peer, or of all requests (turns.go)
//	worker          what a request needs in addition to its turn if connections share a Config.Workers (workers.go)
//	outbox          where frames wait to be written; a mode says how each is sent (outbox.go)
//	hold            to leave a frame in the outbox until the next one is sent, for a millisecond at most
//	loan            a long byte string that is not copied into a frame but written from where it stands (loan.go)
//	workspace       memory that is used again for one message after the other (incoming.go)
//	watch           finds that nobody reads because a handler takes long (watch.go)
//	expiry          fails calls after the default timeout (request.go)
//	keeper          ends the connection of a silent peer, if it is configured to (keeper.go)
//	alarm           calls a func of a connection after a time; the pulse is one timer for the alarms of all (alarm.go)
