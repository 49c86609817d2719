// Package slave serves RPyC's classic mode from Go: an unmodified rpyc.classic.connect finds modules, builtins, eval,
// execute and a namespace (rpyc.core.service.SlaveService). What the modules can do is in package modules; eval and
// execute run the language that package script describes.
//
//	srv := &servers.Server{
//		NewService: slave.New(nil),
//		Config:     slave.Config(nil),
//	}
//	err := srv.ListenAndServe(ctx, "tcp", "127.0.0.1:18812")
//
// A classic server hands out the machine: whoever can connect can read, write and run what the process may. Listen on
// loopback, or demand certificates of clients.
//
//	RPyC                                here
//	ThreadedServer(SlaveService, …)     servers.Server{NewService: slave.New(nil), Config: slave.Config(nil)}
//	SlaveService                        Service
//	conn.namespace                      Service.Namespace
//	conn.modules, conn.builtins         Service.Interpreter, package modules
//	conn.eval, conn.execute             Service.Eval, Service.Execute, package script
//	conn.teleport                       by the source that the client has of the function
//	conn.modules.rpyc                   connect and unix_connect, also of rpyc.classic
//	ClassicService (both directions)    Service, with package classic used on the same connection
package slave
