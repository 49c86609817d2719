// Package servers serves RPyC peers that connect (rpyc.utils.server).
//
//	srv := &servers.Server{Service: Calculator{}}
//	err := srv.ListenAndServe(ctx, "tcp", "127.0.0.1:18861")
//
// A [Server] accepts connections and makes a protocol.Conn of each, which serves itself: one goroutine reads, and
// handlers run one at a time per connection and in parallel between connections, as with rpyc's ThreadedServer.
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
//	RPyC                                      here
//	ThreadedServer(CalcService, port=p)       Server{NewService: func() any { return &Calc{} }}
//	ThreadedServer(CalcService(), port=p)     Server{Service: &Calc{}}
//	hostname, port, ipv6, socket_path         network and address of ListenAndServe: "tcp", "tcp6", "unix"
//	protocol_config                           Config
//	logger                                    Logger
//	server.start()                            ListenAndServe, Serve
//	server.close()                            Close; Shutdown lets requests finish first
//	service.on_connect, on_disconnect         protocol.Connecter, protocol.Disconnecter
package servers
