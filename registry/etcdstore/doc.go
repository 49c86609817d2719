// Package etcdstore keeps the registrations of RPyC's registry in etcd, so that any number of registry processes answer
// alike and a registry, or a node of etcd, can be lost without anybody noticing.
//
//	client, err := clientv3.New(clientv3.Config{
//		Endpoints: endpoints, DialKeepAliveTime: 5 * time.Second, DialKeepAliveTimeout: 3 * time.Second,
//	})
//	store, err := etcdstore.New(client, &etcdstore.Options{Logger: logger})
//	server := &registry.Server{Store: store, Logger: logger}
//
// cmd/rpyc_registry_etcd is a program that does this. The package is a module of its own: who does not want etcd is not
// built with it.
//
// # How it works
//
// Each endpoint is one key, with the names that it offers and a lease of the pruning timeout, 15 s or more. A server
// that registers again renews the lease and the key, at whichever registry; one that stays away is removed by etcd
// itself. If a lease is lost while its server still registers, the registration is made anew.
//
// Every registry has a copy of all keys in memory, which it watches. All requests are answered from that copy, so they
// cost the same as without etcd, and are answered while etcd has no leader or is gone altogether. Changes are put into
// the copy at once and written by goroutines in the background, again and again until it has worked; each attempt is
// bounded by [Options].WriteTimeout. So an acknowledged registration is known to the registry that acknowledged it, and
// to the others as soon as etcd has taken it. If the registry dies in between, the server's next renewal (60 s) tells
// another one.
//
// While etcd cannot be reached, [Store.Err] says so, as does the log; nothing that is known is removed, because nobody
// can tell what others have heard. The endpoints are in the order of their renewals in etcd, which is the same
// everywhere.
//
// # What a lost node costs
//
// Measured by this package's tests: three nodes, processes of their own, on loopback; two registries; 60 servers that
// register twice a second and eight clients that ask without pause; the leader is ended by SIGKILL. No registration was
// lost, no query went without its answer; for 0.9 to 2.0 s what one registry was told was not known to the other.
// README.md has the other figures.
//
// # What is expected
//
// All registries on one prefix have the same Timeout, and clocks that agree within a small part of it: when a single
// name of an endpoint that goes on offering others has gone is told by the clock, and so are ages on the page. Nothing
// else is.
package etcdstore
