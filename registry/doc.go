// Package registry is RPyC's service discovery (rpyc.utils.registry): a registry server that Python servers and clients
// can use in place of the original, and the clients (registrars) by which Go programs use a registry of either kind.
//
// A server tells a registry once a minute under which names it can be found; a client asks the registry for a name and
// gets the endpoints that offer it. Requests and answers are single datagrams, or one request and one answer on a TCP
// connection.
//
// # Names
//
//	RPyC                                      here
//	UDPRegistryServer, TCPRegistryServer      Server: ServeUDP, ServeTCP, ListenAndServe
//	on_service_added, on_service_removed      Server.OnServiceAdded, Server.OnServiceRemoved
//	UDPRegistryClient(ip, port)               UDPClient{Addr: "ip:port"}
//	TCPRegistryClient(ip, port)               TCPClient{Addr: "ip:port"}
//	registrar.discover, list                  Registrar.Discover, List
//	registrar.register, unregister            Registrar.Register, Unregister
//	several registrars                        Multi
//	Server(auto_register=True)                Announce; servers.Server does it by itself
//	REGISTRY_PORT, DEFAULT_PRUNING_TIMEOUT    Port, DefaultTimeout
//	rpyc_registry.py                          cmd/rpyc_registry
//
// [Details] tells more of a server than RPyC's registries know, in a form that they carry.
//
// Connecting to a service by its name is in package protocol: Discover, ListServices, DialByService.
//
// # Where the server differs from upstream's
//
//   - Entries expire in time, not only when somebody asks for them.
//   - A service whose address only its own host or network can use, 127.0.0.1 first of all, is shown to others under an
//     address that they can use: see [Advertise].
//   - Answers are kept within what RPyC's clients read, 1500 bytes, or 15000 for LIST over UDP; of longer ones the
//     oldest entries are sent. RPyC's registries send all, which such a client cannot decode.
//   - Python 2 peers, which send bytes in place of text, are answered in bytes, from the same table.
//   - A datagram that is cut short is never an acceptable request. A port is an integer from 0 to 65535, or the
//     path of a Unix socket.
//   - A command that is not text is ignored; upstream's process ends.
//   - A TCP request may arrive in pieces, and clients that send nothing hold nobody up.
//   - What one source can ask and store is limited: see [Limits].
//   - Registrations can be signed with a secret that servers and registry share: see [Server] and [UDPClient].
package registry
