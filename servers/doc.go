// Package servers serves RPyC peers that connect (rpyc.utils.server, rpyc.utils.authenticators).
//
//	srv := &servers.Server{Service: Calculator{}}
//	err := srv.ListenAndServe(ctx, "tcp", "127.0.0.1:18861")
//
// A [Server] accepts connections and makes a protocol.Conn of each, which serves itself: one goroutine reads, and
// handlers run one at a time per connection and in parallel between connections, as with rpyc's ThreadedServer.
// Server.Mode has the other ways of serving.
//
// A program that ends in order on a signal:
//
//	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
//	defer stop()
//	done := make(chan error, 1)
//	context.AfterFunc(ctx, func() {
//		limit, cancel := context.WithTimeout(context.Background(), 10*time.Second)
//		defer cancel()
//		done <- srv.Shutdown(limit)
//	})
//	if err := srv.ListenAndServe(context.Background(), "tcp", addr); !errors.Is(err, servers.ErrServerClosed) {
//		return err
//	}
//	return <-done
//
// # Silent and slow clients
//
// RPyC serves a client for as long as it is connected. A Server by default ends connections on which nothing has come
// for five minutes since they were made, and, when descriptors run out, those that have been idle for longest; its
// connections share a budget (Server.Budget). For clients that are not
// trusted to behave, set in Server.Config IdleTimeout (nothing comes and nothing runs) and StallTimeout (a message that
// does not get on, or is not read), and MaxConns. AuthTimeout has a default. TCP keepalive is on, and finds clients
// whose machine is gone.
//
// # Who is asking
//
// A handler with a context finds out with protocol.FromContext(ctx): Conn.RemoteAddr and LocalAddr, Conn.TLS,
// Conn.Credentials, and with Conn.Root what the client exposes.
//
// # RPyC's classes
//
//	RPyC               here                            proved by                difference
//	ThreadedServer     Server{}                        TestSharedAndOwnServices
//	ThreadPoolServer   Server{Mode: Pool}              TestPoolQueues           connections have goroutines of their own to be
//	                                                   TestPoolRefuses          read; workers are counted for handlers only
//	ForkingServer      Server{Mode: Forking}           TestForking              runs the program anew: see below
//	OneShotServer      Server{Mode: OneShot}           TestOneShot              stops listening once it has its client
//	GeventServer       Server{}                        TestManyConnections      goroutines are light already
//	Server, subclassed OnAccept, Authenticator,        TestHooks
//	                   OnServe, OnGone
//	SSLAuthenticator   TLS                             TestTLSPython            see transport.TLSFiles for the arguments
//	an authenticator   Authenticator                   TestMagicWord
//	AuthenticationError  AuthenticationError           TestMagicWord
//
// # RPyC's arguments
//
//	RPyC                     here                              proved by            difference
//	service (a class)        Server.NewService                 TestSharedAndOwnServices
//	service (an instance)    Server.Service                    TestSharedAndOwnServices
//	hostname, port           ListenAndServe(ctx, "tcp", addr)  TestListenAddresses  without a host "tcp" is IPv4 and IPv6; "tcp4"
//	                                                                                is RPyC's default
//	ipv6                     network "tcp6"                    TestListenAddresses
//	socket_path              network "unix"                    TestUnixPython       a file nobody listens on is replaced; it is
//	                                                                                kept when the server ends, as in RPyC
//	backlog                  transport.ListenOptions.Backlog   TestListenOptions
//	reuse_addr               transport.ListenOptions.NoReuseAddr  TestListenOptions
//	authenticator            Server.Authenticator              TestTLSPython
//	protocol_config          Server.Config                     TestHooks            see protocol.Config
//	logger                   Server.Logger                     TestLogLines         a *slog.Logger; nil is silent
//	listener_timeout         none needed                       TestShutdownLetsRequestsFinish  closing interrupts accepting
//	nbThreads                Server.Workers                    TestPoolQueues
//	requestBatchSize         Server.Batch                      protocol.TestWorkerBatches
//	server.start()           Serve, ListenAndServe
//	server.close()           Close                             TestSharedAndOwnServices  Shutdown has requests answered first
//	server.clients           Clients                           TestSharedAndOwnServices
//	server.fileno()          the listener's SyscallConn
//	get_service_name         ServiceName, ServiceAliases       TestServiceNames     exposed.ClassOptions.Aliases is ALIASES
//	service.on_connect       protocol.Connecter                TestRefusedConnection
//	service.on_disconnect    protocol.Disconnecter
//	registrar, auto_register Server.Registrar                  TestRegistration     registers if a registrar is given
//	rpyc_classic -m stdio    ServeStdio                        TestStdioInetd
//
// # Forking
//
// Go cannot fork. A [Forking] server runs the program again for each connection, with the same arguments and
// environment, and passes the socket to it; when that process calls ListenAndServe or Serve of the server with the same
// Name, it serves the one connection, in place of listening, and the call returns ErrServerClosed when that has ended.
// So everything the program does before happens again in each process; [Forked] tells. Authentication happens in the
// process. A listener whose connections have no file descriptor cannot be used.
package servers
