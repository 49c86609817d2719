// Package classic is the client of RPyC's classic mode: a server that hands out its whole Python interpreter
// (rpyc.utils.classic, rpyc.core.service.MasterService). It works with the rpyc_classic program of every release that
// package protocol speaks to, and with classic servers written in Go.
//
//	RPyC                                       here
//	conn = rpyc.classic.connect(host)          conn, err := classic.Dial(ctx, host, nil)
//	classic.ssl_connect(host, …)               DialTLS(ctx, host, tlsConfig, nil)
//	classic.unix_connect(path)                 DialUnix(ctx, path, nil)
//	classic.connect_stream(stream)             DialStream(ctx, stream, nil)
//	classic.connect_subproc(server)            DialSubprocess(ctx, cmd, nil)
//	classic.ssh_connect(machine, port)         DialWith(ctx, &protocol.Dialer{Options: …}, "tcp", "localhost:18812"),
//	                                           with the tunnel of package protocol/transport/ssh as Options.Dialer
//	zerodeploy.DeployedServer(machine)         d, err := Deploy(ctx, tunnel, nil); c, err := d.Connect(ctx, nil)
//	any other connection                       New(conn)
//	conn.modules.os, conn.modules["os.path"]   o, err := conn.Module(ctx, "os.path")
//	"os" in conn.modules                       ok, err := conn.HasModule(ctx, "os")
//	conn.modules.os.getpid()                   pid, err := classic.Call[int](ctx, conn, "os.getpid")
//	conn.builtins.open(…)                      o, err := conn.Builtins(ctx)
//	conn.eval("1 + 1")                         n, err := classic.Eval[int](ctx, conn, "1 + 1")
//	conn.execute("x = 5")                      err := conn.Execute(ctx, "x = 5")
//	conn.namespace["x"]                        ns, err := conn.Namespace(ctx); netref.Item[int](ctx, ns, "x")
//	conn.root.getconn()                        o, err := conn.Remote(ctx)
//	classic.obtain(o)                          v, err := classic.Obtain[T](ctx, o)
//	classic.deliver(conn, v)                   o, err := conn.Deliver(ctx, v)
//	classic.upload(conn, local, remote)        err := conn.Upload(ctx, local, remote, nil); UploadFS, UploadFrom
//	classic.download(conn, remote, local)      err := conn.Download(ctx, remote, local, nil); DownloadTo
//	classic.upload_package(conn, package)      err := conn.UploadPackage(ctx, dir, "", nil)
//	with classic.redirected_stdio(conn):       err := conn.RedirectedStdio(ctx, stdio, func(ctx context.Context) error { … })
//	classic.interact(conn)                     err := conn.Interact(ctx, stdio, nil)
//	classic.pm(conn)                           err := conn.PM(ctx, stdio)
//	conn.teleport(f)                           o, err := conn.Teleport(ctx, source)
//	conn.root.getconn()._channel.compress = …  err := conn.SetCompression(ctx, false)
//	conn.close()                               conn.Close()
//
// Everything else that can be done with remote objects is in package netref.
//
// # Data
//
// Obtain copies by pickle, in one round trip whatever the size, and converts: a numpy array to a []float64 or
// [][]float64 ([ObtainArray] gives the shape, too), a dataclass to a struct, a dict to a map. [ObtainFrame] takes a
// pandas DataFrame column by column, [DeliverArray] and [DeliverFrame] make arrays and frames of slices. The bytes of
// an array are moved as they are and never number by number.
//
// # Safety
//
// A classic server trusts its clients with the machine it runs on. A client need not trust the server: what it obtains
// is data (see package pickle), nothing of its own is within reach but what it passes, and a download does not leave
// its directory.
package classic
